using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>A few images of every process.</summary>
/// <param name="Rows">Their embeddings, process after process, [R, E].</param>
/// <param name="Pairs">Which pairs of the batch they are.</param>
/// <param name="First">How many images the pieces before it have.</param>
/// <param name="OwnFrom">Where those of this process begin among its own.</param>
/// <param name="Counts">How many each process has here.</param>
internal sealed record StripPiece(Tensor Rows, int[] Pairs, long First, long OwnFrom, int[] Counts);

/// <summary>
/// The embeddings of a batch's images, a piece at a time: those of a small batch are gathered once and kept, those of a
/// large one come anew at every visit, so that no process has room for all of them.
/// </summary>
internal sealed class StripPieces
{
    private const int RowsAtOnce = 8192;
    private const long KeptBytes = 128L << 20;

    private readonly Tensor own;
    private readonly BatchShare share;
    private readonly IBatchExchange exchange;
    private readonly long each;
    private readonly Tensor?[] kept;
    private readonly bool keeps;

    /// <param name="own">Embeddings of this process's images.</param>
    /// <param name="share">Its share of the batch.</param>
    /// <param name="exchange">The other processes.</param>
    /// <param name="rowsAtOnce">
    /// Images in a piece, of all processes together, none of which is kept; null for the usual number.
    /// </param>
    internal StripPieces(Tensor own, BatchShare share, IBatchExchange exchange, int? rowsAtOnce = null)
    {
        (this.own, this.share, this.exchange) = (own, share, exchange);
        each = Math.Max(1, (rowsAtOnce ?? RowsAtOnce) / share.Processes);
        var most = share.Counts.Max();
        Count = (int)((most + each - 1) / each);
        keeps = rowsAtOnce is null && share.Batch * own.shape[1] * sizeof(float) <= KeptBytes;
        kept = new Tensor?[Count];
        Order = [.. Enumerable.Range(0, Count).SelectMany(PairsOf)];
    }

    /// <summary>How many pieces there are.</summary>
    internal int Count { get; }

    /// <summary>The pair at each place, piece after piece, [B].</summary>
    internal int[] Order { get; }

    /// <summary>Calls back with one piece after the other, each in a dispose scope of its own.</summary>
    internal void Visit(Action<int, StripPiece> visit)
    {
        var first = 0L;
        for (var number = 0; number < Count; number++)
        {
            using var scope = NewDisposeScope();
            var (pairs, counts) = (PairsOf(number).ToArray(), CountsOf(number));
            visit(number, new(Rows(number, counts), pairs, first, number * each, counts));
            first += pairs.Length;
        }
    }

    /// <summary>Lets go of what was kept.</summary>
    internal void Forget()
    {
        foreach (var rows in kept)
            rows?.Dispose();
    }

    private Tensor Rows(int number, int[] counts)
    {
        if (kept[number] is { } known)
            return known;
        var mine = own.narrow(0, Math.Min(number * each, own.shape[0]), counts[share.Place]);
        var rows = exchange.InHalf
            ? exchange.Gather(mine.to_type(ScalarType.BFloat16), counts).to_type(own.dtype)
            : exchange.Gather(mine, counts);
        return keeps ? kept[number] = rows.DetachFromDisposeScope() : rows;
    }

    private int[] CountsOf(int number) =>
        [.. share.Counts.Select(count => (int)Math.Clamp(count - number * each, 0, each))];

    private IEnumerable<int> PairsOf(int number)
    {
        var counts = CountsOf(number);
        for (var process = 0; process < share.Processes; process++)
        {
            var from = (share with { Place = process }).From + (int)(number * each);
            for (var row = 0; row < counts[process]; row++)
                yield return from + row;
        }
    }
}
