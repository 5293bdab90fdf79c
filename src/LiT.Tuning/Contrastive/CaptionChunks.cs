using System.Numerics;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// The captions of a batch, each distinct row once, cut into micro-batches and these into parts, one a lane. Where
/// padding is masked the rows are sorted by length and every part is as long as its longest row: the result is the
/// same, and padding is not paid for.
/// </summary>
internal sealed class CaptionChunks
{
    // Fewer tokens a part, and the calls cost more than their work, which grows with the square of the width; more
    // parts, and sums of their gradients do. A power of two: any of the usual numbers of threads gets the same share.
    private const int TokensApart = 256,
        WorkApart = 640 * 128 * 128,
        MostLanes = 8;

    private readonly List<int[]> texts;
    private readonly int padding;

    internal CaptionChunks(
        TuningPairs pairs,
        int[] drawnRows,
        int microBatch,
        bool masksPadding,
        CaptionNoise? noise = null,
        int width = 512
    )
    {
        padding = pairs.Padding;
        var rows = drawnRows.Distinct().ToArray();
        texts = [.. rows.Select(row => masksPadding ? pairs.Written(row).ToArray() : pairs.Tokens(row))];
        if (noise is not null)
            texts = [.. texts.Select((text, i) => noise.Disturb(text, pairs.Length, (ulong)rows[i]))];
        int[] order = [.. Enumerable.Range(0, rows.Length).OrderBy(i => texts[i].Length).ThenBy(i => rows[i])];
        texts = [.. order.Select(i => texts[i])];
        var placeOf = new Dictionary<int, long>(rows.Length);
        for (var place = 0; place < rows.Length; place++)
            placeOf.Add(rows[order[place]], place);
        PlaceOfPair = [.. drawnRows.Select(row => placeOf[row])];
        var microBatches = (rows.Length + microBatch - 1) / microBatch;
        int Start(int number) => (int)((long)rows.Length * number / microBatches);
        var apart = Math.Max(TokensApart, WorkApart / (width * width));
        var parts = texts.Sum(text => text.Length) / microBatches / apart;
        Lanes = 1 << BitOperations.Log2((uint)Math.Clamp(parts, 1, Math.Min(MostLanes, rows.Length / microBatches)));
        Chunks =
        [
            .. Enumerable.Range(0, microBatches).SelectMany(number => ByTokens(Start(number), Start(number + 1))),
        ];
    }

    /// <summary>One micro-batch in a part for each lane, with about as many tokens in each.</summary>
    private IEnumerable<(int From, int Count, int Length)> ByTokens(int from, int to)
    {
        var (left, begun) = (texts[from..to].Sum(text => text.Length), from);
        for (var parts = Lanes; parts > 0; parts--)
        {
            // As many rows as bring the part nearest to its share, with one left for each part that follows.
            var (end, taken) = (begun, 0);
            while (
                end < to - (parts - 1)
                && (end == begun || parts == 1 || 2 * taken + texts[end].Length <= 2 * left / parts)
            )
                taken += texts[end++].Length;
            yield return (begun, end - begun, texts[end - 1].Length);
            (left, begun) = (left - taken, end);
        }
    }

    /// <summary>Distinct captions.</summary>
    internal int Distinct => texts.Count;

    /// <summary>For each pair of the batch the place of its caption among the distinct ones.</summary>
    internal long[] PlaceOfPair { get; }

    /// <summary>Parts of a micro-batch that may be done at the same time: as many for any number of threads.</summary>
    internal int Lanes { get; }

    /// <summary>
    /// Where each part begins, how many rows it has and how long they are; micro-batch after micro-batch.
    /// </summary>
    internal IReadOnlyList<(int From, int Count, int Length)> Chunks { get; }

    /// <summary>The ids of one part on the host, [Count, Length]; a tower takes them from there.</summary>
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
