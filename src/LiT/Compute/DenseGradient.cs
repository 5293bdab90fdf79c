using static TorchSharp.torch;

namespace LiT.Compute;

// Shapes: R rows, I inputs, O outputs.

/// <summary>
/// x · weightᵀ + bias whose gradients are oneDNN's products too, straight from the weight as it is. libtorch multiplies float32
/// with MKL, which takes twice as long on processors that it does not favour.
/// </summary>
internal sealed class DenseGradient : autograd.SingleTensorFunction<DenseGradient>
{
    public override string Name => nameof(DenseGradient);

    /// <summary>The dense layer, by oneDNN where that is faster.</summary>
    /// <param name="x">[.., I].</param>
    /// <param name="weight">[O, I].</param>
    /// <param name="bias">[O], or null.</param>
    /// <returns>[.., O].</returns>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias)
    {
        if (!OneDnn.IsFaster(x, weight.shape[0]))
            return nn.functional.linear(x, weight, bias);
        if (!is_grad_enabled() || !(x.requires_grad || weight.requires_grad || bias?.requires_grad == true))
            return OneDnn.Linear(x, weight, bias);
        using var scope = NewDisposeScope();
        return apply(x, weight, bias!).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, weight, bias) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor?)vars[2]);
        ctx.set_materialize_grads(false);
        ctx.save_for_backward([weight.requires_grad ? x : null!, x.requires_grad ? weight : null!]);
        ctx.save_data(nameof(bias), bias?.requires_grad == true);
        return OneDnn.Linear(x, weight, bias);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
        Gradients.Give(ctx, grad_output, 3, (saved, dy) =>
        {
            var rows = dy.reshape(-1, dy.shape[^1]); // [R, O]
            var dx = saved[1] is { } weight ? OneDnn.Linear(dy, weight.t(), null) : null; // [.., I]
            var dweight = saved[0] is { } x ? OneDnn.Linear(rows.t(), x.reshape(rows.shape[0], -1).t(), null) : null;
            return [dx, dweight, ctx.get_data("bias") is true ? rows.sum([0]) : null];
        });
}
