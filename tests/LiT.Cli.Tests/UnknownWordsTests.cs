namespace LiT.Cli.Tests;

/// <summary>Words that the model was never shown get a clear answer from every verb, and no confident one.</summary>
[Collection(nameof(InThisProcess))]
[Trait("computes", "yes")]
public sealed class UnknownWordsTests(Workbench bench)
{
    private const string Unread = "the model's vocabulary knows no piece of it";

    public static TheoryData<string, string> UnreadWords =>
        new()
        {
            { "run", "Пингвин" },
            { "bare", "Пингвин" },
            { "run", "🦄" },
            { "bare", "🦄" },
            { "bare", "Ёж 🦄" },
        };

    [Theory]
    [MemberData(nameof(UnreadWords))]
    public void A_search_for_words_that_cannot_be_read_finds_nothing_and_says_why(string model, string words)
    {
        var found = Run("search", words, "--model", Model(model), "--data", "store", "--json").Expect(0);
        Assert.Contains(
            $"'{words}': {Unread}, so no precision is promised for what is found.",
            found.Talk,
            StringComparison.Ordinal
        );
        Assert.Equal(0, found.Json.GetProperty("results").GetArrayLength());
        Assert.True(found.Json.GetProperty("nothingMatches").GetBoolean());
        Assert.Equal(words, found.Json.GetProperty("unreadWords")[0].GetString());
        Assert.NotEqual(0, found.Json.GetProperty("unseenWords").GetArrayLength());
        Assert.Contains(
            "no word of it is known",
            Run("search", words, "--model", Model(model), "--data", "store").Expect(0).Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_can_be_read_beside_it_is_found_without_a_promise()
    {
        string[] search = ["search", "--model", Model("run"), "--data", "store", "--json", "cat"];
        foreach (var more in new[] { new[] { "🦄" }, ["--minus", "🦄"] })
        {
            var found = Run([.. search, .. more]).Expect(0);
            Assert.Contains($"'🦄': {Unread}", found.Talk, StringComparison.Ordinal);
            Assert.NotEqual(0, found.Json.GetProperty("results").GetArrayLength());
            Assert.False(found.Json.GetProperty("results")[0].TryGetProperty("expectedPrecision", out _));
        }
        Assert.Contains(
            $"'🦄': {Unread}, so the model cannot tell what shows it",
            Run([.. search, "--without", "🦄"]).Expect(2).Talk,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("run")]
    [InlineData("bare")]
    public void A_word_that_no_caption_had_is_a_guess_with_or_without_a_calibration(string model)
    {
        var found = Run("search", "tac", "--model", Model(model), "--data", "store", "--json").Expect(0);
        Assert.Contains(
            "'tac': no caption of the tuning had 'tac', so no precision is promised for what is found.",
            found.Talk,
            StringComparison.Ordinal
        );
        Assert.Equal("tac", found.Json.GetProperty("unseenWords")[0].GetString());
        Assert.False(found.Json.TryGetProperty("unreadWords", out _));
        Assert.NotEqual(0, found.Json.GetProperty("results").GetArrayLength());
        var table = Run("search", "tac", "--model", Model(model), "--data", "store").Expect(0);
        Assert.Contains("none is promised", table.Output, StringComparison.Ordinal);

        string[] classify = ["classify", "photos/00000", "--model", Model(model), "--labels", "tac"];
        var guess = Run([.. classify, "--json"]).Expect(0);
        Assert.Contains("'tac': no caption of the tuning had 'tac', so", guess.Talk, StringComparison.Ordinal);
        Assert.Equal("tac", guess.Json[0].GetProperty("unseenWords")[0].GetString());
        Assert.False(guess.Json[0].TryGetProperty("noneOfThese", out _)); // no precision was asked for
        Assert.Contains("tac (not in any caption)", Run(classify).Expect(0).Output, StringComparison.Ordinal);
        Assert.EndsWith(",tac\n", Run([.. classify, "--csv"]).Expect(0).Output.ReplaceLineEndings("\n"));
    }

    [Theory]
    [InlineData("run")]
    [InlineData("bare")]
    public void A_label_that_cannot_be_read_names_no_picture(string model)
    {
        var none = Run("classify", "photos/00000", "--model", Model(model), "--labels", "Пингвин", "--json").Expect(0);
        Assert.Contains(
            $"'Пингвин': {Unread}, so no precision is promised for it; pictures that it fits best get 'none of these'.",
            none.Talk,
            StringComparison.Ordinal
        );
        Assert.True(none.Json[0].GetProperty("noneOfThese").GetBoolean());
        Assert.Equal("пингвин", none.Json[0].GetProperty("unseenWords")[0].GetString());
    }

    [Theory]
    [InlineData("...")]
    [InlineData("«»!")]
    public void Words_of_which_nothing_is_left_are_refused_in_one_line(string words)
    {
        foreach (
            var verb in new string[][]
            {
                ["search", words, "--model", "run", "--data", "store"],
                ["classify", "photos/00000", "--model", "run", "--labels", words],
                ["teach", "photos", "--model", Model("taught"), "--word", words],
            }
        )
        {
            var refused = Run(verb);
            if (words == "...")
                Assert.Single(refused.Expect(1).Talk.Trim().Split('\n'), line => line.StartsWith("lit: ", default));
            else
                Assert.Contains(verb[0] == "teach" ? "taught" : Unread, refused.Output + refused.Talk, default);
        }
    }

    [Fact]
    public void Captions_that_cannot_be_read_calibrate_nothing_and_some_are_named()
    {
        Captions("russian.tsv", i => $"рисунок {(char)('а' + i % 30)}{(char)('а' + i / 30)}");
        var refused = Run("calibrate", "--model", Model("bare"), "--data", "store", "--captions", "russian.tsv");
        Assert.Contains(
            "the model's vocabulary knows no piece of 120 of 120 captions, the first 'рисунок",
            refused.Expect(1).Talk,
            StringComparison.Ordinal
        );
        Captions("mixed.tsv", i => i % 3 == 0 ? $"{(char)('а' + i % 20)}"
            : i % 3 == 1 ? "a tac"
            : $"cat {i}");
        string[] calibrate =
        [
            "calibrate",
            "--model",
            Model("calibrated"),
            "--data",
            "store",
            "--captions",
            "mixed.tsv",
        ];
        var warnings = Run([.. calibrate, "--json"]).Expect(0).Json.GetProperty("warnings");
        Assert.Contains("captions say nothing to the text tower", warnings[0].GetString(), StringComparison.Ordinal);
        Assert.Contains("captions have words that no caption of the tuning had", warnings[1].GetString(), default);
    }

    [Fact]
    public void An_evaluation_says_how_much_of_it_the_model_was_never_shown()
    {
        Captions("russian.tsv", i => $"рисунок {(char)('а' + i % 30)}{(char)('а' + i / 30)}");
        string[] retrieval = ["eval", "retrieval", "--model", "run", "--data", "store", "--captions", "russian.tsv"];
        var found = Run([.. retrieval, "--json"]).Expect(0);
        Assert.Contains(found.Json.GetProperty("warnings").EnumerateArray(), one =>
            one.GetString()!.StartsWith("120 of 120 captions say nothing to the text tower", default)
        );
        bench.Lines("unknown.txt", "Пингвин", "tac");
        var tuned = Run(
            "tune",
            "--data",
            "store",
            "--out",
            "watched-words",
            "--text-tower",
            "text:width=32,depth=1,heads=2",
            "--steps",
            "1",
            "--batch",
            "16",
            "--val",
            Labelled(),
            "--val-classes",
            "unknown.txt"
        );
        var talk = tuned.Expect(0).Talk;
        Assert.Contains($"'Пингвин': {Unread}", talk, StringComparison.Ordinal);
        Assert.Contains("class names have words that no caption of the tuning had", talk, StringComparison.Ordinal);
    }

    private string Labelled()
    {
        for (var label = 0; label < 2; label++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(bench.Folder, "two", $"{label}"));
            var pictures = Directory
                .GetFiles(Path.Combine(bench.Folder, "photos"), "*.png", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal);
            File.Copy(pictures.ElementAt(label), Path.Combine(folder.FullName, "one.png"), overwrite: true);
        }
        return "two";
    }

    private void Captions(string file, Func<int, string> text)
    {
        var keys = Run("search", "cat", "--model", "run", "--data", "store", "--top", "120", "--json").Expect(0).Json;
        bench.Lines(
            file,
            [
                .. keys.GetProperty("results")
                    .EnumerateArray()
                    .Select((one, i) => $"{one.GetProperty("key").GetString()}\t{text(i)}"),
            ]
        );
    }

    /// <summary>The calibrated model, or a copy of it that is not.</summary>
    private string Model(string name)
    {
        if (name == "run")
            return name;
        var folder = Directory.CreateDirectory(Path.Combine(bench.Folder, $"unknown-{name}")).FullName;
        foreach (var file in Directory.GetFiles(Path.Combine(bench.Folder, "run", "model")))
            if (Path.GetFileName(file) != "background.safetensors")
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        return folder;
    }

    private Lit.Outcome Run(params string[] command) => Here.Run(bench.Folder, command);
}
