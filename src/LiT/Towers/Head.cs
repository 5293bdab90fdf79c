using LiT.Compute;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// What brings a tower's representation to the size that both towers share: one dense layer, as in every published
/// model, an MLP of two with a GELU between, or a gated one as SAIL has it (Zhang et al. 2024, arXiv 2412.04616, and
/// its authors' code): W3 (relu6(W1 x) · W2 x), [B, Width of the tower] → [B, E].
/// </summary>
internal sealed class Head : Module<Tensor, Tensor>
{
    private readonly Dense? linear,
        fc1,
        fc2,
        gate;

    // What a tower ends in (a ReLU, a norm) gives all pictures much the same direction; a head that starts by taking
    // the common part away does not have to learn to, and the contrastive loss does not collapse onto it.
    private readonly Tensor? mean,
        deviation;

    /// <param name="inputs">Length of the tower's representation.</param>
    /// <param name="outputs">The common size.</param>
    /// <param name="hidden">Width inside an MLP head; null for one dense layer.</param>
    /// <param name="device">Where the weights are to be. They are allocated, not filled.</param>
    /// <param name="standardises">Whether inputs are standardised first.</param>
    /// <param name="gated">Whether an MLP head is gated.</param>
    internal Head(
        int inputs,
        int outputs,
        int? hidden = null,
        Device? device = null,
        bool standardises = false,
        bool gated = false
    )
        : base(nameof(Head))
    {
        (Inputs, Outputs, Hidden) = (inputs, outputs, hidden);
        if (hidden is { } inside)
        {
            if (gated)
                gate = Layers.Dense(inputs, inside, device);
            fc1 = Layers.Dense(inputs, inside, device);
            fc2 = Layers.Dense(inside, outputs, device);
        }
        else
            linear = Layers.Dense(inputs, outputs, device);
        if (standardises)
        {
            (mean, deviation) = (
                zeros(inputs, device: device).DetachFromDisposeScope(),
                ones(inputs, device: device).DetachFromDisposeScope()
            );
            register_buffer(nameof(mean), mean);
            register_buffer(nameof(deviation), deviation);
        }
        RegisterComponents();
    }

    /// <summary>Length of the tower's representation.</summary>
    public int Inputs { get; }

    /// <summary>The common size.</summary>
    public int Outputs { get; }

    /// <summary>Width inside an MLP head; null for one dense layer.</summary>
    public int? Hidden { get; }

    /// <summary>Whether an MLP head is gated.</summary>
    public bool Gated => gate is not null;

    /// <summary>
    /// A head filled as flax fills dense layers: truncated normal of variance 1 / inputs, biases zero.
    /// </summary>
    /// <param name="inputs">Length of the tower's representation.</param>
    /// <param name="outputs">The common size.</param>
    /// <param name="seed">The same seed gives the same weights.</param>
    /// <param name="hidden">Width inside an MLP head; null for one dense layer.</param>
    /// <param name="standardises">Whether inputs are standardised first.</param>
    /// <param name="gated">Whether an MLP head is gated.</param>
    public static Head Create(
        int inputs,
        int outputs,
        long seed,
        int? hidden = null,
        bool standardises = false,
        bool gated = false
    )
    {
        var head = new Head(inputs, outputs, hidden, standardises: standardises, gated: gated);
        using var random = new Generator((ulong)seed, CPU);
        foreach (var layer in (Dense?[])[head.linear, head.gate, head.fc1, head.fc2])
        {
            if (layer is null)
                continue;
            Layers.LecunNormal(layer.weight!, random);
            init.zeros_(layer.bias!);
        }
        return head;
    }

    /// <summary>
    /// A head that gives, of what another one gives, its products with some directions: the same weights but for those
    /// of the last layer, so that it is as much smaller as there are fewer of them.
    /// </summary>
    /// <param name="head">The other one; null where the representation is taken as it is.</param>
    /// <param name="directions">Rows of the length of what it gives, [w, E].</param>
    /// <returns>A head to w numbers.</returns>
    internal static Head Along(Head? head, Tensor directions)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var (outputs, inputs) = ((int)directions.shape[0], (int)directions.shape[1]);
        Head made = head is null
            ? new(inputs, outputs)
            : new(head.Inputs, outputs, head.Hidden, null, head.Standardises, head.Gated);
        foreach (var (mine, theirs) in ((Dense?, Dense?)[])[(made.gate, head?.gate), (made.fc1, head?.fc1)])
        {
            mine?.weight!.copy_(theirs!.weight!);
            mine?.bias!.copy_(theirs!.bias!);
        }
        made.mean?.copy_(head!.mean!);
        made.deviation?.copy_(head!.deviation!);
        var (last, before) = (made.linear ?? made.fc2!, head?.linear ?? head?.fc2);
        // On one thread, and in float64: what is cut is to be what it would have been.
        Parts.Run(1, _ =>
        {
            var along = directions.to(ScalarType.Float64);
            last.weight!.copy_(before is null ? along : along.matmul(before.weight!.to(ScalarType.Float64)));
            if (before is null)
                init.zeros_(last.bias!);
            else
                last.bias!.copy_(along.matmul(before.bias!.to(ScalarType.Float64)));
        });
        return made;
    }

    /// <summary>A head of one dense layer.</summary>
    /// <param name="weights">[outputs, inputs]; copied.</param>
    /// <param name="bias">[outputs]; copied.</param>
    internal static Head Dense(Tensor weights, Tensor bias)
    {
        using var unrecorded = no_grad();
        Head made = new((int)weights.shape[1], (int)weights.shape[0]);
        made.linear!.weight!.copy_(weights);
        made.linear.bias!.copy_(bias);
        return made;
    }

    /// <summary>The one dense layer that the head is, standardising and all; null where it is more.</summary>
    internal (Tensor Weights, Tensor Bias)? AsDense()
    {
        if (linear is null)
            return null;
        var (weights, bias) = (linear.weight!.detach(), linear.bias!.detach());
        if (mean is null)
            return (weights, bias);
        var scaled = weights / deviation!;
        return (scaled, bias - scaled.matmul(mean));
    }

    /// <summary>
    /// Whether inputs are brought to mean 0 and deviation 1 first, with numbers that are not trained.
    /// </summary>
    public bool Standardises => mean is not null;

    /// <summary>Takes the numbers of the data that the head is to be trained on.</summary>
    /// <param name="means">[inputs].</param>
    /// <param name="deviations">[inputs]; channels that never change count as 1.</param>
    internal void Standardise(Tensor means, Tensor deviations)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        mean!.copy_(means);
        deviation!.copy_(deviations.where(deviations.With(1e-6, (d, least) => d.gt(least)), ones_like(deviations)));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor representation)
    {
        var x = mean is null ? representation : (representation - mean) / deviation!; // [B, inputs]
        if (linear is not null)
            return linear.call(x);
        var inside = fc1!.call(x); // [B, Hidden]
        return fc2!.call(gate is null ? functional.gelu(inside) : functional.relu6(gate.call(x)) * inside);
    }

    internal static readonly WeightMap Flax = new("head")
    {
        { "kernel", "linear.weight", Axes.Transposed },
        { "bias", "linear.bias" },
    };
}
