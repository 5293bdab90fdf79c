using LiT.Data;
using LiT.Search;
using LiT.Stores;

namespace LiT.Tests.Search;

/// <summary>Captions from a file of their own while a store is searched: a column, and a filter.</summary>
public sealed class CaptionsBesideTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public CaptionsBesideTests() =>
        MadeRows.Write(folder["store"], MadeRows.Random(9, 4, 1), perShard: 4, sample: i =>
            new($"k{i}", $"made/k{i}.jpg") { Captions = [$"own {i}"], Label = $"label {i % 2}" }
        );

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void They_take_the_place_of_the_stores_own_whether_it_is_indexed_or_not(bool indexed)
    {
        if (indexed)
            StoreIndex.Build(folder["store"]);
        folder.Write(
            "captions.jsonl",
            """
            {"key":"k0","text":"a dog","language":"en"}
            {"key":"k0","text":"ein Hund","language":"de"}
            {"key":"k8","text":"noch ein Hund","language":"de"}
            {"key":"k5","text":"a cat"}
            {"key":"nobody","text":"lost"}
            """
        );
        using var store = EmbeddingStore.Open(folder["store"], wordsLater: indexed);
        using var collection = Collection.Of(null, store);
        var given = GivenCaptions.Read(folder["captions.jsonl"]);
        collection.Say(given);

        Assert.Equal(["a dog", "ein Hund"], Assert.IsType<string[]>(collection.ColumnsOf(0)["captions"]));
        Assert.Equal(["ein Hund"], Assert.IsType<string[]>(collection.ColumnsOf(0)["caption.de"]));
        Assert.Equal("label 0", collection.ColumnsOf(0)["label"]);
        Assert.Equal(["a cat"], Assert.IsType<string[]>(collection.ColumnsOf(5)["captions"]));
        Assert.Empty(Assert.IsType<string[]>(collection.ColumnsOf(1)["captions"])); // not named, as everywhere

        Assert.Equal([0, 8], Held(collection, "captions contains 'HUND'"));
        Assert.Equal([0, 8], Held(collection, "caption.de like '%hund'"));
        Assert.Equal([0], Held(collection, "caption.en = 'a dog' and label = 'label 0'"));
        Assert.Empty(Held(collection, "captions contains 'own'"));
        Assert.Equal([1, 2, 3, 4, 6, 7], Held(collection, "captions is null"));
        Assert.Equal("k5", collection.Key(collection.Find("k5")!.Value));
        Assert.Equal(
            [
                "captions: 5 captions in 2 languages (en, de) of 4 pictures, 3 of them in store",
                "captions: 1 of its keys name no picture of store, the first 'nobody', line 5",
                "captions: names 3 of the 9 pictures of store, the first that it does not is 'k1'",
            ],
            given.InWords("store").Select(said => said.Replace(folder["captions.jsonl"], "captions"))
        );
    }

    [Fact]
    public void A_picture_that_was_removed_is_not_counted_and_words_that_came_later_give_way_too()
    {
        using (var store = EmbeddingStore.Open(folder["store"]))
        {
            StoreChange change = new(store);
            change.Remove(2);
            change.Reword(3, new("k3", "made/k3.jpg") { Captions = ["said later"], Label = "later" });
            Assert.NotNull(change.Commit(TestContext.Current.CancellationToken));
        }
        folder.Write("captions.tsv", "k3\ta bird\nk2\tgone\n");
        using var now = EmbeddingStore.Open(folder["store"]);
        using var collection = Collection.Of(null, now);
        var given = GivenCaptions.Read(folder["captions.tsv"]);
        collection.Say(given);
        Assert.Equal([3], Held(collection, "captions contains 'bird' and label = 'later'"));
        Assert.Empty(Held(collection, "captions contains 'later'"));
        Assert.Equal(
            "captions: 2 captions of 2 pictures, 1 of them in store",
            given.InWords("store").First().Replace(folder["captions.tsv"], "captions")
        );
    }

    private static long[] Held(Collection collection, string filter)
    {
        var held = collection.Where(filter);
        return [.. Enumerable.Range(0, 9).Select(i => (long)i).Where(picture => held[picture])];
    }
}
