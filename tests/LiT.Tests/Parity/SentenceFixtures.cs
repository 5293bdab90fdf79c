using LiT.Compute;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>MPNet in Hugging Face's names: a BERT with relative positions beside its own, and without
/// segments.</summary>
public sealed class MPNetFixture : IFixtureKind
{
    private const string Hidden = "last_hidden_state.npy";

    public string Folder => "mpnet_hf";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        folder.PathOf("config.json"); // read by the loader, beside the weights
        var file = folder.PathOf("model.safetensors");
        yield return new("hidden states, packed and in rows", () =>
        {
            using var scope = NewDisposeScope();
            foreach (var hidden in States(FixtureTower.Load(file)))
                folder.Close(hidden, Hidden);
        });
        yield return new("<s>", () =>
        {
            using var tower = FixtureTower.Load(file);
            folder.Close(tower.call(folder.Ids("input_ids.npy")), "cls.npy");
        });
        yield return new("rows sorted by length, locked", () => Sorted(folder, file));
        yield return new("wrong conventions", () =>
        {
            var wrong = folder.WrongConventions("model")!.Value;
            folder.Differs(wrong, "tanh_gelu", () => Wrong(c => c with { Activation = Activation.GeluTanh }));
            folder.Differs(wrong, "layernorm_eps_1e-12", () => Wrong(c => c with { Eps = 1e-12 }));
            folder.Differs(wrong, "positions from 0 (BERT)", () =>
                Changed("positions.weight", table => table.roll(2, 0))
            );
            folder.Differs(wrong, "no relative bias", () => Changed("relative.weight", table => table * 0));
            folder.Differs(wrong, "relative bias of the other direction", () =>
                Changed("relative.weight", table => table.roll(table.shape[0] / 2, 0))
            );
        });

        IEnumerable<Tensor> States(TextTower tower) =>
            FixtureTower.Hidden(tower, folder.Ids("input_ids.npy"), folder.Ids("attention_mask.npy").ne(0));
        double Wrong(Func<BertConfig, BertConfig> change) =>
            TowerParity.Error(
                States(FixtureTower.Load(file, null, config => change((BertConfig)config))).First(),
                folder.Floats(Hidden)
            );
        double Changed(string name, Func<Tensor, Tensor> change)
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            var tower = FixtureTower.Load(file);
            tower.state_dict()[name].copy_(change(tower.state_dict()[name]));
            return TowerParity.Error(States(tower).First(), folder.Floats(Hidden));
        }
    }

    // Tuning sorts rows, and then attends to those of one length together.
    private static void Sorted(FixtureFolder folder, string file)
    {
        using var scope = NewDisposeScope();
        var tower = FixtureTower.Load(file);
        tower.Lock();
        var (ids, seen) = (folder.Ids("input_ids.npy"), folder.Ids("attention_mask.npy").ne(0));
        var whole = seen.cumsum(1).amax([1]).eq(seen.size(1) - seen.flip(1).to(int64).argmax(1)); // no padding inside
        var order = (seen.sum([1]) * whole.to(int64)).argsort();
        order = order[(int)(whole.size(0) - whole.sum().item<long>())..];
        var rows = order.repeat_interleave(4, 0);
        var expected = folder.Floats("cls.npy").index_select(0, rows);
        Assert.True(rows.size(0) >= 8);
        Assert.True(TowerParity.Error(tower.call(ids.index_select(0, rows)), expected) <= folder.Tolerance());
    }
}

public sealed class SentenceBertFixture() : SentenceFixtures("sentence_bert");

public sealed class SentenceMPNetFixture() : SentenceFixtures("sentence_mpnet");

public sealed class SentenceXlmRobertaFixture() : SentenceFixtures("sentence_xlmr");

/// <summary>Whole folders of sentence-transformers, read as they lie there.</summary>
public abstract class SentenceFixtures(string folderName) : IFixtureKind
{
    private static readonly Dictionary<string, TextPooling> Poolings = new()
    {
        ["cls"] = TextPooling.First,
        ["max"] = TextPooling.Max,
        ["mean"] = TextPooling.Mean,
        ["mean_sqrt_len_tokens"] = TextPooling.MeanOverRoot,
        ["weightedmean"] = TextPooling.WeightedMean,
        ["lasttoken"] = TextPooling.Last,
    };

    public string Folder => folderName;

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        foreach (
            var file in new[] { "config.json", "modules.json", "sentence_bert_config.json" }
                .Append("config_sentence_transformers.json")
                .Concat(folder.UnknownFiles.Where(name => name.Contains('/', StringComparison.Ordinal)))
        )
            folder.PathOf(file); // read by the loader, beside the weights
        var path = Path.GetDirectoryName(folder.PathOf("model.safetensors"))!;
        yield return new("embedding", () =>
        {
            using var loaded = TextTowerLoader.Load(path);
            Assert.Empty(loaded.Warnings);
            folder.Close(loaded.Tower.call(folder.Ids("input_ids.npy")), "embedding.npy");
            loaded.Tower.Lock();
            folder.Close(loaded.Tower.call(folder.Ids("input_ids.npy")), "embedding.npy");
        });
        foreach (var (mode, pooling) in Poolings)
            yield return new(mode, () => folder.Close(Pooled(folder, path, pooling), $"pooled_{mode}.npy"));
        yield return new("wrong conventions", () =>
        {
            var wrong = folder.WrongConventions("model")!.Value;
            folder.Differs(wrong, "tanh_gelu", () =>
                Wrong(c => c with { Encoder = ((BertConfig)c.Encoder) with { Activation = Activation.GeluTanh } })
            );
            folder.Differs(wrong, "not normalised", () =>
                Wrong(c => c with { Steps = [.. c.Steps.Where(step => step.Outputs is not null)] })
            );
            folder.Differs(wrong, "dense without its activation", () =>
                Wrong(c =>
                    c with
                    {
                        Steps = [.. c.Steps.Select(step => step with { Activation = SentenceActivation.None })],
                    }
                )
            );
            folder.Differs(wrong, "pooled with padding", () => WithPadding(folder, path));
        });

        double Wrong(Func<SentenceConfig, SentenceConfig> change)
        {
            using var tower = FixtureTower.Load(path, null, config => change((SentenceConfig)config));
            return TowerParity.Error(tower.call(folder.Ids("input_ids.npy")), folder.Floats("embedding.npy"));
        }
    }

    // The encoder alone, with one pooling behind it.
    private static Tensor Pooled(FixtureFolder folder, string path, TextPooling pooling)
    {
        using var tower = FixtureTower.Load(path, null, config =>
        {
            var encoder = (BertConfig)((SentenceConfig)config).Encoder;
            return new SentenceConfig(encoder with { Pooling = pooling }, [pooling], []);
        });
        return tower.call(folder.Ids("input_ids.npy"));
    }

    private static double WithPadding(FixtureFolder folder, string path)
    {
        using var scope = NewDisposeScope();
        var tower = (SentenceTower)FixtureTower.Load(path);
        var config = (SentenceConfig)tower.Config;
        var ids = folder.Ids("input_ids.npy");
        var padding = ((BertConfig)config.Encoder).Padding;
        var everywhere = TokenRows.Seen(ids, ones_like(ids).eq(1));
        var states = tower.Encoder.Hidden(TokenRows.Masked(ids, padding, pack: false));
        states *= ids.narrow(1, 0, states.size(1)).ne(padding).unsqueeze(2);
        states = cat([states, zeros(ids.size(0), ids.size(1) - states.size(1), states.size(2))], 1);
        var x = cat([.. config.Poolings.Select(pooling => everywhere.Pool(states, pooling))], 1);
        return TowerParity.Error(tower.Behind(x), folder.Floats("embedding.npy"));
    }
}
