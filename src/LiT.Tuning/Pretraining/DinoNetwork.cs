using LiT.Compute;
using LiT.Towers;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Pretraining;

/// <summary>
/// A tower with DINO's head: the student, or the teacher. The same options give the same first weights.
/// </summary>
internal sealed class DinoNetwork : IDisposable
{
    public DinoNetwork(DinoOptions options)
    {
        Tower = (options.Tower with { Heads = [] }).Create(options.Seed);
        Head = new DinoHead(Tower.Width, options.HeadHidden, options.HeadBottleneck, options.HeadOutputs);
        using var random = new Generator((ulong)options.Seed, CPU);
        Head.Initialise(random);
        Tower.train();
    }

    public ImageTower Tower { get; }

    public DinoHead Head { get; }

    /// <summary>Every weight and statistic by its name: live tensors.</summary>
    public IEnumerable<(string Name, Tensor Value)> State =>
        Tower
            .state_dict()
            .Select(one => ("tower." + one.Key, one.Value))
            .Concat(Head.state_dict().Select(one => ("head." + one.Key, one.Value)));

    /// <summary>What training moves, by the names of <see cref="State"/>.</summary>
    public IEnumerable<(string Name, Tensor Value)> Parameters =>
        Tower
            .named_parameters()
            .Select(one => ("tower." + one.name, (Tensor)one.parameter))
            .Concat(Head.named_parameters().Select(one => ("head." + one.name, (Tensor)one.parameter)));

    /// <summary>
    /// The same for an optimizer. As main_dino.py groups them, everything decays but biases and what has one dimension:
    /// tables of positions and class tokens do, too.
    /// </summary>
    public IEnumerable<TunedParameter> Tuned =>
        Parameters.Select(one => new TunedParameter(
            one.Name,
            one.Value,
            one.Value.dim() > 1 && !one.Name.EndsWith(".bias", StringComparison.Ordinal)
        ));

    /// <param name="views">Views of one size together, [n, 3, h, w], for each size.</param>
    /// <returns>What the tower gives and what the head makes of it, in the order of the views.</returns>
    public (Tensor Representation, Tensor Output) Of(params IEnumerable<Tensor> views)
    {
        using var scope = NewDisposeScope();
        var representation = cat([.. views.Select(Tower.call)]);
        var output = Head.call(representation);
        return (representation.MoveToOuterDisposeScope(), output.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// Keeps this part of itself and takes the rest from another: weights only, since statistics of batches are each
    /// network's own (main_dino.py: EMA over parameters).
    /// </summary>
    public void Follow(DinoNetwork student, double momentum)
    {
        using var unrecorded = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (own, others) in Parameters.Zip(student.Parameters))
            Follow(own.Value, others.Value, momentum);
    }

    /// <summary>The same for one weight.</summary>
    internal static void Follow(Tensor own, Tensor others, double momentum) =>
        own.TimesInPlace(momentum).PlusInPlace(others, 1 - momentum);

    public void Dispose()
    {
        Tower.Dispose();
        Head.Dispose();
    }
}
