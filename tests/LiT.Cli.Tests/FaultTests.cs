namespace LiT.Cli.Tests;

/// <summary>The whole program under blows: killed at random points, in parts, over data that change.</summary>
public sealed class FaultTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lit-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Killed_at_eight_points_that_a_seed_decides_the_store_is_the_same_to_the_byte()
    {
        Draw(240);
        Run([.. Embed("whole")]).Expect(0);
        Random random = new(20211107);
        var killed = 0;
        for (var blow = 0; blow < 8; blow++)
        {
            using var process = Lit.Start(folder, Embed("killed"));
            _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            // the first two at any moment of the start
            var shards = blow < 2 ? -1 : Shards("killed") + random.Next(1, 4);
            if (shards < 0)
                Thread.Sleep(random.Next(50, 700));
            else
            {
                while (!process.HasExited && Shards("killed") < shards)
                    Thread.Sleep(1);
                Thread.Sleep(random.Next(0, 30));
            }
            if (!process.HasExited)
                killed++;
            process.Kill();
            process.WaitForExit();
            if (
                File.Exists(Path.Combine(folder, "killed", "store.json"))
                && File.ReadAllText(Path.Combine(folder, "killed", "store.json"))
                    .Contains("\"complete\": true", StringComparison.Ordinal)
            )
                break;
        }
        Run(Embed("killed")).Expect(0);

        Assert.InRange(killed, 3, 8);
        Assert.Equal(Hashes("whole"), Hashes("killed"));
    }

    [Fact]
    public async Task Parts_in_several_processes_one_of_them_killed_make_the_store_of_one_process()
    {
        Draw(240);
        Run(Embed("whole")).Expect(0);
        using (var first = Lit.Start(folder, [.. Embed("parts"), "--part", "1/3"]))
        {
            _ = first.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (!first.HasExited && Shards("parts") < 1)
                Thread.Sleep(1);
            first.Kill();
            await first.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        await Task.WhenAll(
            new[] { "3/3", "2/3" }.Select(part => Task.Run(() => Run([.. Embed("parts"), "--part", part]).Expect(0)))
        );
        Assert.Contains("is not finished", Run("tune", "--data", "parts", "--out", "run").Expect(1).Talk);

        Assert.True(
            Run([.. Embed("parts"), "--part", "1/3", "--json"]).Expect(0).Json.GetProperty("complete").GetBoolean()
        );

        Assert.Equal(Hashes("whole"), Hashes("parts"));
        Assert.Contains("from 1/n to n/n", Run([.. Embed("parts"), "--part", "0/3"]).Expect(2).Talk);
    }

    [Fact]
    public void An_update_of_a_folder_embeds_the_new_pictures_only_and_verify_proves_the_store()
    {
        Draw(30);
        Directory.CreateDirectory(Path.Combine(folder, "photos"));
        System.Formats.Tar.TarFile.ExtractToDirectory(
            Path.Combine(folder, "pairs.tar"),
            Path.Combine(folder, "photos"),
            overwriteFiles: true
        );
        var pictures = Directory
            .GetFiles(Path.Combine(folder, "photos"), "*.png")
            .Order(StringComparer.Ordinal)
            .ToArray();
        File.Move(pictures[3], Path.Combine(folder, "later.png"));
        string[] embed =
        [
            "embed",
            "--image-tower",
            "cifar-resnet:8",
            "--data",
            "photos",
            "--out",
            "store",
            "--views",
            "3",
            "--json",
        ];
        Assert.Equal(29, Run(embed).Expect(0).Json.GetProperty("embeddedNow").GetInt32());
        File.Move(Path.Combine(folder, "later.png"), pictures[3]);
        File.Move(pictures[5], pictures[5].Replace(".png", "-moved.png", StringComparison.Ordinal));

        Assert.Contains("--update takes that in", Run(embed).Expect(0).Talk);
        var updated = Run([.. embed, "--update"]).Expect(0).Json;
        Assert.Equal(
            (1, 29),
            (updated.GetProperty("embeddedNow").GetInt32(), updated.GetProperty("reused").GetInt32())
        );
        var proof = Run("verify", "store", "--json").Expect(0).Json;
        Assert.Equal(
            (90, 16, true),
            (
                proof.GetProperty("rows").GetInt32(),
                proof.GetProperty("compared").GetInt32(),
                proof.GetProperty("probes").GetBoolean()
            )
        );
        Assert.InRange(proof.GetProperty("lowestCosine").GetDouble(), 0.9999, 1.0001);
        Assert.Contains(
            "made by the tower cifar-resnet:8",
            Run("verify", "store", "--image-tower", "cifar-resnet:14").Expect(1).Talk
        );
        Run(
                "tune",
                "--data",
                "store",
                "--out",
                "run",
                "--text-tower",
                "text:width=32,depth=1,heads=2",
                "--steps",
                "4",
                "--batch",
                "8"
            )
            .Expect(0);

        var rows = Directory.GetFiles(Path.Combine(folder, "store", "img_emb")).Order(StringComparer.Ordinal).First();
        var bytes = File.ReadAllBytes(rows);
        Array.Fill(bytes, (byte)0x11, 128 + 64 * 2 * 7, 64);
        File.WriteAllBytes(rows, bytes);
        Assert.Contains("row 7", Run("verify", "store").Expect(1).Talk);
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
            "16",
            "--batch",
            "4",
            "--threads",
            "1",
        ];

    private void Draw(int count) =>
        Run("data", "draw", "--split", "pairs", "--count", $"{count}", "--out", ".").Expect(0);

    private Lit.Outcome Run(params string[] command) => Lit.RunIn(folder, command);

    private int Shards(string store) =>
        Path.Combine(folder, store, ".progress") is var place && Directory.Exists(place)
            ? Directory.GetFiles(place, "shard-*").Length
            : 0;

    private IEnumerable<string> Hashes(string store) =>
        Directory
            .EnumerateFiles(
                Path.Combine(folder, store),
                "*",
                new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }
            )
            .Select(path =>
                $"{Path.GetRelativePath(Path.Combine(folder, store), path)} "
                + $"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))}"
            )
            .Order(StringComparer.Ordinal);
}
