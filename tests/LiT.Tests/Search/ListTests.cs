using LiT.Compute;
using LiT.Search;
using LiT.Stores;
using LiT.Tests.Compute;

namespace LiT.Tests.Search;

/// <summary>Lists of near rows: the same wherever they are made, as good as they say, and named where they are
/// damaged.</summary>
public sealed class ListTests : IDisposable
{
    private const int Size = 32,
        Kinds = 40,
        PerShard = 1500;
    private readonly TemporaryFolder folder = new();
    private readonly float[][] rows = Clustered(4000, 1);

    public ListTests()
    {
        MadeRows.Write(folder["store"], rows, PerShard);
        StoreIndex.Build(folder["store"]);
    }

    public void Dispose() => folder.Dispose();

    private string Centres => folder["store", "index", "centres.bin"];

    private static string FileOf(TemporaryFolder folder, int segment) =>
        folder["store", "index", $"lists_000{segment}.bin"];

    [Theory]
    [EveryIsa]
    public void Every_processor_and_any_number_of_threads_make_the_same_files(string isa)
    {
        Build();
        var expected = Files();
        foreach (var threads in new[] { 1, 3 })
        {
            using var use = Processor.Use(isa);
            using var some = Parts.Use(threads);
            Array.ForEach(Directory.GetFiles(folder["store", "index"], "lists_*"), File.Delete);
            Build();
            Assert.Equal(expected, Files());
        }
        Build(seed: 1);
        Assert.NotEqual(expected[0], Files()[0]);
    }

    [Fact]
    public void Every_row_is_in_the_list_whose_centre_is_nearest()
    {
        Build();
        Ask(
            (_, lists) =>
            {
                Assert.Equal(3, lists.Listed);
                int[] of = [.. Enumerable.Range(0, 3).SelectMany(part => lists.ListOfRows(part)!)];
                Assert.Equal(rows.Length, of.Length);
                for (var row = 0; row < rows.Length; row++)
                {
                    double Near(int list) => Exactly.Dot(lists.Centres[list], rows[row]) / Length(rows[row]);
                    // Bytes decide: what is as near as they can tell is as good.
                    Assert.InRange(Near(of[row]), Enumerable.Range(0, lists.Centres.Count).Max(Near) - 0.02, 1);
                }
                Assert.All(Enumerable.Range(0, lists.Centres.Count), list =>
                    Assert.Equal(1, Exactly.Dot(lists.Centres[list], lists.Centres[list]), 1e-5)
                );
            }
        );
    }

    [Fact]
    public void As_many_are_visited_as_find_the_recall_and_what_is_said_was_measured()
    {
        var centres = Build(recall: 0.95);
        Assert.Equal((0.95, 400, false), (centres.Target, centres.Queries, centres.WithCaptions));
        Ask(
            (collection, lists) =>
            {
                Assert.Equal(centres.Visits, lists.Centres.Visits);
                Assert.Equal([10, 100], centres.Visits.Select(visits => visits.Depth));
                Assert.All(centres.Visits, visits => Assert.InRange(visits.Recall, 0.95, 1));
                Assert.InRange(centres.Visits[0].Visited, 1, centres.Count / 2);
                Assert.Null(lists.Plan(500, 10, null)); // so many pass over everything together
                // Measured by the search itself, on queries that it was not chosen with.
                Assert.InRange(ListIndex.Recall(collection, lists, Asked(200, 77), centres.Visits[0]), 0.92, 1);
                // The queries that it was chosen with find what was counted of the files.
                Assert.InRange(ListIndex.Recall(collection, lists, Asked(400, 9), centres.Visits[0]), 0.95, 1);
            }
        );
    }

    [Fact]
    public void All_lists_together_hold_what_the_plain_way_finds()
    {
        Build();
        Ask(
            (collection, lists) =>
            {
                var queries = Asked(20, 5);
                var odd = Bits.Where(collection.Pictures, picture => picture % 2 != 0);
                foreach (var allowed in new[] { null, odd })
                    Assert.Equal(
                        Nearest.Find(collection, queries, 12, allowed),
                        lists.Find(queries, 12, lists.Centres.Count, allowed, CancellationToken.None)
                    );
            }
        );
    }

    [Fact]
    public void A_filter_visits_more_and_one_that_leaves_little_is_exact()
    {
        var centres = Build(recall: 0.6);
        Ask(
            (collection, lists) =>
            {
                Bits Left(int oneIn) => Bits.Where(collection.Pictures, picture => picture % oneIn == 0);
                Assert.Equal(centres.Visits[0], lists.Plan(1, 10, null));
                Assert.Equal(centres.Visits[1], lists.Plan(1, 10, Left(5)));
                Assert.Null(lists.Plan(1, 10, Left(100))); // the nearest thousand were never measured
                Assert.Null(lists.Plan(1, 10, new Bits(collection.Pictures)));
                Assert.Null(lists.Plan(1, 1000, null));
                var (near, recall) = Nearest.FindFast(collection, Asked(1, 3), 10, null);
                Assert.Equal((10, centres.Visits[0].Recall), (near[0].Length, recall));
                Assert.Equal(1, Nearest.FindFast(collection, Asked(1, 3), 10, Left(100)).Recall);
            }
        );
    }

    [Fact]
    public void A_segment_without_lists_is_gone_over_whole_until_it_has_them()
    {
        var centres = Build();
        var last = File.ReadAllBytes(FileOf(folder, 2));
        File.Delete(FileOf(folder, 2));
        Ask(
            (collection, lists) =>
            {
                Assert.Equal(2, lists.Listed);
                // A row of that segment is found even where its own list is not visited.
                Embeddings query = new Embeddings(rows[^1], Size).ToUnit();
                Assert.Equal(rows.Length - 1, lists.Find(query, 1, 1, null, CancellationToken.None)[0][0].Picture);
            }
        );
        Assert.Equal(1, ListIndex.Complete(folder["store"], null));
        Assert.Equal(last, File.ReadAllBytes(FileOf(folder, 2)));
        Assert.Equal(0, ListIndex.Complete(folder["store"], null));
        Assert.Equal(
            new(centres.Count, 3, centres.Visits[0].Visited, centres.Visits[0].Recall, 400, false, rows.Length),
            StoreIndex.Status(folder["store"]).Lists
        );
    }

    [Fact]
    public void Verify_measures_again()
    {
        var centres = Build();
        using var store = EmbeddingStore.Open(folder["store"]);
        var verified = StoreIndex.Verify(null, store, 20, 60);
        Assert.Equal(centres.Visits[0].Recall, verified.PromisedRecall);
        Assert.InRange(verified.ListRecall!.Value, 0.9, 1);
    }

    [Theory]
    [InlineData("centres.bin", 8, "version 9 of the format")]
    [InlineData("centres.bin", 20, "centres.bin: is damaged")]
    [InlineData("centres.bin", 4000, "centres.bin: is damaged")]
    [InlineData("lists_0001.bin", 8, "version 9 of the format")]
    [InlineData("lists_0001.bin", 25, "lists_0001.bin: is damaged")]
    [InlineData("lists_0001.bin", 3000, "lists_0001.bin: is damaged")]
    public void Damage_is_named_and_the_exact_way_goes_on(string file, int at, string expected)
    {
        Build();
        var path = folder["store", "index", file];
        var bytes = File.ReadAllBytes(path);
        bytes[at] = at == 8 ? (byte)9 : (byte)(bytes[at] ^ 1);
        File.WriteAllBytes(path, bytes);
        using var store = EmbeddingStore.Open(folder["store"]);
        using var collection = Collection.Of(null, store);
        Assert.Contains(
            expected,
            Assert.Throws<LitException>(() => Nearest.FindFast(collection, Asked(1, 1), 5, null)).Message
        );
        Assert.Equal(5, Nearest.Find(collection, Asked(1, 1), 5, null)[0].Length);
        foreach (var length in new[] { 0, 8, 100, bytes.Length - 1 })
        {
            File.WriteAllBytes(folder["cut"], bytes[..length]);
            Assert.Throws<LitException>(() =>
            {
                if (file == "centres.bin")
                    LiT.Search.Centres.Read(folder["cut"]);
                else
                    new ListFile(folder["cut"]).Dispose();
            });
        }
        Build();
        Ask((_, lists) => Assert.Equal(3, lists.Listed));
    }

    [Fact]
    public void A_list_that_points_outside_of_the_rows_is_refused_whatever_its_checksum_says()
    {
        Build();
        var bytes = File.ReadAllBytes(FileOf(folder, 0));
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 12), PerShard);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 8), Checksum.Of(bytes.AsSpan(..^8)));
        File.WriteAllBytes(folder["wrong"], bytes);
        Assert.Contains(
            "its lists point outside of the rows",
            Assert.Throws<LitException>(() => new ListFile(folder["wrong"])).Message
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(17)]
    public void Few_pictures_have_as_many_lists_at_most(int pictures)
    {
        MadeRows.Write(folder["few"], rows[..pictures], 5);
        StoreIndex.Build(folder["few"]);
        var centres = ListIndex.Build(folder["few"], null, new() { Lists = 10 });
        Assert.Equal(Math.Min(10, pictures), centres.Count);
        using var store = EmbeddingStore.Open(folder["few"]);
        using var collection = Collection.Of(null, store);
        Embeddings query = new Embeddings(rows[pictures - 1], Size).ToUnit();
        Assert.Equal(pictures - 1, Nearest.FindFast(collection, query, 2, null).Nearest[0][0].Picture);
    }

    [Fact]
    public void Segments_without_codes_are_refused()
    {
        File.Delete(folder["store", "index", "codes_0001.bin"]);
        Assert.Contains(
            "Not every segment of the store has codes",
            Assert.Throws<LitException>(() => ListIndex.Build(folder["store"], null, new())).Message
        );
    }

    private Centres Build(double recall = 0.97, int seed = 0)
    {
        using var store = EmbeddingStore.Open(folder["store"]);
        using var collection = Collection.Of(null, store);
        return ListIndex.Build(collection, Asked(400, 9), false, new() { Recall = recall, Seed = seed });
    }

    private void Ask(Action<Collection, Lists> ask)
    {
        using var store = EmbeddingStore.Open(folder["store"]);
        using var collection = Collection.Of(null, store);
        ask(collection, collection.Lists!);
    }

    private byte[][] Files() =>
        [.. Directory.GetFiles(folder["store", "index"]).Where(Own).Order().Select(File.ReadAllBytes)];

    private static bool Own(string path) => Path.GetFileName(path)[..4] is "cent" or "list";

    // Rows of a few kinds, and queries half way between a row and anything.
    private static float[][] Clustered(int count, int seed)
    {
        var kinds = MadeRows.Random(Kinds, Size, 1000);
        return [.. MadeRows.Random(count, Size, seed).Select((row, i) => Sum(row, kinds[i * 7 % Kinds]))];
    }

    private Embeddings Asked(int count, int seed) =>
        new Embeddings(
            [
                .. MadeRows
                    .Random(count, Size, seed)
                    .SelectMany((noise, i) => Sum(noise, rows[(i * 131 + seed) % rows.Length])),
            ],
            Size
        ).ToUnit();

    private static float[] Sum(float[] a, float[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double Length(float[] row) => Math.Sqrt(Exactly.Dot(row, row));
}
