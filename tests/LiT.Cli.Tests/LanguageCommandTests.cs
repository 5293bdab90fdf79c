using System.Security.Cryptography;
using System.Text.Json;

namespace LiT.Cli.Tests;

/// <summary>A model with text towers for several languages over one store, of which nothing is written again.</summary>
[Collection(nameof(InThisProcess))]
[Trait("computes", "yes")]
public sealed class LanguageCommandTests(Workbench bench)
{
    [Fact]
    public void A_language_is_tuned_on_stored_pictures_asked_for_verified_and_taken_out()
    {
        var model = Copy("speaks");
        var before = Hashes("store").Concat(Hashes(model)).ToDictionary();

        var added = Run([
            "language",
            "add",
            "--model",
            model,
            "--language",
            "de",
            "--data",
            "store",
            "--captions",
            German,
            .. Short,
        ]);

        Assert.Equal(120, added.Expect(0).Json.GetProperty("pairs").GetInt32());
        var said = Run("language", "list", "--model", model, "--json").Expect(0).Json.EnumerateArray().ToList();
        Assert.False(said[0].TryGetProperty("language", out _)); // nobody said what the first one speaks
        Assert.Equal("de", said[1].GetProperty("language").GetString());
        Assert.Equal([true, false], said.Select(one => one.GetProperty("own").GetBoolean()));
        var (own, german) = (Search(model), Search(model, "--language", "DE"));
        Assert.NotEqual(own[0].GetProperty("similarity").GetDouble(), german[0].GetProperty("similarity").GetDouble());
        Run(["calibrate", "--model", model, "--data", "store", "--captions", German, "--language", "de"]).Expect(0);
        Assert.True(
            Search(model, "--language", "de")[0].GetProperty("expectedPrecision").ValueKind == JsonValueKind.Number
        );
        Assert.Equal(
            ["de"],
            Run("verify", model, "--json").Expect(0).Json.GetProperty("languages").EnumerateArray().Select(Text)
        );
        Run("classify", "photos/00000", "--model", model, "--labels", "Zeichnung,3", "--language", "de").Expect(0);
        Run("eval", "retrieval", "--model", model, "--data", "store", "--captions", German, "--language", "de")
            .Expect(0);

        Run("language", "remove", "--model", model, "--language", "de").Expect(0);
        Assert.Contains(
            "has no text tower for the language 'de'",
            Run("search", "rot", "--model", model, "--data", "store", "--language", "de").Expect(1).Talk,
            StringComparison.Ordinal
        );
        Assert.Equal(before, Hashes("store").Concat(Hashes(model)).ToDictionary());
    }

    [Fact]
    public void A_language_is_tuned_to_the_pictures_as_the_models_own_image_head_shows_them()
    {
        string[] small = ["--text-tower", "text:width=16,depth=1,heads=2", "--batch", "16", "--steps", "12"];
        Run(["tune", "--data", "store", "--out", "headed", "--image-head", "12", .. small]).Expect(0);
        Run(["language", "add", "--model", "headed", "--language", "de", .. Stored, .. Short]).Expect(0);

        List<(string?, double)> Like(params string[] more) =>
            [
                .. Run(["search", "--like", "pairs-000003", "--model", "headed", "--data", "store", "--json", .. more])
                    .Expect(0)
                    .Json.GetProperty("results")
                    .EnumerateArray()
                    .Select(one => (Text(one.GetProperty("key")), one.GetProperty("similarity").GetDouble())),
            ];
        Assert.Equal(Like(), Like("--language", "de"));
        var (own, german) = (Described("headed"), Described("headed/model/languages/de"));
        Assert.Equal(12, german.GetProperty("embeddingSize").GetInt32());
        var sharpest = own.GetProperty("temperature").GetDouble();
        Assert.InRange(german.GetProperty("temperature").GetDouble(), 1, sharpest + 1e-4);
        Assert.NotEqual(
            Search("headed")[0].GetProperty("similarity").GetDouble(),
            Search("headed", "--language", "de")[0].GetProperty("similarity").GetDouble()
        );
    }

    [Fact]
    public void A_language_is_learnt_from_aligned_captions_without_a_picture()
    {
        var model = Copy("aligned");
        Write("english.csv", "key,text", i => $"{i},the number {i % 40}");
        Write("numbers.csv", "key,text", i => $"{i},Zeichnung {i % 40}");

        Run(["language", "add", "--model", model, "--language", "de", .. Pair("numbers.csv", "english.csv"), .. Short])
            .Expect(0);

        var own = Described(model);
        var german = Described(Path.Combine(model, "model", "languages", "de"));
        Assert.Equal(
            own.GetProperty("image").GetProperty("fingerprint").GetString(),
            german.GetProperty("image").GetProperty("fingerprint").GetString()
        );
        Assert.Equal(own.GetProperty("temperature").GetDouble(), german.GetProperty("temperature").GetDouble(), 1e-3);
        Assert.NotEmpty(Search(model, "--language", "de"));
        Assert.Equal(
            ["de"],
            Directory
                .GetFileSystemEntries(Path.Combine(bench.Folder, model, "model", "languages"))
                .Select(Path.GetFileName)
        );
    }

    [Fact]
    public void One_text_tower_is_tuned_for_several_languages_and_found_by_each_of_them()
    {
        var model = Copy("several");
        Write("both.csv", "key,text,language", i =>
            $"pairs-{i / 2:D6},{(i % 2 == 0 ? "Zeichnung" : "dessin")} {i % 7},{(i % 2 == 0 ? "de" : "fr")}"
        );

        Add("--language", "all", "--captions", "both.csv", "--data", "store");

        var further = Path.Combine(bench.Folder, model, "model", "languages");
        Assert.Equal(["mul"], Directory.GetFileSystemEntries(further).Select(Path.GetFileName));
        var (german, french) = (Search(model, "--language", "de"), Search(model, "--language", "FR"));
        Assert.Equal(german[0].GetProperty("similarity").GetDouble(), french[0].GetProperty("similarity").GetDouble());
        var said = Run("language", "list", "--model", model, "--json").Expect(0).Json.EnumerateArray().Last();
        Assert.Equal(["de", "fr"], said.GetProperty("languages").EnumerateArray().Select(Text));
        Assert.Equal(
            ["de", "fr"],
            Run("verify", model, "--json").Expect(0).Json.GetProperty("languages").EnumerateArray().Select(Text)
        );

        // A text tower of its own speaks in the place of the shared one, and leaves it its place when it goes.
        Run("language", "add", "--model", model, "--language", "fr", "--text-tower", "run").Expect(0);
        Assert.NotEqual(
            french[0].GetProperty("similarity").GetDouble(),
            Search(model, "--language", "fr")[0].GetProperty("similarity").GetDouble()
        );
        Run("language", "remove", "--model", model, "--language", "fr").Expect(0);
        Assert.Equal(
            french[0].GetProperty("similarity").GetDouble(),
            Search(model, "--language", "fr")[0].GetProperty("similarity").GetDouble()
        );
        Assert.Contains(
            "one text tower speaks fr and others (de, fr)",
            Run("language", "remove", "--model", model, "--language", "fr").Expect(1).Talk,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "for several languages already (de, fr)",
            Run(["language", "add", "--model", model, "--language", "de,fr", "--text-tower", "run"]).Expect(1).Talk,
            StringComparison.Ordinal
        );
        Run("language", "remove", "--model", model, "--language", "mul").Expect(0);
        Assert.Empty(Directory.GetFileSystemEntries(further));

        void Add(params string[] asked) => Run(["language", "add", "--model", model, .. asked, .. Short]).Expect(0);
    }

    [Fact]
    public void A_language_is_tuned_on_pictures_and_aligned_captions_at_once()
    {
        var model = Copy("pictures-and-aligned");
        Write("aligned.csv", "key,text", i => $"pairs-{i + 20:D6},the number {i % 7}");
        Write("unsaid.csv", "key,text", i => $"pairs-{i:D6},Zeichnung {i % 7}");
        string[] asked = ["language", "add", "--model", model, "--captions", "unsaid.csv", "--data", "store", .. Short];

        Run([.. asked, "--language", "de"]).Expect(0);
        var both = Run([.. asked, "--language", "at", "--aligned", "aligned.csv", "--out", "taught"]).Expect(0);

        Assert.Contains("distinct captions have an aligned one", both.Talk, StringComparison.Ordinal);
        using var configuration = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(bench.Folder, "taught/config.json"))
        );
        Assert.Equal("aligned.csv", configuration.RootElement.GetProperty("teacher").GetString());
        Assert.NotEqual(
            Search(model, "--language", "de")[0].GetProperty("similarity").GetDouble(),
            Search(model, "--language", "at")[0].GetProperty("similarity").GetDouble()
        );
        Write("elsewhere.csv", "key,text", i => $"no-{i},the number {i % 7}");
        Assert.Contains(
            "none of its 120 keys is a picture with a caption",
            Run([.. asked, "--language", "xx", "--aligned", "elsewhere.csv"]).Expect(1).Talk,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("de,../up", "both.csv", "no code of a language")]
    [InlineData(",", "both.csv", "no code of a language")]
    [InlineData("all", "plain.csv", "does not say which language a caption is in")]
    [InlineData("xx,yy", "both.csv", "no caption is in the language 'xx,yy'; it has de")]
    public void Several_languages_that_cannot_be_are_refused_in_a_line(string language, string captions, string says)
    {
        var model = Copy($"refuses-{language.Length}-{captions.Length}-{says.Length}");
        Write("both.csv", "key,text,language", i => $"pairs-{i:D6},Zeichnung {i % 7},de");
        Write("plain.csv", "key,text", i => $"pairs-{i:D6},Zeichnung {i % 7}");

        var refused = Run([
            "language",
            "add",
            "--model",
            model,
            "--language",
            language,
            "--captions",
            captions,
            "--data",
            "store",
        ]);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(says, refused.Talk, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tuned_run_is_taken_where_it_reads_the_same_image_tower_and_refused_elsewhere()
    {
        var model = Copy("takes");

        Run("language", "add", "--model", model, "--language", "en", "--text-tower", "run").Expect(0);

        Assert.Equal(
            Search(model)[0].GetProperty("similarity").GetDouble(),
            Search(model, "--language", "en")[0].GetProperty("similarity").GetDouble()
        );
        Refused(1, "holds a text tower for en already", "--language", "en", "--text-tower", "run");
        Run("language", "add", "--model", model, "--language", "en", "--text-tower", "run", "--replace").Expect(0);
        string[] tuned = ["tune", "--data", "photos", "--image-tower", "trained/tower.safetensors"];
        Run([.. tuned, "--text-tower", "text:width=16,depth=1,heads=2", "--steps", "2", "--out", "elsewhere"])
            .Expect(0);
        Refused(1, "was tuned to another image tower", "--language", "fr", "--text-tower", "elsewhere");
        Refused(1, "no code of a language", "--language", "../up", "--text-tower", "run");
        Refused(2, "Give --text-tower RUN, or --captions FILE", "--language", "fr");
        Assert.Contains(
            "it has en",
            Run("search", "red", "--model", model, "--data", "store", "--language", "fr").Expect(1).Talk,
            StringComparison.Ordinal
        );

        void Refused(int code, string says, params string[] asked) =>
            Assert.Contains(says, Run(["language", "add", "--model", model, .. asked]).Expect(code).Talk);
    }

    [Fact]
    public void Words_that_a_run_was_taught_come_along_with_its_text_tower()
    {
        var (teacher, model) = (Copy("taught-run"), Copy("takes-taught"));
        string[] pictures = [.. Enumerable.Range(0, 5).Select(i => $"pairs-{i:D6}")];
        Run(["teach", "--model", teacher, "--word", "logo", "--data", "store", .. pictures]).Expect(0);

        Run("language", "add", "--model", model, "--language", "de", "--text-tower", teacher).Expect(0);

        var said = Run("teach", "--model", model, "--list", "--language", "de").Expect(0).Output;
        Assert.Contains("logo", said, StringComparison.Ordinal);
        Assert.Equal(Asked(teacher), Asked(model, "--language", "de"));
        Assert.NotEqual(Asked(model), Asked(model, "--language", "de"));
        Run("verify", model).Expect(0);

        string[] again = ["language", "add", "--model", model, "--language", "de", "--text-tower", "run"];
        Assert.Contains(
            "warning: the text tower for 'de' that is replaced had been taught 'logo', which goes with it",
            Run([.. again, "--replace"]).Expect(0).Talk,
            StringComparison.Ordinal
        );

        List<double> Asked(string of, params string[] more) =>
            [
                .. Run(["search", "logo", "--model", of, "--data", "store", "--json", .. more])
                    .Expect(0)
                    .Json.GetProperty("results")
                    .EnumerateArray()
                    .Select(one => one.GetProperty("similarity").GetDouble()),
            ];
    }

    [Fact]
    public void Without_pictures_a_language_is_added_while_the_store_is_not_there_and_searched_in_at_once()
    {
        var model = Copy("elsewhere-stored");
        var (store, away) = (Path.Combine(bench.Folder, "own-store"), Path.Combine(bench.Folder, "own-store-away"));
        CopyFolder(Path.Combine(bench.Folder, "store"), store);
        Write("kept-english.csv", "key,text", i => $"{i},the number {i % 40}");
        Write("kept-german.csv", "key,text", i => $"{i},die Zahl {i % 40}");
        var before = Hashes("own-store");
        var times = Times();
        Directory.Move(store, away);

        Run([
                "language",
                "add",
                "--model",
                model,
                "--language",
                "de",
                .. Pair("kept-german.csv", "kept-english.csv"),
                .. Short,
            ])
            .Expect(0);

        Directory.Move(away, store);
        string[] search = ["search", "die Zahl 3", "--model", model, "--data", "own-store", "--language", "de"];
        Assert.Equal(120, Run([.. search, "--json"]).Expect(0).Json.GetProperty("searched").GetInt32());
        Assert.Equal(before, Hashes("own-store"));
        Assert.Equal(times, Times());

        Dictionary<string, DateTime> Times() =>
            Directory
                .EnumerateFiles(store, "*", SearchOption.AllDirectories)
                .ToDictionary(path => path, File.GetLastWriteTimeUtc);
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var place = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Copy(file, place);
        }
    }

    private static readonly string[] Short = ["--epochs", "1", "--json"];

    private string[] Stored => ["--data", "store", "--captions", German];

    private string German
    {
        get
        {
            Write("speaks.csv", "key,text,language", i => $"pairs-{i:D6},Zeichnung {i % 7},de");
            return "speaks.csv";
        }
    }

    private static string[] Pair(string captions, string aligned) => ["--captions", captions, "--aligned", aligned];

    private static string? Text(JsonElement one) => one.GetString();

    private List<JsonElement> Search(string model, params string[] more) =>
        [
            .. Run(["search", "Zeichnung 3", "--model", model, "--data", "store", "--json", .. more])
                .Expect(0)
                .Json.GetProperty("results")
                .EnumerateArray(),
        ];

    private JsonElement Described(string folder) =>
        JsonElement.Parse(
            File.ReadAllText(
                new[] { "model.json", "model/model.json" }
                    .Select(name => Path.Combine(bench.Folder, folder, name))
                    .First(File.Exists)
            )
        );

    private void Write(string name, string head, Func<int, string> row) =>
        File.WriteAllText(
            Path.Combine(bench.Folder, name),
            head + "\n" + string.Join('\n', Enumerable.Range(0, 120).Select(row))
        );

    private string Copy(string name)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(bench.Folder, "run", "model"), "*"))
        {
            Directory.CreateDirectory(Path.Combine(bench.Folder, name, "model"));
            File.Copy(file, Path.Combine(bench.Folder, name, "model", Path.GetFileName(file)));
        }
        return name;
    }

    private Lit.Outcome Run(params string[] arguments) => Here.Run(bench.Folder, arguments);

    private Dictionary<string, string> Hashes(string folder) =>
        Directory
            .EnumerateFiles(Path.Combine(bench.Folder, folder), "*", SearchOption.AllDirectories)
            .ToDictionary(path => path, path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))));
}
