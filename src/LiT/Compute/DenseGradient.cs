using static TorchSharp.torch;

namespace LiT.Compute;

// Shapes: R rows, I inputs, O outputs.

/// <summary>x · weightᵀ + bias whose gradients are oneDNN's products too, straight from the weight as it is.</summary>
internal sealed class DenseGradient : autograd.SingleTensorFunction<DenseGradient>
{
    // oneDNN makes a kernel for every number of rows, which takes as long as many a product: with rows filled up to a
    // multiple of these, a handful serves the ever changing numbers of tokens in a batch.
    private const long Multiple = 16;

    public override string Name => nameof(DenseGradient);

    /// <summary>The dense layer, by whom <see cref="Products"/> says.</summary>
    /// <param name="x">[.., I].</param>
    /// <param name="weight">[O, I].</param>
    /// <param name="bias">[O], or null.</param>
    /// <returns>[.., O].</returns>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias) =>
        Products.AreOneDnns(x, weight.shape[0]) ? ByOneDnn(x, weight, bias) : nn.functional.linear(x, weight, bias);

    /// <inheritdoc cref="Linear"/>
    internal static Tensor ByOneDnn(Tensor x, Tensor weight, Tensor? bias)
    {
        if (!is_grad_enabled() || !(x.requires_grad || weight.requires_grad || bias?.requires_grad == true))
            return OneDnn.Linear(x, weight, bias);
        using var scope = NewDisposeScope();
        return apply(x, weight, bias!).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, weight, bias) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor?)vars[2]);
        var rows = Filled(x);
        ctx.set_materialize_grads(false);
        ctx.save_for_backward([weight.requires_grad ? rows : null!, x.requires_grad ? weight : null!]);
        ctx.save_data(nameof(bias), bias?.requires_grad == true);
        return Rows(OneDnn.Linear(rows, weight, bias), x);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
        Gradients.Give(ctx, grad_output, 3, (saved, dy) =>
        {
            var filled = Filled(dy); // [R', O]
            return
            [
                saved[1] is { } weight ? Rows(OneDnn.Linear(filled, weight.t(), null), dy) : null, // [.., I]
                saved[0] is { } x ? OneDnn.Linear(filled.t(), x.t(), null) : null, // [O, I]
                ctx.get_data("bias") is true ? filled.sum([0]) : null,
            ];
        });

    /// <summary>As rows, [R', I], zeros behind its own; itself where there are none.</summary>
    private static Tensor Filled(Tensor x)
    {
        var rows = x.reshape(-1, x.shape[^1]);
        var (count, most) = (rows.shape[0], (rows.shape[0] + Multiple - 1) / Multiple * Multiple);
        if (count == most)
            return rows;
        var filled = empty(most, rows.shape[1]);
        filled.narrow(0, 0, count).copy_(rows);
        filled.narrow(0, count, most - count).zero_();
        return filled;
    }

    /// <summary>The first rows, as many as x has, in x's shape.</summary>
    private static Tensor Rows(Tensor filled, Tensor x)
    {
        long[] shape = [.. x.shape[..^1], filled.shape[1]];
        return filled.narrow(0, 0, x.numel() / x.shape[^1]).view(shape);
    }
}
