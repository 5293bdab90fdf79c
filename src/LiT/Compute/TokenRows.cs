using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Compute;

// Shapes: B rows, L places in a row, T places that hold a token (first places always do), D width.

/// <summary>
/// Where the tokens of a batch lie. Padded: states are [B, L, D], and padding is masked in attention. Packed: states
/// are [T, D], the tokens of all rows end to end; layers that look at one token at a time (nearly all the work) then
/// never see padding, and only attention spreads them over rows. Both ways give the same result.
/// </summary>
internal sealed class TokenRows
{
    // Below this share of padding, the two copies a block that packing needs cost more than they save.
    private const double WorthPacking = 0.05;

    // Rows of one length share an attention; below this many rows a length, one attention over padded rows is faster.
    private const int WorthGrouping = 4;

    private readonly Tensor? places; // [T], each token's place in the padded [B * L]; null where states are padded
    private readonly Tensor? visible; // [B, L], true where a token is; null where every place is
    private readonly Tensor? firsts; // [B], where each row begins among the packed tokens
    private readonly Device device;

    private readonly IReadOnlyList<(long Rows, long Length)>? groups;
    private Tensor? distances; // the bias of rows without padding

    // All that needs numbers is found where the ids are, which is the host while tuning: nothing waits for a GPU.
    private TokenRows(Tensor ids, Tensor? visible, Tensor? places, Device device)
    {
        (Batch, Length, this.device) = (ids.shape[0], ids.shape[1], device);
        (this.visible, this.places) = (visible?.On(device), places?.On(device));
        Mask = this.visible?.view(Batch, 1, 1, Length);
        Ids = (places is null ? ids : ids.flatten().index_select(0, places)).On(device);
        if (places is null)
            return;
        var positions = places.With(Length, (x, length) => x.remainder(length));
        Positions = positions.On(device);
        // first places hold a token always
        firsts = positions.With(0, (x, zero) => x.eq(zero)).nonzero().squeeze(1).On(device);
        groups = Grouped(visible!);
        if (visible!.device_type == DeviceType.CPU)
            Lengths = [.. visible.sum([1], type: int32).data<int>()];
    }

    public long Batch { get; }

    /// <summary>Places in a row: the given length or, where padding is masked, that of the longest text.</summary>
    public long Length { get; }

    /// <summary>Token ids, [B, L], or [T] where packed.</summary>
    public Tensor Ids { get; }

    /// <summary>
    /// Position of each packed token in its row, [T]; null where states are padded and positions are 0 … L-1.
    /// </summary>
    public Tensor? Positions { get; }

    /// <summary>
    /// Tokens of each row, [B], where they are packed and nothing waits for a GPU to know; else null.
    /// </summary>
    public int[]? Lengths { get; }

    /// <summary>True where a key may be attended to, [B, 1, 1, L]; null where all may.</summary>
    public Tensor? Mask { get; }

    /// <summary>
    /// Added to attention's logits in every block, minus infinity where a key is masked, [1 or B, 1 or H, L, L]; null
    /// where <see cref="Mask"/> says all there is.
    /// </summary>
    public Tensor? Bias { get; private set; }

    /// <summary>The same rows with a bias for all pairs of places, which depends on their distance or order
    /// alone.</summary>
    /// <param name="bias">[1, 1 or H, L, L].</param>
    public TokenRows Biased(Tensor bias)
    {
        distances = bias;
        Bias = Mask is { } mask
            ? bias.With(double.NegativeInfinity, (x, never) => x.masked_fill(mask.logical_not(), never))
            : bias;
        return this;
    }

    /// <summary>The bias of rows that hold so many tokens and no padding, or null.</summary>
    public Tensor? BiasOf(long length) => distances?.narrow(2, 0, length).narrow(3, 0, length);

    /// <summary>Rows in which every place takes part, padding too (the published text transformers).</summary>
    /// <param name="ids">[B, L], on the host or where the tower is.</param>
    /// <param name="beside">A weight of the tower: rows are where it is; null leaves them where the ids are.</param>
    public static TokenRows Whole(Tensor ids, Tensor? beside = null) => new(ids, null, null, (beside ?? ids).device);

    /// <summary>
    /// Rows in which <paramref name="padding"/> is masked, wherever it stands but in the first place.
    /// </summary>
    /// <param name="ids">[B, L].</param>
    /// <param name="padding">The id that fills rows.</param>
    /// <param name="pack">Whether to pack; null decides by the share of padding.</param>
    /// <param name="beside">A weight of the tower: rows are where it is; null leaves them where the ids are.</param>
    public static TokenRows Masked(Tensor ids, long padding, bool? pack = null, Tensor? beside = null)
    {
        return Seen(ids, ids.With(padding, (x, filling) => x.ne(filling)), pack, beside);
    }

    /// <summary>Rows in which only some places are seen, and every first one.</summary>
    /// <param name="ids">[B, L].</param>
    /// <param name="visible">True where a place is seen, [B, L].</param>
    /// <param name="pack">Whether to pack; null decides by the share of places that are not seen.</param>
    /// <param name="beside">A weight of the tower: rows are where it is; null leaves them where the ids are.</param>
    public static TokenRows Seen(Tensor ids, Tensor visible, bool? pack = null, Tensor? beside = null)
    {
        var device = (beside ?? ids).device;
        visible = visible.clone();
        // an empty text attends to its first place: attention needs one
        visible.select(1, 0).With(1, (x, seen) => x.fill_(seen));
        var longest = visible.any(0).nonzero().max().item<long>() + 1;
        (ids, visible) = (ids.narrow(1, 0, longest), visible.narrow(1, 0, longest).contiguous());
        var places = visible.flatten().nonzero().squeeze(1); // [T]
        var padded = 1 - (double)places.shape[0] / visible.numel();
        if (padded == 0)
            return new(ids, null, null, device);
        return new(ids, visible, pack ?? padded > WorthPacking ? places : null, device);
    }

    /// <summary>Packed states back in rows, zeros where padding is: [T, D] or [B, L, D] to [B, L, D].</summary>
    public Tensor Spread(Tensor states) =>
        places is null
            ? states
            : zeros(Batch * Length, states.shape[^1], states.dtype, states.device)
                .index_copy(0, places, states)
                .view(Batch, Length, states.shape[^1]);

    /// <summary>
    /// Attention over packed states without padding, where rows are sorted by length as tuning sorts them: those of one
    /// length lie together as [b, l, …]. Null where the rows are not of that kind.
    /// </summary>
    /// <param name="states">Packed, [T, …].</param>
    /// <param name="queries">One a row, [B, …], or null where every token asks.</param>
    /// <param name="attend">Takes [b, l, …] and the queries of the same rows [b, …] or null; gives [b · l, D] or [b,
    /// D].</param>
    public Tensor? ByLength(Tensor states, Tensor? queries, Func<Tensor, Tensor?, Tensor> attend)
    {
        if (groups is null)
            return null;
        // split and cat, not narrow: the gradient of a narrow is as large as all states together.
        var parts = states.split([.. groups.Select(group => group.Rows * group.Length)]);
        var asking = queries?.split([.. groups.Select(group => group.Rows)]);
        return cat([
            .. groups.Select((group, i) => attend(parts[i].unflatten(0, [group.Rows, group.Length]), asking?[i])),
        ]);
    }

    /// <summary>
    /// How many rows there are of each length, where rows come by length and padding stands at their end only.
    /// </summary>
    private static List<(long Rows, long Length)>? Grouped(Tensor visible)
    {
        if (visible.device_type != DeviceType.CPU)
            return null; // reading it would wait for the GPU
        var (batch, length) = ((int)visible.shape[0], (int)visible.shape[1]);
        var seen = visible.data<bool>().ToArray().AsSpan();
        List<(long Rows, long Length)> found = [];
        for (var row = 0; row < batch; row++)
        {
            var own = seen.Slice(row * length, length);
            var tokens = own.LastIndexOf(true) + 1;
            if (own[..tokens].Contains(false))
                return null;
            if (found.Count > 0 && found[^1].Length == tokens)
                found[^1] = (found[^1].Rows + 1, tokens);
            else if (found.Count > 0 && found[^1].Length > tokens)
                return null;
            else
                found.Add((1, tokens));
        }
        return batch >= WorthGrouping * found.Count ? found : null;
    }

    /// <summary>
    /// How many tokens that are seen stand before each in its row: [T] where packed, else [B, L], or [L] where all are
    /// seen. It is the position but where padding stands inside a row.
    /// </summary>
    public Tensor Ordinals()
    {
        if (visible is null)
            return Scalars.Numbers(Length, int64, device);
        var before = visible.to(int64).cumsum(1).Plus(-1L);
        return places is null ? before : before.flatten().index_select(0, places);
    }

    /// <summary>
    /// The inverse of <see cref="Spread"/>: [B, L, D] to [T, D], or as it is where states are padded.
    /// </summary>
    public Tensor Gather(Tensor padded) => places is null ? padded : padded.flatten(0, 1).index_select(0, places);

    private static bool ArePacked(Tensor states) => states.dim() == 2;

    /// <summary>The first token of every row: [B, L, D], or [T, D] where packed, to [B, D].</summary>
    public Tensor First(Tensor states) =>
        ArePacked(states) ? states.index_select(0, firsts!) : states.select(1, 0).contiguous();

    /// <summary>The last token of every row: [B, L, D], or [T, D] where packed, to [B, D].</summary>
    public Tensor Last(Tensor states)
    {
        if (ArePacked(states))
        {
            var ends = cat([firsts![1..], Scalars.Filled(1, places!.shape[0], ScalarType.Int64, device)]);
            return states.index_select(0, ends.Plus(-1));
        }
        if (visible is null)
            return states.select(1, Length - 1).contiguous();
        var numbered = visible.to(int64) * Scalars.Numbers(Length, ScalarType.Int64, device); // [B, L]
        var rows = Scalars.Numbers(Batch, ScalarType.Int64, device).Times(Length);
        return states.flatten(0, 1).index_select(0, numbered.amax([1]).Plus(rows));
    }

    /// <summary>The mean of every row's tokens, [B, L, D] to [B, D].</summary>
    public Tensor Mean(Tensor padded)
    {
        if (visible is null)
            return padded.mean([1]);
        var weight = visible.to(padded.dtype).unsqueeze(2); // [B, L, 1]
        return (padded * weight).sum([1]) / weight.sum([1]);
    }

    /// <summary>The sum of every row's tokens over the root of their number, [B, L, D] to [B, D].</summary>
    public Tensor MeanOverRoot(Tensor padded)
    {
        if (visible is null)
            return padded.sum([1]).Over(Math.Sqrt(Length));
        var weight = visible.to(padded.dtype).unsqueeze(2); // [B, L, 1]
        return (padded * weight).sum([1]) / weight.sum([1]).sqrt();
    }

    /// <summary>The mean of every row's tokens, each counted as often as its place says, [B, L, D] to [B, D].</summary>
    public Tensor WeightedMean(Tensor padded)
    {
        var weight = Scalars.Numbers(Length, ScalarType.Int64, device).Plus(1L).to(padded.dtype).view(1, Length, 1);
        if (visible is not null)
            weight = weight * visible.to(padded.dtype).unsqueeze(2); // [B, L, 1]
        return (padded * weight).sum([1]) / weight.sum([1]);
    }

    /// <summary>The largest number of every channel among a row's tokens, [B, L, D] to [B, D].</summary>
    public Tensor Max(Tensor padded)
    {
        if (visible is null)
            return padded.amax([1]);
        var hidden = visible.logical_not().unsqueeze(2);
        return padded.With(double.NegativeInfinity, (x, never) => x.masked_fill(hidden, never)).amax([1]);
    }
}
