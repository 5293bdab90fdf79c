using System.Text.Json;

namespace LiT.Cli.Tests;

/// <summary>lit eval and lit data sets as a user types them, on drawings.</summary>
[Trait("computes", "yes")]
public sealed class EvaluationCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lit-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_model_is_evaluated_with_its_leaks_its_labels_and_its_languages()
    {
        Run("data", "draw", "--split", "pairs", "--count", "60", "--out", ".").Expect(0);
        Run("embed", "--image-tower", "cifar-resnet:8", "--data", "pairs.tar", "--out", "store", "--threads", "1")
            .Expect(0);
        Run(
                "tune",
                "--data",
                "store",
                "--out",
                "run",
                "--text-tower",
                "text:width=32,depth=1,heads=2",
                "--steps",
                "10",
                "--batch",
                "16"
            )
            .Expect(0);

        // The test pictures are the training pictures: the audit says so, and nothing is left without them.
        var run = Run(
                "eval",
                "classification",
                "--model",
                "run",
                "--data",
                "store",
                "--label-column",
                "kind",
                "--templates",
                "clip_best",
                "--predictions",
                "answers.jsonl",
                "--text-cache",
                "texts",
                "--json"
            )
            .Expect(0);
        var leaks = run.Json.GetProperty("leaks");
        Assert.Equal(run.Json.GetProperty("n").GetInt32(), leaks.GetProperty("pictures").GetInt32());
        Assert.Equal(leaks.GetProperty("pictures").GetInt32(), leaks.GetProperty("sameBytes").GetInt32());
        Assert.False(leaks.TryGetProperty("top1Without", out _));
        Assert.Equal(8, run.Json.GetProperty("perTemplate").GetArrayLength());
        Assert.Equal(60, File.ReadLines(Path.Combine(folder, "answers.jsonl")).Count());
        Assert.Equal(64, run.Json.GetProperty("hashes").GetProperty("textTower").GetString()!.Length);

        // The same texts are not embedded again, and damage in the cache is mended.
        var kept = Assert.Single(Directory.GetFiles(Path.Combine(folder, "texts")));
        var bytes = File.ReadAllBytes(kept);
        File.WriteAllBytes(kept, bytes[..50]);
        var again = Run(
                "eval",
                "classification",
                "--model",
                "run",
                "--data",
                "store",
                "--label-column",
                "kind",
                "--templates",
                "clip_best",
                "--text-cache",
                "texts",
                "--json"
            )
            .Expect(0);
        Assert.Equal(run.Json.GetProperty("top1").GetDouble(), again.Json.GetProperty("top1").GetDouble());
        Assert.Equal(bytes, File.ReadAllBytes(kept));

        // Class names by language: one result each and the mean.
        var kinds = run
            .Json.GetProperty("perClass")
            .EnumerateArray()
            .Select(one => one.GetProperty("class").GetString()!)
            .ToList();
        File.WriteAllText(
            Path.Combine(folder, "names.json"),
            JsonSerializer.Serialize(new { en = kinds, xx = kinds.Select(kind => "x" + kind) })
        );
        var several = Run(
                "eval",
                "classification",
                "--model",
                "run",
                "--data",
                "store",
                "--label-column",
                "kind",
                "--classes",
                "names.json",
                "--language",
                "en",
                "--no-leak-audit",
                "--json"
            )
            .Expect(0)
            .Json;
        Assert.Equal("en", several.GetProperty("protocol").GetProperty("language").GetString());
        Assert.False(several.TryGetProperty("leaks", out _));
        Assert.Contains(
            "Say which with --dataset or --language",
            Run(
                    "eval",
                    "classification",
                    "--model",
                    "run",
                    "--data",
                    "store",
                    "--label-column",
                    "kind",
                    "--classes",
                    "names.json"
                )
                .Expect(1)
                .Talk
        );

        // A store of another crop is another tower's numbers.
        Assert.Contains(
            "square-0.875",
            Run(
                    "eval",
                    "classification",
                    "--model",
                    "run",
                    "--data",
                    "store",
                    "--label-column",
                    "kind",
                    "--crop",
                    "square-0.875"
                )
                .Expect(1)
                .Talk
        );
        Run(
                "embed",
                "--image-tower",
                "cifar-resnet:8",
                "--data",
                "pairs.tar",
                "--out",
                "cropped",
                "--crop",
                "square-0.875",
                "--threads",
                "1"
            )
            .Expect(0);
        Run(
                "eval",
                "classification",
                "--model",
                "run",
                "--data",
                "cropped",
                "--label-column",
                "kind",
                "--crop",
                "square-0.875",
                "--no-leak-audit"
            )
            .Expect(0);
        Run("eval", "classification", "--model", "run", "--data", "cropped", "--label-column", "kind").Expect(1);

        Assert.Equal(
            2,
            Run(
                    "eval",
                    "knn",
                    "--train",
                    "store",
                    "--data",
                    "store",
                    "--label-column",
                    "kind",
                    "--k",
                    "1",
                    "5",
                    "--json"
                )
                .Expect(0)
                .Json.GetArrayLength()
        );
        Assert.Equal(
            2,
            Run(
                    "eval",
                    "fewshot",
                    "--train",
                    "store",
                    "--data",
                    "store",
                    "--label-column",
                    "colour",
                    "--shots",
                    "1",
                    "2",
                    "--draws",
                    "2",
                    "--json"
                )
                .Expect(0)
                .Json.GetArrayLength()
        );
        Assert.InRange(
            Run("eval", "probe", "--train", "store", "--data", "store", "--label-column", "colour", "--json")
                .Expect(0)
                .Json.GetProperty("top1")
                .GetDouble(),
            0,
            1
        );
    }

    [Fact]
    public void The_public_test_sets_are_named_with_their_folders()
    {
        Assert.Contains("--data imagenet-v2=DIR", Run("data", "sets").Expect(0).Output);
        Assert.Equal(
            "aspect-0.75",
            Run("data", "sets", "imagenet-a", "--json").Expect(0).Json[0].GetProperty("crop").GetString()
        );
        Run("data", "sets", "nothing").Expect(2);
    }

    [Theory]
    [InlineData("Give --model MODEL and --data DATA", "--data", "x")]
    [InlineData("belong together", "--image-embeddings", "x.npy")]
    [InlineData("not both", "--image-embeddings", "x.npy", "--text-embeddings", "y.npy", "--model", "m", "--data", "d")]
    [InlineData("'round' not recognized", "--model", "m", "--data", "d", "--crop", "round")]
    public void Options_that_do_not_go_together_are_wrong_usage(string expected, params string[] options) =>
        Assert.Contains(expected, Run(["eval", "classification", .. options]).Expect(2).Talk);

    private Lit.Outcome Run(params string[] command) => Lit.RunIn(folder, command);
}
