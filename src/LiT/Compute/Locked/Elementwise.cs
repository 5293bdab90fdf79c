using LiT.Compute.Kernels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LiT.Compute.Locked;

/// <summary>Nonlinearities by what was chosen for a target.</summary>
internal static class Elementwise
{
    /// <summary>
    /// GELU by its tanh approximation: this library's, with gradients or, where weights are constant, in the memory of
    /// its input; or libtorch's.
    /// </summary>
    /// <param name="target">What it is for.</param>
    public static Func<Tensor, Tensor> GeluTanh(Target target) =>
        !target.HasOwnKernels ? Libtorch
        : target.Constant ? Constantly
        : WithGradient;

    private static Tensor Libtorch(Tensor x) => gelu(x, TorchSharp.Modules.GELU.Approximate.tanh);

    private static Tensor WithGradient(Tensor x) => Processor.Computes(x) ? GeluGradient.Tanh(x) : Libtorch(x);

    private static Tensor Constantly(Tensor x)
    {
        if (Target.WantsGradient(x) || !Processor.ComputesInPlace(x))
            return WithGradient(x);
        Gelu.TanhInPlace(x);
        return x;
    }
}
