namespace LiT.Cli.Tests;

/// <summary>
/// A network in ONNX does a tower's whole job: embedding, tuning, proof of the lock, classification, search.
/// </summary>
public sealed class OnnxTowerTests : IDisposable
{
    private const string Tower = "tower.onnx:output=features,mean=0.5,std=0.25";

    private readonly string folder = Directory.CreateTempSubdirectory("lit-test-").FullName;

    public OnnxTowerTests() =>
        File.Copy(
            Path.Combine(AppContext.BaseDirectory, "Fixtures", "convolutional.onnx"),
            Path.Combine(folder, "tower.onnx")
        );

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void From_an_exported_network_to_a_search_and_a_proof_of_the_lock()
    {
        Run("data", "draw", "--split", "pairs", "--count", "60", "--out", ".").Expect(0);
        Run("data", "draw", "--split", "test", "--count", "20", "--out", ".").Expect(0);
        var embedded = Run("embed", "--image-tower", Tower, "--data", "pairs.tar", "--out", "store", "--json")
            .Expect(0);
        Assert.Equal(8, embedded.Json.GetProperty("embeddingSize").GetInt32());
        Assert.Contains("output features of [8] a picture, as it is; any number of pictures at once", embedded.Talk);
        Assert.Contains(
            embedded.Json.GetProperty("fingerprint").GetString()!,
            Run("models", "show", Tower).Expect(0).Output
        );
        Run("verify", "store", "--data", "pairs.tar").Expect(0);
        string[] tuning =
        [
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
            "16",
        ];
        Run(tuning).Expect(0);

        // The bundle holds the network with all that belongs to it: the exported file is not needed any more.
        File.Delete(Path.Combine(folder, "tower.onnx"));
        Assert.True(Run("verify", "run", "--store", "store", "--json").Expect(0).Json.GetProperty("ok").GetBoolean());
        Run("eval", "classification", "--model", "run", "--data", "test.tar", "--json").Expect(0);
        var found = Run("search", "a cat", "--model", "run", "--data", "store", "--top", "3", "--json").Expect(0).Json;
        Assert.Equal(3, found.GetProperty("results").GetArrayLength());

        var image = Path.Combine(folder, "run", "model", "image.onnx");
        var bytes = File.ReadAllBytes(image);
        bytes[bytes.AsSpan().IndexOf("kernel"u8) + 40] ^= 1; // a weight
        File.WriteAllBytes(image, bytes);
        Assert.Contains("image.onnx: was changed", Run("verify", "run").Expect(1).Talk);
    }

    [Fact]
    public void What_cannot_be_done_with_it_is_one_line()
    {
        Run("data", "draw", "--split", "pairs", "--count", "20", "--out", ".").Expect(0);
        Refused(
            "is a constant and cannot be trained. Lock it (--lock Lu)",
            "tune",
            "--data",
            "pairs.tar",
            "--image-tower",
            Tower,
            "--lock",
            "Uu",
            "--out",
            "x",
            "--steps",
            "1"
        );
        Refused(
            "Leave --dtype at float32",
            "embed",
            "--image-tower",
            Tower,
            "--dtype",
            "bfloat16",
            "--data",
            "pairs.tar",
            "--out",
            "x"
        );
        Refused("there is no limit to measure against", "bench", "--image-tower", Tower);
    }

    private void Refused(string what, params string[] command)
    {
        var refused = Run(command);
        Assert.InRange(refused.ExitCode, 1, 2);
        Assert.Contains(what, refused.Talk);
        Assert.DoesNotContain("   at ", refused.Talk);
    }

    private Lit.Outcome Run(params string[] command) => Lit.RunIn(folder, command);
}
