using System.Text.Json;

namespace LiT.Cli.Tests;

/// <summary>lit eval in several languages at once, on a model that holds text towers for some of them.</summary>
[Collection(nameof(InThisProcess))]
[Trait("computes", "yes")]
public sealed class EvaluationByLanguageTests(Workbench bench)
{
    private static readonly string[] Retrieval =
    [
        "eval",
        "retrieval",
        "--model",
        "tongues",
        "--data",
        "store",
        "--captions",
        "tongues.csv",
    ];

    [Fact]
    public void Every_language_is_measured_in_one_command_and_asks_for_the_captions_of_the_others()
    {
        Model();

        var all = Run([.. Retrieval, "--language", "all", "--across", "--report", "r-tongues", "--json"]).Expect(0);

        var languages = all.Json.GetProperty("languages").EnumerateArray().ToList();
        Assert.Equal(["de", "fr"], languages.Select(one => one.GetProperty("language").GetString()));
        var (german, french) = (languages[0].GetProperty("report"), languages[1].GetProperty("report"));
        Assert.Equal("de", german.GetProperty("protocol").GetProperty("textTower").GetString());
        Assert.Equal([120, 60], new[] { german, french }.Select(one => one.GetProperty("images").GetInt32()));
        Assert.Equal(
            new[] { german, french }.SelectMany(Recalls).Average(),
            all.Json.GetProperty("mean").GetDouble(),
            1e-12
        );
        var across = all.Json.GetProperty("across").EnumerateArray().ToList();
        Assert.Equal(
            [("de", "fr", 60, 60), ("fr", "de", 60, 120)],
            across.Select(one =>
                (
                    one.GetProperty("asked").GetString(),
                    one.GetProperty("captions").GetString(),
                    one.GetProperty("queries").GetInt32(),
                    one.GetProperty("candidates").GetInt32()
                )
            )
        );
        Assert.Equal(
            across.Average(one => one.GetProperty("r1").GetDouble()),
            all.Json.GetProperty("acrossMean").GetDouble(),
            1e-12
        );
        Assert.All(["report.html", "result.json", "languages.csv", "languages.png", "across.csv", "across.png"], name =>
            Assert.True(File.Exists(Path.Combine(bench.Folder, "r-tongues", name)), name)
        );
        Assert.True(File.Exists(Path.Combine(bench.Folder, "r-tongues", "fr", "report.html")));

        var one = Run([.. Retrieval, "--language", "fr", "--json"]).Expect(0).Json;
        Assert.Equal(Recalls(french), Recalls(one));
        Assert.False(one.TryGetProperty("across", out _));
    }

    [Fact]
    public void The_terminal_shows_a_row_a_language_and_who_finds_whose_captions()
    {
        Model();

        var shown = Run([.. Retrieval, "--language", "fr,DE", "--across"]).Expect(0).Output;

        var lines = shown.Split('\n').Select(line => line.Trim('│', ' ', '\r')).ToList();
        Assert.Contains(lines, line => line.StartsWith("fr ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("DE ", StringComparison.Ordinal));
        Assert.Single(lines, line => line.StartsWith("mean ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("asked in ", StringComparison.Ordinal));
    }

    [Fact]
    public void Classes_are_asked_in_every_language_of_their_lists()
    {
        Model();
        string[] asked = ["eval", "classification", "--model", "tongues", "--data", "store", "--label-column", "kind"];
        var kinds = Run([.. asked, "--json"])
            .Expect(0)
            .Json.GetProperty("perClass")
            .EnumerateArray()
            .Select(one => one.GetProperty("class").GetString())
            .ToList();
        File.WriteAllText(
            Path.Combine(bench.Folder, "tongues.json"),
            JsonSerializer.Serialize(new { de = kinds, fr = kinds })
        );

        var all = Run([.. asked, "--classes", "tongues.json", "--language", "all", "--report", "r-named"]).Expect(0);

        Assert.Contains("by language", all.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(bench.Folder, "r-named", "languages.csv")));
        Assert.True(File.Exists(Path.Combine(bench.Folder, "r-named", "de", "classes.csv")));
    }

    [Fact]
    public void A_language_that_the_text_tower_does_not_speak_is_told()
    {
        Model("silent", own: "en");
        File.WriteAllText(
            Path.Combine(bench.Folder, "silent.csv"),
            "key,text,language\npairs-000000,ein Wort,de\npairs-000001,un mot,it\n"
        );
        string[] asked = ["eval", "retrieval", "--model", "silent", "--data", "store", "--captions", "silent.csv"];

        var talk = Run([.. asked, "--language", "all"]).Expect(0).Talk;

        Assert.Contains(
            "it: the captions are in it, and the text tower that read them speaks en: the model has none for it.",
            talk,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("captions are in de", talk, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "no picture has a caption in the language 'xx'. It has de, fr.", "de,xx")]
    [InlineData(1, "no caption is in the language 'xx'; it has de, fr", "xx")]
    [InlineData(2, "--language: 'de' is named twice", "de,fr,DE")]
    [InlineData(2, "names no language", ",")]
    [InlineData(2, "--across: give --language with two languages or more", "de", "--across")]
    [InlineData(1, "only de has captions, and they ask for those of another language", "all", "--across", "one.csv")]
    public void What_cannot_be_measured_is_refused_in_a_line(
        int code,
        string says,
        string language,
        string? option = null,
        string captions = "tongues.csv"
    )
    {
        Model();
        File.WriteAllText(Path.Combine(bench.Folder, "one.csv"), "key,text,language\npairs-000000,ein Wort,de\n");

        var refused = Run([
                .. Retrieval[..^1],
                captions,
                "--language",
                language,
                .. option is null ? [] : new[] { option },
            ])
            .Expect(code);

        Assert.Contains(says, refused.Talk, StringComparison.Ordinal);
        Assert.Single(refused.Talk.Split('\n'), line => line.StartsWith("lit: ", StringComparison.Ordinal));
    }

    private static IEnumerable<double> Recalls(JsonElement report) =>
        new[] { "imageToText", "textToImage" }.Select(way => report.GetProperty(way).GetProperty("r1").GetDouble());

    /// <summary>A model with text towers for German and French, made once, and captions in both; French has half of
    /// them.</summary>
    private void Model(string name = "tongues", string? own = null)
    {
        File.WriteAllText(
            Path.Combine(bench.Folder, "tongues.csv"),
            "key,text,language\n"
                + string.Concat(
                    Enumerable
                        .Range(0, 180)
                        .Select(i => $"pairs-{i % 120:D6},a red circle {i % 120},{(i < 120 ? "de" : "fr")}\n")
                )
        );
        var bundle = Path.Combine(bench.Folder, name, "model");
        if (Directory.Exists(bundle))
            return;
        Directory.CreateDirectory(bundle);
        foreach (var file in Directory.GetFiles(Path.Combine(bench.Folder, "run", "model")))
            File.Copy(file, Path.Combine(bundle, Path.GetFileName(file)));
        if (own is not null)
        {
            var described = Path.Combine(bundle, "model.json");
            File.WriteAllText(
                described,
                "{\"language\":\"" + own + "\"," + File.ReadAllText(described).TrimStart()[1..]
            );
        }
        foreach (var code in new[] { "de", "fr" })
            Run("language", "add", "--model", name, "--language", code, "--text-tower", "run").Expect(0);
    }

    private Lit.Outcome Run(params string[] arguments) => Here.Run(bench.Folder, arguments);
}
