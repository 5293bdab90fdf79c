using CsCheck;
using LiT.Checkpoints;
using LiT.Tests.Parity;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

public class TextTowerFileTests
{
    private static readonly Gen<TextTowerConfig> Configs = Gen.OneOf(
        Gen.Select(
                Gen.Int[1, 4],
                Gen.Int[0, 2],
                Gen.Int[1, 20],
                Gen.Enum<TextPooling>(),
                Gen.Enum<Activation>(),
                Gen.Int[0, 2].Nullable()
            )
            .Select(
                (heads, depth, length, pooling, activation, padding) =>
                    (TextTowerConfig)
                        new TextTransformerConfig(8 * heads, depth + 1, heads, 12, 9, length)
                        {
                            Pooling = pooling,
                            Activation = activation,
                            MaskPadding = padding,
                            Eps = 1e-5,
                            Dropout = 0.25,
                        }
            ),
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 2], Gen.Bool, Gen.Bool)
            .Select(
                (heads, depth, pooler, erf) =>
                    (TextTowerConfig)
                        new BertConfig(4 * heads, depth, heads, 12, 9)
                        {
                            MaxLength = 21,
                            Segments = 3,
                            Pooler = pooler,
                            Padding = 1,
                            Activation = erf ? Activation.Gelu : Activation.GeluTanh,
                        }
            ),
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 6], Gen.Bool)
            .Select(
                (heads, size, gated) =>
                    (TextTowerConfig)
                        new T5Config(10, 2, heads, size, 12, 9)
                        {
                            Gated = gated,
                            Activation = gated ? Activation.GeluTanh : Activation.Relu,
                            Buckets = 8,
                            MaxDistance = 20,
                            Pooling = TextPooling.Last,
                        }
            )
    );

    [Fact]
    public void What_is_saved_and_loaded_gives_the_same_numbers_bit_for_bit() =>
        Configs.Sample(
            config =>
            {
                using var folder = new TemporaryFolder();
                using var scope = NewDisposeScope();
                using var random = new Generator(11, CPU);
                var path = folder["text.safetensors"];
                var tower = config.Create(random);
                tower.eval();
                TextTowerFile.Save(path, tower);
                using var loaded = TextTowerLoader.Load(path);
                Assert.Equal(config, loaded.Tower.Config);
                var ids = randint(0, 9, [5, tower.MaxLength ?? 12], dtype: int64);
                Assert.True(tower.call(ids).Equals(loaded.Tower.call(ids)));
                Assert.False(loaded.Tower.training);
            },
            iter: 30,
            threads: 1
        );

    [Fact]
    public void A_file_with_heads_and_temperature_beside_the_tower_gives_the_tower()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var text = TextTowerLoader.Create("text:width=16,depth=1,heads=2", 10, 6, 3);
        var towers = new TwoTowers(null, Head.Create(8, 12, 1), text, Head.Create(16, 12, 2), Math.Log(10), bias: -1);
        Safetensors.Write(
            folder["text.safetensors"],
            towers.state_dict().Select(entry => (entry.Key, entry.Value)),
            TextTowerFile.Metadata(text)
        );
        using var loaded = TextTowerLoader.Load(folder["text.safetensors"]);
        Assert.All(text.state_dict(), entry =>
            Assert.True(entry.Value.Equals(loaded.Tower.state_dict()[entry.Key]), entry.Key)
        );
    }

    [Fact]
    public void A_file_that_says_more_weights_than_it_holds_is_refused_before_memory_is_taken()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var path = folder["text.safetensors"];
        Safetensors.Write(
            path,
            [("text.tokens.weight", zeros(4, 4))],
            new Dictionary<string, string>
            {
                ["lit.text_tower"] =
                    """{"kind":"text-transformer","width":1048576,"depth":4,"heads":1,"mlpDim":1048576,"vocabularySize":4,"maxLength":4}""",
            }
        );
        Assert.Matches(
            "says that its text tower has [0-9]+ weights, and holds 16",
            Assert.Throws<LitException>(() => TextTowerLoader.Load(path)).Message
        );
    }

    [Theory]
    [InlineData("""{"kind":"gru"}""", "cannot be read")]
    [InlineData("""{"kind":"bert","width":4}""", "cannot be read")]
    [InlineData(
        """{"kind":"bert","width":4,"depth":1,"heads":3,"mlpDim":4,"vocabularySize":4}""",
        "A width of 4 cannot be divided into 3 heads"
    )]
    [InlineData(
        """{"kind":"bert","width":-4,"depth":1,"heads":1,"mlpDim":4,"vocabularySize":4}""",
        "cannot have a size of -4"
    )]
    [InlineData("{", "cannot be read")]
    public void A_damaged_config_is_one_line(string json, string message)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var path = folder["text.safetensors"];
        Safetensors.Write(
            path,
            [("text.tokens.weight", zeros(4, 4))],
            new Dictionary<string, string> { ["lit.text_tower"] = json }
        );
        var error = Assert.Throws<LitException>(() => TextTowerLoader.Load(path)).Message;
        Assert.Contains(message, error);
        Assert.StartsWith(path, error);
        Assert.DoesNotContain('\n', error);
    }

    [Theory]
    [InlineData("""{"num_attention_heads": 0}""", "a width of 28 cannot be divided into 0 heads")]
    [InlineData("""{"num_attention_heads": 3}""", "a width of 28 cannot be divided into 3 heads")]
    public void A_config_beside_the_weights_that_cannot_be_is_one_line(string json, string message)
    {
        using var folder = new TemporaryFolder();
        File.Copy(Reference.OpenCopied("bert_hf").PathOf("bert_plain.safetensors"), folder["model.safetensors"]);
        folder.Write("config.json", json);
        Assert.Contains(
            message,
            Assert.Throws<LitException>(() => TextTowerLoader.Load(folder["model.safetensors"])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_file_without_a_text_tower_is_named_by_what_it_holds()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var path = folder["other.safetensors"];
        Safetensors.Write(path, [("conv1.weight", zeros(4, 4))]);
        Assert.Contains(
            "is no text tower that is known here. It holds 1 tensors, such as conv1.weight",
            Assert.Throws<LitException>(() => TextTowerLoader.Load(path)).Message
        );
        Assert.Contains(
            "'colour=red' is not understood",
            Assert.ThrowsAny<UsageException>(() => TextTowerLoader.Load(path + ":colour=red")).Message
        );
    }
}
