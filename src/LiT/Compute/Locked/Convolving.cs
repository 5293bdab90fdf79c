using static TorchSharp.torch;

namespace LiT.Compute.Locked;

/// <summary>How a kernel moves over a picture.</summary>
/// <param name="Stride">Places that it moves on by.</param>
/// <param name="Padding">Zeros on every side of the picture.</param>
internal readonly record struct Steps(long Stride, long Padding)
{
    public Tensor Convolved(Tensor x, Tensor kernel, Tensor? bias = null) =>
        nn.functional.conv2d(x, kernel, bias, strides: [Stride, Stride], padding: [Padding, Padding]);
}

/// <summary>
/// A convolution with what belongs to it (a norm, a standardised kernel), by what was chosen for a target.
/// </summary>
internal abstract class Convolving : IDisposable
{
    /// <summary>As the paper has it, or by a kernel and a bias that are computed once.</summary>
    /// <param name="target">What it is for.</param>
    /// <param name="written">The paper's equation.</param>
    /// <param name="steps">Stride and padding.</param>
    /// <param name="fold">Kernel, [outputs, inputs, K, K], and bias that do the same where weights are
    /// constant.</param>
    public static Convolving For(
        Target target,
        Func<Tensor, Tensor> written,
        Steps steps,
        Func<(Tensor Kernel, Tensor? Bias)> fold
    ) =>
        target.Packs ? new PackedConvolution(steps, fold)
        : target.Constant ? new FoldedConvolution(steps, fold)
        : new WrittenConvolution(written);

    public abstract Tensor Of(Tensor x);

    /// <summary>ReLU of the result.</summary>
    public virtual Tensor Rectified(Tensor x) => Of(x).relu_();

    /// <summary>The result added to a shortcut, whose memory may hold the sum afterwards.</summary>
    public virtual Tensor Onto(Tensor shortcut, Tensor x) => Of(x).PlusInPlace(shortcut);

    /// <summary>ReLU of that sum.</summary>
    public virtual Tensor RectifiedOnto(Tensor shortcut, Tensor x) => Onto(shortcut, x).relu_();

    /// <summary>The same values, the channel axis innermost in memory: what oneDNN's convolutions like best.</summary>
    internal static Tensor ChannelsLast(Tensor t) => t.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

    /// <inheritdoc/>
    public virtual void Dispose() { }
}

/// <summary>The paper's own equation, at every call.</summary>
internal sealed class WrittenConvolution(Func<Tensor, Tensor> written) : Convolving
{
    public override Tensor Of(Tensor x) => written(x);
}

/// <summary>libtorch's convolution by a kernel that was computed once.</summary>
internal sealed class FoldedConvolution(Steps steps, Func<(Tensor Kernel, Tensor? Bias)> fold) : Convolving
{
    private readonly OnceKept folded = new(_ =>
    {
        var (kernel, bias) = fold();
        return (ChannelsLast(kernel), bias);
    });

    public override Tensor Of(Tensor x)
    {
        var (kernel, bias) = folded.For(x);
        return steps.Convolved(x, kernel, bias);
    }

    public override void Dispose() => folded.Dispose();
}

/// <summary>
/// oneDNN's convolution by a kernel that was laid out once, with which ReLU and the sum with a shortcut are part of the
/// convolution and no passes of their own. The results differ from libtorch's in the last digits only; channels are
/// innermost in memory.
/// </summary>
internal sealed class PackedConvolution(Steps steps, Func<(Tensor Kernel, Tensor? Bias)> fold) : Convolving
{
    private readonly FoldedConvolution forGradients = new(steps, fold);

    // Laid out for pictures of the first one's size; others are right too, and slower.
    private readonly OnceKept packed = new(x =>
    {
        var (kernel, bias) = fold();
        return (OneDnn.PackConvolution(kernel, steps.Padding, steps.Stride, x), bias);
    });

    public override Tensor Of(Tensor x) => Target.WantsGradient(x) ? forGradients.Of(x) : Convolved(x, relu: false);

    public override Tensor Rectified(Tensor x) =>
        Target.WantsGradient(x) ? forGradients.Rectified(x) : Convolved(x, relu: true);

    public override Tensor Onto(Tensor shortcut, Tensor x) =>
        Target.WantsGradient(x) ? forGradients.Onto(shortcut, x) : Convolved(shortcut, x, relu: false);

    public override Tensor RectifiedOnto(Tensor shortcut, Tensor x) =>
        Target.WantsGradient(x) ? forGradients.RectifiedOnto(shortcut, x) : Convolved(shortcut, x, relu: true);

    private Tensor Convolved(Tensor x, bool relu)
    {
        var (kernel, bias) = packed.For(x);
        return OneDnn.Convolution(x, kernel, bias, steps.Padding, steps.Stride, relu);
    }

    private Tensor Convolved(Tensor shortcut, Tensor x, bool relu)
    {
        var (kernel, bias) = packed.For(x);
        return OneDnn.ConvolutionOnto(ChannelsLast(shortcut), x, kernel, bias, steps.Padding, steps.Stride, relu);
    }

    public override void Dispose()
    {
        forGradients.Dispose();
        packed.Dispose();
    }
}
