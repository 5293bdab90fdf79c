using LiT.Bundles;
using LiT.Compute;
using LiT.Tests.Parity;
using LiT.Tests.Text;
using LiT.Text;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Onnx;

/// <summary>
/// Text networks in ONNX as locked towers: against what the reference code gave for the same weights, and against
/// numbers by hand.
/// </summary>
public sealed class OnnxTextTests : IDisposable
{
    private const string Sentences = "sentence_bert";
    private const int Padding = 0;
    private const double Tolerance = 5e-5;

    private readonly TemporaryFolder folder = new();
    private readonly FixtureFolder reference = Reference.OpenCopied(Sentences);

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("first", "cls")]
    [InlineData("mean", "mean")]
    [InlineData("max", "max")]
    [InlineData("last", "lasttoken")]
    [InlineData("mean-over-root", "mean_sqrt_len_tokens")]
    [InlineData("weighted-mean", "weightedmean")]
    public void A_BERT_gives_what_its_reference_code_gives_whatever_the_pooling(string pooling, string file) =>
        Close(Bert(), $":pool={pooling}", file);

    [Theory]
    [InlineData(-1, -1)]
    [InlineData(1, -1)]
    [InlineData(3, -1)]
    [InlineData(-1, 40)]
    [InlineData(2, 40)]
    public void It_gives_the_same_whatever_its_batch_and_however_long_its_rows(long batch, long length) =>
        Close(Bert(batch: batch, length: length), ":pool=mean", "mean");

    [Theory]
    [InlineData(OnnxModel.Int64)]
    [InlineData(OnnxModel.Float)]
    [InlineData(9)]
    public void Ids_masks_and_positions_go_in_as_the_network_takes_them(int mask) =>
        Close(Bert(positions: true, ids: 6, mask: mask), ":pool=mean", "mean");

    [Fact]
    public void Inputs_of_other_names_are_named_by_the_user() =>
        Close(
            Bert(positions: true, names: ["a", "b", "c", "d"]),
            ":input=a,mask=b,types=c,positions=d,output=last_hidden_state,pool=mean",
            "mean"
        );

    [Fact]
    public void The_pooling_is_that_of_the_folder_it_was_exported_into()
    {
        folder.Write("model/onnx/model.onnx", Bert().ToArray());
        folder.Write(
            "model/modules.json",
            """
            [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
             {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
             {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
            """u8.ToArray()
        );
        folder.Write(
            "model/1_Pooling/config.json",
            """{"word_embedding_dimension": 24, "pooling_mode_max_tokens": true}"""u8.ToArray()
        );
        using var loaded = TextTowerLoader.Load(folder["model"]);
        Assert.Empty(loaded.Warnings);
        var wanted = reference.Floats("pooled_max.npy");
        wanted = wanted / wanted.norm(1, keepdim: true);
        Assert.True(TowerParity.Error(Rows(loaded), wanted) <= Tolerance);
        Assert.EndsWith("largest over tokens, unit length", loaded.Tower.Config!.InWords());
    }

    [Fact]
    public void Without_a_word_on_pooling_the_mean_is_taken_and_that_is_said()
    {
        using var loaded = TextTowerLoader.Load(Written(Bert()));
        Assert.Contains("the mean over its tokens is taken", Assert.Single(loaded.Warnings));
        Assert.Equal(47, loaded.Tower.VocabularySize);
    }

    [Fact]
    public void A_text_gives_the_same_bits_beside_any_others_and_on_any_number_of_threads()
    {
        using var loaded = TextTowerLoader.Load(Written(Bert()) + ":pool=mean");
        ((ForeignText)loaded.Tower).PadWith(Padding, endsTexts: false);
        var ids = reference.Ids("input_ids.npy");
        Tensor With(int threads)
        {
            using (Parts.Use(threads))
                return loaded.Tower.call(ids);
        }
        Assert.True(With(1).equal(With(3)).all().item<bool>());
        var apart = cat([
            .. Enumerable.Range(0, (int)ids.shape[0]).Select(row => loaded.Tower.call(ids.narrow(0, row, 1))),
        ]);
        Assert.True(TowerParity.Error(apart, With(1)) <= 1e-6);
    }

    [Fact]
    public void Rows_that_end_with_what_fills_them_keep_their_end()
    {
        // The sum of the ids that are seen, by hand: 7 + 3 + 3 at the end.
        using var loaded = TextTowerLoader.Load(Written(TextNetworks.Sums()));
        var tower = (ForeignText)loaded.Tower;
        var row = tensor(
            new long[,]
            {
                { 7, 3, 3, 3, 3 },
            }
        );
        tower.PadWith(3, endsTexts: true);
        Assert.Equal(13 - 3f, tower.call(row).data<float>()[0]);
        tower.PadWith(3, endsTexts: false);
        Assert.Equal(7f, tower.call(row).data<float>()[0]);
        tower.PadWith(0, endsTexts: false);
        Assert.Equal(19f, tower.call(row).data<float>()[0]);
    }

    [Fact]
    public void The_fingerprint_is_over_graph_weights_tokenizer_and_options_and_not_over_where_weights_lie()
    {
        var tokenizer = SmallTokenizer.Write(folder["tokenizer.json"]);
        string Of(string spec, string? prefix = null)
        {
            using var loaded = TextTowerLoader.Load(spec);
            CaptionTokenizer rows = new(
                Tokenizers.Open(tokenizer),
                TokenLayout.AsSaid(Tokenizers.Open(tokenizer), tokenizer, 24)
            );
            return LockedText.Of(
                loaded.Tower,
                prefix is null ? rows : new(rows.Tokenizer, rows.Layout) { Prefix = prefix }
            );
        }
        var inside = Written(TextNetworks.Table(seed: 0));
        var plain = Of(inside + ":pool=mean");
        Assert.Equal(plain, Of(inside + ":pool=mean"));
        Assert.Equal(
            plain,
            Of(Written(TextNetworks.Table(seed: 0, producer: "somebody"), "other.onnx") + ":pool=mean")
        );
        using MemoryStream beside = new();
        var outside = Written(TextNetworks.Table(seed: 0, beside: beside), "outside.onnx");
        folder.Write("weights.bin", beside.ToArray());
        Assert.Equal(plain, Of(outside + ":pool=mean"));
        Assert.NotEqual(plain, Of(inside + ":pool=max"));
        Assert.NotEqual(plain, Of(inside + ":pool=mean", "query: "));
        Assert.NotEqual(plain, Of(Written(TextNetworks.Table(seed: 1), "changed.onnx") + ":pool=mean"));
    }

    [Fact]
    public void A_file_that_a_bundle_keeps_is_the_tower_by_itself()
    {
        using MemoryStream beside = new();
        var path = Written(TextNetworks.Table(seed: 0, beside: beside), "outside.onnx");
        folder.Write("weights.bin", beside.ToArray());
        using var first = TextTowerLoader.Load(path + ":pool=max");
        Directory.CreateDirectory(folder["bundle"]);
        Assert.Equal("text.onnx", ((ForeignText)first.Tower).SaveIn(folder["bundle"], "text"));
        File.Delete(folder["weights.bin"]);
        using var second = TextTowerLoader.Load(folder["bundle/text.onnx"]);
        Assert.Equal(first.Tower.Config, second.Tower.Config);
        var ids = tensor(
            new long[,]
            {
                { 1, 2, 3 },
            }
        );
        Assert.True(first.Tower.call(ids).equal(second.Tower.call(ids)).all().item<bool>());
    }

    [Fact]
    public void The_command_line_is_tested_with_this_network_and_this_tokenizer()
    {
        var fixtures = Path.Combine(Root.Folder, "tests", "LiT.Cli.Tests", "Fixtures");
        var (network, tokenizer) = (
            Path.Combine(fixtures, "texts.onnx"),
            Path.Combine(fixtures, "texts.tokenizer.json")
        );
        if (Environment.GetEnvironmentVariable("LIT_APPROVE") == "1")
        {
            File.WriteAllBytes(network, Bert().ToArray());
            SmallTokenizer.Write(tokenizer);
        }
        Assert.Equal(Bert().ToArray(), File.ReadAllBytes(network));
        Assert.Equal(SmallTokenizer.Json(), File.ReadAllText(tokenizer));
    }

    private static OnnxModel Bert(
        long batch = -1,
        long length = -1,
        bool positions = false,
        int ids = OnnxModel.Int64,
        int mask = OnnxModel.Int64,
        string[]? names = null
    ) =>
        BertNetwork.Of(
            Path.Combine(TokenizerFixture.Reference(Sentences), "model.safetensors"),
            heads: 2,
            batch,
            length,
            positions,
            ids,
            mask,
            names
        );

    private void Close(OnnxModel network, string options, string file)
    {
        using var loaded = TextTowerLoader.Load(Written(network) + options);
        var error = TowerParity.Error(Rows(loaded), reference.Floats($"pooled_{file}.npy"));
        Assert.True(error <= Tolerance, $"{error}");
    }

    private Tensor Rows(LoadedTextTower loaded)
    {
        ((ForeignText)loaded.Tower).PadWith(Padding, endsTexts: false);
        return loaded.Tower.call(reference.Ids("input_ids.npy"));
    }

    private string Written(OnnxModel model, string name = "model.onnx") => folder.Write(name, model.ToArray());
}
