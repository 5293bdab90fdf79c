using System.Security.Cryptography;

namespace LiT.Cli.Tests;

/// <summary>lit data as a user has it, with kills.</summary>
public sealed class DataCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lit-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Look_clean_reshape_and_find_duplicates()
    {
        Draw("pairs", 120);
        Draw("test", 20);
        var stats = Run("data", "stats", "--data", "pairs.tar", "--report", "stats.html", "--json").Expect(0).Json;
        Assert.Equal(120, stats.GetProperty("used").GetInt32());
        Assert.Contains("<svg", File.ReadAllText(Path.Combine(folder, "stats.html")), StringComparison.Ordinal);

        var clean = Run(
                "data",
                "filter",
                "--data",
                "pairs.tar",
                "--out",
                "clean",
                "--min-side",
                "0",
                "--min-words",
                "2",
                "--json"
            )
            .Expect(0)
            .Json;
        Assert.Equal(120, clean.GetProperty("written").GetInt32() + clean.GetProperty("rejected").GetInt32());
        Assert.Equal(
            clean.GetProperty("rejected").GetInt32(),
            File.ReadLines(Path.Combine(folder, "clean", "rejected.jsonl")).Count()
        );

        Assert.Equal(
            120,
            Run("data", "convert", "--data", "pairs.tar", "--out", "table", "--to", "parquet", "--json")
                .Expect(0)
                .Json.GetProperty("written")
                .GetInt32()
        );
        Assert.Equal(
            120,
            Run("data", "stats", "--data", "table", "--json").Expect(0).Json.GetProperty("used").GetInt32()
        );

        var dedup = Run(
                "data",
                "dedup",
                "--data",
                "pairs.tar",
                "--against",
                "test.tar",
                "--out",
                "dedup",
                "--write",
                "webdataset",
                "--json"
            )
            .Expect(0)
            .Json;
        Assert.Equal(
            dedup.GetProperty("kept").GetInt32(),
            Run("data", "stats", "--data", "dedup/data", "--json").Expect(0).Json.GetProperty("used").GetInt32()
        );
        Assert.True(File.Exists(Path.Combine(folder, "dedup", "report.html")));

        // By parts: one that has nothing to look at, one that has it all and is the last.
        string[] parts = ["data", "dedup", "--data", "pairs.tar", "--against", "test.tar", "--out", "parts"];
        Assert.Contains("2 files of marks are still missing", Run([.. parts, "--part", "2/2"]).Expect(0).Talk);
        Assert.Equal(
            dedup.GetProperty("kept").GetInt32(),
            Run([.. parts, "--part", "1/2", "--json"]).Expect(0).Json.GetProperty("kept").GetInt32()
        );
    }

    [Fact]
    public void A_store_is_cleaned_of_scenes_that_a_test_store_holds()
    {
        Draw("pairs", 60);
        Draw("test", 30);
        foreach (var split in new[] { "pairs", "test" })
            Run(
                    "embed",
                    "--image-tower",
                    "cifar-resnet:8",
                    "--data",
                    $"{split}.tar",
                    "--out",
                    $"{split}-store",
                    "--threads",
                    "1"
                )
                .Expect(0);
        var result = Run(
                "data",
                "dedup",
                "--data",
                "pairs-store",
                "--against",
                "test-store",
                "--cosine",
                "0.99999",
                "--out",
                "dedup",
                "--write",
                "store",
                "--json"
            )
            .Expect(0)
            .Json;
        Assert.Equal(
            result.GetProperty("kept").GetInt32(),
            Run("data", "stats", "--data", "dedup/data", "--json").Expect(0).Json.GetProperty("used").GetInt32()
        );
        Assert.Equal("scene", result.GetProperty("levels")[1].GetString());
    }

    [Fact]
    public void Bad_input_is_one_line()
    {
        Draw("test", 3);
        Refused(1, "nowhere: there is no such file", "data", "stats", "--data", "nowhere");
        Refused(1, "nowhere.tsv: there is no such file", "data", "download", "nowhere.tsv", "--out", "x");
        Refused(2, "a cosine of 1.5", "data", "dedup", "--data", "test.tar", "--out", "x", "--cosine", "1.5");
        Refused(2, "--min-words -1", "data", "filter", "--data", "test.tar", "--out", "x", "--min-words", "-1");
        Refused(1, "none of its 3 samples is left", "data", "filter", "--data", "test.tar", "--out", "y");
    }

    [Fact]
    public void Dedup_killed_at_any_moment_ends_with_the_same_bytes()
    {
        Draw("pairs", 400);
        string[] Dedup(string output) => ["data", "dedup", "--data", "pairs.tar", "--out", output, "--write", "folder"];
        Run(Dedup("whole")).Expect(0);
        Killed(5, Dedup, TimeSpan.FromSeconds(1.2));
    }

    [Fact]
    public void Download_killed_at_any_moment_ends_with_the_same_bytes()
    {
        Draw("test", 1);
        using var server = new PictureServer();
        File.WriteAllText(
            Path.Combine(folder, "list.tsv"),
            string.Concat(Enumerable.Range(0, 300).Select(i => $"{server.Address}/{i}\tcaption {i}\n"))
        );
        string[] Download(string output) =>
            [
                "data",
                "download",
                "list.tsv",
                "--out",
                output,
                "--rows-per-shard",
                "40",
                "--host-delay",
                "1",
                "--per-host",
                "8",
                "--retries",
                "1",
            ];
        Run(Download("whole")).Expect(0);
        Killed(5, Download, TimeSpan.FromSeconds(1.2));
    }

    [Theory]
    [InlineData("convert", "--to", "parquet")]
    [InlineData("filter", "--min-token-count", "2")] // counts words in a first reading
    public void Convert_and_filter_killed_at_any_moment_end_with_the_same_bytes(
        string verb,
        string option,
        string value
    )
    {
        Draw("pairs", 600);
        string[] more = verb == "filter" ? ["--min-side", "0", "--min-words", "2"] : [];
        string[] Rewrite(string output) =>
            ["data", verb, "--data", "pairs.tar", "--out", output, "--samples-per-shard", "40", option, value, .. more];
        Run(Rewrite("whole")).Expect(0);
        Killed(4, Rewrite, TimeSpan.FromSeconds(0.5));
    }

    /// <summary>Kills a command at moments spread over its run, again and again, until it ends by itself.</summary>
    private void Killed(int times, Func<string, string[]> command, TimeSpan longest)
    {
        var random = new Random(1);
        for (var time = 0; time < times; time++)
        {
            using (var process = Lit.Start(folder, command($"killed{time}")))
            {
                _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
                Thread.Sleep(TimeSpan.FromSeconds(0.05 + random.NextDouble() * longest.TotalSeconds));
                process.Kill(); // SIGKILL
                process.WaitForExit();
            }
            Run(command($"killed{time}")).Expect(0);
            Assert.Equal(
                Hashes("whole"),
                Hashes($"killed{time}").Select(line => line.Replace($"killed{time}", "whole", StringComparison.Ordinal))
            );
        }
    }

    private void Refused(int code, string what, params string[] command)
    {
        var refused = Run(command).Expect(code);
        Assert.Empty(refused.Output);
        Assert.Contains(
            what,
            refused.Talk.Split('\n').First(line => line.StartsWith("lit: ", StringComparison.Ordinal)),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("   at ", refused.Talk, StringComparison.Ordinal);
    }

    private void Draw(string split, int count) =>
        Run("data", "draw", "--split", split, "--count", $"{count}", "--out", ".").Expect(0);

    private Lit.Outcome Run(params string[] command) => Lit.RunIn(folder, command);

    private IEnumerable<string> Hashes(string name) =>
        Directory
            .EnumerateFiles(
                Path.Combine(folder, name),
                "*",
                new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }
            )
            .Select(path =>
                $"{Path.GetRelativePath(Path.Combine(folder, name), path)} "
                + $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))}"
            )
            .Order(StringComparer.Ordinal);
}
