using LiT.Checkpoints;
using LiT.Compute;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>A text tower of a fixture, built as its file says or with one choice changed.</summary>
internal static class FixtureTower
{
    public static TextTower Load(
        string path,
        TextTowerOptions? options = null,
        Func<TextTowerConfig, TextTowerConfig>? changed = null
    )
    {
        using var checkpoint = Checkpoint.Open(path);
        if (changed is null)
            return TextTowerLoader.Load(checkpoint, options).Tower;
        var found = RecognisedText.In(checkpoint, options ?? new TextTowerOptions());
        var tower = changed(found.Config).Build();
        found.Fill(tower);
        tower.eval();
        return tower;
    }

    /// <summary>
    /// Hidden states with zeros where nothing is seen, in rows of the fixture's length, computed packed and padded.
    /// </summary>
    public static IEnumerable<Tensor> Hidden(TextTower tower, Tensor ids, Tensor seen)
    {
        foreach (var pack in (bool[])[true, false])
        {
            var rows = TokenRows.Seen(ids, seen, pack);
            var hidden = tower.Hidden(rows);
            var missing = zeros(ids.shape[0], ids.shape[1] - rows.Length, tower.Width);
            yield return cat([hidden, missing], 1) * seen.unsqueeze(2);
        }
    }
}

public sealed class BertFlaxformerFixture : IFixtureKind
{
    public string Folder => "bert_flaxformer_npz";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var options = new TextTowerOptions
        {
            Heads = folder.Meta.GetProperty("architecture").GetProperty("heads").GetInt32(),
        };
        foreach (var name in folder.Meta.GetProperty("cases").EnumerateObject())
        {
            yield return new($"{name.Name}, output", () => folder.Close(Output(tower => tower), "output.npy"));
            yield return new($"{name.Name}, hidden states", () =>
            {
                using var scope = NewDisposeScope();
                var ids = folder.Ids("input_ids.npy");
                foreach (var hidden in FixtureTower.Hidden(FixtureTower.Load(File(), options), ids, ids.ne(0)))
                    folder.Close(hidden, "hidden.npy");
            });
            if (folder.WrongConventions(name.Name) is not { } wrong)
                continue;
            yield return new($"{name.Name}, wrong conventions", () =>
            {
                folder.Differs(wrong, "exact_erf_gelu", () =>
                    Wrong(config => config with { Activation = Activation.Gelu })
                );
                folder.Differs(wrong, "layernorm_eps_1e-6", () => Wrong(config => config with { Eps = 1e-6 }));
                folder.Differs(wrong, "no padding mask", () => Wrong(config => config with { Padding = -1 }));
            });

            string File() => folder.PathOf($"{name.Name}.npz");
            Tensor Output(Func<BertConfig, BertConfig> change)
            {
                using var checkpoint = Checkpoint.Open(File());
                using var tower = FixtureTower.Load(File(), options, config => change((BertConfig)config));
                var kernel = checkpoint.Read("txt/head/kernel");
                return tower.call(folder.Ids("input_ids.npy")).matmul(kernel) + checkpoint.Read("txt/head/bias");
            }
            double Wrong(Func<BertConfig, BertConfig> change) =>
                TowerParity.Error(Output(change), folder.Floats("output.npy"));
        }
    }
}

public sealed class BertHuggingFaceFixture : IFixtureKind
{
    public string Folder => "bert_hf";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        folder.PathOf("config.json"); // read by the loader, beside the weights
        foreach (var entry in folder.Meta.GetProperty("cases").EnumerateObject())
        {
            var name = entry.Name;
            var file = folder.PathOf($"{name}.safetensors");
            yield return new($"{name}, [CLS]", () => folder.Close(Cls(null), $"{name}_cls.npy"));
            yield return new($"{name}, pooler", () =>
                folder.Close(Cls(null, pooler: true), $"{name}_pooler_output.npy")
            );
            yield return new($"{name}, hidden states", () =>
            {
                using var scope = NewDisposeScope();
                foreach (
                    var hidden in FixtureTower.Hidden(
                        FixtureTower.Load(file),
                        folder.Ids("input_ids.npy"),
                        folder.Ids("attention_mask.npy").ne(0)
                    )
                )
                    folder.Close(hidden, $"{name}_last_hidden_state.npy");
            });
            yield return new($"{name}, head", () =>
            {
                using var scope = NewDisposeScope();
                using var checkpoint = Checkpoint.Open(folder.PathOf($"{name}_head.safetensors"));
                var shape = checkpoint.Tensors["weight"].Shape;
                var head = new Head((int)shape[1], (int)shape[0]);
                new WeightMap("head") { { "weight", "linear.weight" }, { "bias", "linear.bias" } }.Load(
                    new WeightSource(checkpoint),
                    head
                );
                folder.Close(head.call(Cls(null)), $"{name}_head_output.npy");
            });
            if (folder.WrongConventions(name) is not { } wrong)
                continue;
            yield return new($"{name}, wrong conventions", () =>
            {
                folder.Differs(wrong, "tanh_gelu", () =>
                    Wrong(config => config with { Activation = Activation.GeluTanh })
                );
                folder.Differs(wrong, "layernorm_eps_1e-6", () => Wrong(config => config with { Eps = 1e-6 }));
            });

            Tensor Cls(Func<BertConfig, BertConfig>? change, bool pooler = false)
            {
                using var tower = FixtureTower.Load(
                    file,
                    new TextTowerOptions { Pooler = pooler },
                    change is null ? null : config => change((BertConfig)config)
                );
                return tower.call(folder.Ids("input_ids.npy"));
            }
            double Wrong(Func<BertConfig, BertConfig> change) =>
                TowerParity.Error(Cls(change), folder.Floats($"{name}_cls.npy"));
        }
    }
}

/// <summary>RoBERTa, XLM-R and CamemBERT: the names of BERT, other positions.</summary>
public sealed class RobertaHuggingFaceFixture : IFixtureKind
{
    public string Folder => "roberta_hf";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        folder.PathOf("config.json"); // read by the loader, beside the weights
        foreach (var entry in folder.Meta.GetProperty("cases").EnumerateObject())
        {
            var name = entry.Name;
            var file = folder.PathOf($"{name}.safetensors");
            yield return new($"{name}, <s>", () => folder.Close(Output(null), $"{name}_cls.npy"));
            yield return new($"{name}, mean", () => folder.Close(Output(null, TextPooling.Mean), $"{name}_mean.npy"));
            yield return new($"{name}, hidden states", () =>
            {
                using var scope = NewDisposeScope();
                foreach (
                    var hidden in FixtureTower.Hidden(
                        FixtureTower.Load(file),
                        folder.Ids("input_ids.npy"),
                        folder.Ids("attention_mask.npy").ne(0)
                    )
                )
                    folder.Close(hidden, $"{name}_last_hidden_state.npy");
            });
            if (folder.WrongConventions(name) is not { } wrong)
                continue;
            yield return new($"{name}, wrong conventions", () =>
            {
                folder.Differs(wrong, "tanh_gelu", () =>
                    Wrong(config => config with { Activation = Activation.GeluTanh })
                );
                folder.Differs(wrong, "layernorm_eps_1e-12", () => Wrong(config => config with { Eps = 1e-12 }));
                // The same table, read from its first row.
                folder.Differs(wrong, "positions from 0 (BERT)", () =>
                    Wrong(config =>
                        config with
                        {
                            FirstPosition = 0,
                            MaxLength = config.FirstPosition + config.MaxLength,
                        }
                    )
                );
            });

            Tensor Output(Func<BertConfig, BertConfig>? change, TextPooling? pooling = null)
            {
                using var tower = FixtureTower.Load(
                    file,
                    new TextTowerOptions { Pooling = pooling },
                    change is null ? null : config => change((BertConfig)config)
                );
                return tower.call(folder.Ids("input_ids.npy"));
            }
            double Wrong(Func<BertConfig, BertConfig> change) =>
                TowerParity.Error(Output(change), folder.Floats($"{name}_cls.npy"));
        }
    }
}

public sealed class TextTransformerFixture : IFixtureKind
{
    public string Folder => "text_transformer_npz";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        // Files are output_POOLING.npy for checkpoint.npz, and output_NAME.npy for checkpoint_NAME.npz.
        foreach (var output in folder.AllFiles.Where(name => name.StartsWith("output", StringComparison.Ordinal)))
        {
            var name = Path.GetFileNameWithoutExtension(output)["output".Length..];
            var own = folder.Has($"checkpoint{name}.npz");
            var file = folder.PathOf(own ? $"checkpoint{name}.npz" : "checkpoint.npz");
            TextPooling? pooling = own
                ? null
                : name switch
                {
                    "_last" => TextPooling.Last,
                    "_first" => TextPooling.First,
                    "_gap" or "_mean" => TextPooling.Mean,
                    "_max" => TextPooling.Max,
                    _ => throw new InvalidDataException(
                        $"{output}: there is no checkpoint{name}.npz, and no such pooling."
                    ),
                };
            yield return new(output, () => folder.Close(Output(file, pooling), output));
            if (!own)
                continue;
            if (folder.WrongConventions(name.Length == 0 ? "last" : name[1..]) is not { } wrong)
                continue;
            yield return new($"{output}, wrong conventions", () =>
            {
                folder.Differs(wrong, "exact_erf_gelu", () =>
                    Wrong(config => config with { Activation = Activation.Gelu })
                );
                folder.Differs(wrong, "layernorm_eps_1e-5", () => Wrong(config => config with { Eps = 1e-5 }));
                if (name.Contains("map", StringComparison.Ordinal))
                    return;
                Assert.True(Wrong(config => config with { Pooling = TextPooling.First }) > folder.Tolerance());
                if (folder.Ids("input_ids.npy").eq(1).any().item<bool>())
                    Assert.True(Wrong(config => config with { MaskPadding = 1 }) > folder.Tolerance());
            });
            double Wrong(Func<TextTransformerConfig, TextTransformerConfig> change) =>
                TowerParity.Error(Output(file, pooling, change), folder.Floats(output));
        }
        if (folder.Has("encoded.npy"))
            yield return new("encoded.npy", () => folder.Close(Encoded(), "encoded.npy"));

        Tensor Output(
            string file,
            TextPooling? pooling,
            Func<TextTransformerConfig, TextTransformerConfig>? change = null
        )
        {
            using var scope = NewDisposeScope();
            using var checkpoint = Checkpoint.Open(file);
            var tower = FixtureTower.Load(
                file,
                new TextTowerOptions { Pooling = pooling },
                change is null ? null : config => change((TextTransformerConfig)config)
            );
            var head = checkpoint.Tensors.Keys.Single(key => key.EndsWith("txt/head/kernel", StringComparison.Ordinal));
            var bias = checkpoint.Read(head.Replace("kernel", "bias", StringComparison.Ordinal));
            return (
                tower.call(folder.Ids("input_ids.npy")).matmul(checkpoint.Read(head)) + bias
            ).MoveToOuterDisposeScope();
        }

        Tensor Encoded()
        {
            using var scope = NewDisposeScope();
            var tower = (TextTransformer)FixtureTower.Load(folder.PathOf("checkpoint.npz"));
            return tower.Hidden(TokenRows.Whole(folder.Ids("input_ids.npy"))).MoveToOuterDisposeScope();
        }
    }
}

public sealed class T5Fixture() : T5Fixtures("t5_encoder");

public sealed class MultilingualT5Fixture() : T5Fixtures("mt5_encoder");

public abstract class T5Fixtures(string folderName) : IFixtureKind
{
    public string Folder => folderName;

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var file = folder.PathOf("model.safetensors");
        folder.PathOf("config.json"); // read by the loader, beside the weights
        yield return new("hidden states", () =>
        {
            using var scope = NewDisposeScope();
            foreach (var hidden in Hidden(FixtureTower.Load(file)))
                folder.Close(hidden, "last_hidden_state.npy");
        });
        yield return new("relative buckets", () =>
        {
            using var scope = NewDisposeScope();
            var expected = folder.Ids("relative_buckets.npy");
            var config = (T5Config)FixtureTower.Load(file).Config!;
            Assert.Equal(
                expected.data<long>().ToArray(),
                T5Encoder.RelativeBuckets(expected.shape[0], config.Buckets, config.MaxDistance).data<long>().ToArray()
            );
        });
        yield return new("wrong conventions", () =>
        {
            using var scope = NewDisposeScope();
            var wrong = folder.Meta.GetProperty("cases").GetProperty("error_of_wrong_conventions");
            folder.Differs(wrong, "rmsnorm_eps_1e-5", () => Wrong(config => config with { Eps = 1e-5 }));
            folder.Differs(wrong, "max_distance off (x2)", () =>
                Wrong(config => config with { MaxDistance = 2 * config.MaxDistance })
            );
            folder.Differs(wrong, "exact_erf_gelu", () =>
                Wrong(config => config with { Activation = Activation.Gelu })
            );
            folder.Differs(wrong, "attention scaled by 1/sqrt(d_kv)", () =>
            {
                var tower = FixtureTower.Load(file);
                using var unrecorded = no_grad();
                foreach (var (name, weight) in tower.state_dict())
                    if (name.EndsWith("qkv.weight", StringComparison.Ordinal))
                        weight.chunk(3)[0].mul_(1 / Math.Sqrt(((T5Config)tower.Config!).HeadSize));
                return TowerParity.Error(Hidden(tower).First(), folder.Floats("last_hidden_state.npy"));
            });
        });

        IEnumerable<Tensor> Hidden(TextTower tower) =>
            FixtureTower.Hidden(tower, folder.Ids("input_ids.npy"), folder.Ids("attention_mask.npy").ne(0));
        double Wrong(Func<T5Config, T5Config> change) =>
            TowerParity.Error(
                Hidden(FixtureTower.Load(file, null, config => change((T5Config)config))).First(),
                folder.Floats("last_hidden_state.npy")
            );
    }
}
