using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// A convolution without bias whose kernel is standardised for each output channel (Qiao et al. 2019, arXiv 1903.10520).
/// In a locked tower that is done once.
/// </summary>
internal sealed class StandardisedConv : Module<Tensor, Tensor>, IFoldable
{
    private readonly Parameter weight;
    private readonly int kernel, stride;
    private readonly Standardisation standardisation;
    private readonly FoldedWeights folded = new();

    public StandardisedConv(int from, int to, int kernel, int stride, Standardisation standardisation, Device? device) : base(nameof(StandardisedConv))
    {
        (this.kernel, this.stride, this.standardisation) = (kernel, stride, standardisation);
        weight = Layers.Weight([to, from, kernel, kernel], device);
        RegisterComponents();
    }

    public bool Folded { set => folded.Wanted = value; }

    public override Tensor forward(Tensor x)
    {
        var w = training || !folded.Wanted ? Standardised() : folded.For(x, () => (FoldedWeights.ChannelsLast(Standardised()), null)).Weight;
        var margin = kernel / 2;
        return standardisation.SamePadding
            ? functional.conv2d(Same(x, kernel, stride, 0), w, strides: [stride, stride])
            : functional.conv2d(x, w, strides: [stride, stride], padding: [margin, margin]);
    }

    private Tensor Standardised()
    {
        var centred = weight - weight.mean([1, 2, 3], keepdim: true);
        var variance = centred.square().mean([1, 2, 3], keepdim: true);
        return centred / (standardisation.InsideRoot ? (variance + standardisation.Eps).sqrt() : variance.sqrt() + standardisation.Eps);
    }

    /// <summary>TensorFlow's SAME padding: as many outputs as inputs / stride, the odd pixel at the end.</summary>
    internal static Tensor Same(Tensor x, int kernel, int stride, double value)
    {
        long Missing(long size) => Math.Max(((size + stride - 1) / stride - 1) * stride + kernel - size, 0);
        var (tall, wide) = (Missing(x.shape[2]), Missing(x.shape[3]));
        return tall == 0 && wide == 0 ? x
            : functional.pad(x, [wide / 2, wide - wide / 2, tall / 2, tall - tall / 2], PaddingModes.Constant, value);
    }

    public void Initialise(Generator random) =>
        Layers.Normal(weight, Math.Sqrt(1.0 / (weight.shape[1] * kernel * kernel)), random);

    /// <summary>Scale one, shift zero; TorchSharp 0.107 leaves a group norm's weights as memory has them.</summary>
    internal static void InitialiseNorm(GroupNorm norm)
    {
        init.ones_(norm.weight!);
        init.zeros_(norm.bias!);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) folded.Wanted = false;
        base.Dispose(disposing);
    }
}

/// <summary>How kernels are standardised, where the two public forms differ, and the padding that goes with it.</summary>
/// <param name="Eps">What keeps the division from zero.</param>
/// <param name="InsideRoot">(w - mean) / sqrt(variance + eps), else (w - mean) / (deviation + eps).</param>
/// <param name="SamePadding">TensorFlow's SAME padding, else k/2 on every side.</param>
internal sealed record Standardisation(double Eps, bool InsideRoot, bool SamePadding)
{
    /// <summary>big_vision models/bit_paper.py, and big_transfer.</summary>
    public static Standardisation BitPaper { get; } = new(1e-10, InsideRoot: true, SamePadding: false);

    /// <summary>big_vision models/bit.py.</summary>
    public static Standardisation Bit { get; } = new(1e-5, InsideRoot: false, SamePadding: true);
}
