using LiT.Compute.Kernels;
using LiT.Stores;

namespace LiT.Duplicates;

/// <summary>Two rows that are near each other.</summary>
/// <param name="Left">Place in the first list of rows.</param>
/// <param name="Right">Place in the second list.</param>
/// <param name="Cosine">Their cosine, computed in double precision.</param>
internal readonly record struct SimilarPair(int Left, int Right, double Cosine);

/// <summary>
/// All pairs of rows of two stores, or of one with itself, with a cosine of at least a threshold. Tile by tile, so that memory
/// does not grow with the stores; no pair is missed, and the cosines are exact: candidates come from products of integers whose
/// error is bounded (<see cref="RowTile"/>).
/// </summary>
internal static class SimilarRows
{
    private const int Tile = 6144,
        Part = 128 * Tile;

    /// <summary>Compares every row of one list with every row of another.</summary>
    /// <param name="left">Store of the first list.</param>
    /// <param name="leftRows">The first list.</param>
    /// <param name="right">Store of the second list; the longer one belongs here, for it is read once for all tiles of the first.</param>
    /// <param name="rightRows">The second list.</param>
    /// <param name="threshold">Lowest cosine, above 0 to 1.</param>
    /// <param name="found">Told each pair, by tiles; within a tile in order.</param>
    /// <param name="progress">Told of rows of the second list.</param>
    /// <param name="cancel">Stops between two tiles.</param>
    public static void Between(
        EmbeddingStore left,
        long[] leftRows,
        EmbeddingStore right,
        long[] rightRows,
        double threshold,
        Action<SimilarPair> found,
        Action<long>? progress,
        CancellationToken cancel
    )
    {
        // The first list stays in memory as integers, a part of it at a time: 600 MB of rows of 768.
        for (var begin = 0; begin < leftRows.Length; begin += Part)
        {
            var tiles = new List<(int First, RowTile Tile)>();
            for (var at = begin; at < Math.Min(leftRows.Length, begin + Part); at += Tile)
                tiles.Add((at, RowTiles.Of(left, leftRows, at, Math.Min(Tile, begin + Part - at))));
            for (var first = 0; first < rightRows.Length; first += Tile)
            {
                var tile = RowTiles.Of(right, rightRows, first, Tile);
                foreach (var (leftFirst, leftTile) in tiles)
                {
                    cancel.ThrowIfCancellationRequested();
                    foreach (
                        var pair in Checked(
                            left,
                            leftRows,
                            leftFirst,
                            leftTile,
                            right,
                            rightRows,
                            first,
                            tile,
                            threshold
                        )
                    )
                        found(pair);
                }
                progress?.Invoke(first + tile.Count);
            }
        }
    }

    /// <summary>Compares every row with those before it: pairs have Right below Left.</summary>
    /// <param name="store">The store.</param>
    /// <param name="rows">The rows in the order that decides what is before.</param>
    /// <param name="threshold">Lowest cosine, above 0 to 1.</param>
    /// <param name="ofTile">Told the pairs of each stretch of rows, in order of Left and Right; they are not kept.</param>
    /// <param name="isOut">Whether an earlier row need not be compared with any more.</param>
    /// <param name="progress">Told of the rows compared.</param>
    /// <param name="cancel">Stops between two tiles.</param>
    public static void Within(
        EmbeddingStore store,
        long[] rows,
        double threshold,
        Action<IReadOnlyList<SimilarPair>> ofTile,
        Func<int, bool> isOut,
        Action<long>? progress,
        CancellationToken cancel
    )
    {
        for (var first = 0; first < rows.Length; first += Tile)
        {
            var tile = RowTiles.Of(store, rows, first, Tile);
            var pairs = new List<SimilarPair>();
            for (var before = 0; before < first + tile.Count; before += Tile)
            {
                cancel.ThrowIfCancellationRequested();
                var earlier = before == first ? tile : RowTiles.Of(store, rows, before, Tile);
                pairs.AddRange(
                    Checked(store, rows, first, tile, store, rows, before, earlier, threshold, (l, r) =>
                        r < l && !isOut(r)
                    )
                );
            }
            pairs.Sort((a, b) => (a.Left, a.Right).CompareTo((b.Left, b.Right)));
            ofTile(pairs);
            progress?.Invoke(first + tile.Count);
        }
    }

    private static SimilarPair[] Checked(
        EmbeddingStore left,
        long[] leftRows,
        int leftFirst,
        RowTile leftTile,
        EmbeddingStore right,
        long[] rightRows,
        int rightFirst,
        RowTile rightTile,
        double threshold,
        Func<int, int, bool>? wanted = null
    )
    {
        var pairs = new List<SimilarPair>();
        float[] a = new float[left.EmbeddingSize],
            b = new float[right.EmbeddingSize];
        foreach (var (l, r) in TileProduct.Candidates(leftTile, rightTile, threshold))
        {
            var (i, j) = (leftFirst + l, rightFirst + r);
            if (wanted?.Invoke(i, j) == false)
                continue;
            left.ReadRows(leftRows.AsSpan(i, 1), a);
            right.ReadRows(rightRows.AsSpan(j, 1), b);
            var cosine = Cosine(a, b);
            if (cosine >= threshold)
                pairs.Add(new(i, j, cosine));
        }
        pairs.Sort((x, y) => (x.Left, x.Right).CompareTo((y.Left, y.Right)));
        return [.. pairs];
    }

    /// <summary>The cosine in double precision, summed in order, so that it is the same everywhere; 1 at most.</summary>
    internal static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double product = 0,
            aa = 0,
            bb = 0;
        for (var i = 0; i < a.Length; i++)
        {
            product += (double)a[i] * b[i];
            aa += (double)a[i] * a[i];
            bb += (double)b[i] * b[i];
        }
        return aa > 0 && bb > 0 ? Math.Min(1, product / Math.Sqrt(aa * bb)) : 0;
    }
}
