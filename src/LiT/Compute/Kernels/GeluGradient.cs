using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>GELU by its tanh approximation with its gradient, out of place.</summary>
internal sealed unsafe class GeluGradient : autograd.SingleTensorFunction<GeluGradient>
{
    public override string Name => nameof(GeluGradient);

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
            Vectors.Run(
                new Gelu.Gradients(
                    (float*)TensorMemory.Address(x),
                    (float*)TensorMemory.Address(dy),
                    (float*)TensorMemory.Address(dx),
                    x.numel()
                )
            );
            GC.KeepAlive(x);
            GC.KeepAlive(dy);
            GC.KeepAlive(dx);
            return [dx];
        });

    private static Tensor Forward(Tensor x)
    {
        var y = empty_like(x);
        Vectors.Run(new Gelu.Values((float*)TensorMemory.Address(x), (float*)TensorMemory.Address(y), x.numel()));
        GC.KeepAlive(x);
        GC.KeepAlive(y);
        return y;
    }
}
