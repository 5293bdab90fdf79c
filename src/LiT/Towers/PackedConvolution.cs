using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// What a convolution of constant weights keeps for oneDNN: its kernel laid out once, with which ReLU and the sum with a shortcut
/// are part of the convolution and no passes of their own. The results differ from libtorch's in the last digits only.
/// </summary>
internal sealed class PackedConvolution
{
    private readonly FoldedWeights packed = new();

    /// <summary>Whether the weights are constant. Setting it either way forgets what was kept.</summary>
    public bool Wanted
    {
        set => packed.Wanted = value;
    }

    /// <summary>Whether this input is convolved here: by constant weights, float32 on the CPU, and no gradient will be asked for.</summary>
    public bool Takes(Tensor x) => packed.Wanted && OneDnn.Takes(x) && !x.requires_grad;

    /// <summary>The convolution, and ReLU where asked for. The fold gives kernel, [outputs, inputs, K, K], and bias; it is called once.</summary>
    public Tensor Of(Tensor x, Func<(Tensor Kernel, Tensor? Bias)> fold, long padding, long stride, bool relu)
    {
        var (kernel, bias) = For(x, fold, padding, stride);
        return OneDnn.Convolution(x, kernel, bias, padding, stride, relu);
    }

    /// <summary>The convolution added to a shortcut, whose memory may hold the result afterwards, and ReLU where asked for.</summary>
    public Tensor Onto(
        Tensor shortcut,
        Tensor x,
        Func<(Tensor Kernel, Tensor? Bias)> fold,
        long padding,
        long stride,
        bool relu
    )
    {
        var (kernel, bias) = For(x, fold, padding, stride);
        return OneDnn.ConvolutionOnto(FoldedWeights.ChannelsLast(shortcut), x, kernel, bias, padding, stride, relu);
    }

    private (Tensor Kernel, Tensor? Bias) For(
        Tensor x,
        Func<(Tensor Kernel, Tensor? Bias)> fold,
        long padding,
        long stride
    ) => packed.For(x, () =>
        {
            var (kernel, bias) = fold();
            return (OneDnn.PackConvolution(kernel, padding, stride, x), bias);
        });
}
