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

    internal override TextTower Build(Device? device = null)
    {
        Check(Heads, Width, Depth, MlpDim, VocabularySize, MaxLength);
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
            config.Heads,
            config.Activation,
            config.Eps,
            device,
            config.Dropout
        );
        if (config.Pooling == TextPooling.Map)
            map = new MapHead(config.Width, config.MlpDim, config.Heads, config.Activation, config.Eps, device);
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
    public override bool MasksPadding => config.MaskPadding is not null;

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
            config.Pooling.IsOne() ? encoder.One(Embedded(rows), rows, states => rows.Pool(states, config.Pooling))
            : map is null ? rows.Pool(Hidden(rows), config.Pooling)
            : map.call(Hidden(rows), rows);
        return x.MoveToOuterDisposeScope(); // [B, D]
    }

    internal override TokenRows Rows(Tensor ids) => Rows(ids, pack: null);

    private TokenRows Rows(Tensor ids, bool? pack) =>
        config.MaskPadding is { } padding
            ? TokenRows.Masked(ids, padding, pack, tokens.weight)
            : TokenRows.Whole(ids, tokens.weight);

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
        Layers.Normal(tokens.weight!, 1 / Math.Sqrt(Width), random);
        Layers.Normal(positions.weight!, 1 / Math.Sqrt(Width), random);
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
