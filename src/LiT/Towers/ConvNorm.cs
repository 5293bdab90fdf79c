using LiT.Compute;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>A module that a locked tower can compute part of once instead of in every call.</summary>
internal interface IFoldable
{
    /// <summary>Whether the weights are constant from now on.</summary>
    bool Folded { set; }
}

/// <summary>
/// Convolution without bias, then batch normalisation (Ioffe and Szegedy 2015). In a locked tower the two are one
/// convolution: w·γ/√(σ²+ε), β - μ·γ/√(σ²+ε).
/// </summary>
internal sealed class ConvNorm : Module<Tensor, Tensor>, IFoldable
{
    private readonly Parameter weight;
    private readonly BatchNorm2d norm;
    private readonly long[] stride,
        padding;
    private readonly FoldedWeights folded = new();
    private readonly PackedConvolution packed = new();

    public ConvNorm(int from, int to, int kernel, int stride = 1, double eps = 1e-5, Device? device = null)
        : base(nameof(ConvNorm))
    {
        (this.stride, padding) = ([stride, stride], [kernel / 2, kernel / 2]);
        weight = Layers.Weight([to, from, kernel, kernel], device);
        norm = BatchNorm2d(to, eps, device: device);
        RegisterComponents();
    }

    public bool Folded
    {
        set => folded.Wanted = packed.Wanted = value;
    }

    public override Tensor forward(Tensor x)
    {
        // The norm decides, not this module: its statistics may be locked while everything around it is trained.
        if (norm.training)
            return Normalised(functional.conv2d(x, weight, strides: stride, padding: padding));
        if (!folded.Wanted)
            return norm.call(functional.conv2d(x, weight, strides: stride, padding: padding));
        if (IsLockedFor(x))
            return packed.Of(x, Fold, padding[0], stride[0], relu: false);
        var (kernel, bias) = folded.For(x, () =>
        {
            var (kernel, bias) = Fold();
            return (FoldedWeights.ChannelsLast(kernel), bias);
        });
        return functional.conv2d(x, kernel, bias, strides: stride, padding: padding);
    }

    /// <summary>ReLU of the result.</summary>
    public Tensor Rectified(Tensor x) =>
        IsLockedFor(x) ? packed.Of(x, Fold, padding[0], stride[0], relu: true) : call(x).relu_();

    /// <summary>ReLU of the sum with a shortcut, whose memory may hold the result afterwards.</summary>
    public Tensor RectifiedOnto(Tensor shortcut, Tensor x) =>
        IsLockedFor(x)
            ? packed.Onto(shortcut, x, Fold, padding[0], stride[0], relu: true)
            : call(x).PlusInPlace(shortcut).relu_();

    private bool IsLockedFor(Tensor x) => !norm.training && packed.Takes(x);

    private (Tensor Kernel, Tensor? Bias) Fold()
    {
        var scale = norm.weight! / (norm.running_var! + norm.eps).sqrt();
        return (weight * scale.view(-1, 1, 1, 1), norm.bias! - norm.running_mean! * scale);
    }

    /// <summary>What the norm itself does in training, but for the scalar with which it counts the batches, see <see cref="Scalars"/>.</summary>
    private Tensor Normalised(Tensor x)
    {
        norm.num_batches_tracked?.add_(Scalars.One, Scalars.One); // with one argument the factor would be a temporary scalar again
        return functional.batch_norm(
            x,
            norm.running_mean!,
            norm.running_var!,
            norm.weight!,
            norm.bias!,
            training: true,
            norm.momentum ?? 0.1,
            norm.eps
        );
    }

    /// <summary>He et al. 2015 (arXiv 1502.01852): normal, variance 2 / (inputs of an output).</summary>
    public void Initialise(Generator random) =>
        Layers.Normal(weight, Math.Sqrt(2.0 / (weight.shape[1] * weight.shape[2] * weight.shape[3])), random);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Folded = false;
        base.Dispose(disposing);
    }

    // torchvision's order: convn, bnn.
    internal static WeightMap Torch(string conv, string norm, string ours) =>
        new("convolution and batch norm")
        {
            { $"{conv}.weight", $"{ours}.weight" },
            { $"{norm}.weight", $"{ours}.norm.weight" },
            { $"{norm}.bias", $"{ours}.norm.bias" },
            { $"{norm}.running_mean", $"{ours}.norm.running_mean" },
            { $"{norm}.running_var", $"{ours}.norm.running_var" },
            new WeightRow($"{norm}.num_batches_tracked", $"{ours}.norm.num_batches_tracked", Axes.Same, Optional: true),
        };
}
