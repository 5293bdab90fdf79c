using LiT.Stores;
using static LiT.Tests.Stores.StoreData;

namespace LiT.Tests.Stores;

public sealed class StoreResumeTests : IDisposable
{
    private const int Count = 16;

    private readonly TemporaryFolder temporary = new();

    public void Dispose() => temporary.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Stopped_anywhere_and_begun_again_the_folder_holds_the_same_bytes(bool killed)
    {
        var undisturbed = Whole();
        for (var after = 0; after <= Count; after++)
        {
            var folder = temporary[$"stopped{after}"];
            var writer = EmbeddingStoreWriter.Open(folder, Describe());
            Give(writer, Found(after));
            if (killed) folder = AsAKillLeavesIt(folder);
            writer.Dispose();

            using (var again = EmbeddingStoreWriter.Open(folder, Describe()))
            {
                Assert.InRange(again.Resumed, Math.Max(0, after - 5), after);          // no more than the shard under way is lost
                Give(again, Found(Count));
                again.Finish();
            }

            Assert.Equal(undisturbed, Contents(folder));
        }
    }

    /// <summary>The files as they lie, with nothing flushed, and half-written temporary ones.</summary>
    private string AsAKillLeavesIt(string folder)
    {
        var name = Path.GetFileName(folder) + "-killed";
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) != ".writing"))
            temporary.Write(Path.Combine(name, Path.GetRelativePath(folder, path)), File.ReadAllBytes(path));
        foreach (var half in new[] { "img_emb/.img_emb_0001.npy.tmp-0123456789ab", "metadata/.metadata_0001.parquet.tmp-0123456789ab", ".store.json.tmp-0123456789ab" })
            temporary.Write($"{name}/{half}", "half");
        temporary.Write($"{name}/.writing", "");
        return temporary[name];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Killed_between_a_shards_files_and_the_journal_it_is_written_again(bool metadataMissing)
    {
        var undisturbed = Whole();
        var folder = temporary["resumed"];
        using (var writer = EmbeddingStoreWriter.Open(folder, Describe()))
        {
            Give(writer, Found(5));
            var journal = File.ReadAllBytes(Path.Combine(folder, "store.json"));
            Give(writer, Found(15).Skip(5));
            File.WriteAllBytes(Path.Combine(folder, "store.json"), journal);
        }
        if (metadataMissing) File.Delete(Path.Combine(folder, "metadata", "metadata_0002.parquet"));

        using (var again = EmbeddingStoreWriter.Open(folder, Describe()))
        {
            Assert.InRange(again.Resumed, 1, 5);
            Give(again, Found(Count));
            again.Finish();
        }

        Assert.Equal(undisturbed, Contents(folder));
    }

    [Fact]
    public void What_a_killed_run_wrote_after_the_journal_is_gone_when_the_source_no_longer_holds_it()
    {
        var folder = temporary["resumed"];
        using (var writer = EmbeddingStoreWriter.Open(folder, Describe()))
        {
            Give(writer, Found(5));
            var journal = File.ReadAllBytes(Path.Combine(folder, "store.json"));
            Give(writer, Found(15).Skip(5));
            File.WriteAllBytes(Path.Combine(folder, "store.json"), journal);
        }

        using (var again = EmbeddingStoreWriter.Open(folder, Describe())) Assert.Equal(new StoreCounts(3, 0, 0), again.Finish());

        using var store = EmbeddingStore.Open(folder);
        Assert.Equal(3, store.Rows);
        Assert.Equal(["img_emb/img_emb_0000.npy", "metadata/metadata_0000.parquet", "notes.jsonl", "skipped.jsonl", "store.json"],
            Contents(folder).Keys.Select(name => name.Replace('\\', '/')).Order(StringComparer.Ordinal));
        Assert.Empty(File.ReadAllBytes(Path.Combine(folder, "skipped.jsonl")));
    }

    [Fact]
    public void A_batch_that_ends_with_the_shard_is_the_same_batch_in_a_resumed_run()
    {
        using var writer = EmbeddingStoreWriter.Open(temporary["store"], Describe(views: 2));
        List<int> left = [];
        for (var i = 0; i < 5; i++)
        {
            left.Add(writer.PicturesToShardEnd);
            Append(writer, SampleOf(i), i, views: 2);
        }

        Assert.Equal([3, 2, 1, 3, 2], left);
    }

    [Fact]
    public void A_finished_store_is_not_written_again()
    {
        var contents = Whole();

        using (var writer = EmbeddingStoreWriter.Open(temporary["whole"], Describe()))
        {
            Assert.True(writer.IsComplete);
            Assert.Equal(Count, writer.Resumed);
            Assert.Throws<InvalidOperationException>(() => Append(writer, SampleOf(0), 0));
        }

        Assert.Equal(contents, Contents(temporary["whole"]));
    }

    [Fact]
    public void An_unfinished_store_cannot_be_opened_and_says_how_to_go_on()
    {
        using (var writer = EmbeddingStoreWriter.Open(temporary["store"], Describe())) Give(writer, Found(6));

        var message = Assert.Throws<LitException>(() => EmbeddingStore.Open(temporary["store"])).Message;

        Assert.Contains("is not finished (3 pictures so far). Run the same 'lit embed' again", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_tower_source_or_setting_is_refused_in_the_same_folder()
    {
        Whole();
        string Refusal(StoreDescription given) => Assert.Throws<LitException>(() => EmbeddingStoreWriter.Open(temporary["whole"], given)).Message;

        Assert.Contains("made with another tower, tower one (fingerprint f1, not f2). Choose another folder", Refusal(Describe() with { Fingerprint = "f2" }), StringComparison.Ordinal);
        Assert.Contains("made from other data, pictures, not photos", Refusal(Describe() with { Source = "photos" }), StringComparison.Ordinal);
        Assert.Contains("4 numbers of float16, 1 views, 3 rows a shard, not 4 numbers of float32", Refusal(Describe(StoredType.Float32)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_no_store_is_left_alone()
    {
        temporary.Write("photos/a.jpg", "x");

        Assert.Contains("holds files that are no embedding store", Assert.Throws<LitException>(() => EmbeddingStoreWriter.Open(temporary["photos"], Describe())).Message, StringComparison.Ordinal);
        Assert.Contains("is a file", Assert.Throws<LitException>(() => EmbeddingStoreWriter.Open(temporary["photos", "a.jpg"], Describe())).Message, StringComparison.Ordinal);
        Assert.Equal(["a.jpg"], Contents(temporary["photos"]).Keys);
    }

    [Fact]
    public void Two_writers_do_not_share_a_folder()
    {
        using var first = EmbeddingStoreWriter.Open(temporary["store"], Describe());

        Assert.Contains("another program is writing this store", Assert.Throws<LitException>(() => EmbeddingStoreWriter.Open(temporary["store"], Describe())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_journal_that_says_more_than_the_files_hold_is_not_believed()
    {
        using (var writer = EmbeddingStoreWriter.Open(temporary["store"], Describe())) Give(writer, Found(12));
        File.WriteAllText(temporary["store", "skipped.jsonl"], "");

        Assert.Contains("shorter than store.json says", Assert.Throws<LitException>(() => EmbeddingStoreWriter.Open(temporary["store"], Describe())).Message, StringComparison.Ordinal);
        using var lockIsFree = new FileStream(temporary["store", ".writing"], FileMode.Create, FileAccess.Write, FileShare.None);
    }

    private Dictionary<string, string> Whole()
    {
        using var writer = EmbeddingStoreWriter.Open(temporary["whole"], Describe());
        Give(writer, Found(Count));
        writer.Finish();
        return Contents(temporary["whole"]);
    }
}
