using TorchSharp.Modules;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace LiT.Compute;

/// <summary>
/// Rows of a table that ids choose, whose gradient is those rows alone, a sparse tensor: a whole table of zeros for
/// each of many small parts takes longer than a small tower. Whoever adds up such gradients asks for them with
/// <see cref="Sparse"/>.
/// </summary>
internal sealed unsafe class TableRows : autograd.SingleTensorFunction<TableRows>
{
    [ThreadStatic]
    private static bool sparse;

    public override string Name => nameof(TableRows);

    /// <summary>Until it is disposed, gradients of tables that are read on this thread are sparse.</summary>
    public static IDisposable Sparse()
    {
        var before = sparse;
        sparse = true;
        return new Undo(before);
    }

    /// <param name="table">[count, width].</param>
    /// <param name="ids">int64, of any shape.</param>
    /// <returns>[.., width].</returns>
    public static Tensor Of(Embedding table, Tensor ids)
    {
        if (!sparse || !is_grad_enabled() || !table.weight!.requires_grad)
            return table.call(ids);
        using var scope = NewDisposeScope();
        return apply(table.weight, ids).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (table, ids) = ((Tensor)vars[0], (Tensor)vars[1]);
        ctx.set_materialize_grads(false);
        ctx.save_for_backward([table, ids]);
        return table.index_select(0, ids.flatten()).view([.. ids.shape, table.shape[1]]);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
        Gradients.Give(ctx, grad_output, 2, (saved, gradient) =>
        {
            var (table, ids) = (saved[0]!, saved[1]!.flatten());
            var rows = gradient.reshape(-1, table.shape[1]);
            return [sparse_coo_tensor(ids.unsqueeze(0), rows, table.shape), null];
        });

    /// <summary>Adds rows to those of a table, one after the other.</summary>
    /// <param name="table">[count, width], float32 on the CPU, contiguous.</param>
    /// <param name="ids">[n], int64, contiguous.</param>
    /// <param name="rows">[n, width], float32, contiguous.</param>
    public static void Add(Tensor table, Tensor ids, Tensor rows)
    {
        var (count, width) = (ids.shape[0], (int)table.shape[1]);
        float* to = (float*)TensorMemory.Address(table),
            from = (float*)TensorMemory.Address(rows);
        var at = (long*)TensorMemory.Address(ids);
        for (var i = 0L; i < count; i++)
        {
            Span<float> row = new(to + at[i] * width, width);
            TensorPrimitives.Add(row, new ReadOnlySpan<float>(from + i * width, width), row);
        }
        GC.KeepAlive(table);
        GC.KeepAlive(ids);
        GC.KeepAlive(rows);
    }

    private sealed class Undo(bool before) : IDisposable
    {
        public void Dispose() => sparse = before;
    }
}
