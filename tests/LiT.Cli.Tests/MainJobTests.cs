using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LiT.Cli.Tests;

[Trait("computes", "yes")]
public sealed class MainJobTests : IDisposable
{
    private static readonly string[] Tuning =
    [
        "--text-tower",
        "text:width=32,depth=1,heads=2",
        "--steps",
        "20",
        "--batch",
        "16",
        "--checkpoint-every",
        "4",
    ];
    private readonly string folder = Directory.CreateTempSubdirectory("lit-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Draw_embed_tune_evaluate_classify_and_verify_go_from_pictures_to_numbers()
    {
        Draw("pairs", 120);
        Draw("test", 30);
        Assert.Equal(120, Run([.. Embed("store"), "--json"]).Expect(0).Json.GetProperty("embedded").GetInt32());
        Assert.Contains("complete already", Run(Embed("store")).Expect(0).Talk);
        Run(["tune", "--data", "store", "--out", "run", .. Tuning]).Expect(0);
        Assert.Contains("done already", Run(["tune", "--data", "store", "--out", "run", .. Tuning]).Expect(0).Talk);

        var classification = Run("eval", "classification", "--model", "run", "--data", "test.tar", "--json")
            .Expect(0)
            .Json;
        foreach (
            var field in new[]
            {
                "dataset",
                "n",
                "classes",
                "templates",
                "top1",
                "top5",
                "interval95",
                "perClass",
                "confusion",
                "seconds",
            }
        )
            Assert.True(classification.TryGetProperty(field, out _), field);
        var retrieval = Run("eval", "retrieval", "--model", "run", "--data", "test.tar", "--json").Expect(0).Json;
        Assert.Equal(30, retrieval.GetProperty("images").GetInt32());
        foreach (var recall in new[] { "r1", "r5", "r10" })
            Assert.InRange(retrieval.GetProperty("imageToText").GetProperty(recall).GetDouble(), 0, 1);

        Assert.Contains(
            "Run 'lit calibrate",
            Run("search", "a cat", "--model", "run", "--data", "store", "--min-precision", "0.9").Expect(1).Talk
        );
        Run("calibrate", "--model", "run", "--data", "store").Expect(0);
        var found = Run(
                "search",
                "a cat",
                "a red dog",
                "--each",
                "--model",
                "run",
                "--data",
                "store",
                "--top",
                "3",
                "--report",
                "found.html",
                "--json"
            )
            .Expect(0)
            .Json;
        Assert.All(found.EnumerateArray(), text => Assert.Equal(3, text.GetProperty("results").GetArrayLength()));
        Assert.Contains("data:image/png", File.ReadAllText(Path.Combine(folder, "found.html")));
        Assert.Equal(
            5,
            Run("eval", "absent", "--model", "run", "--data", "test.tar", "--json")
                .Expect(0)
                .Json.GetProperty("cutOffs")
                .GetArrayLength()
        );
        Run("eval", "classification", "--model", "run", "--data", "test.tar", "--report", "report").Expect(0);
        Assert.True(
            Run("eval", "compare", "report", "report", "--json")
                .Expect(0)
                .Json[1]
                .GetProperty("samePictures")
                .GetBoolean()
        );

        Assert.True(Run("verify", "run", "--store", "store", "--json").Expect(0).Json.GetProperty("ok").GetBoolean());
        var wrong = Run([
                "tune",
                "--data",
                "store",
                "--out",
                "run",
                "--text-tower",
                "text:width=64,depth=1,heads=2",
                .. Tuning[2..],
            ])
            .Expect(1);
        Assert.Contains("--text-tower text:width=32,depth=1,heads=2", wrong.Talk);
    }

    [Fact]
    public void Killed_embedding_and_tuning_go_on_to_the_same_bytes()
    {
        Draw("pairs", 300);
        Run(Embed("whole")).Expect(0);
        Kill(Embed("killed"), () => File.Exists(Path.Combine(folder, "killed", "img_emb", "img_emb_0002.npy")));
        Run(Embed("killed")).Expect(0);
        Assert.Equal(Hashes("whole"), Hashes("killed"));

        Run(["tune", "--data", "whole", "--out", "run", .. Tuning]).Expect(0);
        Kill(["tune", "--data", "whole", "--out", "killedrun", .. Tuning], () =>
            Directory.Exists(Path.Combine(folder, "killedrun", "checkpoints", "step-4"))
        );
        Run(["tune", "--data", "whole", "--out", "killedrun", .. Tuning]).Expect(0);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(folder, "run", "model", "text.safetensors")),
            File.ReadAllBytes(Path.Combine(folder, "killedrun", "model", "text.safetensors"))
        );
    }

    private const int Interrupt = 2;

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int process, int signal);

    [Fact]
    public async Task Ctrl_C_ends_with_130_and_the_same_command_goes_on_to_the_same_bytes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGINT to send.");
        Draw("pairs", 600); // so many that a busy machine has not done them all when the signal comes
        Run(Embed("whole")).Expect(0);
        using (var process = Lit.StartInFront(folder, Embed("stopped")))
        {
            var talk = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (!process.HasExited && !File.Exists(Path.Combine(folder, "stopped", "img_emb", "img_emb_0000.npy")))
                Thread.Sleep(1);
            Assert.Equal(0, Signal(process.Id, Interrupt)); // at once: a program that sends it may start too late
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(130, process.ExitCode);
            Assert.Single((await talk).Split('\n'), line => line.StartsWith("lit: ", StringComparison.Ordinal));
        }
        Run(Embed("stopped")).Expect(0);
        Assert.Equal(Hashes("whole"), Hashes("stopped"));
    }

    [Fact]
    public void Bad_input_is_one_line_and_leaves_nothing_behind()
    {
        Directory.CreateDirectory(Path.Combine(folder, "empty"));
        File.WriteAllText(Path.Combine(folder, "page.npz"), "<!DOCTYPE html><html></html>");
        Refused(
            "nowhere: there is no such file",
            "embed",
            "--image-tower",
            "cifar-resnet:8",
            "--data",
            "nowhere",
            "--out",
            "x"
        );
        Refused("holds no picture", "embed", "--image-tower", "cifar-resnet:8", "--data", "empty", "--out", "x");
        Refused("is a web page", "embed", "--image-tower", "page.npz", "--data", "empty", "--out", "x");
        Refused("nowhere: there is no such file", ["tune", "--data", "nowhere", "--out", "x", .. Tuning]);
        Assert.False(Directory.Exists(Path.Combine(folder, "x")));
    }

    private void Refused(string what, params string[] command)
    {
        var refused = Run(command).Expect(1);
        Assert.Empty(refused.Output);
        Assert.Contains(
            what,
            Assert.Single(refused.Talk.Split('\n'), line => line.StartsWith("lit: ", StringComparison.Ordinal))
        );
        Assert.DoesNotContain("   at ", refused.Talk);
    }

    private static string[] Embed(string store) =>
        [
            "embed",
            "--image-tower",
            "cifar-resnet:20",
            "--data",
            "pairs.tar",
            "--out",
            store,
            "--rows-per-shard",
            "20",
            "--batch",
            "4",
            "--threads",
            "1",
        ];

    private void Draw(string split, int count) =>
        Run("data", "draw", "--split", split, "--count", $"{count}", "--out", ".").Expect(0);

    private Lit.Outcome Run(params string[] command) => Lit.RunIn(folder, command);

    private void Kill(string[] command, Func<bool> when)
    {
        using var process = Lit.Start(folder, command);
        _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (!process.HasExited && !when())
            Thread.Sleep(1);
        process.Kill(); // SIGKILL
        process.WaitForExit();
        Assert.Equal(137, process.ExitCode); // it was still at work
    }

    private IEnumerable<string> Hashes(string store) =>
        Directory
            .EnumerateFiles(Path.Combine(folder, store), "*", SearchOption.AllDirectories)
            .Select(path =>
                $"{Path.GetRelativePath(Path.Combine(folder, store), path)} "
                + $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))}"
            )
            .Order(StringComparer.Ordinal);
}
