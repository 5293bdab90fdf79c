using LiT.Compute;
using LiT.Compute.Kernels;
using LiT.Duplicates;
using LiT.Stores;
using LiT.Tests.Compute;

namespace LiT.Tests.Duplicates;

public sealed class SimilarRowsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(48, 0.9)]
    [InlineData(37, 0.5)] // a width that is no multiple of anything
    [InlineData(64, 0.999)]
    public void Every_pair_is_found_and_no_other(int size, double threshold)
    {
        using var left = MadeStores.Write(folder["left"], Rows(size, 0, 301));
        using var right = MadeStores.Write(folder["right"], Rows(size, 150, 407));
        var pairs = new List<SimilarPair>();
        SimilarRows.Between(left, All(left), right, All(right), threshold, pairs.Add, null, CancellationToken.None);
        Assert.Equal(Oracle(left, right, threshold), pairs.Select(pair => (pair.Left, pair.Right)).Order());
        Assert.NotEmpty(pairs);
    }

    [Theory]
    [EveryIsa(48)]
    [EveryIsa(37)]
    [EveryIsa(64)]
    public void Every_instruction_set_gives_the_candidates_that_plain_sums_give(string isa, int size)
    {
        using var left = MadeStores.Write(folder["left"], Rows(size, 0, 301));
        using var right = MadeStores.Write(folder["right"], Rows(size, 150, 407));
        var (a, b) = (RowTiles.Of(left, All(left), 0, 1000), RowTiles.Of(right, All(right), 0, 1000));
        using var forced = Processor.Use(isa);
        var slack = a.WorstError + (1 + a.WorstError) * b.WorstError + 1e-5;
        var expected =
            from i in Enumerable.Range(0, a.Count)
            from j in Enumerable.Range(0, b.Count)
            where Product(i, j) * b.Scales[j] * a.Scales[i] >= (float)(0.3 - slack)
            select (i, j);
        Assert.Equal(expected, TileProduct.Candidates(a, b, 0.3).Order());

        int Product(int i, int j) =>
            Enumerable.Range(0, a.Stride).Sum(k => a.Values[i * a.Stride + k] * b.Values[j * b.Stride + k]);
    }

    [Fact]
    public void The_error_of_a_product_of_integers_stays_below_its_bound()
    {
        // One large number in each row makes the integers coarse.
        using var store = MadeStores.Write(
            folder["coarse"],
            Enumerable.Range(0, 60).Select(i => ($"{i}", Spiked(MadeStores.Row(i)))),
            type: StoredType.Float32
        );
        var tile = RowTiles.Of(store, All(store), 0, 1000);
        float[] a = new float[48],
            b = new float[48];
        for (var i = 0; i < 60; i++)
        for (var j = 0; j < 60; j++)
        {
            store.ReadRows([i], a);
            store.ReadRows([j], b);
            var approximate = 0;
            for (var k = 0; k < 48; k++)
                approximate += tile.Values[i * tile.Stride + k] * tile.Values[j * tile.Stride + k];
            Assert.InRange(
                Math.Abs(approximate * (double)tile.Scales[i] * tile.Scales[j] - SimilarRows.Cosine(a, b)),
                0,
                (2 + tile.WorstError) * tile.WorstError + 1e-5
            );
        }
    }

    [Fact]
    public void Within_a_store_pairs_point_to_earlier_rows()
    {
        using var store = MadeStores.Write(folder["one"], Rows(48, 0, 300).Concat(Rows(48, 0, 300)));
        var pairs = new List<SimilarPair>();
        SimilarRows.Within(store, All(store), 0.9, pairs.AddRange, _ => false, null, CancellationToken.None);
        Assert.Equal(
            Oracle(store, store, 0.9).Where(pair => pair.Item2 < pair.Item1),
            pairs.Select(pair => (pair.Left, pair.Right))
        );
    }

    /// <summary>Ten families; each member is its head and some noise.</summary>
    private static IEnumerable<(string, float[])> Rows(int size, int from, int to) =>
        Enumerable
            .Range(from, to - from)
            .Select(i => ($"{i}", MadeStores.Near(MadeStores.Row(i % 10, size), 1000 + i, i % 7 * 0.1)));

    private static float[] Spiked(float[] row)
    {
        row[5] = 30;
        return row;
    }

    private static long[] All(EmbeddingStore store) =>
        [.. Enumerable.Range(0, (int)store.Rows).Select(row => (long)row)];

    private static IEnumerable<(int, int)> Oracle(EmbeddingStore left, EmbeddingStore right, double threshold)
    {
        float[] a = new float[left.EmbeddingSize],
            b = new float[left.EmbeddingSize];
        for (var i = 0; i < left.Rows; i++)
        for (var j = 0; j < right.Rows; j++)
        {
            left.ReadRows([i], a);
            right.ReadRows([j], b);
            if (SimilarRows.Cosine(a, b) >= threshold)
                yield return (i, j);
        }
    }
}
