using LiT.Compute.Kernels;
using static TorchSharp.torch;

namespace LiT.Compute.Locked;

/// <summary>
/// Group norms with the ReLU that follows, by what was chosen for a target; this one is libtorch's, with gradients.
/// </summary>
internal class Norming
{
    private readonly GroupScales scales;

    private protected Norming(GroupScales scales) => this.scales = scales;

    /// <param name="target">What it is for.</param>
    /// <param name="scales">The norm's weights.</param>
    public static Norming For(Target target, GroupScales scales) =>
        target is { Constant: true, HasOwnKernels: true } ? new NormingConstantly(scales) : new Norming(scales);

    private protected GroupScales Scales => scales;

    /// <summary>ReLU of the normed x.</summary>
    public virtual Tensor Rectified(Tensor x) => scales.Normed(x).relu_();

    /// <summary>The same; x's memory may hold the result.</summary>
    public virtual Tensor RectifiedInPlace(Tensor x) => Rectified(x);

    /// <summary>ReLU of the sum of the normed x and a shortcut; x's memory may hold the result.</summary>
    public virtual Tensor RectifiedSum(Tensor x, Tensor shortcut) => scales.Normed(x).PlusInPlace(shortcut).relu_();
}

/// <summary>Norm, sum and ReLU in one pass over channels that are innermost in memory; without gradients.</summary>
internal sealed class NormingConstantly(GroupScales scales) : Norming(scales)
{
    public override Tensor Rectified(Tensor x) =>
        Target.WantsGradient(x) ? base.Rectified(x) : GroupNorms.Of(Scales, x, null, inPlace: false);

    public override Tensor RectifiedInPlace(Tensor x) =>
        Target.WantsGradient(x) ? base.RectifiedInPlace(x) : GroupNorms.Of(Scales, x, null, inPlace: true);

    public override Tensor RectifiedSum(Tensor x, Tensor shortcut) =>
        Target.WantsGradient(x) ? base.RectifiedSum(x, shortcut) : GroupNorms.Of(Scales, x, shortcut, inPlace: true);
}
