using LiT.Compute.Kernels;
using LiT.Compute.Locked;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// Group normalisation (Wu and He 2018, arXiv 1803.08494) with the ReLU that follows, [B, C, H, W] → [B, C, H, W].
/// </summary>
internal sealed class RectifiedNorm : CompiledLayer
{
    private readonly Parameter weight, // field names are weight names
        bias;
    private readonly int groups;
    private readonly double eps;
    private Norming? norming;

    public RectifiedNorm(int groups, int channels, double eps, Device? device)
        : base(nameof(RectifiedNorm), device)
    {
        (this.groups, this.eps) = (groups, eps);
        (weight, bias) = (Layers.Weight([channels], device), Layers.Weight([channels], device));
        RegisterComponents();
    }

    private GroupScales Scales => new(groups, weight, bias, eps);

    /// <summary>The norm without a ReLU.</summary>
    public override Tensor forward(Tensor x) => Scales.Normed(x);

    /// <summary>relu(norm(x)).</summary>
    public Tensor Rectified(Tensor x) => norming!.Rectified(x);

    /// <summary>relu(norm(x)); x's memory may hold the result.</summary>
    public Tensor RectifiedInPlace(Tensor x) => norming!.RectifiedInPlace(x);

    /// <summary>relu(norm(x) + shortcut); x's memory may hold the result.</summary>
    public Tensor RectifiedSum(Tensor x, Tensor shortcut) => norming!.RectifiedSum(x, shortcut);

    /// <summary>Scale one, shift zero.</summary>
    public void Initialise()
    {
        init.ones_(weight);
        init.zeros_(bias);
    }

    protected override void Compile(Target target) => norming = Norming.For(target, Scales);
}
