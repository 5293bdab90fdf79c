using LiT.Data;
using static LiT.Tests.Data.Reading;

namespace LiT.Tests.Data;

/// <summary>Captions in a file of their own take the place of a source's, by the pictures' keys.</summary>
public sealed class GivenCaptionsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string File(string name, string text) => folder.Write(name, text);

    private static Sample Of(GivenCaptions given, string key) => given.In(new(key, key) { Captions = ["its own"] });

    [Theory]
    [InlineData("a.tsv", "a\tein Hund\nb\teine Katze\na\tder Hund\n")]
    [InlineData("a.tsv", "key\ttext\na\tein Hund\nb\teine Katze\na\tder Hund\n")]
    [InlineData("a.txt", "a\tein Hund\r\nb\teine Katze\r\na\tder Hund")]
    [InlineData("a.csv", "text,key\nein Hund,a\n\"eine Katze\",b\nder Hund,a\n")]
    [InlineData("a.csv", "key;caption\na;ein Hund\nb;eine Katze\na;der Hund\n")]
    [InlineData(
        "a.jsonl",
        "{\"key\":\"a\",\"text\":[\"ein Hund\",\"der Hund\"]}\n{\"key\":\"b\",\"text\":\"eine Katze\"}"
    )]
    public void Every_form_gives_several_captions_a_key_in_the_order_of_the_file(string name, string text)
    {
        var given = GivenCaptions.Read(File(name, text));

        Assert.Equal(["ein Hund", "der Hund"], Of(given, "a").Captions);
        Assert.Equal(["eine Katze"], Of(given, "b").Captions);
        Assert.Empty(Of(given, "c").Captions);
        Assert.Equal((2, 3), (given.Pictures, given.Captions));
    }

    [Fact]
    public async Task Parquet_gives_what_text_gives()
    {
        Parquet.Schema.DataField<string> key = new("key"),
            text = new("text"),
            language = new("language");
        var path = Path.Combine(folder.Path, "a.parquet");
        await using (var file = System.IO.File.Create(path))
        await using (var writer = await Parquet.ParquetWriter.CreateAsync(new(key, text, language), file))
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(key, ["a", "b", "a"]);
            await group.WriteAsync(text, ["ein Hund", "un chat", "a dog"]);
            await group.WriteAsync(language, ["de", "fr", "en"]);
        }

        var given = GivenCaptions.Read(path);

        Assert.Equal(["ein Hund", "a dog"], Of(given, "a").Captions);
        Assert.Equal(["de", "fr", "en"], given.Languages);
    }

    [Fact]
    public void One_language_is_taken_or_all_of_them_with_a_field_for_each()
    {
        var file = File(
            "a.tsv",
            "key\ttext\tlanguage\na\tein Hund\tde\na\ta dog\ten\na\tder Hund\tde\nb\tun chat\tfr\n"
        );

        Assert.Equal(["ein Hund", "der Hund"], Of(GivenCaptions.Read(file, "de"), "a").Captions);
        Assert.Empty(Of(GivenCaptions.Read(file, "de"), "b").Captions);
        Assert.Equal(["einer"], Of(GivenCaptions.Read(File("b.tsv", "a\teiner\n"), "de"), "a").Captions);
        var all = Of(GivenCaptions.Read(file), "a");
        Assert.Equal(["ein Hund", "a dog", "der Hund"], all.Captions);
        Assert.Equal(["ein Hund", "der Hund"], CaptionLanguages.Of(all, "de"));
        Assert.Equal(["de", "en"], CaptionLanguages.In([all]));
    }

    [Fact]
    public void Rows_that_cannot_be_used_are_counted_and_named_and_so_are_keys_that_match_nothing()
    {
        byte[] latin = [.. "c\tM"u8, 0xFC, .. "nze\n"u8];
        byte[] bytes =
        [
            .. "a\tein Hund\nb\t \n"u8,
            .. latin,
            .. "one column\n\tno key\n\na\tein Hund\nz\telsewhere\n"u8,
        ];
        var path = folder.Write("a.tsv", bytes);
        var given = GivenCaptions.Read(path);
        foreach (var key in new[] { "a", "b", "c" })
            given.Of(key);

        Assert.Equal(
            [
                $"{path}: 2 captions of 2 pictures, 1 of them in the store",
                $"{path}: 1 of its keys name no picture of the store, the first 'z', line 8",
                $"{path}: names 1 of the 3 pictures of the store, the first that it does not is 'b'",
                $"{path}: 1 of its rows cannot be used: 1 columns where 2 are expected (line 4)",
                $"{path}: 1 of its rows cannot be used: an empty text (line 2)",
                $"{path}: 1 of its rows cannot be used: no key (line 5)",
                $"{path}: 1 of its rows cannot be used: not UTF-8 text (line 3)",
            ],
            given.InWords("the store")
        );
    }

    [Theory]
    [InlineData("a.tsv", "x\ty\tz\n", null, "a.tsv, line 1: 3 columns and no header that tells which is the key")]
    [InlineData("a.tsv", "a\t\n", null, "a.tsv: no caption can be used: line 1, an empty text")]
    [InlineData("a.jsonl", "\n", null, "a.jsonl: has no captions")]
    [InlineData("a.doc", "a\tb\n", null, "a.doc: '.doc' is no form of captions beside a store")]
    [InlineData("a.parquet", "a\tb\n", null, "a.parquet: cannot be read as Parquet")]
    [InlineData("a.csv", "key,text,lang\na,b,fr\n", "de", "a.csv: no caption is in the language 'de'; it has fr")]
    [InlineData("a.csv", "key,text,lang\na,b,the German one\n", null, "a language that is no code such as de or pt-BR")]
    public void A_file_without_captions_is_refused_in_one_line(string name, string text, string? language, string says)
    {
        var refused = Assert.Throws<LitException>(() => GivenCaptions.Read(File(name, text), language));

        Assert.Contains(says, refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void Keys_of_other_pictures_are_refused_with_an_example_of_both()
    {
        folder.Write("photos/1.jpg", Picture);
        SampleOptions options = new() { Captions = File("a.tsv", "one\tein Hund\n") };
        var photos = Path.Combine(folder.Path, "photos");

        var refused = Assert.Throws<LitException>(() => Samples.Open(photos, options).Read(_ => { }).ToList());

        Assert.Contains($"none of its 1 keys is a picture of {photos}: 'one' is one", refused.Message);
        Assert.Contains("called like '1.jpg'", refused.Message);
    }

    [Fact]
    public void A_folder_is_read_with_them_in_place_of_its_own()
    {
        folder.Write("photos/1.jpg", Picture);
        folder.Write("photos/1.txt", "a dog");
        folder.Write("photos/2.jpg", Picture);
        folder.Write("photos/2.txt", "a cat");
        SampleOptions options = new() { Captions = File("a.tsv", "1.jpg\tein Hund\n") };

        string[] Words(SampleOptions with) =>
            [
                .. Samples
                    .Open(Path.Combine(folder.Path, "photos"), with)
                    .Read(_ => { })
                    .Select(sample => string.Join('|', sample.Captions)),
            ];

        Assert.Equal(["ein Hund", ""], Words(options));
        Assert.Equal(["ein Hund", "a cat"], Words(options with { KeepOwnCaptions = true }));
    }
}
