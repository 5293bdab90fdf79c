using System.Text.Json.Nodes;
using LiT.Stores;

namespace LiT.Tests.Stores;

/// <summary>A store that is changed is what was said, whatever the order, and no reader sees half a change.</summary>
public sealed class StoreGrowthTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string Store => folder["store"];

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    [InlineData(false, 3)]
    public void Any_changes_one_after_the_other_give_the_store_that_they_say(bool indexed, int seed)
    {
        Random chance = new(seed);
        GrowingStore store = new(Store, 25, 10, indexed);
        for (var step = 0; step < 12; step++)
        {
            string[] Some(int most) =>
                [.. chance.GetItems([.. store.Held.Select(one => one.Sample.Key)], most).Distinct()];
            switch (chance.Next(5))
            {
                case 0:
                    store.Add(1 + chance.Next(25));
                    break;
                case 1:
                    store.Remove(Some(4));
                    break;
                case 2:
                    store.Move(Some(1)[0], $"moved{step}");
                    break;
                case 3:
                    var keys = Some(4);
                    store.Change(3, keys[..1], [.. keys[1..].Select((key, i) => (key, $"m{step}-{i}"))]);
                    break;
                default:
                    StoreCompaction.Run(Store);
                    Assert.False(Directory.EnumerateFiles(folder["store", "changes"]).Any());
                    break;
            }
            store.Check();
        }
        StoreCompaction.Run(Store);
        store.Check();
        if (indexed)
        {
            var status = LiT.Search.StoreIndex.Status(Store);
            Assert.Equal((status.Segments, status.Segments, 0), (status.WithCodes, status.WithColumns, status.Removed));
        }
        Assert.Equal(0, StoreCompaction.Run(Store).Merged);
    }

    [Fact]
    public void A_removed_and_a_moved_picture_write_neither_rows_nor_codes()
    {
        GrowingStore store = new(Store, 25, 10);
        store.Add(4);
        var before = StoreData.Contents(Store);
        store.Remove("k3");
        store.Move("k26", "elsewhere");
        var after = StoreData.Contents(Store);

        Assert.Equal(
            ["changes/removed_000003.bin", "changes/words_000004.bin", "store.json"],
            after.Where(file => before.GetValueOrDefault(file.Key) != file.Value).Select(file => file.Key).Order()
        );
        Assert.Empty(before.Keys.Except(after.Keys));
        store.Check();
    }

    [Fact]
    public void New_pictures_are_new_files_and_the_others_stay_as_they_are()
    {
        GrowingStore store = new(Store, 25, 10);
        var before = StoreData.Contents(Store);
        store.Add(12);
        var after = StoreData.Contents(Store);

        Assert.Equal(
            new[] { "img_emb/img_emb_0003.npy", "img_emb/img_emb_0004.npy" }
                .Concat(["index/codes_0003.bin", "index/codes_0004.bin"])
                .Concat(["index/columns_0003.bin", "index/columns_0004.bin"])
                .Concat(["metadata/metadata_0003.parquet", "metadata/metadata_0004.parquet"]),
            after.Keys.Except(before.Keys).Where(name => name != ".changing").Order()
        );
        foreach (var (name, bytes) in before.Where(file => file.Key != "store.json"))
            Assert.Equal(bytes, after[name]);
    }

    [Fact]
    public void What_is_open_stays_as_it_was_whatever_becomes_of_the_store()
    {
        GrowingStore store = new(Store, 25, 10);
        using var open = EmbeddingStore.Open(Store);
        var keys = Keys(open);
        store.Change(5, ["k0", "k11"], [("k12", "other")]);
        StoreCompaction.Run(Store);

        Assert.Equal(keys, Keys(open));
        var row = new float[16];
        for (var i = 0; i < 25; i++)
            open.ReadRows([i], row);
        store.Check();
    }

    [Fact]
    public void A_change_that_was_thought_of_before_another_is_not_made()
    {
        GrowingStore store = new(Store, 25, 10);
        using var open = EmbeddingStore.Open(Store);
        StoreChange late = new(open);
        late.Remove(7);
        store.Add(1);

        Assert.Null(late.Commit());
        store.Check();
    }

    [Fact]
    public void What_a_killed_writer_left_is_passed_over_and_cleared_away()
    {
        GrowingStore store = new(Store, 25, 10);
        store.Remove("k2");
        File.Copy(folder["store", "img_emb", "img_emb_0000.npy"], folder["store", "img_emb", "img_emb_0003.npy"]);
        folder.Write("store/metadata/metadata_0003.parquet", "half");
        folder.Write("store/index/codes_0003.bin", "half");
        folder.Write("store/changes/removed_000009.bin", "half");
        folder.Write("store/.compacting/store.json", "{");
        store.Check();
        store.Add(3);
        store.Check();
        Assert.Equal((2, 2), StoreCompaction.Run(Store) is var done ? (done.Merged, done.Into) : default);
        store.Check();
        Assert.Equal(
            ["0001", "0002", "0004", "0005"],
            StoreData
                .Contents(Store)
                .Keys.Where(name => name.StartsWith("img_emb", StringComparison.Ordinal))
                .Select(name => name[^8..^4])
                .Order()
        );
        Assert.Empty(Directory.GetFiles(folder["store", "changes"]));
    }

    [Fact]
    public void A_manifest_from_the_future_or_with_other_numbers_is_named_in_one_line()
    {
        GrowingStore store = new(Store, 25, 10);
        store.Change(3, ["k1"], [("k2", "x")]);
        var path = folder["store", "store.json"];
        var sound = File.ReadAllText(path);
        string Refused(Action<JsonObject> change)
        {
            var json = JsonNode.Parse(sound)!.AsObject();
            change(json);
            File.WriteAllText(path, json.ToJsonString());
            return Assert.Throws<LitException>(() => EmbeddingStore.Open(Store)).Message;
        }
        Assert.Contains(
            "store.json: version 3 of the format, where this program knows 2. Use a newer program.",
            Refused(json => json["version"] = 3)
        );
        Assert.Contains("version 3E+20 of the format", Refused(json => json["version"] = 3e20));
        Assert.EndsWith(
            "(there is no version 0). Put back a copy of the file, or embed again into another folder.",
            Refused(json => json["version"] = 0)
        );
        Assert.Contains("damaged (segments is missing)", Refused(json => json.Remove("segments")));
        foreach (var name in new[] { "generation", "removed", "nextFile", "embedded", "skipped" })
            Assert.Contains("its numbers are not those that were written", Refused(json => json[name] = 77));
        Assert.Contains("its numbers", Refused(json => json["segments"]![1]!["rows"] = 9));
        Assert.Contains("its numbers", Refused(json => json.Remove("removedFile")));
        Assert.Contains("its numbers", Refused(json => json["wordsFiles"]!.AsArray().Clear()));
        File.WriteAllText(path, sound);
        store.Check();
        File.Delete(folder["store", "img_emb", "img_emb_0001.npy"]);
        Assert.Contains(
            "img_emb_0001.npy: is not there, though store.json names it",
            Assert.Throws<LitException>(() => EmbeddingStore.Open(Store)).Message
        );
    }

    [Theory]
    [InlineData("removed_000002.bin")]
    [InlineData("words_000002.bin")]
    public void No_flipped_bit_of_what_was_removed_or_said_anew_goes_unnoticed(string name)
    {
        GrowingStore store = new(Store, 25, 10);
        store.Change(0, ["k1", "k22"], [("k2", "x"), ("k13", "y")]);
        var path = folder["store", "changes", name];
        var sound = File.ReadAllBytes(path);
        var said = Said();
        for (var at = 0; at < sound.Length; at++)
        {
            var other = sound.ToArray();
            other[at] ^= (byte)(1 << at % 8);
            File.WriteAllBytes(path, other);
            try
            {
                Assert.Equal(said, Said());
            }
            catch (LitException damage)
            {
                Assert.Contains(name, damage.Message);
                Assert.DoesNotContain('\n', damage.Message);
            }
        }
        File.WriteAllBytes(path, sound[..^1]);
        Assert.Throws<LitException>(() => EmbeddingStore.Open(Store));
        File.Delete(path);
        Assert.Contains(name, Assert.Throws<LitException>(() => EmbeddingStore.Open(Store)).Message);
    }

    [Fact]
    public void Whatever_reads_a_store_sees_nothing_that_was_removed()
    {
        GrowingStore store = new(Store, 25, 10);
        store.Change(4, ["k0", "k13"], [("k5", "moved")]);
        string[] keys = [.. store.Held.Select(one => one.Sample.Key).Order(StringComparer.Ordinal)];
        string[] Named(IEnumerable<LiT.Data.Sample> samples) =>
            [.. samples.Select(one => one.Key).Order(StringComparer.Ordinal)];

        // data stats, convert, filter
        Assert.Equal(keys, Named(LiT.Data.Samples.Open(Store).Read(_ => { })));
        // evaluations, classification, searches of pictures
        using var set = LiT.Embedding.ImageSet.Load(
            Store,
            null,
            () => throw new InvalidOperationException("nothing is embedded"),
            new(),
            LiT.Compute.ComputeDevice.Cpu
        );
        Assert.Equal((keys.Length, keys.Length), (set.Found, set.ReadAll().Count));
        Assert.Equal(keys, Named(set.Samples));
        // near-duplicates: every picture is near itself, and near no other
        using var open = EmbeddingStore.Open(Store);
        long[] rows = [.. Enumerable.Range(0, (int)open.Rows).Select(row => (long)row)];
        List<string> near = [];
        LiT.Duplicates.SimilarRows.Between(
            open,
            rows,
            open,
            rows,
            0.999,
            pair => near.Add(open.Key(rows[pair.Left])),
            null,
            CancellationToken.None
        );
        Assert.Equal(keys, near.Order(StringComparer.Ordinal));
        // tuning
        foreach (var (sample, vector, _) in store.Held)
        {
            var row = Enumerable.Range(0, rows.Length).Single(row => set.Samples[row].Key == sample.Key);
            Assert.Equal(vector[3], set.Read([row]).Values[3], 2e-3f);
        }
    }

    [Fact]
    public void When_a_picture_came_is_known_after_its_file_was_merged()
    {
        GrowingStore store = new(Store, 25, 10);
        DateTime early = new(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(folder["store", "img_emb", "img_emb_0000.npy"], early);
        store.Change(2, ["k1", "k11"], []);
        StoreCompaction.Run(Store);
        LiT.Search.StoreIndex.Build(Store);
        using var open = EmbeddingStore.Open(Store);
        using var collection = LiT.Search.Collection.Of(null, open);

        Assert.Equal(9, collection.Where("added = 2020-01-02T03:04:05").Set);
        Assert.Equal(25 + 2 - 2 - 9, collection.Where("added > 2021-01-01").Set);
    }

    private string Said()
    {
        using var open = EmbeddingStore.Open(Store, wordsLater: false);
        return string.Join(
            '|',
            open.Samples().Read(_ => { }).Select(one => $"{one}{one.Captions[0]}{one.Fields["n"]}")
        );
    }

    private static string[] Keys(EmbeddingStore store) =>
        [.. Enumerable.Range(0, (int)store.Rows).Select(row => store.Key(row))];
}
