using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// The captions of a batch, each distinct row once, cut into micro-batches. Where padding is masked the rows are sorted by
/// length and every micro-batch is as long as its longest row: the result is the same, and padding is not paid for.
/// </summary>
internal sealed class CaptionChunks
{
    private readonly List<int[]> texts;
    private readonly int padding;

    internal CaptionChunks(
        TuningPairs pairs,
        int[] drawnRows,
        int microBatch,
        bool masksPadding,
        CaptionNoise? noise = null
    )
    {
        padding = pairs.Padding;
        var rows = drawnRows.Distinct().ToArray();
        texts =
        [
            .. rows.Select(row => pairs.Tokens(row)[..(masksPadding ? pairs.LengthOf(row) : pairs.Length)].ToArray()),
        ];
        if (noise is not null)
            texts = [.. texts.Select((text, i) => noise.Disturb(text, pairs.Length, (ulong)rows[i]))];
        int[] order = [.. Enumerable.Range(0, rows.Length).OrderBy(i => texts[i].Length).ThenBy(i => rows[i])];
        texts = [.. order.Select(i => texts[i])];
        var placeOf = new Dictionary<int, long>(rows.Length);
        for (var place = 0; place < rows.Length; place++)
            placeOf.Add(rows[order[place]], place);
        PlaceOfPair = [.. drawnRows.Select(row => placeOf[row])];
        var count = (rows.Length + microBatch - 1) / microBatch;
        Chunks =
        [
            .. Enumerable
                .Range(0, count)
                .Select(chunk =>
                {
                    var (from, to) = (
                        (int)((long)rows.Length * chunk / count),
                        (int)((long)rows.Length * (chunk + 1) / count)
                    );
                    return (from, to - from, texts[to - 1].Length);
                }),
        ];
    }

    /// <summary>Distinct captions.</summary>
    internal int Distinct => texts.Count;

    /// <summary>For each pair of the batch the place of its caption among the distinct ones.</summary>
    internal long[] PlaceOfPair { get; }

    /// <summary>Where each micro-batch begins, how many rows it has and how long they are.</summary>
    internal IReadOnlyList<(int From, int Count, int Length)> Chunks { get; }

    /// <summary>The ids of one micro-batch on the host, [Count, Length]; a tower takes them from there.</summary>
    internal Tensor Ids(int chunk)
    {
        var (from, count, length) = Chunks[chunk];
        var ids = new long[count * length];
        Array.Fill(ids, padding);
        for (var row = 0; row < count; row++)
        {
            var text = texts[from + row];
            for (var place = 0; place < text.Length; place++)
                ids[row * length + place] = text[place];
        }
        return tensor(ids, [count, length]);
    }
}
