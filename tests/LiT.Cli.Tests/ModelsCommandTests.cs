namespace LiT.Cli.Tests;

/// <summary>lit models from listing to a bundle, with a cache and a mirror of the test's own.</summary>
public sealed class ModelsCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lit-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Names_are_listed_explained_and_refused_with_the_command_that_downloads_them()
    {
        var list = Lit.RunIn(folder, "models", "list", "lit-", "--json").Expect(0).Json;
        Assert.Equal(
            ["LiT-B16B", "LiT-B16B_2", "LiT-L16L", "LiT-L16S", "LiT-L16Ti"],
            list.EnumerateArray().Select(model => model.GetProperty("name").GetString())
        );
        Assert.Contains("dino-vitb16", Lit.RunIn(folder, "models", "list", "dino").Expect(0).Output);
        Assert.Equal(
            638_443_521,
            Lit.RunIn(folder, "models", "show", "LiT-L16L", "--json")
                .Expect(0)
                .Json.GetProperty("parameterCount")
                .GetInt64()
        );
        var missing = Run("classify", "x.png", "--model", "LiT-B16B", "--labels", "a,b").Expect(1);
        Assert.Contains("Run 'lit models pull LiT-B16B'", missing.Talk);
        Assert.Contains("There is LiT-B16B", Run("models", "pull", "LiT-B17B").Expect(2).Talk);
    }

    [Fact]
    public void A_pulled_tower_is_known_by_its_name()
    {
        // Not the published weights: a small ViT under their name, from a server on this machine.
        Lit.RunIn(folder, "models", "convert", "vit:mu/32", "--out", "tower.safetensors").Expect(0);
        using BytesServer server = new(File.ReadAllBytes(Path.Combine(folder, "tower.safetensors")));
        var pulled = Run("models", "pull", "vit-ti16-augreg-in21k", "--mirror", server.Address, "--json")
            .Expect(0)
            .Json;
        Assert.StartsWith(
            Path.Combine(folder, "cache"),
            pulled.GetProperty("path").GetString(),
            StringComparison.Ordinal
        );
        Assert.True(
            Run("models", "show", "vit-ti16-augreg-in21k", "--json")
                .Expect(0)
                .Json.TryGetProperty("downloadedTo", out _)
        );
        Lit.RunIn(folder, "data", "draw", "--split", "pairs", "--count", "8", "--out", ".").Expect(0);
        Assert.Equal(
            8,
            Run("embed", "--image-tower", "vit-ti16-augreg-in21k", "--data", "pairs.tar", "--out", "store", "--json")
                .Expect(0)
                .Json.GetProperty("embedded")
                .GetInt32()
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
                "5",
                "--batch",
                "8",
                "--bundle-tower",
                "never"
            )
            .Expect(0);
        Assert.Equal(
            2,
            Run("verify", "run", "--store", "store", "--json")
                .Expect(0)
                .Json.GetProperty("golden")
                .GetProperty("pictures")
                .GetInt32()
        );
        Run("models", "convert", "run/model", "--out", "whole").Expect(0);
        File.Copy(Path.Combine(folder, "whole", "text.safetensors"), Path.Combine(folder, "text"));
        var bytes = File.ReadAllBytes(Path.Combine(folder, "text"));
        bytes[^5] ^= 1;
        File.WriteAllBytes(Path.Combine(folder, "whole", "text.safetensors"), bytes);
        Assert.Contains(
            "text.safetensors: was changed since the bundle was written",
            Run("verify", "whole").Expect(1).Talk
        );
    }

    private Lit.Outcome Run(params string[] command) =>
        Lit.RunIn(folder, new Dictionary<string, string> { ["LIT_CACHE"] = Path.Combine(folder, "cache") }, command);
}
