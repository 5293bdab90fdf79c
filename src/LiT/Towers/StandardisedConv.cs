using LiT.Compute;
using LiT.Compute.Locked;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// A convolution without bias whose kernel is standardised for each output channel (Qiao et al. 2019, arXiv
/// 1903.10520), once where the weights are constant.
/// </summary>
internal sealed class StandardisedConv : CompiledLayer
{
    private readonly Parameter weight;
    private readonly int kernel,
        stride;
    private readonly Standardisation standardisation;
    private Convolving? convolution;

    public StandardisedConv(int from, int to, int kernel, int stride, Standardisation standardisation, Device? device)
        : base(nameof(StandardisedConv), device)
    {
        (this.kernel, this.stride, this.standardisation) = (kernel, stride, standardisation);
        weight = Layers.Weight([to, from, kernel, kernel], device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => convolution!.Of(Padded(x));

    /// <summary>The result added to a shortcut, whose memory may hold the sum afterwards.</summary>
    public Tensor Onto(Tensor shortcut, Tensor x) => convolution!.Onto(shortcut, Padded(x));

    private Tensor Equation(Tensor x) => Steps.Convolved(x, Standardised());

    private Tensor Standardised()
    {
        var centred = weight - weight.mean([1, 2, 3], keepdim: true);
        var variance = centred.Squared().mean([1, 2, 3], keepdim: true);
        return centred
            / (
                standardisation.InsideRoot
                    ? variance.Plus(standardisation.Eps).sqrt()
                    : variance.sqrt().Plus(standardisation.Eps)
            );
    }

    // TensorFlow's SAME is k/2 on every side where nothing is skipped.
    private bool PadsApart => standardisation.SamePadding && stride > 1;

    private Steps Steps => new(stride, PadsApart ? 0 : kernel / 2);

    private Tensor Padded(Tensor x) => PadsApart ? Same(x, kernel, stride, 0) : x;

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

    protected override void Compile(Target target)
    {
        convolution?.Dispose();
        convolution = Convolving.For(target, Equation, Steps, () => (Standardised(), null));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            convolution?.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>
/// How kernels are standardised, where the two public forms differ, and the padding that goes with it.
/// </summary>
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
