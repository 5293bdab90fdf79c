using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>What one update multiplies with.</summary>
/// <param name="Number">Counts the updates of this parameter from 1.</param>
/// <param name="Shrink">The gradient, so that the whole is no longer than the clipping norm.</param>
/// <param name="LearningRate">The direction.</param>
/// <param name="WeightDecay">The parameter.</param>
/// <param name="Schedule">The sum of both.</param>
internal readonly record struct UpdateFactors(
    long Number,
    float Shrink,
    float LearningRate,
    float WeightDecay,
    float Schedule
)
{
    /// <summary>p -= schedule · (lr · u + wd · p), as tensor operations.</summary>
    internal void Apply(Tensor parameter, Tensor direction) =>
        parameter.sub_(direction.Times(LearningRate).PlusInPlace(parameter, WeightDecay).TimesInPlace(Schedule));
}

/// <summary>What one update of Adam is made with.</summary>
internal readonly record struct AdamConstants(
    MomentumMixing Mixing,
    float Beta2,
    float NewSquare,
    float MomentumCorrection,
    float SquareCorrection,
    float Epsilon
);
