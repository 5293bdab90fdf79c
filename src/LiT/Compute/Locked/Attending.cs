using LiT.Compute.Kernels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LiT.Compute.Locked;

// Shapes: B rows, L tokens in a row, T tokens of all rows, H heads, S numbers a head, D = H · S. Where text is packed,
// [T, D] stands for [B, L, D].

/// <summary>
/// softmax(q · kᵀ / sqrt S) · v for every head, by what was chosen for a target; this one is libtorch's, for every
/// target.
/// </summary>
internal class Attending
{
    private readonly int heads;

    private protected Attending(int heads) => this.heads = heads;

    /// <param name="target">What it is for.</param>
    /// <param name="heads">H.</param>
    public static Attending For(Target target, int heads) =>
        !target.HasOwnKernels ? new Attending(heads)
        : target.Constant ? new AttendingConstantly(heads)
        : new AttendingInRows(heads);

    private protected int Heads => heads;

    /// <summary>Every token asks.</summary>
    /// <param name="states">Queries, keys and values side by side, [B, L, 3 D], or [T, 3 D] where the rows are
    /// packed.</param>
    /// <param name="rows">Masking and packing of text; null where every token sees every token.</param>
    /// <returns>[B, L, D] or [T, D].</returns>
    public virtual Tensor All(Tensor states, TokenRows? rows)
    {
        if (
            rows?.ByLength(states, null, (part, _) => Mixed(part, rows.BiasOf(part.shape[1])).flatten(0, 1)) is
            { } packed
        )
            return packed; // [T, D]
        return rows is null ? Mixed(states, null) : rows.Gather(Mixed(rows.Spread(states), rows.Bias ?? rows.Mask));
    }

    /// <summary>One token of every row asks. Rows with a bias are asked by all or by none.</summary>
    /// <param name="query">[B, D].</param>
    /// <param name="states">Keys and values side by side, [B, L, 2 D], or [T, 2 D] where the rows are packed.</param>
    /// <param name="rows">Masking and packing of text; null where every token is seen.</param>
    /// <returns>[B, D].</returns>
    public virtual Tensor One(Tensor query, Tensor states, TokenRows? rows)
    {
        query = query.unflatten(1, [heads, -1]).unsqueeze(2); // [B, H, 1, S]
        if (rows?.ByLength(states, query, (part, asking) => MixedFor(asking!, part, null)) is { } packed)
            return packed;
        return MixedFor(query, rows is null ? states : rows.Spread(states), rows?.Mask);
    }

    // [B, L, 3 D] → [B, L, D]
    private Tensor Mixed(Tensor states, Tensor? mask)
    {
        var parts = states.unflatten(2, [3, heads, -1]).permute(2, 0, 3, 1, 4).unbind(0); // 3 x [B, H, L, S]
        return scaled_dot_product_attention(parts[0], parts[1], parts[2], mask).transpose(1, 2).flatten(2);
    }

    // [B, H, 1, S], [B, L, 2 D] → [B, D]
    private Tensor MixedFor(Tensor query, Tensor states, Tensor? mask)
    {
        var parts = states.unflatten(2, [2, heads, -1]).permute(2, 0, 3, 1, 4).unbind(0); // 2 x [B, H, L, S]
        return scaled_dot_product_attention(query, parts[0], parts[1], mask).flatten(1);
    }
}

/// <summary>Packed rows of text by this library's kernel, with gradients.</summary>
internal class AttendingInRows(int heads) : Attending(heads)
{
    public override Tensor All(Tensor states, TokenRows? rows) =>
        rows is { Lengths: { } lengths, Bias: null } && Processor.Computes(states)
            ? RowAttention.Mixed(states, null, Heads, lengths)
            : base.All(states, rows);

    public override Tensor One(Tensor query, Tensor states, TokenRows? rows) =>
        rows?.Lengths is { } lengths && Processor.Computes(states)
            ? RowAttention.Mixed(states, query, Heads, lengths)
            : base.One(query, states, rows);
}

/// <summary>Whole pictures by this library's kernel too, which has no gradients.</summary>
internal sealed class AttendingConstantly(int heads) : AttendingInRows(heads)
{
    public override Tensor All(Tensor states, TokenRows? rows) =>
        rows is null && !Target.WantsGradient(states) ? Attention.Mixed(states, Heads) : base.All(states, rows);
}
