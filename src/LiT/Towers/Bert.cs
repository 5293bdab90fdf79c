using System.Text.Json.Serialization;
using LiT.Compute;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LiT.Towers;

// Shapes: B texts, L tokens in a row, D width. Where text is packed, [T, D] stands for [B, L, D].

/// <summary>
/// Sizes of BERT (Devlin et al. 2018, arXiv 1810.04805). Padding is masked. The representation is the raw state of the
/// first place, [CLS], as LiT takes it (big_vision: models/proj/flaxformer/bert.py).
/// </summary>
/// <param name="Width">Length of a token's state and of the representation.</param>
/// <param name="Depth">Blocks.</param>
/// <param name="Heads">Attention heads; they divide the width.</param>
/// <param name="MlpDim">Width inside a block's MLP.</param>
/// <param name="VocabularySize">Ids are below it.</param>
internal sealed record BertConfig(int Width, int Depth, int Heads, int MlpDim, int VocabularySize = 30_522)
    : TextTowerConfig
{
    /// <summary>Learned positions: the longest row.</summary>
    public int MaxLength { get; init; } = 512;

    /// <summary>
    /// The row of the position table that the first token takes: 0 in BERT. RoBERTa (Liu et al. 2019, arXiv 1907.11692)
    /// keeps the rows up to its padding's id unused, and counts only tokens that are not padding.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int FirstPosition { get; init; }

    /// <summary>
    /// Rows of the table of relative positions, whose number for the distance of two tokens is added to what one is to
    /// the other in every block (MPNet: Song et al. 2020, arXiv 2004.09297); 0 in BERT, which has none.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int RelativeBuckets { get; init; }

    /// <summary>Distances from which on all share one row of that table.</summary>
    internal const int MaxDistance = 128;

    /// <summary>
    /// Rows of the segment table; texts here have one segment, the first. 0 where there is no table (MPNet).
    /// </summary>
    public int Segments { get; init; } = 2;

    /// <summary>
    /// The MLP's nonlinearity. The public weights were trained with the tanh form, which flaxformer keeps; Hugging Face
    /// computes the same weights with erf (hidden_act "gelu").
    /// </summary>
    public Activation Activation { get; init; } = Activation.GeluTanh;

    /// <summary>Added to variances in every normalisation.</summary>
    public double Eps { get; init; } = 1e-12;

    /// <summary>The id that fills rows and is masked.</summary>
    public int Padding { get; init; }

    /// <summary>How tokens become one representation; <see cref="TextPooling.Map"/> is not among BERT's.</summary>
    public TextPooling Pooling { get; init; } = TextPooling.First;

    /// <summary>Whether BERT's pooler, tanh of a dense layer, follows.</summary>
    public bool Pooler { get; init; }

    /// <summary>Share of activations dropped while training.</summary>
    public double Dropout { get; init; }

    /// <summary>
    /// The published sizes (Turc et al. 2019, arXiv 1908.08962; base and large as in the first paper).
    /// </summary>
    public static IReadOnlyDictionary<string, BertConfig> Sizes { get; } =
        new Dictionary<string, BertConfig>
        {
            ["tiny"] = new(128, 2, 2, 512),
            ["mini"] = new(256, 4, 4, 1024),
            ["small"] = new(512, 4, 8, 2048),
            ["medium"] = new(512, 8, 8, 2048),
            ["base"] = new(768, 12, 12, 3072),
            ["large"] = new(1024, 24, 16, 4096),
        };

    internal override int BlockCount() => Depth;

    internal override TextTowerConfig EndingAfter(int blocks) => this with { Depth = blocks };

    internal override TextTower Build(Device? device = null)
    {
        Check(Math.Max(1, Heads), Width, Depth, MlpDim, VocabularySize, MaxLength, Math.Max(1, Segments));
        if (RelativeBuckets is not 0 and (< 4 or >= 4 * MaxDistance))
            throw new ArgumentException($"{RelativeBuckets} rows of relative positions cannot be.");
        return new Bert(this, device);
    }

    internal override TextTower Create(Generator random)
    {
        var tower = (Bert)Build();
        tower.Initialise(random);
        return tower;
    }
}

/// <summary>The text tower of LiT-B16B, LiT-B16B_2 and LiT-L16L.</summary>
internal sealed class Bert : TextTower
{
    private readonly BertConfig config;
    private readonly Embedding tokens,
        positions;
    private readonly Embedding? segments,
        relative;
    private readonly LayerNorm norm;
    private readonly ModuleList<BertBlock> blocks;
    private readonly Dense? pooler;

    internal Bert(BertConfig config, Device? device = null)
        : base(nameof(Bert))
    {
        if (config.Pooling == TextPooling.Map)
            throw new ArgumentException("BERT has no MAP pooling.", nameof(config));
        this.config = config;
        tokens = Layers.Table(config.VocabularySize, config.Width, device);
        positions = Layers.Table(config.FirstPosition + config.MaxLength, config.Width, device);
        if (config.Segments > 0)
            segments = Layers.Table(config.Segments, config.Width, device);
        if (config.RelativeBuckets > 0)
            relative = Layers.Table(config.RelativeBuckets, Math.Max(1, config.Heads), device);
        norm = nn.LayerNorm(config.Width, config.Eps, device: device);
        blocks = new([.. Enumerable.Range(0, config.Depth).Select(_ => new BertBlock(config, device))]);
        if (config.Pooler)
            pooler = Layers.Dense(config.Width, config.Width, device);
        RegisterComponents();
    }

    /// <summary>Sizes and choices.</summary>
    public override TextTowerConfig Config => config;

    /// <inheritdoc/>
    public override int Width => config.Width;

    /// <inheritdoc/>
    public override int VocabularySize => config.VocabularySize;

    /// <inheritdoc/>
    public override int? MaxLength => config.MaxLength;

    /// <inheritdoc/>
    public override bool MasksPadding => true;

    internal override TextStages? Stages =>
        relative is null ? new("blocks", ["tokens", "positions", "segments", "norm"]) : null;

    /// <inheritdoc/>
    public override Tensor forward(Tensor ids)
    {
        CheckLength(ids);
        using var scope = NewDisposeScope();
        var rows = Rows(ids);
        var x = config.Pooling.IsOne() && relative is null ? One(rows) : rows.Pool(Hidden(rows), config.Pooling);
        if (pooler is not null)
            x = pooler.call(x).tanh();
        return x.MoveToOuterDisposeScope();
    }

    internal override TokenRows Rows(Tensor ids) => TokenRows.Masked(ids, config.Padding, beside: tokens.weight);

    /// <summary>Every token's state after the last block, [B, L, D]; what stands at padding means nothing.</summary>
    internal override Tensor Hidden(TokenRows rows)
    {
        using var scope = NewDisposeScope();
        if (relative is not null)
            rows = rows.Biased(Distances(rows, relative));
        var x = Embedded(rows);
        using (var loop = NewDisposeScope())
        {
            foreach (var block in blocks)
                x = loop.DisposeEverythingBut(block.call(x, rows));
            x.MoveToOuterDisposeScope();
        }
        return rows.Spread(x).MoveToOuterDisposeScope();
    }

    // [1, H, L, L]
    private Tensor Distances(TokenRows rows, Embedding table) =>
        table
            .call(
                T5Encoder.RelativeBuckets(rows.Length, config.RelativeBuckets, BertConfig.MaxDistance, rows.Ids.device)
            )
            .permute(2, 0, 1)
            .unsqueeze(0);

    // The last block asks for the pooled token alone, since its other tokens would go nowhere.
    private Tensor One(TokenRows rows)
    {
        using var scope = NewDisposeScope();
        var x = Embedded(rows);
        foreach (var block in blocks.SkipLast(1))
            x = scope.DisposeEverythingBut(block.call(x, rows));
        return blocks[^1].One(x, rows, states => rows.Pool(states, config.Pooling)).MoveToOuterDisposeScope();
    }

    private Tensor Embedded(TokenRows rows)
    {
        var place =
            config.FirstPosition > 0 ? TableRows.Of(positions, rows.Ordinals().Plus(config.FirstPosition))
            : rows.Positions is { } packed ? TableRows.Of(positions, packed)
            : positions.weight!.narrow(0, 0, rows.Length);
        var x = TableRows.Of(tokens, rows.Ids).Plus(place);
        if (segments is not null)
            x = x.Plus(segments.weight![0]);
        return Layers.Dropped(norm.call(x), config.Dropout, training); // [B, L, D]
    }

    /// <summary>Fills the weights as BERT does: normal of deviation 0.02 cut at two deviations, biases zero.</summary>
    internal void Initialise(Generator random)
    {
        using var unrecorded = no_grad();
        foreach (var (name, weight) in named_parameters())
        {
            if (name.EndsWith(".bias", StringComparison.Ordinal))
                weight.zero_();
            else if (weight.dim() == 2)
                Layers.TruncatedNormal(weight, 0.02, random);
        }
    }

    /// <summary>
    /// Names in LiT's .npz files (flaxformer: architectures/bert/testdata/model_param_shapes.json), under txt/.
    /// </summary>
    internal static readonly WeightMap Flaxformer = new WeightMap("BERT (flaxformer, LiT)")
    {
        { "BertEncoder_0/embedder/embedders_token_ids/embedding", "tokens.weight" },
        { "BertEncoder_0/embedder/embedders_position_ids/embedding", "positions.weight" },
        { "BertEncoder_0/embedder/embedders_segment_ids/embedding", "segments.weight" },
        { "BertEncoder_0/layer_norm/scale", "norm.weight" },
        { "BertEncoder_0/layer_norm/bias", "norm.bias" },
        { BertBlock.Flaxformer, "BertEncoder_0/encoder_block/layer_sequence/layers_{i}/", "blocks.{i}." },
    };

    /// <summary>Names in Hugging Face's files of MPNet.</summary>
    internal static WeightMap MPNet(bool pooler)
    {
        var map = new WeightMap("MPNet (Hugging Face)")
        {
            { "{mpnet.|}embeddings.word_embeddings.weight", "tokens.weight" },
            { "{mpnet.|}embeddings.position_embeddings.weight", "positions.weight" },
            { "{mpnet.|}embeddings.LayerNorm.{weight|gamma}", "norm.weight" },
            { "{mpnet.|}embeddings.LayerNorm.{bias|beta}", "norm.bias" },
            { "{mpnet.|}encoder.relative_attention_bias.weight", "relative.weight" },
            { BertBlock.MPNet, "{mpnet.|}encoder.layer.{i}.", "blocks.{i}." },
        }
            .Skipping("{mpnet.|}embeddings.position_ids", "the numbers 0, 1, 2 …")
            .Skipping("lm_head.{*}", "heads of the pre-training");
        return WithPooler(map, "{mpnet.|}", pooler);
    }

    /// <summary>Names in Hugging Face's files, and in the first BERT's, whose norms have gamma and beta.</summary>
    internal static WeightMap HuggingFace(bool pooler)
    {
        var map = new WeightMap("BERT (Hugging Face)")
        {
            { "embeddings.word_embeddings.weight", "tokens.weight" },
            { "embeddings.position_embeddings.weight", "positions.weight" },
            { "embeddings.token_type_embeddings.weight", "segments.weight" },
            { "embeddings.LayerNorm.{weight|gamma}", "norm.weight" },
            { "embeddings.LayerNorm.{bias|beta}", "norm.bias" },
            { BertBlock.HuggingFace, "encoder.layer.{i}.", "blocks.{i}." },
        }
            .Skipping("embeddings.position_ids", "the numbers 0, 1, 2 …")
            .Skipping("cls.{*}", "heads of the pre-training");
        return WithPooler(map, "", pooler);
    }

    private static WeightMap WithPooler(WeightMap map, string before, bool pooler)
    {
        if (!pooler)
            return map.Skipping(
                before + "pooler.{*}",
                "LiT takes the raw [CLS] state; load with :pooler for BERT's own"
            );
        map.Add(before + "pooler.dense.weight", "pooler.weight");
        map.Add(before + "pooler.dense.bias", "pooler.bias");
        return map;
    }
}

/// <summary>
/// norm(x + attention(x)), then norm(x + mlp(x)): normalised after the sum, unlike the blocks of ViT.
/// </summary>
internal sealed class BertBlock : nn.Module<Tensor, TokenRows?, Tensor>
{
    private readonly SelfAttention attn;
    private readonly Mlp mlp;
    private readonly LayerNorm norm1,
        norm2;
    private readonly double dropout;

    public BertBlock(BertConfig config, Device? device)
        : base(nameof(BertBlock))
    {
        dropout = config.Dropout;
        attn = new SelfAttention(config.Width, Math.Max(1, config.Heads), device);
        norm1 = nn.LayerNorm(config.Width, config.Eps, device: device);
        mlp = new Mlp(config.Width, config.MlpDim, config.Activation, device);
        norm2 = nn.LayerNorm(config.Width, config.Eps, device: device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, TokenRows? rows)
    {
        x = norm1.call(x.Plus(Layers.Dropped(attn.call(x, rows), dropout, training)));
        return norm2.call(x.Plus(Layers.Dropped(mlp.call(x), dropout, training)));
    }

    public Tensor One(Tensor x, TokenRows rows, Func<Tensor, Tensor> pick)
    {
        var y = norm1.call(pick(x).Plus(Layers.Dropped(attn.One(x, rows, pick), dropout, training)));
        return norm2.call(y.Plus(Layers.Dropped(mlp.call(y), dropout, training)));
    }

    internal static readonly WeightMap Flaxformer = new("flaxformer BERT block")
    {
        { "attention_block/attention_layer/query/kernel", "attn.qkv.weight", Axes.Transposed, 0, 3 },
        { "attention_block/attention_layer/key/kernel", "attn.qkv.weight", Axes.Transposed, 1, 3 },
        { "attention_block/attention_layer/value/kernel", "attn.qkv.weight", Axes.Transposed, 2, 3 },
        { "attention_block/attention_layer/query/bias", "attn.qkv.bias", Axes.Same, 0, 3 },
        { "attention_block/attention_layer/key/bias", "attn.qkv.bias", Axes.Same, 1, 3 },
        { "attention_block/attention_layer/value/bias", "attn.qkv.bias", Axes.Same, 2, 3 },
        { "attention_block/dense_layer/kernel", "attn.out.weight", Axes.Transposed },
        { "attention_block/dense_layer/bias", "attn.out.bias" },
        { "attention_block/layer_norm/scale", "norm1.weight" },
        { "attention_block/layer_norm/bias", "norm1.bias" },
        { "mlp_block/mlp/dense_layer/kernel", "mlp.fc1.weight", Axes.Transposed },
        { "mlp_block/mlp/dense_layer/bias", "mlp.fc1.bias" },
        { "mlp_block/dense_layer/kernel", "mlp.fc2.weight", Axes.Transposed },
        { "mlp_block/dense_layer/bias", "mlp.fc2.bias" },
        { "mlp_block/layer_norm/scale", "norm2.weight" },
        { "mlp_block/layer_norm/bias", "norm2.bias" },
    };

    internal static readonly WeightMap HuggingFace = Named(
        "self.query",
        "self.key",
        "self.value",
        "output.dense",
        "output."
    );

    internal static readonly WeightMap MPNet = Named("attn.q", "attn.k", "attn.v", "attn.o", "");

    private static WeightMap Named(string query, string key, string value, string output, string norm) =>
        new("Hugging Face BERT block")
        {
            { $"attention.{query}.weight", "attn.qkv.weight", Axes.Same, 0, 3 },
            { $"attention.{key}.weight", "attn.qkv.weight", Axes.Same, 1, 3 },
            { $"attention.{value}.weight", "attn.qkv.weight", Axes.Same, 2, 3 },
            { $"attention.{query}.bias", "attn.qkv.bias", Axes.Same, 0, 3 },
            { $"attention.{key}.bias", "attn.qkv.bias", Axes.Same, 1, 3 },
            { $"attention.{value}.bias", "attn.qkv.bias", Axes.Same, 2, 3 },
            { $"attention.{output}.weight", "attn.out.weight" },
            { $"attention.{output}.bias", "attn.out.bias" },
            { "attention." + norm + "LayerNorm.{weight|gamma}", "norm1.weight" },
            { "attention." + norm + "LayerNorm.{bias|beta}", "norm1.bias" },
            { "intermediate.dense.weight", "mlp.fc1.weight" },
            { "intermediate.dense.bias", "mlp.fc1.bias" },
            { "output.dense.weight", "mlp.fc2.weight" },
            { "output.dense.bias", "mlp.fc2.bias" },
            { "output.LayerNorm.{weight|gamma}", "norm2.weight" },
            { "output.LayerNorm.{bias|beta}", "norm2.bias" },
        };
}
