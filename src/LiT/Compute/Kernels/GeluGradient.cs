using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>GELU by its tanh approximation with its gradient, out of place.</summary>
internal sealed unsafe class GeluGradient : autograd.SingleTensorFunction<GeluGradient>
{
    public override string Name => nameof(GeluGradient);

    /// <summary>Whether this library's own kernel takes it.</summary>
    public static bool Takes(Tensor x) =>
        Simd.IsAvailable && x.dtype == ScalarType.Float32 && x.device_type == TorchSharp.DeviceType.CPU;

    /// <param name="x">Float32 on the CPU, of any shape; stays as it is.</param>
    public static Tensor Tanh(Tensor x)
    {
        x = x.contiguous();
        if (!is_grad_enabled() || !x.requires_grad)
            return Forward(x);
        using var scope = NewDisposeScope();
        return apply(x).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var x = (Tensor)vars[0];
        ctx.set_materialize_grads(false);
        ctx.save_for_backward([x]);
        return Forward(x);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
        Gradients.Give(ctx, grad_output, 1, (saved, gradient) =>
        {
            var (x, dy) = (saved[0]!, gradient.contiguous());
            var dx = empty_like(x);
            var (from, of, to) = (
                (nint)TensorMemory.Address(x),
                (nint)TensorMemory.Address(dy),
                (nint)TensorMemory.Address(dx)
            );
            Gelu.InParts(x.numel(), (start, count) =>
                Gelu.Slopes((float*)from + start, (float*)of + start, (float*)to + start, count)
            );
            GC.KeepAlive(x);
            GC.KeepAlive(dy);
            GC.KeepAlive(dx);
            return [dx];
        });

    private static Tensor Forward(Tensor x)
    {
        var y = empty_like(x);
        var (from, to) = ((nint)TensorMemory.Address(x), (nint)TensorMemory.Address(y));
        Gelu.InParts(x.numel(), (start, count) => Gelu.Values((float*)from + start, (float*)to + start, count));
        GC.KeepAlive(x);
        GC.KeepAlive(y);
        return y;
    }
}
