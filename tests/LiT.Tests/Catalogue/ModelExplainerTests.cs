using System.Text.Json;
using LiT.Catalogue;
using LiT.Checkpoints;
using LiT.Tests.Parity;
using static TorchSharp.torch;

namespace LiT.Tests.Catalogue;

/// <summary>Every checkpoint of the reference fixtures is explained without being told what it is, as its meta.json says it.</summary>
public sealed class ModelExplainerTests : IDisposable
{
    private static readonly string[] Endings = [".npz", ".safetensors", ".pth", ".th"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static IEnumerable<TheoryDataRow<string, string>> Checkpoints() =>
        Reference
            .Folders()
            .Where(fixture => KindOf(fixture.Name) is not null)
            .SelectMany(
                fixture => fixture.AllFiles.Where(file => Endings.Contains(Path.GetExtension(file))),
                (fixture, file) => new TheoryDataRow<string, string>(fixture.Name, file)
            );

    // Fixture, what it is, its family, where its width stands in meta.json.
    private static readonly Dictionary<string, (string What, string Family)> Expected = new()
    {
        ["vit_augreg_npz"] = ("image tower", "ViT (vit_jax, big_vision)"),
        ["vit_bigvision_npz"] = ("image tower", "ViT (vit_jax, big_vision)"),
        ["bit_resnetv2_npz"] = ("image tower", "ResNet-v"),
        ["mixer_npz"] = ("image tower", "MLP-Mixer"),
        ["dino_vit"] = ("image tower", "ViT (DINO"),
        ["hf_vit"] = ("image tower", "ViT (Hugging Face)"),
        ["torchvision_resnet"] = ("image tower", "ResNet (torchvision)"),
        ["bert_flaxformer_npz"] = ("text tower", "BERT (flaxformer, LiT)"),
        ["bert_hf"] = ("text tower", "BERT (Hugging Face)"),
        ["text_transformer_npz"] = ("text tower", "text transformer (vit_jax, big_vision)"),
        ["t5_encoder"] = ("text tower", "T5 (Hugging Face)"),
        ["mt5_encoder"] = ("text tower", "mT5 or T5 1.1 (Hugging Face)"),
        ["lit_two_towers_npz"] = ("two towers", ""),
    };

    // A second fixture of a kind is called after it, as in "dino_vit_2".
    private static string? KindOf(string name) =>
        Expected
            .Keys.Where(kind => name == kind || name.StartsWith(kind + "_", StringComparison.Ordinal))
            .MaxBy(kind => kind.Length);

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void A_fixture_is_explained_as_its_meta_json_says(string name, string file)
    {
        var fixture = Reference.Open(name);
        var said = fixture.Meta.GetProperty("architecture");
        ModelExplanation found;
        try
        {
            found = ModelExplainer.Explain(fixture.PathOf(file));
        }
        catch (LitException refused) when (refused.Message.Contains("no square grid", StringComparison.Ordinal))
        {
            Assert.Contains(":size=", refused.Message); // the one thing that has to be told
            return;
        }
        name = KindOf(name)!;
        if (file.Contains("_head.", StringComparison.Ordinal))
        {
            Assert.Equal("linear layer", found.What);
            Assert.StartsWith(
                $"linear layer, {said.GetProperty("hidden_size").GetInt32()} numbers in",
                found.Architecture,
                StringComparison.Ordinal
            );
            return;
        }
        Assert.Equal(Expected[name].What, found.What);
        Assert.Contains(Expected[name].Family, found.Family, StringComparison.Ordinal);
        if (name == "lit_two_towers_npz")
            Two(said.GetProperty(Path.GetFileNameWithoutExtension(file)), found);
        else
            One(name, said, found);
        using var checkpoint = Checkpoint.Open(fixture.PathOf(file));
        Assert.InRange(found.ParameterCount!.Value, 1, checkpoint.Tensors.Values.Sum(tensor => tensor.Count));
        Assert.NotEmpty((found.Names ?? found.Image!.Names!).Names);
        Assert.All(found.Lines, Assert.NotEmpty);
    }

    private static void One(string name, JsonElement said, ModelExplanation found)
    {
        foreach (var key in new[] { "width", "hidden_size", "d_model" })
            if (
                said.TryGetProperty(key, out var width)
                && name != "bit_resnetv2_npz"
                && !found.Architecture.Contains("pre-logits", StringComparison.Ordinal)
            )
                Assert.Equal(width.GetInt32(), found.Width);
        foreach (var key in new[] { "vocab", "vocab_size" })
            if (said.TryGetProperty(key, out var vocabulary))
                Assert.Equal(vocabulary.GetInt32(), found.VocabularySize);
        foreach (var key in new[] { "mlp", "intermediate_size", "d_ff" })
            if (
                said.TryGetProperty(key, out var mlp)
                && !found.Architecture.Contains("SwiGLU", StringComparison.Ordinal)
            )
                Assert.Contains($"MLP {mlp.GetInt32()}", found.Architecture);
        if (name is "dino_vit" or "bert_flaxformer_npz")
        {
            if (found.Width % 64 == 0)
                return; // taken for width / 64, as public files have it
            Assert.Contains("heads not said by the file", found.Architecture);
            Assert.Contains("':heads=N'", Assert.Single(found.Notes));
            Assert.Null(found.Fingerprint);
        }
        else
            foreach (var key in new[] { "heads", "num_attention_heads", "num_heads" })
                if (said.TryGetProperty(key, out var heads))
                    Assert.Contains($"{heads.GetInt32()} heads", found.Architecture);
    }

    private static void Two(JsonElement said, ModelExplanation found)
    {
        Assert.Equal(said.GetProperty("exp_t").GetDouble(), found.Temperature!.Value, 5);
        Assert.Equal(said.GetProperty("out_dim")[1].GetInt32(), found.Width);
        Assert.Equal(said.GetProperty("b").ValueKind == JsonValueKind.Null, found.Bias is null);
        Assert.Equal("image tower", found.Image!.What);
        Assert.Equal("text tower", found.Text!.What);
        Assert.True(found.ParameterCount > found.Image.ParameterCount + found.Text.ParameterCount);
        Assert.Contains(
            said.GetProperty("out_dim")[0].ValueKind == JsonValueKind.Null ? "has no head" : "has a head of",
            found.Notes[0]
        );
    }

    [Fact]
    public void Every_file_of_the_fixtures_is_explained_or_refused_in_one_line()
    {
        string[] known = ["image tower", "text tower", "two towers", "linear layer", "tensors", "array", "tokenizer"];
        string[] readable = [.. Endings, ".npy", ".model", ".txt", ".json", ".png", ".jpg"];
        var seen = 0;
        foreach (var fixture in Reference.Folders())
        foreach (
            var file in fixture.AllFiles.Where(file =>
                readable.Contains(Path.GetExtension(file)) && !file.EndsWith(".cases.json", StringComparison.Ordinal)
            )
        )
        {
            seen++;
            try
            {
                Assert.Contains(ModelExplainer.Explain(fixture.PathOf(file)).What, known);
            }
            catch (LitException refused)
            {
                Assert.StartsWith(fixture.PathOf(file), refused.Message, StringComparison.Ordinal);
            }
        }
        Assert.True(seen > 100, $"{seen} files");
    }

    [Fact]
    public void Vocabularies_are_explained_with_an_example()
    {
        var found = ModelExplainer.Explain(Reference.OpenCopied("tokenizer_wordpiece").PathOf("vocab.txt"));
        Assert.Equal(("tokenizer", "WordPiece"), (found.What, found.Architecture));
        var fixture = Reference.OpenCopied("tokenizer_sentencepiece");
        foreach (var model in fixture.AllFiles.Where(file => file.EndsWith(".model", StringComparison.Ordinal)))
            Assert.Equal("SentencePiece", ModelExplainer.Explain(fixture.PathOf(model)).Architecture);
    }

    [Fact]
    public void Tensors_that_are_no_tower_are_listed()
    {
        Safetensors.Write(folder["x.safetensors"], [("a", ones(2, 3)), ("b", ones(4))]);
        var found = ModelExplainer.Explain(folder["x.safetensors"]);
        Assert.Equal("tensors", found.What);
        Assert.Equal(10, found.ParameterCount);
        Assert.Equal(["a", "b"], found.Tensors!.Select(tensor => tensor.Name));
    }

    [Theory]
    [InlineData(
        "vit_augreg_npz",
        "checkpoint.npz",
        "embedding/kernel",
        "It looks like ViT (vit_jax, big_vision)",
        "but it lacks embedding/kernel"
    )]
    [InlineData("dino_vit", "v1.safetensors", "cls_token", "It looks like ViT (DINO)", "but it lacks cls_token")]
    [InlineData(
        "bert_hf",
        "bert_plain.safetensors",
        "embeddings.word_embeddings.weight",
        "It looks like BERT (Hugging Face)",
        "but it lacks embeddings.word_embeddings.weight"
    )]
    public void A_file_without_what_all_of_its_family_have_says_which_family_it_looks_like(
        string name,
        string file,
        string without,
        string like,
        string lacks
    )
    {
        var path = Changed(name, file, tensors => tensors.Remove(without));
        var found = ModelExplainer.Explain(path);
        Assert.Equal("tensors", found.What);
        Assert.Contains(like, found.Notes[^1]);
        Assert.Contains(lacks, found.Notes[^1]);
    }

    [Fact]
    public void A_missing_an_unknown_and_a_misshapen_tensor_are_one_message_with_both_sides()
    {
        var path = Changed("hf_vit", "model_f16.safetensors", tensors =>
        {
            var name = tensors.Keys.First(key => key.EndsWith("layernorm_before.bias", StringComparison.Ordinal));
            var other = tensors.Keys.First(key => key.EndsWith("layernorm_after.bias", StringComparison.Ordinal));
            tensors["something.else"] = tensors[name];
            tensors.Remove(name);
            tensors[other] = ones(3);
        });
        File.Copy(Reference.OpenCopied("hf_vit").PathOf("config.json"), folder["config.json"]);
        var refused = Assert.Throws<LitException>(() => ModelExplainer.Explain(path)).Message;
        Assert.Contains("looks like ViT (Hugging Face), but does not fit", refused);
        Assert.Matches(@"1 missing \(\S*layernorm_before\.bias", refused);
        Assert.Contains("1 left over (something.else", refused);
        Assert.Matches(@"1 of another shape \(\S*layernorm_after\.bias \[3\] for ", refused);
    }

    private string Changed(string name, string file, Action<Dictionary<string, Tensor>> change)
    {
        using var checkpoint = Checkpoint.Open(Reference.OpenCopied(name).PathOf(file));
        var tensors = checkpoint.Tensors.Keys.ToDictionary(key => key, checkpoint.Read);
        change(tensors);
        Safetensors.Write(folder["changed.safetensors"], tensors.Select(entry => (entry.Key, entry.Value)));
        return folder["changed.safetensors"];
    }
}
