using LiT.Search;
using LiT.Stores;
using LiT.Tests.Face;
using LiT.USearch;

namespace LiT.Tests.Search;

/// <summary>An index of somebody else's: it names rows, the rows decide, and what it misses is measured.</summary>
public sealed class VectorIndexTests(SmallModel small) : IClassFixture<SmallModel>, IDisposable
{
    private const int Size = 24,
        PerShard = 700;
    private readonly TemporaryFolder folder = new();
    private readonly CancellationToken cancel = TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_store_is_asked_by_an_index_and_says_so_and_without_one_or_exactly_it_is_not()
    {
        using var model = await Model();
        await using var store = await Opened(model, 40);
        var exact = await store.FindAsync(new() { Words = "a b", Top = 5 }, cancel);
        Assert.Equal((1.0, 40L, false, 5), (exact.Recall, exact.Searched, exact.NothingMatches, exact.Pictures.Count));

        Counting index = new(misses: 20);
        var recall = await store.UseAsync(index, 0.8, cancel);
        Assert.InRange(recall, 0.8, 0.99);
        index.Asked = 0;
        var found = await store.FindAsync(new() { Words = "a b", Top = 5 }, cancel);
        Assert.Equal(1, index.Asked);
        Assert.Equal((recall, 40L), (found.Recall, found.Searched));
        // What is found has the rows' own similarity and order; what the index misses is not there.
        HashSet<string> missed =
        [
            .. exact.Pictures.Select(one => one.Key).Except(found.Pictures.Select(one => one.Key)),
        ];
        Assert.True(missed.Count <= 1);
        Assert.Equal(
            exact.Pictures.Where(one => !missed.Contains(one.Key)),
            found.Pictures.Take(exact.Pictures.Count - missed.Count)
        );

        var asked = index.Asked;
        Assert.Equal(
            exact.Pictures,
            (
                await store.FindAsync(
                    new()
                    {
                        Words = "a b",
                        Top = 5,
                        Exact = true,
                    },
                    cancel
                )
            ).Pictures
        );
        Assert.Equal(1, await store.UseAsync(null, cancel: cancel));
        Assert.Equal(exact.Pictures, (await store.FindAsync(new() { Words = "a b", Top = 5 }, cancel)).Pictures);
        Assert.Equal(asked, index.Asked);
    }

    [Fact]
    public async Task An_index_that_misses_too_much_or_names_all_is_answered_exactly()
    {
        using var model = await Model();
        await using var store = await Opened(model, 40);
        Query query = new() { Words = "b", Top = 7 };
        var exact = await store.FindAsync(query, cancel);
        Assert.InRange(await store.UseAsync(new Counting(misses: 2), 0.9, cancel), 0.2, 0.8);
        await Same();
        Assert.Equal(1, await store.UseAsync(new All(), 0.9, cancel));
        await Same();
        async Task Same()
        {
            var found = await store.FindAsync(query, cancel);
            Assert.Equal(1, found.Recall);
            Assert.Equal(exact.Pictures, found.Pictures);
        }
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => store.UseAsync(new All(), 1.5, cancel));
    }

    [Fact]
    public async Task Pictures_that_come_and_go_are_told_and_nothing_that_is_gone_is_found()
    {
        using var model = await Model();
        await using var store = await Opened(model, 40);
        using USearchGraph graph = new();
        Assert.Equal(1, await store.UseAsync(graph, 1, cancel));
        Query query = new() { Like = "07.png", Top = 9 };
        var before = await store.FindAsync(query, cancel);

        File.Delete(folder["photos", before.Pictures[0].Key]);
        folder.Write("photos/new.png", SmallModel.Picture(7));
        await store.UpdateAsync(folder["photos"], null, cancel);
        var found = await store.FindAsync(query, cancel);
        Assert.Equal("new.png", found.Pictures[0].Key);
        Assert.DoesNotContain(before.Pictures[0].Key, found.Pictures.Select(one => one.Key));
        Assert.Equal((await store.FindAsync(query with { Exact = true }, cancel)).Pictures, found.Pictures);

        StoreCompaction.Run(folder["store"], null, cancel);
        Assert.Equal(found.Pictures, (await store.FindAsync(query, cancel)).Pictures);
    }

    [Fact]
    public void A_graph_finds_the_share_that_was_measured_and_the_rest_of_a_filter_exactly()
    {
        using var collection = Made(out var store);
        using USearchGraph graph = new();
        MeasuredIndex measured = new(graph, 0.95);
        measured.Update(null, collection, cancel);
        collection.Index = measured;
        Assert.Equal(2000, graph.Count);
        Assert.Equal([10, 100], measured.Visits.Select(visits => visits.Depth));
        Assert.All(measured.Visits, visits => Assert.InRange(visits.Recall, 0.95, 1));

        var queries = collection.Read([.. Enumerable.Range(0, 50).Select(i => i * 37L)]);
        var exact = Nearest.Find(collection, queries, 10, null, null, cancel);
        var (near, recall) = Nearest.FindFast(collection, queries, 10, null, null, cancel);
        Assert.Equal(measured.Visits[0].Recall, recall);
        Assert.InRange(exact.Zip(near).Average(both => both.First.Intersect(both.Second).Count() / 10.0), 0.9, 1);

        // Ten of a hundred: the index is asked for more. One that it cannot know of: everything is gone over.
        var tenth = Bits.Where(collection.Pictures, picture => picture % 10 == 3);
        Assert.True(
            measured.Plan(collection, 10, tenth)!.Value.Visited > measured.Plan(collection, 10, null)!.Value.Visited
        );
        var few = Bits.Of(collection.Pictures, [5, 1999]);
        Assert.Null(measured.Plan(collection, 10, few));
        Assert.Equal(
            Nearest.Find(collection, queries, 10, few, null, cancel),
            Nearest.FindFast(collection, queries, 10, few, null, cancel).Nearest
        );
        store.Dispose();
    }

    [Fact]
    public void What_a_filter_leaves_and_the_index_does_not_name_is_found_all_the_same()
    {
        using var collection = Made(out var store);
        MeasuredIndex measured = new(new Counting(misses: 50), 0.9);
        measured.Update(null, collection, cancel);
        collection.Index = measured;
        var queries = collection.Read([0]);
        // Of those that are left the index knows none.
        var missed = Bits.Where(collection.Pictures, picture => picture % 50 == 1);
        var (near, recall) = Nearest.FindFast(collection, queries, 2, missed, null, cancel);
        Assert.Equal(1, recall);
        Assert.Equal(Nearest.Find(collection, queries, 2, missed, null, cancel)[0], near[0]);
        store.Dispose();
    }

    [Fact]
    public void A_graph_is_kept_in_its_file_and_made_anew_where_that_is_damaged_or_of_other_rows()
    {
        var file = folder["kept", "graph.usearch"];
        using (var collection = Made(out var store))
        {
            using USearchGraph graph = new(file);
            graph.Update(new(collection), cancel);
            store.Dispose();
        }
        var first = File.GetLastWriteTimeUtc(file);
        long[] Ask(bool changed = false)
        {
            using var store = EmbeddingStore.Open(folder["made"]);
            using var collection = Collection.Of(null, store);
            using USearchGraph graph = new(file);
            graph.Update(new(collection), cancel);
            Assert.Equal((2000, changed), (graph.Count, File.GetLastWriteTimeUtc(file) != first));
            return [.. graph.Find(collection.Read([1234])[0], 5)!];
        }
        var known = Ask();
        Assert.Equal((1L << 32) + 1234 - PerShard, known[0]);
        var bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.Equal(known[0], Ask(changed: true)[0]);
        File.WriteAllText(file + ".json", "{");
        Assert.Equal(known[0], Ask(changed: true)[0]);

        Directory.Delete(folder["made"], recursive: true);
        MadeRows.Write(folder["made"], MadeRows.Random(2000, Size, 2), PerShard);
        Assert.Equal(known[0], Ask(changed: true)[0]); // the rows are others, and so is the graph
    }

    [Fact]
    public void A_graph_that_was_given_up_goes_on_and_one_that_cannot_be_written_says_so()
    {
        using var collection = Made(out var store);
        using USearchGraph graph = new();
        using CancellationTokenSource stop = new();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => graph.Update(new(collection), stop.Token));
        graph.Update(new(collection), cancel);
        Assert.Equal(2000, graph.Count);
        folder.Write("taken", "a file");
        using USearchGraph lost = new(folder["taken", "graph"]);
        Assert.Contains(
            "Give the graph a place that can be written to",
            Assert.Throws<LitException>(() => lost.Update(new(collection), cancel)).Message
        );
        store.Dispose();
    }

    private Collection Made(out EmbeddingStore store)
    {
        MadeRows.Write(folder["made"], MadeRows.Random(2000, Size, 1), PerShard);
        store = EmbeddingStore.Open(folder["made"]);
        return Collection.Of(null, store);
    }

    // A model without a background looks for as many as it shows.
    private async Task<LitModel> Model()
    {
        Directory.CreateDirectory(folder["bundle"]);
        foreach (var file in Directory.GetFiles(small.Bundle))
            if (Path.GetFileName(file) != "background.safetensors")
                File.Copy(file, folder["bundle", Path.GetFileName(file)]);
        return await LitModel.LoadAsync(folder["bundle"], null, cancel);
    }

    private async Task<PictureStore> Opened(LitModel model, int pictures)
    {
        for (var i = 0; i < pictures; i++)
            folder.Write($"photos/{i:00}.png", SmallModel.Picture(i));
        var store = await PictureStore.OpenAsync(folder["store"], model, cancel);
        await store.UpdateAsync(folder["photos"], null, cancel);
        return store;
    }

    /// <summary>Names the nearest rows, but for one of every so many that it does not know.</summary>
    private sealed class Counting(int misses) : IVectorIndex
    {
        private readonly List<(long Number, float[] Row)> known = [];

        public int Asked { get; set; }

        public void Update(StoredVectors rows, CancellationToken cancel)
        {
            known.Clear();
            var row = new float[rows.Size];
            foreach (var segment in rows.Segments)
                for (var i = 0; i < segment.Count; i++)
                    if (i % misses != 1 && rows.Holds(segment.First + i))
                    {
                        rows.Read([segment.First + i], row);
                        known.Add((segment.First + i, [.. row]));
                    }
        }

        public IReadOnlyList<long>? Find(ReadOnlySpan<float> query, int count)
        {
            Asked++;
            var asked = query.ToArray();
            return
            [
                .. known.OrderByDescending(one => Exactly.Dot(asked, one.Row)).Take(count).Select(one => one.Number),
                long.MaxValue, // no such row
            ];
        }
    }

    private sealed class All : IVectorIndex
    {
        public void Update(StoredVectors rows, CancellationToken cancel) { }

        public IReadOnlyList<long>? Find(ReadOnlySpan<float> query, int count) => null;
    }
}
