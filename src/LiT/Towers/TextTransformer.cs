using System.Text.Json.Serialization;
using LiT.Compute;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LiT.Towers;

// Shapes: B texts, L tokens in a row, D width. Where text is packed, [T, D] stands for [B, L, D].

/// <summary>
/// Sizes of a text transformer: pre-norm blocks as in the Vision Transformer over learned positions, not causal
/// (big_vision: models/proj/image_text/text_transformer.py). The defaults are those of the published towers.
/// </summary>
/// <param name="Width">Length of a token's state and of the representation.</param>
/// <param name="Depth">Blocks.</param>
/// <param name="Heads">Attention heads; they divide the width.</param>
/// <param name="MlpDim">Width inside a block's MLP.</param>
/// <param name="VocabularySize">Ids are below it.</param>
/// <param name="MaxLength">Learned positions: the longest row.</param>
internal sealed record TextTransformerConfig(
    int Width,
    int Depth,
    int Heads,
    int MlpDim,
    int VocabularySize,
    int MaxLength
) : TextTowerConfig
{
    /// <summary>How tokens become one representation.</summary>
    public TextPooling Pooling { get; init; } = TextPooling.Last;

    /// <summary>The MLP's nonlinearity.</summary>
    public Activation Activation { get; init; } = Activation.GeluTanh;

    /// <summary>Added to variances in every normalisation.</summary>
    public double Eps { get; init; } = 1e-6;

    /// <summary>
    /// The id that fills rows and is masked in attention and pooling, so that padding can be dropped without changing
    /// anything; null where padding takes part like any token, as in all published text transformers.
    /// </summary>
    public int? MaskPadding { get; init; }

    /// <summary>Share of activations dropped while training.</summary>
    public double Dropout { get; init; }

    /// <summary>
    /// The id that ends a text where every token sees only those before it (CLIP): the representation is the state of
    /// the first one, and nothing behind it counts. Null where all tokens see each other.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int? CausalEnd { get; init; }

    /// <summary>Width that a last dense layer brings the representation to; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int? Projection { get; init; }

    /// <summary>Whether that layer has a bias, as SigLIP's has and CLIP's has not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ProjectionBias { get; init; }

    internal override int BlockCount() => Depth;

    internal override TextTowerConfig EndingAfter(int blocks) => this with { Depth = blocks };

    internal override TextTower Build(Device? device = null)
    {
        Check(Math.Max(1, Heads), Width, Depth, MlpDim, VocabularySize, MaxLength, Projection ?? 1);
        return new TextTransformer(this, device);
    }

    internal override TextTower Create(Generator random)
    {
        var tower = (TextTransformer)Build();
        tower.Initialise(random);
        return tower;
    }
}

/// <summary>The text tower of LiT-L16S, LiT-L16Ti and SigLIP, and of models trained here from scratch.</summary>
internal sealed class TextTransformer : TextTower
{
    private readonly TextTransformerConfig config;
    private readonly Embedding tokens,
        positions;
    private readonly Encoder encoder;
    private readonly MapHead? map;
    private readonly Dense? projection;

    internal TextTransformer(TextTransformerConfig config, Device? device = null)
        : base(nameof(TextTransformer))
    {
        this.config = config;
        tokens = Layers.Table(config.VocabularySize, config.Width, device);
        positions = Layers.Table(config.MaxLength, config.Width, device);
        encoder = new Encoder(
            config.Width,
            config.Depth,
            config.MlpDim,
            Math.Max(1, config.Heads),
            config.Activation,
            config.Eps,
            device,
            config.Dropout
        );
        if (config.Pooling == TextPooling.Map)
            map = new MapHead(config.Width, config.MlpDim, config.Heads, config.Activation, config.Eps, device);
        if (config.Projection is { } size)
            projection = Layers.Dense(config.Width, size, device, config.ProjectionBias);
        RegisterComponents();
    }

    /// <summary>Sizes and choices.</summary>
    public override TextTowerConfig Config => config;

    /// <inheritdoc/>
    public override int Width => config.Projection ?? config.Width;

    /// <inheritdoc/>
    public override int VocabularySize => config.VocabularySize;

    /// <inheritdoc/>
    public override int? MaxLength => config.MaxLength;

    /// <inheritdoc/>
    public override bool MasksPadding => config.MaskPadding is not null || config.CausalEnd is not null;

    internal override TextStages Stages => new("encoder.blocks", ["tokens", "positions"]);

    /// <inheritdoc/>
    public override Tensor forward(Tensor ids) => Pooled(ids, pack: null);

    /// <summary><see cref="forward"/> with packing forced on or off; null leaves it to the share of padding.</summary>
    internal Tensor Pooled(Tensor ids, bool? pack)
    {
        CheckLength(ids);
        using var scope = NewDisposeScope();
        var rows = Rows(ids, pack);
        var x =
            config.Pooling.IsOne() && rows.Bias is null
                ? encoder.One(Embedded(rows), rows, states => rows.Pool(states, config.Pooling))
            : map is null ? rows.Pool(Hidden(rows), config.Pooling)
            : map.call(Hidden(rows), rows);
        return (projection?.call(x) ?? x).MoveToOuterDisposeScope(); // [B, D]
    }

    internal override TokenRows Rows(Tensor ids) => Rows(ids, pack: null);

    private TokenRows Rows(Tensor ids, bool? pack) =>
        config.CausalEnd is { } end ? UpTo(ids, end, pack)
        : config.MaskPadding is { } padding ? TokenRows.Masked(ids, padding, pack, tokens.weight)
        : TokenRows.Whole(ids, tokens.weight);

    // No token sees those behind it, so that what stands behind the end can be left out.
    private TokenRows UpTo(Tensor ids, int end, bool? pack)
    {
        var ends = ids.With(end, (x, last) => x.eq(last)).to(int64);
        var before = (ends.cumsum(1) - ends).With(0, (x, none) => x.eq(none));
        var rows = TokenRows.Seen(ids, before, pack, tokens.weight);
        var later = ones(rows.Length, rows.Length, ScalarType.Bool, tokens.weight!.device).triu(1);
        return rows.Biased(
            zeros(1, 1, rows.Length, rows.Length, tokens.weight.dtype, tokens.weight.device)
                .With(double.NegativeInfinity, (x, never) => x.masked_fill(later, never))
        );
    }

    /// <summary>Every token's state after the last norm, [B, L, D].</summary>
    internal override Tensor Hidden(TokenRows rows)
    {
        using var scope = NewDisposeScope();
        return rows.Spread(encoder.call(Embedded(rows), rows)).MoveToOuterDisposeScope();
    }

    private Tensor Embedded(TokenRows rows)
    {
        var place = rows.Positions is { } packed
            ? TableRows.Of(positions, packed)
            : positions.weight!.narrow(0, 0, rows.Length);
        return Layers.Dropped(TableRows.Of(tokens, rows.Ids).Plus(place), config.Dropout, training); // [B, L, D]
    }

    /// <summary>
    /// Fills the weights as big_vision does: embeddings and positions of deviation 1/sqrt(width), the blocks as in ViT.
    /// </summary>
    internal void Initialise(Generator random)
    {
        Layers.Normal(tokens.weight!, 1 / Math.Sqrt(config.Width), random);
        Layers.Normal(positions.weight!, 1 / Math.Sqrt(config.Width), random);
        encoder.Initialise(random);
        map?.Initialise(random);
    }

    /// <summary>
    /// Names in the .npz files of LiT-L16S, LiT-L16Ti and SigLIP, under txt/. Old files hold a second table of
    /// positions, which <see cref="AddOldPositions"/> adds.
    /// </summary>
    internal static readonly WeightMap BigVision = new WeightMap("text transformer (vit_jax, big_vision)")
    {
        { "Embed_0/embedding", "tokens.weight" },
        { "pos_embedding", "positions.weight", Axes.FirstDropped },
        { Encoder.Flax, "Encoder_0/", "encoder." },
        { MapHead.Flax, "MAPHead_0/", "map." },
    }
        .Skipping(OldPositions, "added to pos_embedding")
        .Skipping("head/{*}", "the head to the common size");

    /// <summary>Names in Hugging Face's files of CLIP and SigLIP, whose last layer is one of two.</summary>
    internal static WeightMap HuggingFace(string family, bool projection)
    {
        var map = new WeightMap(family)
        {
            { "text_model.embeddings.token_embedding.weight", "tokens.weight" },
            { "text_model.embeddings.position_embedding.weight", "positions.weight" },
            { HuggingFaceBlock.Contrastive, "text_model.encoder.layers.{i}.", "encoder.blocks.{i}." },
            { "text_model.final_layer_norm.weight", "encoder.norm.weight" },
            { "text_model.final_layer_norm.bias", "encoder.norm.bias" },
        }
            .Skipping("text_model.embeddings.position_ids", "the numbers 0, 1, 2 …")
            .Skipping("vision_model.{*}", "the image tower")
            .Skipping("visual_projection.{*}", "the image tower's")
            .Skipping("logit_{*}", "the loss's");
        const string because = "the head to the common size; load with :projection to have it in the representation";
        if (!projection)
            return map.Skipping("text_projection.{*}", because).Skipping("text_model.head.{*}", because);
        map.Add("{text_projection|text_model.head}.weight", "projection.weight");
        map.Add("text_model.head.bias", "projection.bias");
        return map;
    }

    private const string OldPositions = "Encoder_0/pos_embedding";

    /// <summary>
    /// As big_vision's text_transformer.load: both tables were added to the tokens, so their sum is one table.
    /// </summary>
    internal void AddOldPositions(WeightSource source)
    {
        if (!source.Has(OldPositions))
            return;
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var old = source.Checkpoint.Read(source.Prefix + OldPositions);
        if (old.numel() != positions.weight!.numel())
            throw new LitException(
                source.Checkpoint.Path,
                $"'{source.Prefix}{OldPositions}' has the shape [{string.Join(", ", old.shape)}], where [1, "
                    + $"{config.MaxLength}, {Width}] is expected",
                "Check where the file comes from"
            );
        positions.weight!.PlusInPlace(old.view_as(positions.weight!));
    }
}
