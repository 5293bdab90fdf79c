using LiT.Compute;
using LiT.Compute.Locked;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// Convolution without bias, then batch normalisation (Ioffe and Szegedy 2015). Where the weights are constant the two
/// are one convolution: w·γ/√(σ²+ε), β - μ·γ/√(σ²+ε).
/// </summary>
internal sealed class ConvNorm : CompiledLayer
{
    private readonly Parameter weight;
    private readonly BatchNorm2d norm;
    private readonly Steps steps;
    private Convolving? convolution;

    public ConvNorm(int from, int to, int kernel, int stride = 1, double eps = 1e-5, Device? device = null)
        : base(nameof(ConvNorm), device)
    {
        steps = new(stride, kernel / 2);
        weight = Layers.Weight([to, from, kernel, kernel], device);
        norm = BatchNorm2d(to, eps, device: device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => convolution!.Of(x);

    /// <summary>ReLU of the result.</summary>
    public Tensor Rectified(Tensor x) => convolution!.Rectified(x);

    /// <summary>ReLU of the sum with a shortcut, whose memory may hold the result afterwards.</summary>
    public Tensor RectifiedOnto(Tensor shortcut, Tensor x) => convolution!.RectifiedOnto(shortcut, x);

    private Tensor Equation(Tensor x) => Normed(steps.Convolved(x, weight));

    private (Tensor Kernel, Tensor? Bias) Folded()
    {
        var scale = norm.weight! / norm.running_var!.Plus(norm.eps).sqrt();
        return (weight * scale.view(-1, 1, 1, 1), norm.bias! - norm.running_mean! * scale);
    }

    // The norm's own forward, but for the scalar with which it counts the batches, see Scalars. The norm's mode
    // decides, not this module's: its statistics may be kept while everything around it is trained.
    private Tensor Normed(Tensor x)
    {
        if (norm.training)
            norm.num_batches_tracked?.add_(Scalars.One, Scalars.One);
        return functional.batch_norm(
            x,
            norm.running_mean!,
            norm.running_var!,
            norm.weight!,
            norm.bias!,
            norm.training,
            norm.momentum ?? 0.1,
            norm.eps
        );
    }

    protected override void Compile(Target target)
    {
        convolution?.Dispose();
        convolution = Convolving.For(target, Equation, steps, Folded);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            convolution?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>He et al. 2015 (arXiv 1502.01852): normal, variance 2 / (inputs of an output).</summary>
    public void Initialise(Generator random) =>
        Layers.Normal(weight, Math.Sqrt(2.0 / (weight.shape[1] * weight.shape[2] * weight.shape[3])), random);

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
