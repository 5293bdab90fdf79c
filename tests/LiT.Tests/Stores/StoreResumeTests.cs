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
            if (killed)
                folder = AsAKillLeavesIt(folder);
            writer.Dispose();

            using (var again = EmbeddingStoreWriter.Open(folder, Describe()))
            {
                // no more than the shard under way is lost
                Assert.InRange(Give(again, Found(Count)), Count - after, Count - after + 3);
                again.Finish();
            }

            Assert.Equal(undisturbed, Contents(folder));
        }
    }

    /// <summary>The files as they lie, with nothing flushed, and half-written temporary ones.</summary>
    private string AsAKillLeavesIt(string folder)
    {
        var name = Path.GetFileName(folder) + "-killed";
        foreach (
            var path in Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Where(path => Path.GetFileName(path) != ".writing")
        )
            temporary.Write(Path.Combine(name, Path.GetRelativePath(folder, path)), File.ReadAllBytes(path));
        foreach (
            var half in new[]
            {
                "img_emb/.img_emb_0001.npy.tmp-0123456789ab",
                "metadata/.metadata_0001.parquet.tmp-0123456789ab",
                ".store.json.tmp-0123456789ab",
            }
        )
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
            Give(writer, Found(15));
        File.Delete(Path.Combine(folder, ".progress", "shard-000002.json"));
        if (metadataMissing)
            File.Delete(Path.Combine(folder, "metadata", "metadata_0002.parquet"));

        using (var again = EmbeddingStoreWriter.Open(folder, Describe()))
        {
            Assert.Equal(3 + 4, Give(again, Found(Count)));
            again.Finish();
        }

        Assert.Equal(undisturbed, Contents(folder));
    }

    [Fact]
    public void What_a_killed_run_wrote_is_gone_when_the_source_no_longer_holds_it()
    {
        var folder = temporary["resumed"];
        using (var writer = EmbeddingStoreWriter.Open(folder, Describe()))
            Give(writer, Found(15));

        using (var again = EmbeddingStoreWriter.Open(folder, Describe()))
        {
            Assert.Equal(0, Give(again, Found(5)));
            Assert.Equal(1, again.Outdated); // the second shard holds less now
            Assert.Null(again.Finish());
            Assert.Equal(2, Give(again, Found(5)));
            Assert.Equal(new StoreCounts(4, 1, 0), again.Finish());
        }

        using var store = EmbeddingStore.Open(folder);
        Assert.Equal(4, store.Rows);
        Assert.Equal(
            [
                "img_emb/img_emb_0000.npy",
                "img_emb/img_emb_0001.npy",
                "metadata/metadata_0000.parquet",
                "metadata/metadata_0001.parquet",
                "notes.jsonl",
                "skipped.jsonl",
                "store.json",
            ],
            Contents(folder).Keys.Select(name => name.Replace('\\', '/')).Order(StringComparer.Ordinal)
        );
        Assert.Single(File.ReadAllLines(Path.Combine(folder, "skipped.jsonl")));
    }

    [Theory]
    [InlineData("caption")]
    [InlineData("key")]
    [InlineData("skipped")]
    public void A_shard_whose_data_changed_before_the_store_was_finished_is_made_again(string what)
    {
        var changed = Found(Count)
            .Select(
                (found, i) =>
                    i != 1
                        ? found
                        : what switch
                        {
                            "caption" => new(found.Sample! with { Captions = ["another"] }, null),
                            "key" => new(found.Sample! with { Key = "k1000" }, null),
                            _ => new(null, new("k1", "o", "empty")),
                        }
            )
            .ToList();
        using (var writer = EmbeddingStoreWriter.Open(temporary["undisturbed"], Describe()))
        {
            Give(writer, changed);
            writer.Finish();
        }
        using (var writer = EmbeddingStoreWriter.Open(temporary["store"], Describe()))
            Give(writer, Found(11));

        using (var again = EmbeddingStoreWriter.Open(temporary["store"], Describe()))
        {
            Assert.Equal(Count - 9, Give(again, changed));
            Assert.Null(again.Finish());
            Assert.Equal(3, Give(again, changed));
            Assert.NotNull(again.Finish());
        }

        Assert.Equal(Contents(temporary["undisturbed"]), Contents(temporary["store"]));
    }

    [Fact]
    public void A_damaged_record_of_a_shard_means_that_it_is_made_again()
    {
        var undisturbed = Whole();
        using (var writer = EmbeddingStoreWriter.Open(temporary["store"], Describe()))
            Give(writer, Found(11));
        temporary.Write("store/.progress/shard-000001.json", "{");

        using (var again = EmbeddingStoreWriter.Open(temporary["store"], Describe()))
        {
            Assert.Equal(3 + Count - 9, Give(again, Found(Count)));
            again.Finish();
        }

        Assert.Equal(undisturbed, Contents(temporary["store"]));
    }

    [Fact]
    public void Skipped_samples_of_an_unfinished_store_are_tried_again_when_that_is_asked()
    {
        using (var writer = EmbeddingStoreWriter.Open(temporary["store"], Describe()))
            Give(writer, Found(13));

        using var again = EmbeddingStoreWriter.Open(temporary["store"], Describe());
        again.ForgetSkipped();

        Assert.Equal(Count - 3, Give(again, Found(Count))); // all shards but the first hold a skipped one
    }

    [Fact]
    public void A_finished_store_is_not_written_again()
    {
        var contents = Whole();

        using (var writer = EmbeddingStoreWriter.Open(temporary["whole"], Describe()))
        {
            Assert.True(writer.IsComplete);
            Assert.Throws<InvalidOperationException>(() => Append(writer, SampleOf(0), 0));
        }

        Assert.Equal(contents, Contents(temporary["whole"]));
    }

    [Fact]
    public void An_unfinished_store_cannot_be_opened_and_says_how_to_go_on()
    {
        using (var writer = EmbeddingStoreWriter.Open(temporary["store"], Describe()))
            Give(writer, Found(6));

        var message = Assert.Throws<LitException>(() => EmbeddingStore.Open(temporary["store"])).Message;

        Assert.Contains(
            "is not finished (3 pictures so far). Run the same `EmbedRun` again",
            message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Another_tower_source_or_setting_is_refused_in_the_same_folder()
    {
        Whole();
        string Refusal(StoreDescription given) =>
            Assert.Throws<LitException>(() => EmbeddingStoreWriter.Open(temporary["whole"], given)).Message;

        Assert.Contains(
            "made with another tower, tower one (fingerprint f1, not f2). Choose another folder",
            Refusal(Describe() with { Fingerprint = "f2" }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "made from other data, pictures, not photos",
            Refusal(Describe() with { Source = "photos" }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "4 numbers of float16, 1 views and not 4 numbers of float32, 1 views",
            Refusal(Describe(StoredType.Float32)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "3 rows a shard and not 4",
            Refusal(Describe() with { RowsPerShard = 4 }),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_folder_that_is_no_store_is_left_alone()
    {
        temporary.Write("photos/a.jpg", "x");

        Assert.Contains(
            "holds files that are no embedding store",
            Assert.Throws<LitException>(() => EmbeddingStoreWriter.Open(temporary["photos"], Describe())).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "is a file",
            Assert
                .Throws<LitException>(() => EmbeddingStoreWriter.Open(temporary["photos", "a.jpg"], Describe()))
                .Message,
            StringComparison.Ordinal
        );
        Assert.Equal(["a.jpg"], Contents(temporary["photos"]).Keys);
    }

    [Fact]
    public void Two_writers_do_not_share_a_folder()
    {
        using var first = EmbeddingStoreWriter.Open(temporary["store"], Describe());

        Assert.Contains(
            "another program is writing this store",
            Assert.Throws<LitException>(() => EmbeddingStoreWriter.Open(temporary["store"], Describe())).Message,
            StringComparison.Ordinal
        );
    }

    private Dictionary<string, string> Whole()
    {
        using var writer = EmbeddingStoreWriter.Open(temporary["whole"], Describe());
        Give(writer, Found(Count));
        writer.Finish();
        return Contents(temporary["whole"]);
    }
}
