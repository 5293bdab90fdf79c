using LiT.Compute;
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
    private readonly int kernel,
        stride;
    private readonly Standardisation standardisation;
    private readonly FoldedWeights folded = new();
    private readonly PackedConvolution packed = new();

    public StandardisedConv(int from, int to, int kernel, int stride, Standardisation standardisation, Device? device)
        : base(nameof(StandardisedConv))
    {
        (this.kernel, this.stride, this.standardisation) = (kernel, stride, standardisation);
        weight = Layers.Weight([to, from, kernel, kernel], device);
        RegisterComponents();
    }

    public bool Folded
    {
        set => folded.Wanted = packed.Wanted = value;
    }

    public override Tensor forward(Tensor x)
    {
        if (PadsApart)
            x = Same(x, kernel, stride, 0);
        if (IsLockedFor(x))
            return packed.Of(x, Fold, Margin, stride, relu: false);
        var w =
            training || !folded.Wanted
                ? Standardised()
                : folded.For(x, () => (FoldedWeights.ChannelsLast(Standardised()), null)).Weight;
        return functional.conv2d(x, w, strides: [stride, stride], padding: [Margin, Margin]);
    }

    /// <summary>The result added to a shortcut, whose memory may hold the sum afterwards.</summary>
    public Tensor Onto(Tensor shortcut, Tensor x) =>
        IsLockedFor(x) && !PadsApart
            ? packed.Onto(shortcut, x, Fold, Margin, stride, relu: false)
            : call(x).PlusInPlace(shortcut);

    /// <summary>Whether this input takes the locked way: channels are innermost in memory in the result, and no gradient will ask for it.</summary>
    public bool IsLockedFor(Tensor x) => !training && packed.Takes(x);

    // TensorFlow's SAME is k/2 on every side where nothing is skipped.
    private bool PadsApart => standardisation.SamePadding && stride > 1;

    private int Margin => PadsApart ? 0 : kernel / 2;

    private (Tensor Kernel, Tensor? Bias) Fold() => (Standardised(), null);

    private Tensor Standardised()
    {
        var centred = weight - weight.mean([1, 2, 3], keepdim: true);
        var variance = centred.square().mean([1, 2, 3], keepdim: true);
        return centred
            / (
                standardisation.InsideRoot
                    ? (variance + standardisation.Eps).sqrt()
                    : variance.sqrt() + standardisation.Eps
            );
    }

    /// <summary>TensorFlow's SAME padding: as many outputs as inputs / stride, the odd pixel at the end.</summary>
    internal static Tensor Same(Tensor x, int kernel, int stride, double value)
    {
        long Missing(long size) => Math.Max(((size + stride - 1) / stride - 1) * stride + kernel - size, 0);
        var (tall, wide) = (Missing(x.shape[2]), Missing(x.shape[3]));
        return tall == 0 && wide == 0
            ? x
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
        if (disposing)
            Folded = false;
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
