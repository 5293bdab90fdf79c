using LiT.Data;
using LiT.Search;
using LiT.Stores;
using LiT.Tests.Search;

namespace LiT.Tests.Stores;

/// <summary>A store that is changed, beside a plain list of what it ought to hold.</summary>
internal sealed class GrowingStore
{
    private const int Size = 16;
    private readonly string folder;
    private int made;

    public GrowingStore(string folder, int pictures, int perShard, bool indexed = true)
    {
        this.folder = folder;
        for (var i = 0; i < pictures; i++)
            Held.Add(New());
        MadeRows.Write(folder, [.. Held.Select(one => one.Row)], perShard, sample: i => Held[i].Sample);
        if (indexed)
            StoreIndex.Build(folder);
    }

    /// <summary>What the store ought to hold, in any order.</summary>
    public List<(Sample Sample, float[] Row, int Number)> Held { get; } = [];

    public void Add(int pictures) => Change(pictures, [], []);

    public void Remove(params string[] keys) => Change(0, keys, []);

    public void Move(string key, string to) => Change(0, [], [(key, to)]);

    /// <summary>All in one change.</summary>
    public void Change(int pictures, IReadOnlyCollection<string> removed, IReadOnlyList<(string Key, string To)> moved)
    {
        using var store = EmbeddingStore.Open(folder);
        using StoreAddition added = new(Path.Combine(folder, ".update", "rows-0001"), store.Description!);
        StoreChange change = new(store) { Added = added };
        for (var i = 0; i < pictures; i++)
        {
            Held.Add(New());
            var (sample, row, number) = Held[^1];
            Assert.True(added.Append(sample, new(100 + number, 50, StoreData.Hash(number)), row));
        }
        for (var row = 0L; row < store.Rows; row++)
        {
            var key = store.Key(row);
            if (removed.Contains(key))
                change.Remove(row);
            foreach (var (_, to) in moved.Where(one => one.Key == key))
            {
                var at = Held.FindIndex(one => one.Sample.Key == key);
                var sample = Held[at].Sample with
                {
                    Key = to,
                    Origin = $"elsewhere/{to}",
                    Label = "moved",
                    Captions = [$"moved from {key}"],
                };
                change.Reword(row, sample);
                Held[at] = (sample, Held[at].Row, Held[at].Number);
            }
        }
        Held.RemoveAll(one => removed.Contains(one.Sample.Key));
        Assert.NotNull(change.Commit());
        StoreFolder.ClearUpdate(folder);
    }

    /// <summary>Reads everything and asks, and compares with the plain list.</summary>
    public void Check()
    {
        using var store = EmbeddingStore.Open(folder);
        Assert.Equal(Held.Count, store.Rows);
        Assert.Equal(Held.Count, store.Counts!.Embedded);
        Dictionary<string, long> rows = [];
        for (var row = 0L; row < store.Rows; row++)
            rows.Add(store.Key(row), row);
        foreach (var (sample, vector, number) in Held)
        {
            var row = rows[sample.Key];
            Assert.Equal((sample.Origin, sample.Label), (store.Origin(row), store.Label(row)));
            Assert.Equal(sample.Captions, store.Captions(row));
            Assert.Equal(sample.Fields, store.Fields(row));
            Assert.Equal(StoreData.Hash(number), store.Sha256(row));
            Assert.Equal((100 + number, 50), store.PictureSize(row));
            var stored = new float[Size];
            store.ReadRows([row], stored, ownLength: true);
            for (var k = 0; k < Size; k++)
                Assert.Equal(vector[k], stored[k], 2e-3f);
        }
        var status = StoreIndex.Status(folder);
        Assert.Equal((Held.Count, status.Indexed + status.Skipped + status.Removed), (status.Indexed, status.Found));
        CheckSearch(store);
    }

    /// <summary>Asks, with a filter and without, and compares with going over the list.</summary>
    private void CheckSearch(EmbeddingStore store)
    {
        using var collection = Collection.Of(null, store);
        Assert.Equal(Held.Count, collection.Count);
        Embeddings queries = new Embeddings(
            [.. Random.Shared.GetItems(Held.ToArray(), 3).SelectMany(one => one.Row)],
            Size
        ).ToUnit();
        foreach (
            var filter in new[] { null, "label = 'moved'", "not label = 'moved'", "width >= 110 and key != 'k12'" }
        )
        {
            var allowed = filter is null ? null : collection.Where(filter);
            bool Holds(Sample sample, int number) =>
                filter switch
                {
                    null => true,
                    "label = 'moved'" => sample.Label == "moved",
                    "not label = 'moved'" => sample.Label != "moved",
                    _ => number >= 10 && sample.Key != "k12",
                };
            string[] expected =
            [
                .. Held.Where(one => Holds(one.Sample, one.Number)).Select(one => one.Sample.Key).Order(),
            ];
            var found = Nearest.Find(collection, queries, collection.Parts.Sum(part => part.Count), allowed);
            var few = Nearest.Find(collection, queries, 5, allowed);
            for (var query = 0; query < queries.Count; query++)
            {
                Assert.Equal(expected, found[query].Select(one => collection.Key(one.Picture)).Order());
                Assert.Equal(found[query].Take(5), few[query]);
            }
        }
        foreach (var (sample, _, _) in Held)
            Assert.Equal(sample.Key, collection.Key(collection.Find(sample.Key)!.Value));
    }

    private (Sample, float[], int) New()
    {
        var number = made++;
        Sample sample = new($"k{number}", $"made/k{number}.jpg")
        {
            Captions = [$"caption {number}"],
            Label = number % 2 == 0 ? "even" : null,
            Fields = new Dictionary<string, string> { ["n"] = $"{number}" },
        };
        return (sample, MadeRows.Random(1, Size, 100 + number)[0], number);
    }
}
