namespace LiT.Cli.Tests;

[Trait("computes", "yes")]
public sealed class StudyCommandTests : IDisposable
{
    private static readonly string[] Small =
    [
        "--vary",
        "textTower=text:width=16,depth=1,heads=2",
        "--vary",
        "batch=16",
    ];
    private readonly string folder = Directory.CreateTempSubdirectory("lit-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Locked_and_unlocked_settings_are_compared_and_what_is_done_is_not_done_again()
    {
        foreach (var (split, count) in new[] { ("pairs", "40"), ("test", "20") })
            Run("data", "draw", "--split", split, "--count", count, "--out", ".").Expect(0);
        Run("models", "convert", "cifar-resnet:8", "--out", "tower.safetensors").Expect(0);
        string[] study =
        [
            "study",
            "--data",
            "pairs.tar",
            "--test",
            "test.tar",
            "--image-tower",
            "tower.safetensors",
            "--image-scratch",
            "cifar-resnet:8",
            "--out",
            "study",
            "--pictures",
            "30",
            "--vary",
            "lock=Lu,uu",
            "--vary",
            "steps=2",
            .. Small,
        ];
        var first = Run([.. study, "--seeds", "0", "--json"]).Expect(0).Json;
        Assert.Equal(2, first.GetProperty("cells").GetArrayLength());
        var done = Directory
            .GetFiles(Path.Combine(folder, "study", "runs"), "result.json", SearchOption.AllDirectories)
            .ToDictionary(path => path, File.GetLastWriteTimeUtc);

        var again = Run([.. study, "--seeds", "0,1", "--json"]).Expect(0).Json;
        Assert.Equal(2, done.Count);
        Assert.All(done, one => Assert.Equal(one.Value, File.GetLastWriteTimeUtc(one.Key)));
        foreach (var cell in again.GetProperty("cells").EnumerateArray())
            Assert.Equal(
                2,
                cell.GetProperty("metrics").GetProperty("imageToTextR1").GetProperty("values").GetArrayLength()
            );
        Assert.Equal(5, File.ReadAllLines(Path.Combine(folder, "study", "results.csv")).Length);
        Assert.True(File.Exists(Path.Combine(folder, "study", "report.html")));
        Assert.Equal(
            first.GetProperty("cells")[0].GetProperty("runs")[0].GetProperty("loss").GetDouble(),
            again.GetProperty("cells")[0].GetProperty("runs")[0].GetProperty("loss").GetDouble()
        );
    }

    [Fact]
    public void A_vocabulary_made_here_and_a_run_used_as_a_recipe_and_as_a_start_work_together()
    {
        Run("data", "draw", "--split", "pairs", "--count", "40", "--out", ".").Expect(0);
        Run("embed", "--image-tower", "cifar-resnet:8", "--data", "pairs.tar", "--out", "store").Expect(0);
        var made = Run(
                "tokenizer",
                "train",
                "--data",
                "pairs.tar",
                "--kind",
                "Unigram",
                "--vocabulary",
                "100",
                "--out",
                "words.model",
                "--json"
            )
            .Expect(0)
            .Json;
        Assert.InRange(made.GetProperty("pieces").GetInt32(), 20, 100);
        Run(
                "tune",
                "--data",
                "store",
                "--out",
                "first",
                "--tokenizer",
                "words.model",
                "--text-tower",
                "text:width=16,depth=1,heads=2",
                "--steps",
                "3",
                "--batch",
                "8",
                "--hold-out",
                "0.2"
            )
            .Expect(0);
        Assert.Contains("\"val\"", File.ReadLines(Path.Combine(folder, "first", "metrics.jsonl")).Last());
        Run("tune", "--data", "store", "--out", "second", "--recipe", "first/config.json").Expect(0);
        var third = Run(
                "tune",
                "--data",
                "store",
                "--out",
                "third",
                "--text-init",
                "first",
                "--recipe",
                "first/config.json",
                "--lock",
                "LU",
                "--json"
            )
            .Expect(0)
            .Json;
        Assert.Equal(3, third.GetProperty("steps").GetInt32());
        Assert.Contains(
            "there is no such file, and no recipe",
            Run("tune", "--data", "store", "--out", "x", "--recipe", "nothing").Expect(2).Talk
        );
    }

    private Lit.Outcome Run(params string[] command) => Lit.RunIn(folder, command);
}
