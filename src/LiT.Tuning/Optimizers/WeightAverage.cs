using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Optimizers;

/// <summary>
/// A moving average of the weights, average = decay · average + (1 - decay) · weights after every step. The decay
/// begins small and grows as (1 + n) / (10 + n) over n steps, so that the weights at the start are soon forgotten.
/// </summary>
internal sealed class WeightAverage : IDisposable
{
    private readonly IReadOnlyList<TunedParameter> parameters;
    private readonly double decay;

    internal WeightAverage(IReadOnlyList<TunedParameter> parameters, double decay)
    {
        (this.parameters, this.decay) = (parameters, decay);
        Averages = [.. parameters.Select(parameter => parameter.Tensor.detach().clone().DetachFromDisposeScope())];
    }

    private List<Tensor> Averages { get; }

    /// <summary>The averages under the names of what they are averages of.</summary>
    internal IEnumerable<(string Name, Tensor Tensor)> Named =>
        parameters.Zip(Averages, (parameter, average) => ($"average.{parameter.Name}", average));

    /// <param name="step">Updates that were done before this one.</param>
    internal void Update(long step)
    {
        var kept = Math.Min(decay, (1.0 + step) / (10 + step));
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (parameter, average) in parameters.Zip(Averages))
            average.TimesInPlace(kept).PlusInPlace(parameter.Tensor, 1 - kept);
    }

    /// <summary>
    /// Puts the averages in the weights' place and the weights in theirs; a second time puts them back.
    /// </summary>
    internal void Swap()
    {
        using var noGradient = no_grad();
        foreach (var (parameter, average) in parameters.Zip(Averages))
        {
            using var scope = NewDisposeScope();
            var weights = parameter.Tensor.clone();
            parameter.Tensor.copy_(average);
            average.copy_(weights);
        }
    }

    public void Dispose()
    {
        foreach (var average in Averages)
            average.Dispose();
    }
}
