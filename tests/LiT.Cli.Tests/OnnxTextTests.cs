namespace LiT.Cli.Tests;

/// <summary>
/// A text network in ONNX, and a folder of sentence-transformers, do a text tower's whole job: stored rows, tuning,
/// proof of the lock, search.
/// </summary>
public sealed class OnnxTextTests : IDisposable
{
    private const string Tower = "texts.onnx:pool=mean";

    private static readonly string[] Heads = ["--image-head", "16", "--text-head", "16"];
    private static readonly string[] Short = ["--steps", "10", "--batch", "16"];

    private readonly string folder = Directory.CreateTempSubdirectory("lit-test-").FullName;

    public OnnxTextTests()
    {
        foreach (var name in new[] { "texts.onnx", "texts.tokenizer.json" })
            File.Copy(Fixture(name), Path.Combine(folder, name));
        File.Copy(Fixture("convolutional.onnx"), Path.Combine(folder, "tower.onnx"));
        Run("data", "draw", "--split", "pairs", "--count", "60", "--out", ".").Expect(0);
        Run(
                "embed",
                "--image-tower",
                "tower.onnx:output=features,preprocess=unit",
                "--data",
                "pairs.tar",
                "--out",
                "store"
            )
            .Expect(0);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void From_an_exported_text_network_to_a_search_and_a_proof_of_the_lock()
    {
        var shown = Run("models", "show", Tower).Expect(0).Output;
        Assert.Contains("text tower", shown);
        Assert.Contains("mean over tokens", shown);
        Run(["tune", "--data", "store", "--out", "direct", .. Locked(Tower), .. Heads, .. Short]).Expect(0);
        Assert.Equal("LL", LockOf("direct"));
        Run(["embed", "--texts", .. Locked(Tower), "--data", "pairs.tar", "--out", "texts"]).Expect(0);
        Run(["tune", "--data", "store", "--texts", "texts", "--out", "run", .. Heads, .. Short]).Expect(0);

        // The bundle holds the network: the exported file is not needed any more.
        File.Delete(Path.Combine(folder, "texts.onnx"));
        foreach (var run in new[] { "direct", "run" })
        {
            Assert.True(Run("verify", run, "--store", "store", "--json").Expect(0).Json.GetProperty("ok").GetBoolean());
            var found = Run("search", "a cat", "--model", run, "--data", "store", "--top", "3", "--json").Expect(0);
            Assert.Equal(3, found.Json.GetProperty("results").GetArrayLength());
        }
        Run("eval", "retrieval", "--model", "run", "--data", "store", "--json").Expect(0);
        Run(["tune", "--data", "store", "--out", "further", "--text-tower", "run", .. Heads, .. Short, "--lock", "LL"])
            .Expect(0);

        var network = Path.Combine(folder, "run", "model", "text.onnx");
        var bytes = File.ReadAllBytes(network);
        bytes[bytes.AsSpan().IndexOf("embeddings.word_embeddings.weight"u8) + 60] ^= 1; // a weight
        File.WriteAllBytes(network, bytes);
        Assert.Contains("text.onnx", Run("verify", "run").Expect(1).Talk);
        Assert.Contains(
            "is not the text tower that the model was tuned with",
            Run("search", "a cat", "--model", "run", "--data", "store").Expect(1).Talk
        );
    }

    [Fact]
    public void What_cannot_be_done_with_it_is_one_line()
    {
        Refused(
            "is a constant that cannot be trained. Give --lock LL",
            ["tune", "--data", "store", "--out", "x", .. Locked(Tower), "--lock", "LU", .. Short]
        );
        Refused(
            "is a text model: it takes input_ids",
            ["embed", "--image-tower", "texts.onnx", "--data", "pairs.tar", "--out", "x"]
        );
        Refused(
            "is an image model: it takes pixels",
            ["tune", "--data", "store", "--out", "x", .. Locked("tower.onnx"), .. Short]
        );
        Refused(
            "none stands beside it. Name its files with --tokenizer",
            ["tune", "--data", "store", "--out", "x", "--text-tower", "texts.onnx", .. Short]
        );
        Refused(
            "is a network in ONNX, whose weights are in no form of here",
            ["models", "convert", Tower, "--out", "x.safetensors"]
        );
    }

    [Fact]
    public void A_folder_of_sentence_transformers_is_locked_or_tuned_from()
    {
        var model = Path.Combine(folder, "sentences");
        Copy(Fixture("sentence_bert"), model);
        File.Copy(Fixture("texts.tokenizer.json"), Path.Combine(model, "tokenizer.json"));
        Assert.Contains("dense", Run("models", "show", "sentences").Expect(0).Output);
        Run([
                "tune",
                "--data",
                "store",
                "--out",
                "locked",
                "--text-tower",
                "sentences:prompt=query",
                "--lock",
                "LL",
                .. Heads,
                .. Short,
            ])
            .Expect(0);
        Run(["tune", "--data", "store", "--out", "tuned", "--text-tower", "sentences", .. Short]).Expect(0);
        Assert.Equal("LU", LockOf("tuned"));
        Directory.Delete(model, recursive: true);
        foreach (var run in new[] { "locked", "tuned" })
        {
            Run("verify", run, "--store", "store").Expect(0);
            Run("search", "a cat", "--model", run, "--data", "store", "--top", "3").Expect(0);
        }
        Assert.Contains(
            "\"prefix\": \"query: \"",
            File.ReadAllText(Path.Combine(folder, "locked", "model", "model.json"))
        );
    }

    [Fact]
    public void A_folder_of_Hugging_Faces_CLIP_is_shown_as_two_towers()
    {
        var shown = Run("models", "show", Fixture("clip_hf")).Expect(0).Output;
        Assert.Contains("two towers", shown);
    }

    private static string[] Locked(string tower) => ["--text-tower", tower, "--tokenizer", "texts.tokenizer.json"];

    private string LockOf(string run)
    {
        var json = File.ReadAllText(Path.Combine(folder, run, "model", "model.json"));
        return System.Text.Json.JsonDocument.Parse(json).RootElement.GetProperty("lock").GetString()!;
    }

    private static string Fixture(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", name);

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var place = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Copy(file, place);
        }
    }

    private void Refused(string what, string[] command)
    {
        var refused = Run(command);
        Assert.InRange(refused.ExitCode, 1, 2);
        Assert.Contains(what, refused.Talk);
        Assert.DoesNotContain("   at ", refused.Talk);
    }

    private Lit.Outcome Run(params string[] command) => Lit.RunIn(folder, command);
}
