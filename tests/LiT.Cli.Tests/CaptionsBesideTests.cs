using System.Text.Json;

namespace LiT.Cli.Tests;

/// <summary>Captions beside a store: the pictures get other words, and nothing of the store is written again.</summary>
[Collection(nameof(InThisProcess))]
[Trait("computes", "yes")]
public sealed class CaptionsBesideTests(Workbench bench)
{
    private static readonly string[] Words = ["null", "eins", "zwei", "drei"];

    [Fact]
    public void A_store_is_tuned_on_and_measured_in_words_that_it_does_not_hold_and_stays_as_it_is()
    {
        Captions("german.csv", row =>
            $"pairs-{row:D6},Zeichnung {Words[row % 4]},de\npairs-{row:D6},dessin {row % 4},fr"
        );
        var before = Times();

        var talk = Run([
                "tune",
                "--data",
                "store",
                "--captions",
                "german.csv",
                "--language",
                "de",
                "--out",
                "german",
                .. Small,
            ])
            .Expect(0)
            .Talk;

        Assert.Contains(
            "german.csv: 120 captions of 120 pictures, 120 of them in store",
            talk,
            StringComparison.Ordinal
        );
        Assert.Contains("120 pairs, 4 distinct captions", talk, StringComparison.Ordinal);
        var plan = JsonElement.Parse(File.ReadAllText(Path.Combine(bench.Folder, "german", "config.json")));
        Assert.Equal("de", plan.GetProperty("captionLanguage").GetString());
        string[] measured = ["eval", "retrieval", "--model", "german", "--data", "store", "--captions", "german.csv"];
        var both = Run([.. measured, "--language", "all", "--json"]).Expect(0).Json;
        Assert.Equal(
            ["de", "fr"],
            both.GetProperty("languages").EnumerateArray().Select(one => one.GetProperty("language").GetString())
        );
        Run("calibrate", "--model", "german", "--data", "store", "--captions", "german.csv").Expect(0);
        string[] search = ["search", "eins", "--model", "german", "--data", "store", "--captions", "german.csv"];
        var found = Run([.. search, "--where", "caption.de contains 'zwei' and captions contains 'DESSIN'", "--json"])
            .Expect(0)
            .Json;
        Assert.Equal(30, found.GetProperty("searched").GetInt64());
        Assert.All(found.GetProperty("results").EnumerateArray(), one =>
            Assert.Equal(
                ["Zeichnung zwei", "dessin 2"],
                one.GetProperty("columns").GetProperty("captions").EnumerateArray().Select(text => text.GetString())
            )
        );
        var shown = Run([.. search, "--top", "2"]).Expect(0);
        Assert.Contains("Zeichnung", shown.Output, StringComparison.Ordinal);
        Assert.Contains("german.csv: 240 captions in 2 languages (de, fr)", shown.Talk, StringComparison.Ordinal);
        Assert.Equal(before, Times());
    }

    [Fact]
    public void A_store_without_a_word_is_tuned_and_validated_on_given_ones()
    {
        var bare = Directory.CreateDirectory(Path.Combine(bench.Folder, "bare"));
        foreach (var (i, file) in Directory.GetFiles(Path.Combine(bench.Folder, "photos/00000"), "*.png").Index())
            File.Copy(file, Path.Combine(bare.FullName, $"pairs-{i:D6}" + ".png"));
        Run("embed", "--image-tower", "cifar-resnet:8", "--data", "bare", "--out", "bare-store").Expect(0);
        Captions("bare.csv", row => $"pairs-{row:D6}.png,Nummer {row},de");

        string[] asked = ["tune", "--data", "bare-store", "--captions", "bare.csv", "--hold-out", "0.25"];
        var talk = Run([.. asked, "--out", "bare-run", .. Small]).Expect(0).Talk;

        Assert.Contains("6 of 24 pictures are held out", talk, StringComparison.Ordinal);
        Assert.Contains("bare.csv: 96 of its keys name no picture of bare-store", talk, StringComparison.Ordinal);
        var last = File.ReadLines(Path.Combine(bench.Folder, "bare-run", "metrics.jsonl")).Last();
        Assert.InRange(JsonElement.Parse(last).GetProperty("val").GetProperty("imageToTextR5").GetDouble(), 0.5, 1);
    }

    [Theory]
    [InlineData("nothing.tsv", null, "lit: nothing.tsv: there is no such file")]
    [InlineData("other.csv", null, "lit: other.csv: none of its 1 keys is a picture of store: 'x' is one")]
    [InlineData("other.csv", "fr", "lit: other.csv: no caption is in the language 'fr'; it has de")]
    public void A_file_that_does_not_fit_is_one_line(string file, string? language, string says)
    {
        File.WriteAllText(Path.Combine(bench.Folder, "other.csv"), "key,text,language\nx,y,de\n");
        string[] asked = language is null ? [] : ["--language", language];

        var refused = Run(["tune", "--data", "store", "--captions", file, .. asked, "--out", "never", .. Small])
            .Expect(1);

        Assert.Contains(says, refused.Talk, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(bench.Folder, "never")));
    }

    private static readonly string[] Small =
    [
        "--text-tower",
        "text:width=16,depth=1,heads=2",
        "--steps",
        "6",
        "--batch",
        "16",
    ];

    private void Captions(string name, Func<int, string> row) =>
        File.WriteAllText(
            Path.Combine(bench.Folder, name),
            "key,text,language\n" + string.Join('\n', Enumerable.Range(0, 120).Select(row))
        );

    private Lit.Outcome Run(params string[] arguments) => Here.Run(bench.Folder, arguments);

    private Dictionary<string, DateTime> Times() =>
        Directory
            .EnumerateFiles(Path.Combine(bench.Folder, "store"), "*", SearchOption.AllDirectories)
            .ToDictionary(path => path, File.GetLastWriteTimeUtc);
}
