using LiT.Compute;
using LiT.Compute.Kernels;
using LiT.Search;
using LiT.Stores;
using LiT.Tests.Compute;

namespace LiT.Tests.Search;

/// <summary>A search by codes beside the plain one: every row, in double precision, sorted.</summary>
public sealed class NearestTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [EveryIsa(1, 1)]
    [EveryIsa(3, 7)]
    [EveryIsa(5, 64)]
    [EveryIsa(37, 130)]
    public unsafe void Sums_of_codes_are_those_of_whole_numbers_at_every_width(string isa, int rows, int size)
    {
        using var use = Processor.Use(isa);
        Random chance = new(rows);
        var width = (size + CodeSums.Step - 1) / CodeSums.Step * CodeSums.Step;
        const int queries = 6;
        var (codes, asked) = (new sbyte[rows * width], new short[queries * width]);
        for (var i = 0; i < rows; i++)
        for (var k = 0; k < size; k++)
            codes[i * width + k] = (sbyte)chance.Next(-127, 128);
        for (var q = 0; q < queries; q++)
        for (var k = 0; k < size; k++)
            asked[q * width + k] = (short)chance.Next(-32767, 32768);
        int[] chosen = [.. Enumerable.Range(0, rows).Where(i => i % 3 != 1)];
        foreach (var some in new[] { null, chosen })
        {
            var count = some?.Length ?? rows;
            var sums = new int[queries * count];
            fixed (sbyte* c = codes)
            fixed (short* a = asked)
            fixed (
                int* r = some,
                    s = sums
            )
                CodeSums.Of(c, width, r, count, a, queries, s);
            for (var q = 0; q < queries; q++)
            for (var i = 0; i < count; i++)
            {
                var expected = 0;
                for (var k = 0; k < size; k++)
                    expected += codes[(some?[i] ?? i) * width + k] * asked[q * width + k];
                Assert.Equal(expected, sums[q * count + i]);
            }
        }
    }

    [Fact]
    public void A_row_is_never_farther_from_its_codes_than_they_say()
    {
        Random chance = new(7);
        for (var turn = 0; turn < 2000; turn++)
        {
            var size = chance.Next(1, 100);
            var scale = Math.Pow(10, chance.Next(-42, 30));
            float[] row =
            [
                .. Enumerable
                    .Range(0, size)
                    .Select(_ =>
                        (float)(
                            scale * (chance.Next(4) == 0 ? 0 : Math.Pow(chance.NextDouble() - 0.5, 1 + chance.Next(5)))
                        )
                    ),
            ];
            var codes = new sbyte[size];
            var length = Math.Sqrt(row.Sum(x => (double)x * x));
            var (step, error) = RowCodes.Of([.. row], codes)!.Value;
            var off = 0.0;
            for (var k = 0; k < size; k++)
                off += Math.Pow((length > 0 ? row[k] / length : 0) - (double)step * codes[k], 2);
            Assert.True(
                Math.Sqrt(off) <= error + (length > 0 ? 0 : 1e-9),
                $"{Math.Sqrt(off)} > {error}, {size} numbers of {scale}"
            );
            Assert.True(error <= 1.01 * Math.Sqrt(size) * step / 2 + 2e-7, $"{error} for steps of {step}");
        }
        Assert.Null(RowCodes.Of([1, float.NaN], new sbyte[2]));
        Assert.Null(RowCodes.Of([1, float.PositiveInfinity], new sbyte[2]));
    }

    // Ties, duplicates, rows of zeros, clusters: the answer is that of the plain scan, with codes and without, for
    // any number
    // of threads, and with a filter.
    [Theory]
    [InlineData(1, 5, 3, nameof(StoredType.Float16), 1)]
    [InlineData(2, 700, 40, nameof(StoredType.Float16), 1)]
    [InlineData(3, 9000, 24, nameof(StoredType.Float16), 1)]
    [InlineData(4, 600, 65, nameof(StoredType.Float32), 1)]
    [InlineData(5, 600, 16, nameof(StoredType.Int8), 1)]
    [InlineData(6, 300, 32, nameof(StoredType.Float16), 2)]
    public void The_answer_is_that_of_the_plain_scan(int seed, int pictures, int size, string type, int views)
    {
        Random chance = new(seed);
        var rows = MadeRows.Random(pictures * views, size, seed);
        for (var i = 0; i < rows.Length; i++)
            switch (chance.Next(6))
            {
                case 0: // the same as another
                    rows[i] = rows[chance.Next(rows.Length)];
                    break;
                case 1: // almost the same, of another length
                    rows[i] = [.. rows[chance.Next(rows.Length)].Select(x => 3 * x + 1e-4f)];
                    break;
            }
        MadeRows.Write(folder["store"], rows, Math.Max(1, pictures / 3), Enum.Parse<StoredType>(type), views);
        StoreIndex.Build(folder["store"]);
        using var store = EmbeddingStore.Open(folder["store"]);
        using var collection = Collection.Of(null, store);
        Assert.True(collection.IsIndexed);
        Embeddings queries = new Embeddings(
            [.. MadeRows.Random(4, size, seed + 100).Append(rows[0]).Append(rows[^1]).SelectMany(row => row)],
            size
        ).ToUnit();
        var some = Bits.Where(collection.Pictures, picture => picture % 7 == 3);
        foreach (var (kept, allowed) in new[] { (1, null), (10, null), (pictures, null), (10, some) })
        {
            var expected = Plain(store, queries, kept, allowed);
            foreach (var threads in new[] { 1, 2, 3 })
            {
                using var use = Parts.Use(threads);
                Assert.Equal(expected, Nearest.Find(collection, queries, kept, allowed));
                Assert.Equal(expected, Nearest.Find(collection, queries, kept, allowed, withCodes: false));
            }
        }
    }

    // So many queries at once go through the processor's products of bytes first, where it has them.
    [Theory]
    [EveryIsa(20, 1)]
    [EveryIsa(70, 10)]
    [EveryIsa(9, 300)]
    public void Many_queries_together_find_what_each_finds_alone(string isa, int queries, int kept)
    {
        using var use = Processor.Use(isa);
        const int size = 48;
        var rows = MadeRows.Random(5000, size, 11);
        (rows[70], rows[4999]) = (rows[3], rows[3]);
        MadeRows.Write(folder["store"], rows, 4500, StoredType.Float16);
        StoreIndex.Build(folder["store"]);
        using var store = EmbeddingStore.Open(folder["store"]);
        using var collection = Collection.Of(null, store);
        Embeddings asked = new Embeddings(
            [.. MadeRows.Random(queries - 1, size, 5).Append(rows[3]).SelectMany(row => row)],
            size
        ).ToUnit();
        var expected = Plain(store, asked, kept, null);
        Assert.Equal(expected, Nearest.Find(collection, asked, kept, null));
        Assert.Equal(expected[^1], Nearest.Find(collection, new([.. asked[queries - 1]], size), kept, null)[0]);
        var some = Bits.Where(collection.Pictures, picture => picture % 3 == 1);
        Assert.Equal(Plain(store, asked, kept, some), Nearest.Find(collection, asked, kept, some));
    }

    // Where the processor multiplies bytes, its sums; everywhere, ours of the same bytes.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(64, 3000)]
    [InlineData(1100, 1025)]
    public unsafe void Sums_of_bytes_are_those_of_whole_numbers(int size, int rows)
    {
        const int queries = 16;
        Random chance = new(rows);
        var width = (size + CodeSums.Step - 1) / CodeSums.Step * CodeSums.Step;
        var (codes, asked) = (new sbyte[rows * width], new sbyte[queries * width]);
        for (var i = 0; i < rows; i++)
        for (var k = 0; k < size; k++)
            codes[i * width + k] = (sbyte)chance.Next(-127, 128);
        for (var q = 0; q < queries; q++)
        for (var k = 0; k < size; k++)
            asked[q * width + k] = (sbyte)(q == 0 ? 127 : chance.Next(-127, 128));
        int Expected(int row, int query)
        {
            var sum = 0;
            for (var k = 0; k < size; k++)
                sum += codes[row * width + k] * asked[query * width + k];
            return sum;
        }
        fixed (sbyte* c = codes)
        {
            var sums = new int[queries * rows];
            fixed (short* a = Array.ConvertAll(asked, one => (short)one))
            fixed (int* s = sums)
                CodeSums.Of(c, width, null, rows, a, queries, s);
            for (var q = 0; q < queries; q++)
            for (var i = 0; i < rows; i++)
                Assert.Equal(Expected(i, q), sums[q * rows + i]);
            if (!ByteQueries.AreFast)
                return;
            using ByteQueries bytes = new(asked, width);
            bytes.Sums(c, rows, (first, count, found) =>
            {
                for (var i = 0; i < count; i++)
                for (var q = 0; q < queries; q++)
                    Assert.Equal(Expected(first + i, q), ((float*)found)[i * queries + q]);
            });
        }
    }

    [Fact]
    public void A_row_that_is_not_finite_is_refused_by_name_whichever_way_it_is_met()
    {
        var rows = MadeRows.Random(20, 8, 1);
        MadeRows.Write(folder["store"], rows, 10, StoredType.Float32);
        var path = folder["store", "img_emb", "img_emb_0001.npy"];
        var bytes = File.ReadAllBytes(path);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 4), float.NaN);
        File.WriteAllBytes(path, bytes);
        Assert.Contains(
            "img_emb_0001.npy, row 9: holds numbers that are not finite",
            Assert.Throws<LitException>(() => StoreIndex.Build(folder["store"])).Message
        );
        using var store = EmbeddingStore.Open(folder["store"]);
        using var collection = Collection.Of(null, store);
        Assert.Contains(
            "img_emb_0001.npy, row 9: holds numbers that are not finite",
            Assert
                .Throws<LitException>(() => Nearest.Find(collection, new Embeddings(rows[0], 8).ToUnit(), 3, null))
                .Message
        );
    }

    private static Neighbour[][] Plain(EmbeddingStore store, Embeddings queries, int kept, Bits? allowed)
    {
        var row = new float[store.EmbeddingSize];
        return
        [
            .. Enumerable
                .Range(0, queries.Count)
                .Select(query =>
                {
                    List<Neighbour> all = [];
                    for (var picture = 0L; picture < store.Rows / store.Views; picture++)
                    {
                        if (allowed is not null && !allowed[picture])
                            continue;
                        var shard = Enumerable
                            .Range(0, store.Shards.Count)
                            .Last(s => store.FirstRow(s) <= picture * store.Views);
                        store.Shards[shard].Read(picture * store.Views - store.FirstRow(shard), row);
                        double dot = 0,
                            square = 0;
                        for (var k = 0; k < row.Length; k++)
                            (dot, square) = (
                                dot + (double)queries[query][k] * row[k],
                                square + (double)row[k] * row[k]
                            );
                        all.Add(new(picture, square == 0 ? 0 : Exactly.Cosine(queries[query], row)));
                        Assert.Equal(dot / Math.Sqrt(Math.Max(square, 1e-300)), all[^1].Similarity, tolerance: 1e-7);
                    }
                    return all.OrderByDescending(one => one.Similarity).ThenBy(one => one.Picture).Take(kept).ToArray();
                }),
        ];
    }
}
