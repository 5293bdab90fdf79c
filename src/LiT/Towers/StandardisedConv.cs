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
        var w = training || !folded.Wanted ? Standardised() : folded.For(x, () => (Standardised(), null)).Weight;
        var margin = kernel / 2;
        if (standardisation == Standardisation.BitPaper)
            return functional.conv2d(x, w, strides: [stride, stride], padding: [margin, margin]);
        return functional.conv2d(Same(x, kernel, stride, 0), w, strides: [stride, stride]);
    }

    // The two of big_vision differ in where eps stands: models/bit_paper.py and models/bit.py.
    private Tensor Standardised()
    {
        var centred = weight - weight.mean([1, 2, 3], keepdim: true);
        var variance = centred.square().mean([1, 2, 3], keepdim: true);
        return standardisation == Standardisation.BitPaper ? centred / (variance + 1e-10).sqrt() : centred / (variance.sqrt() + 1e-5);
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

    protected override void Dispose(bool disposing)
    {
        if (disposing) folded.Wanted = false;
        base.Dispose(disposing);
    }
}

/// <summary>Which of the two public forms of weight standardisation, with the padding that goes with it.</summary>
internal enum Standardisation
{
    /// <summary>(w - mean) / sqrt(variance + 1e-10), padding k/2 on every side.</summary>
    BitPaper,

    /// <summary>(w - mean) / (deviation + 1e-5), SAME padding.</summary>
    Bit,
}
