using LiT.Towers;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Pretraining;

/// <summary>
/// <see cref="AdamW"/> for pre-training, with the rate and decay of <see cref="PretrainingOptions"/>.
/// </summary>
internal sealed class AdamUpdates(ImageTower tower, PretrainingOptions options) : IWeightUpdates
{
    private readonly AdamW adam = new(
        TunedParameter.Of(tower, ""),
        new OptimizerOptions
        {
            Kind = OptimizerKind.AdamW,
            LearningRate = options.LearningRate,
            WeightDecay = options.WeightDecay,
            Momentum = options.Momentum,
            ClipNorm = 1,
        }
    );

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Value)> State => adam.State.Select(one => (one.Key, one.Value));

    /// <inheritdoc/>
    public void GoOn(long steps) => adam.Restore(steps, adam.State);

    /// <inheritdoc/>
    public void Clear() => adam.ClearGradients();

    /// <inheritdoc/>
    public double Step(double learningRate) => adam.Step(learningRate / options.LearningRate);

    public void Dispose() => adam.Dispose();
}
