using LiT.Bundles;
using LiT.Data;
using LiT.Embedding;
using LiT.Stores;

namespace LiT.Tests.Stores;

public class TextStoreTests
{
    private static readonly TextOptions Small = new() { Type = StoredType.Float32, RowsPerShard = 16 };

    [Fact]
    public void Every_caption_of_every_picture_has_the_row_that_the_tower_gives_its_key_and_its_language()
    {
        using TemporaryFolder folder = new();
        using var tower = TextData.Tower();
        var result = TextData.Embed(folder.Path, TextData.Samples(), tower: tower);
        Assert.Equal((80, 40, 46), (result.File.Rows, result.File.Pictures, result.Embedded));

        using var store = TextStore.Open(folder.Path);
        string[] texts = [.. Enumerable.Range(0, 80).Select(row => store.Words(row))];
        var given = TowerOutputs.Representations(tower.Tower, tower.Tokenizer, texts, TextData.Compute);
        var row = new float[16];
        foreach (var (at, (sample, caption)) in Pairs(TextData.Samples()).Index())
        {
            Assert.Equal((sample.Key, caption), (store.Key(at), store.Words(at)));
            Assert.Equal(caption.StartsWith("ding", StringComparison.Ordinal) ? "de" : null, store.Language(at));
            store.Read(at, row, ownLength: true);
            for (var i = 0; i < row.Length; i++)
                Assert.Equal(given[at][i], row[i], 1e-5f * store.Norm(at));
            store.Read(at, row, ownLength: false);
            Assert.Equal(1, RowNumbers.Norm(row), 1e-6f);
        }
    }

    private static IEnumerable<(Sample Sample, string Caption)> Pairs(IEnumerable<Sample> samples) =>
        samples.SelectMany(sample => sample.Captions.Select(caption => (sample, caption)));

    [Fact]
    public void Files_are_numpys_and_parquets_under_the_names_that_other_tools_look_for()
    {
        using TemporaryFolder folder = new();
        TextData.Embed(folder.Path, TextData.Samples(), new() { RowsPerShard = 50 });
        Assert.Equal(
            [
                "metadata/metadata_0000.parquet",
                "metadata/metadata_0001.parquet",
                "store.json",
                "text_emb/text_emb_0000.npy",
                "text_emb/text_emb_0001.npy",
            ],
            TextData.Files(folder.Path).Keys.Select(name => name.Replace('\\', '/'))
        );
        var head = NpyFile.Read(Path.Combine(folder.Path, "text_emb/text_emb_0001.npy"));
        Assert.Equal((StoredType.Float16, 30, 16), (head.Type, head.Rows, head.Columns));
        using ParquetTable table = new(Path.Combine(folder.Path, "metadata/metadata_0001.parquet"));
        Assert.Equal(["key", "text", "language", "norm"], table.Reader.Schema.DataFields.Select(field => field.Name));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(17)]
    [InlineData(39)]
    public void A_run_that_was_killed_goes_on_to_the_same_bytes(int stopAt)
    {
        using TemporaryFolder whole = new(),
            killed = new();
        TextData.Embed(whole.Path, TextData.Samples());
        using var tower = TextData.Tower();
        Assert.Throws<InvalidOperationException>(() =>
            TextRun.Run(tower, Stopping(TextData.Samples(), stopAt), killed.Path, Small, TextData.Compute)
        );
        Assert.Contains(
            "Run the same `TextRun(Texts)` again",
            Assert.Throws<LitException>(() => TextStore.Open(killed.Path)).Message
        );
        TextData.Embed(killed.Path, TextData.Samples());
        Assert.Equal(TextData.Files(whole.Path), TextData.Files(killed.Path));
    }

    // The first reading, which looks for captions, ends at the first picture.
    private static TextData.Given Stopping(Sample[] samples, int at) => new(samples, number =>
        {
            if (number == at)
                throw new InvalidOperationException("as if killed");
        }) { Path = "given" };

    [Fact]
    public void An_update_embeds_what_is_new_drops_what_is_gone_and_leaves_whole_files_alone()
    {
        using TemporaryFolder folder = new();
        TextData.Embed(folder.Path, TextData.Samples());
        var before = TextData.Files(folder.Path);
        Sample[] now =
        [
            .. TextData.Samples()[..35],
            .. TextData.Samples()[36..],
            new("new", "new.jpg") { Captions = ["a red thing", "never seen"] },
        ];

        var result = TextData.Embed(folder.Path, now, Small with { Update = true });

        Assert.Equal((1, 2, 2), (result.Embedded, result.Added, result.Removed));
        var after = TextData.Files(folder.Path);
        foreach (var number in new[] { 0, 1, 2, 3 })
            Assert.Equal(before[$"text_emb/text_emb_{number:D4}.npy"], after[$"text_emb/text_emb_{number:D4}.npy"]);
        Assert.False(after.ContainsKey("text_emb/text_emb_0004.npy"));
        Assert.Equal(Said(now), Said(folder.Path));

        var again = TextData.Embed(folder.Path, now, Small with { Update = true });
        Assert.Equal((0, 0, 0, 1), (again.Embedded, again.Added, again.Removed, again.File.Generation));
        Assert.Equal(after, TextData.Files(folder.Path));
    }

    [Fact]
    public void An_update_that_was_killed_leaves_the_store_as_it_was_and_goes_on()
    {
        using TemporaryFolder folder = new(),
            whole = new();
        foreach (var place in new[] { folder, whole })
            TextData.Embed(place.Path, TextData.Samples(20));
        var before = TextData.Files(folder.Path);
        using var tower = TextData.Tower();
        Assert.Throws<InvalidOperationException>(() =>
            TextRun.Run(
                tower,
                Stopping(TextData.Samples(), 38),
                folder.Path,
                Small with
                {
                    Update = true,
                },
                TextData.Compute
            )
        );
        Assert.Equal(Said(TextData.Samples(20)), Said(folder.Path));
        Assert.All(before, file => Assert.Equal(file.Value, TextData.Files(folder.Path)[file.Key]));
        foreach (var place in new[] { folder, whole })
            TextData.Embed(place.Path, TextData.Samples(), Small with { Update = true });
        Assert.Equal(TextData.Files(whole.Path), TextData.Files(folder.Path));
        Assert.Equal(Said(TextData.Samples()), Said(folder.Path));
    }

    private static List<string> Said(IEnumerable<Sample> samples) =>
        [.. Pairs(samples).Select(pair => $"{pair.Sample.Key} {pair.Caption}").Order(StringComparer.Ordinal)];

    private static List<string> Said(string folder)
    {
        using var store = TextStore.Open(folder);
        return
        [
            .. Enumerable
                .Range(0, (int)store.Rows)
                .Select(row => $"{store.Key(row)} {store.Words(row)}")
                .Order(StringComparer.Ordinal),
        ];
    }

    [Fact]
    public void A_finished_store_is_not_read_again_and_other_words_or_another_tower_are_refused()
    {
        using TemporaryFolder folder = new();
        TextData.Embed(folder.Path, TextData.Samples());
        Assert.True(TextData.Embed(folder.Path, TextData.Samples()).WasComplete);
        using var other = TextData.Tower(6);
        Refused("is another text tower", () => TextData.Embed(folder.Path, TextData.Samples(), tower: other));
        Refused("holds the texts of given, not of given in de", () =>
            TextData.Embed(folder.Path, TextData.Samples(), Small with { Samples = new() { CaptionLanguage = "de" } })
        );
        Refused("files of 16 rows of float32, and 8", () =>
            TextData.Embed(folder.Path, TextData.Samples(), Small with { RowsPerShard = 8 })
        );
        using var store = TextStore.Open(folder.Path);
        Refused("Embed the texts with that tower", () => TextCheck.Fits(store, other));
    }

    [Fact]
    public void Pictures_and_texts_are_not_taken_for_each_other()
    {
        using TemporaryFolder folder = new(),
            empty = new();
        TextData.Embed(folder.Path, TextData.Samples());
        Refused("holds embedded texts, where embedded pictures are needed", () => EmbeddingStore.Open(folder.Path));
        Refused("has a caption", () => TextData.Embed(empty.Path, [new("a", "a.jpg")]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(empty.Path));
        File.WriteAllText(Path.Combine(empty.Path, "notes.txt"), "mine");
        Refused("holds files that are no text store", () => TextData.Embed(empty.Path, TextData.Samples()));
    }

    [Theory]
    [InlineData("text_emb/text_emb_0001.npy", "text_emb_0001.npy")]
    [InlineData("metadata/metadata_0001.parquet", "metadata_0001.parquet")]
    [InlineData("store.json", "store.json")]
    public void A_file_that_was_cut_or_lost_is_named(string file, string told)
    {
        using TemporaryFolder folder = new();
        TextData.Embed(folder.Path, TextData.Samples());
        var path = Path.Combine(folder.Path, file);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^9]);
        Refused(told, () => TextStore.Open(folder.Path).Dispose());
        File.Delete(path);
        Refused(told, () => TextStore.Open(folder.Path).Dispose());
    }

    [Fact]
    public void A_check_reads_texts_again_and_finds_a_row_that_was_changed()
    {
        using TemporaryFolder folder = new();
        TextData.Embed(folder.Path, TextData.Samples(), new() { RowsPerShard = 100 });
        using var tower = TextData.Tower();
        using (var store = TextStore.Open(folder.Path))
        {
            var proved = TextCheck.Run(store, tower, 64, TextData.Compute);
            Assert.Equal((80, 64), (proved.Rows, proved.Compared));
            Assert.InRange(proved.LowestCosine, 0.9999, 1.0001);
        }
        var path = Path.Combine(folder.Path, "text_emb/text_emb_0000.npy");
        var bytes = File.ReadAllBytes(path);
        var data = NpyFile.Read(path).DataOffset;
        bytes.AsSpan(data, 32).Reverse();
        File.WriteAllBytes(path, bytes);
        using var changed = TextStore.Open(folder.Path);
        Refused("row 0", () => TextCheck.Run(changed, tower, 64, TextData.Compute));
    }

    [Fact]
    public void A_fingerprint_is_of_weights_tokenizer_and_layout_and_of_nothing_else()
    {
        using LockedText one = TextData.Tower(),
            same = TextData.Tower(),
            other = TextData.Tower(6);
        Assert.Equal(one.Fingerprint, same.Fingerprint);
        Assert.NotEqual(one.Fingerprint, other.Fingerprint);
        var rows = one.Tokenizer;
        Assert.NotEqual(
            one.Fingerprint,
            LockedText.Of(one.Tower, new(rows.Tokenizer, rows.Layout with { Length = 7 }))
        );
        Assert.NotEqual(
            one.Fingerprint,
            LockedText.Of(one.Tower, new(rows.Tokenizer, rows.Layout) { Prefix = "query: " })
        );
    }

    private static void Refused(string words, Action action)
    {
        var refusal = Assert.Throws<LitException>(action);
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }
}
