using System.Globalization;

namespace LiT.Cli.Tests;

[Trait("computes", "yes")]
public sealed class PretrainCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lit-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Drawings_are_written_as_a_web_data_set_with_their_lists()
    {
        var drawn = Lit.RunIn(
                folder,
                "data",
                "draw",
                "--split",
                "compositions",
                "--count",
                "12",
                "--out",
                "drawings",
                "--json"
            )
            .Expect(0)
            .Json;
        Assert.Equal(12, drawn.GetProperty("images").GetInt32());
        Assert.Equal(
            ["classes.txt", "colours.txt", "compositions.tar", "compositions.txt", "held-out.txt", "templates.txt"],
            Directory
                .EnumerateFiles(Path.Combine(folder, "drawings"))
                .Select(Path.GetFileName)
                .Order(StringComparer.Ordinal)
        );
        Lit.RunIn(folder, "data", "draw", "--split", "all", "--count", "12", "--out", "drawings").Expect(2);
        Lit.RunIn(folder, "data", "draw", "--split", "val", "--count", "12", "--seed", "-1", "--out", "drawings")
            .Expect(2);
    }

    [Theory]
    [InlineData("supervised")]
    [InlineData("dino")]
    public void Pictures_of_which_none_can_be_decoded_make_no_tower(string method)
    {
        foreach (var name in new[] { "a/1.png", "a/2.png", "b/1.png", "b/2.png" })
        {
            var path = Path.Combine(folder, "broken", name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 1, 2, 3]);
        }
        string[] tower = method == "dino" ? ["--tower", "vit:mu/16,size=32"] : ["--width", "8"];
        var refused = Lit.RunIn(
                folder,
                [
                    "pretrain",
                    "--method",
                    method,
                    "--data",
                    "broken",
                    "--epochs",
                    "1",
                    "--batch",
                    "2",
                    "--out",
                    "none",
                    .. tower,
                ]
            )
            .Expect(1);
        Assert.Single(refused.Talk.Split('\n'), line => line.StartsWith("lit: ", StringComparison.Ordinal));
        Assert.Contains("lit: broken: no", refused.Talk, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "none", "tower.safetensors")));
    }

    [Fact]
    public void Training_that_is_killed_goes_on_with_the_same_command_to_the_same_weights()
    {
        Lit.RunIn(folder, "data", "draw", "--split", "pretrain", "--count", "128", "--out", ".").Expect(0);
        Lit.RunIn(folder, "data", "draw", "--split", "val", "--count", "20", "--out", ".").Expect(0);
        Lit.RunIn(folder, Command("whole")).Expect(0);

        using (var process = Lit.Start(folder, Command("killed")))
        {
            _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            var metrics = Path.Combine(folder, "killed", "metrics.jsonl");
            var checkpoint = Path.Combine(folder, "killed", "checkpoint.safetensors");
            while (
                !process.HasExited
                && !(File.Exists(checkpoint) && File.Exists(metrics) && new FileInfo(metrics).Length > 0)
            )
                Thread.Sleep(2);
            process.Kill(); // SIGKILL
            process.WaitForExit();
        }
        var outcome = Lit.RunIn(folder, [.. Command("killed"), "--json"]).Expect(0).Json;

        Assert.Equal(20, outcome.GetProperty("validationPictures").GetInt32());
        Assert.InRange(outcome.GetProperty("accuracy").GetProperty("colour").GetDouble(), 0, 1);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(folder, "whole", "tower.safetensors")),
            File.ReadAllBytes(Path.Combine(folder, "killed", "tower.safetensors"))
        );
        Assert.Equal(Steps("whole"), Steps("killed"));
    }

    [Fact]
    public void A_label_that_the_data_lacks_is_one_line_with_those_it_has()
    {
        Lit.RunIn(folder, "data", "draw", "--split", "pretrain", "--count", "4", "--out", ".").Expect(0);
        var failed = Lit.RunIn(folder, "pretrain", "--data", "pretrain.tar", "--labels", "shape", "--out", "run")
            .Expect(1);
        var line = Assert.Single(failed.Talk.Split('\n', StringSplitOptions.RemoveEmptyEntries), one =>
            one.StartsWith("lit: pretrain.tar: no picture", StringComparison.Ordinal)
        );
        Assert.Contains("colour", line);
        Assert.Equal("", failed.Output);
        Lit.RunIn(folder, "pretrain", "--data", "pretrain.tar", "--epochs", "0", "--out", "run").Expect(2);
    }

    [Fact]
    public void A_tower_that_was_trained_without_labels_embeds_pictures_as_any_other()
    {
        Lit.RunIn(folder, "data", "draw", "--split", "pretrain", "--count", "48", "--out", ".").Expect(0);
        Lit.RunIn(folder, "data", "convert", "--data", "pretrain.tar", "--out", "pictures", "--to", "folder").Expect(0);
        foreach (var said in Directory.EnumerateFiles(Path.Combine(folder, "pictures"), "metadata.*"))
            File.Delete(said);
        var trained = Lit.RunIn(
                folder,
                (
                    "pretrain --method dino --data pictures --out run --blocks 1 --width 4 --stages 2 --stem-stride 4 "
                    + "--image-size 48 --epochs 2 --batch 16 --local-crops 2 --head-outputs 32 --head-hidden 16 "
                    + "--head-bottleneck 8 --threads 1 --json"
                ).Split(' ')
            )
            .Expect(0)
            .Json;
        Assert.Equal(6, trained.GetProperty("steps").GetInt32());
        Lit.RunIn(folder, "embed", "--image-tower", "run/tower.safetensors", "--data", "pretrain.tar", "--out", "store")
            .Expect(0);
        Lit.RunIn(folder, "verify", "store", "--image-tower", "run/tower.safetensors", "--data", "pretrain.tar")
            .Expect(0);
        var near = Lit.RunIn(
                folder,
                [.. "eval knn --train store --data store --label-column colour --k 1 --json".Split(' ')]
            )
            .Expect(0);
        Assert.Contains("\"k\": 1", near.Output);
    }

    private static string[] Command(string run) =>
        [
            "pretrain",
            "--data",
            "pretrain.tar",
            "--val",
            "val.tar",
            "--labels",
            "colour",
            "--out",
            run,
            "--blocks",
            "1",
            "--width",
            "4",
            "--stages",
            "2",
            "--stem-stride",
            "4",
            "--image-size",
            "48",
            "--epochs",
            "30",
            "--batch",
            "16",
            "--checkpoint-every",
            "7",
            "--threads",
            "1",
        ];

    private List<string> Steps(string run) =>
        [
            .. File.ReadLines(Path.Combine(folder, run, "metrics.jsonl"))
                .Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement)
                .Where(line => line.TryGetProperty("loss", out _))
                .Select(line =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{line.GetProperty("step").GetInt64()} {line.GetProperty("loss").GetDouble():R}"
                    )
                ),
        ];
}
