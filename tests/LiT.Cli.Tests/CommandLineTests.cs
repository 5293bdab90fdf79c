using System.Diagnostics;

namespace LiT.Cli.Tests;

/// <summary>How a command line is read: texts, options and verbs that do not exist, lists, completion.</summary>
[Collection(nameof(InThisProcess))]
public sealed class CommandLineTests(Workbench bench)
{
    [Theory]
    [InlineData("@home")]
    [InlineData("@list.tsv")] // a file that is there: its words are not taken for the user's
    public void A_text_that_begins_with_an_at_sign_is_a_text(string text)
    {
        var found = Run("search", text, "--model", "run", "--data", "store", "--top", "1", "--json").Expect(0).Json;
        Assert.Equal(text, found.GetProperty("query").GetProperty("words")[0].GetString());
        var ids = Run("tokenizer", "encode", text, "--tokenizer", "run/model", "--json").Expect(0).Json;
        Assert.Equal(text, ids[0].GetProperty("text").GetString());
        var picture = Directory.GetFiles(Path.Combine(bench.Folder, "photos"), "*.png", SearchOption.AllDirectories)[0];
        var named = Run("classify", picture, "--model", "run", "--labels", $"{text},dog", "--json").Expect(0).Json;
        Assert.Contains(named[0].GetProperty("labels").EnumerateArray(), label =>
            label.GetProperty("label").GetString() == text
        );
        Assert.Contains($"{text}: ", Run("data", "stats", "--data", text).Expect(1).Talk, StringComparison.Ordinal);
    }

    [Fact]
    public void Behind_two_dashes_everything_is_a_text()
    {
        var found = Run("search", "--model", "run", "--data", "store", "--json", "--", "--tpo", "-x").Expect(0).Json;
        Assert.Equal(
            ["--tpo", "-x"],
            found.GetProperty("query").GetProperty("words").EnumerateArray().Select(one => one.GetString())
        );
    }

    [Theory]
    [InlineData("--tpo", "--top", "search", "a cat", "--tpo", "1", "--model", "run", "--data", "store")]
    [InlineData(
        "--minprecision",
        "--min-precision",
        "classify",
        "x",
        "--model",
        "run",
        "--labels",
        "a,b",
        "--minprecision",
        "1"
    )]
    [InlineData("--jsn", "--json", "models", "list", "--jsn")]
    [InlineData("--tokeniser", "--tokenizer", "tokenizer", "encode", "cat", "--tokeniser", "run")]
    [InlineData("--josn", "--json", "eval", "compare", "report", "--josn")]
    [InlineData("--dta", "--data", "embed", "--image-tower", "x", "--dta", "y", "--out", "z")]
    [InlineData("--test-size", null, "tune", "--data", "store", "--out", "z", "--test-size=3")]
    public void A_misspelt_option_is_refused_with_the_one_that_was_meant(
        string wrong,
        string? meant,
        params string[] command
    )
    {
        var refused = Run(command).Expect(2);
        Assert.Empty(refused.Output);
        var line = Assert.Single(refused.Talk.Split('\n'), line => line.StartsWith("lit: ", StringComparison.Ordinal));
        Assert.StartsWith($"lit: {wrong}: there is no such option.", line, StringComparison.Ordinal);
        Assert.Equal(meant is not null, line.Contains($"Did you mean {meant}?", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Did you mean search?", "serach", "a cat")]
    [InlineData("Did you mean classification?", "eval", "clasification", "--model", "run")]
    [InlineData("Its verbs are list, show, pull, convert.", "models", "xyzzy")]
    [InlineData("'lit data' needs one of its verbs: stats,", "data")]
    public void A_verb_that_does_not_exist_is_refused_with_the_one_that_was_meant(
        string said,
        params string[] command
    ) => Assert.Contains(said, Run(command).Expect(2).Talk, StringComparison.Ordinal);

    [Fact]
    public void Numbers_below_zero_and_values_behind_an_equals_sign_are_no_options()
    {
        Assert.Contains("--bias", Run("tune", "--help").Output, StringComparison.Ordinal);
        string[] tune = ["tune", "--data", "store", "--out", "signed", "--loss", "sigmoid", "--bias", "-3"];
        Run([.. tune, "--text-tower=text:width=16,depth=1,heads=2", "--steps", "1", "--batch", "8"]).Expect(0);
    }

    [Theory]
    [InlineData("1,2,3")]
    [InlineData("1", "2", "3")]
    [InlineData("1,2", "--shots", "3")]
    public void A_list_is_written_with_commas_or_with_the_option_again(params string[] shots)
    {
        string[] command = ["eval", "fewshot", "--train", "store", "--data", "store", "--label-column", "colour"];
        var scores = Run([.. command, "--draws", "1", "--json", "--shots", .. shots]).Expect(0).Json;
        Assert.Equal([1, 2, 3], scores.EnumerateArray().Select(one => one.GetProperty("shots").GetInt32()));
    }

    [Fact]
    public void A_label_in_quotes_or_in_a_file_holds_a_comma_and_a_folder_is_walked()
    {
        File.WriteAllText(Path.Combine(bench.Folder, "two.txt"), "red, white\nblue\n");
        string[] command = ["classify", "photos", "--model", "run", "--json"];
        foreach (var labels in new string[][] { ["--labels", "\"red, white\",blue"], ["--labels-file", "two.txt"] })
        {
            var all = Run([.. command, .. labels]).Expect(0).Json;
            Assert.Equal(24, all.GetArrayLength());
            Assert.All(all.EnumerateArray(), one =>
                Assert.Equal(
                    ["blue", "red, white"],
                    one.GetProperty("labels")
                        .EnumerateArray()
                        .Select(label => label.GetProperty("label").GetString())
                        .Order(StringComparer.Ordinal)
                )
            );
        }
    }

    [Fact]
    public void Lines_of_json_and_of_csv_say_what_the_document_says()
    {
        string[] command = ["classify", "photos", "missing.png", "--model", "run", "--labels", "cat,dog"];
        var document = Run([.. command, "--json"]).Expect(1).Json.EnumerateArray().ToList();
        var lines = Run([.. command, "--jsonl"])
            .Expect(1)
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement)
            .ToList();
        Assert.Equal(25, document.Count);
        Assert.All(document.Zip(lines), pair =>
            Assert.True(System.Text.Json.JsonElement.DeepEquals(pair.First, pair.Second))
        );
        var rows = Run([.. command, "--csv"]).Expect(1).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("image,rank,label,probability,expectedPrecision,noneOfThese,error,unseenWords", rows[0]);
        Assert.Equal(1 + 24 * 2 + 1, rows.Length);
        Assert.Equal(
            document[0].GetProperty("labels")[0].GetProperty("probability").GetDouble(),
            double.Parse(rows[1].Split(',')[3], System.Globalization.CultureInfo.InvariantCulture)
        );
        Assert.Equal("missing.png,,,,,,there is no such file,", rows[^1]);
    }

    [Fact]
    public void An_option_that_had_no_effect_is_told()
    {
        string[] embed = ["embed", "--image-tower", "cifar-resnet:8", "--data", "test.tar", "--out", "plain"];
        Assert.Contains(
            "--view-flip had no effect on what was done here",
            Run([.. embed, "--view-flip", "0.3"]).Expect(0).Talk,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("lit cl", "classify")]
    [InlineData("lit tune --lo", "--local-parts --lock --look-alikes --loss --loss-over")]
    [InlineData("lit tune --loss s", "sigmoid softmax")]
    [InlineData("lit eval classification --crop asp", "aspect-0.75 aspect-0.875")]
    [InlineData("lit completion ", "bash fish powershell zsh")]
    [InlineData("./lit data d", "dedup download draw")]
    public void The_tab_key_knows_verbs_options_and_values(string line, string expected)
    {
        var suggested = Run("__complete", $"{line.Length}", line).Expect(0).Output;
        Assert.Equal(expected.Split(' '), suggested.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }

    [Fact]
    public void Bash_completes_with_the_script()
    {
        Assert.SkipWhen(!File.Exists("/bin/bash"), "There is no bash here.");
        const string Try = """
            PATH="$1:$PATH"
            source <(lit completion bash)
            COMP_LINE="lit tune --lo" COMP_POINT=13 COMP_WORDS=(lit tune --lo) COMP_CWORD=2
            _lit
            printf '%s\n' "${COMPREPLY[@]}"
            complete -p lit
            """;
        ProcessStartInfo start = new("/bin/bash", ["--norc", "-c", Try, "bash", Path.GetDirectoryName(Lit.Program)!])
        {
            RedirectStandardOutput = true,
        };
        using var bash = Process.Start(start)!;
        var output = bash.StandardOutput.ReadToEnd();
        bash.WaitForExit();
        Assert.Equal(
            "--local-parts\n--lock\n--look-alikes\n--loss\n--loss-over\ncomplete -o default -F _lit lit\n",
            output
        );
    }

    private Lit.Outcome Run(params string[] command) => Here.Run(bench.Folder, command);
}
