using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Checkpoints;
using LiT.Compute;
using LiT.Images;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

// Shapes: B pictures, H W pixels, P patch, L = (H/P)(W/P) patches (and the class token), D width.

/// <summary>How the tokens of a picture become one representation.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VitPooling>))]
internal enum VitPooling
{
    /// <summary>A class token beside the patches: "tok".</summary>
    Token,

    /// <summary>The mean over the patches: "gap".</summary>
    Mean,

    /// <summary>Multi-head attention pooling: "map".</summary>
    Map,

    /// <summary>No pooling, the first patch: "0".</summary>
    First,
}

/// <summary>Where a Vision Transformer's positions come from.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VitPositions>))]
internal enum VitPositions
{
    /// <summary>Learned, a row for each patch; the class token has none (big_vision).</summary>
    Learned,

    /// <summary>Learned, the first row for the class token (vit_jax).</summary>
    LearnedWithClass,

    /// <summary>Fixed sines and cosines of row and column.</summary>
    SinCos2d,
}

/// <summary>
/// Size of a Vision Transformer (Dosovitskiy et al. 2020, arXiv 2010.11929; Zhai et al. 2021, arXiv 2106.04560).
/// </summary>
internal sealed record VitConfig : ImageTowerConfig
{
    internal const string Kind = "vit";

    /// <summary>Length of a token's state.</summary>
    public required int Width { get; init; }

    /// <summary>Blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>Width inside a block's MLP.</summary>
    public required int MlpDim { get; init; }

    /// <summary>Attention heads; they divide the width.</summary>
    public required int AttentionHeads { get; init; }

    /// <summary>Side of a patch in pixels.</summary>
    public required int Patch { get; init; }

    /// <summary>How tokens become one representation.</summary>
    public VitPooling Pooling { get; init; }

    /// <summary>The class token is joined with the mean patch token, and the representation twice as long.</summary>
    public bool JoinPatchMean { get; init; }

    /// <summary>Where positions come from.</summary>
    public VitPositions Positions { get; init; }

    /// <summary>
    /// Width of a dense layer with tanh after the pooling, or none; the representation then is its output.
    /// </summary>
    public int? PreLogits { get; init; }

    // Width, depth, MLP, heads: Scaling ViT table 2, and big_vision models/vit.py (decode_variant) for the rest.
    private static readonly Dictionary<string, (int Width, int Depth, int MlpDim, int Heads)> Sizes = new()
    {
        ["mu"] = (32, 1, 128, 2),
        ["Ti"] = (192, 12, 768, 3),
        ["S"] = (384, 12, 1536, 6),
        ["M"] = (512, 12, 2048, 8),
        ["B"] = (768, 12, 3072, 12),
        ["L"] = (1024, 24, 4096, 16),
        ["So400m"] = (1152, 27, 4304, 16),
        ["H"] = (1280, 32, 5120, 16),
        ["g"] = (1408, 40, 6144, 16),
        ["g-opt"] = (1536, 40, 6144, 16),
        ["G"] = (1664, 48, 8192, 16),
        ["G-opt"] = (1536, 48, 8192, 16),
        ["e"] = (1792, 56, 15360, 16),
    };

    /// <summary>
    /// A published variant: size, slash, patch in pixels, as in "B/16"; for 224 pixels, with a class token as in
    /// vit_jax.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such size.</exception>
    public static VitConfig Named(string variant) =>
        variant.Split('/') is [var size, var patch]
        && Sizes.TryGetValue(size, out var s)
        && int.TryParse(patch, NumberStyles.None, CultureInfo.InvariantCulture, out var pixels)
        && pixels is >= 1 and <= 1024
            ? new()
            {
                Width = s.Width,
                Depth = s.Depth,
                MlpDim = s.MlpDim,
                AttentionHeads = s.Heads,
                Patch = pixels,
                ImageSize = 224,
                Positions = VitPositions.LearnedWithClass,
            }
            : throw new ArgumentException(
                $"There is no ViT variant '{variant}'. Write size/patch, for example B/16; "
                    + $"the sizes are {string.Join(", ", Sizes.Keys)}.",
                nameof(variant)
            );

    /// <inheritdoc/>
    public override string InWords
    {
        get
        {
            var name = Sizes.FirstOrDefault(size => size.Value == (Width, Depth, MlpDim, AttentionHeads)).Key
                is { } known
                ? $"ViT-{known}/{Patch}"
                : $"ViT of width {Width}, depth {Depth}, {AttentionHeads} heads, MLP {MlpDim}, patch {Patch}";
            var pooling = Pooling switch
            {
                VitPooling.Token when JoinPatchMean => "class token and mean patch token",
                VitPooling.Token => "class token",
                VitPooling.Mean => "mean over patches",
                VitPooling.Map => "attention pooling",
                _ => "first patch",
            };
            return $"{name}, {Pixels} px, {pooling}"
                + (Positions == VitPositions.SinCos2d ? ", fixed positions" : "")
                + (PreLogits is { } width ? $", pre-logits of {width}" : "");
        }
    }

    internal override int BlockCount => Depth;

    internal override ImageTowerConfig EndingAfter(int blocks) => this with { Depth = blocks, Heads = [] };

    internal override ImageTower Build(Device? device = null) => new VisionTransformer(this, device);
}

/// <summary>The Vision Transformer of vit_jax (AugReg, LiT) and big_vision (SigLIP and later).</summary>
internal sealed class VisionTransformer : ImageTower<VitConfig>
{
    private readonly Conv2d embedding;
    private readonly Parameter? cls,
        posembed;
    private readonly Encoder encoder;
    private readonly MapHead? map;
    private readonly Dense? prelogits;
    private readonly (long Rows, long Columns) grid;

    internal VisionTransformer(VitConfig config, Device? device = null)
        : base(
            nameof(VisionTransformer),
            config,
            config.PreLogits ?? (config.JoinPatchMean ? 2 : 1) * config.Width,
            device
        )
    {
        if (config.JoinPatchMean && (config.Pooling != VitPooling.Token || config.PreLogits is not null))
            throw new ArgumentException("A mean patch token is joined to a class token alone.", nameof(config));
        var D = config.Width;
        grid = config.GridOf(config.Patch);
        if (config.Positions == VitPositions.SinCos2d && (D % 4 != 0 || D < 8))
            throw new ArgumentException($"Fixed positions need a width that 4 divides, not {D}.", nameof(config));
        embedding = Conv2d(3, D, config.Patch, config.Patch, device: device);
        if (config.Pooling == VitPooling.Token)
            cls = Layers.Weight([1, 1, D], device);
        if (config.Positions != VitPositions.SinCos2d)
            posembed = Layers.Weight(
                [1, grid.Rows * grid.Columns + (config.Positions == VitPositions.LearnedWithClass ? 1 : 0), D],
                device
            );
        encoder = new Encoder(D, config.Depth, config.MlpDim, config.AttentionHeads, device: device);
        if (config.Pooling == VitPooling.Map)
            map = new MapHead(D, config.MlpDim, config.AttentionHeads, device: device);
        if (config.PreLogits is { } width)
            prelogits = Layers.Dense(D, width, device);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var x = Pooled(images); // [B, D]
        if (prelogits is not null)
            x = prelogits.call(x).tanh();
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>One state for each picture, [B, 3, H, W] → [B, D].</summary>
    internal Tensor Pooled(Tensor images) =>
        config.Pooling switch
        {
            VitPooling.Token when config.JoinPatchMean => Layers.WithPatchMean(Encoded(images)),
            VitPooling.Mean => Encoded(images).mean([1]),
            VitPooling.Map => map!.call(Encoded(images)),
            _ => encoder.One(Embedded(images), null, states => states.select(1, 0)),
        };

    /// <summary>Every token after the last norm, [B, 3, H, W] → [B, L, D].</summary>
    internal Tensor Encoded(Tensor images) => encoder.call(Embedded(images));

    // Patches with their positions and the class token, [B, 3, H, W] → [B, L, D].
    private Tensor Embedded(Tensor images)
    {
        var x = embedding.call(images); // [B, D, H/P, W/P]
        var positions = Positions(x.shape[2], x.shape[3]); // [L, D]
        x = x.flatten(2).transpose(1, 2).Plus(positions); // [B, L, D]
        if (cls is not null)
        {
            var first = config.Positions == VitPositions.LearnedWithClass ? cls.Plus(posembed![.., ..1]) : cls;
            x = cat([first.expand(x.shape[0], 1, -1), x], 1); // [B, 1+L, D]
        }
        return x;
    }

    /// <summary>
    /// The positions of the patches, resampled where the picture has another size than the tower was trained with, [L,
    /// D].
    /// </summary>
    internal Tensor Positions(long rows, long columns)
    {
        if (posembed is null)
            return PositionGrid.SinCos2d(rows, columns, config.Width, embedding.weight!);
        var table = posembed.squeeze(0);
        if (config.Positions == VitPositions.LearnedWithClass)
            table = table[1..];
        return PositionGrid.Resampled(table, grid, (rows, columns), PositionResampling.BilinearAligned);
    }

    private protected override void InitialiseBody(Generator random)
    {
        Layers.LecunNormal(embedding.weight!.flatten(1), random);
        init.zeros_(embedding.bias!);
        if (cls is not null)
            init.zeros_(cls);
        if (posembed is not null)
            Layers.Normal(posembed, 1 / Math.Sqrt(config.Width), random);
        encoder.Initialise(random);
        map?.Initialise(random);
        if (prelogits is not null)
        {
            Layers.LecunNormal(prelogits.weight!, random);
            init.zeros_(prelogits.bias!);
        }
    }

    // vit_jax (models_vit.py) and big_vision (models/vit.py), whose files of 2021 keep positions under Transformer/.
    // big_vision's MAP head stands under its own name or, in old files, at the top.
    internal static readonly WeightMap Flax = new("ViT (vit_jax, big_vision)")
    {
        { "embedding/kernel", "embedding.weight", Axes.HwioToOihw },
        { "embedding/bias", "embedding.bias" },
        { "cls", "cls" },
        { "Transformer/posembed_input/pos_embedding", "posembed" },
        { "Transformer/pos_embedding", "posembed" },
        { "pos_embedding", "posembed" },
        { Encoder.Flax, "Transformer/", "encoder." },
        { MapHead.Flax, "MAPHead_0/", "map." },
        { MapHead.Flax, "", "map." },
        { "pre_logits/kernel", "prelogits.weight", Axes.Transposed },
        { "pre_logits/bias", "prelogits.bias" },
        { "head/kernel", "heads.head.weight", Axes.Transposed },
        { "head/bias", "heads.head.bias" },
    };

    // transformers, models/siglip: SigLIP, and SigLIP 2 of one size.
    internal static readonly WeightMap HuggingFace = new WeightMap("SigLIP (Hugging Face)")
    {
        { "vision_model.embeddings.patch_embedding.weight", "embedding.weight" },
        { "vision_model.embeddings.patch_embedding.bias", "embedding.bias" },
        { "vision_model.embeddings.position_embedding.weight", "posembed", Axes.OneMore },
        { HuggingFaceBlock.Contrastive, "vision_model.encoder.layers.{i}.", "encoder.blocks.{i}." },
        { "vision_model.post_layernorm.weight", "encoder.norm.weight" },
        { "vision_model.post_layernorm.bias", "encoder.norm.bias" },
        { MapHead.HuggingFace, "vision_model.head.", "map." },
    }
        .Skipping("vision_model.embeddings.position_ids", "the numbers 0, 1, 2 …")
        .Skipping("text_model.{*}", "the text tower")
        .Skipping("logit_{*}", "the loss's");

    internal static ImageTowerFamily AsFamily { get; } =
        new(
            VitConfig.Kind,
            "Ti/16, S/16, B/32, B/16, L/16, H/14, g/14, G/14",
            (variant, options) =>
                (
                    VitConfig.Named(variant) is var named
                    && options.Pooling is { } pooling
                    && pooling != VitPooling.Token
                        ? named with
                        {
                            Pooling = pooling,
                            Positions = VitPositions.Learned,
                        }
                        : named
                ) with
                {
                    PreLogits = options.PreLogits ? named.Width : null,
                    JoinPatchMean = options.JoinPatchMean,
                },
            Preprocessing.LiT,
            Recognise
        );

    private static RecognisedTower? Recognise(Checkpoint checkpoint, ImageTowerOptions options, JsonElement? configJson)
    {
        if (
            WeightSource.Holding(checkpoint, "embedding/kernel", "Transformer/encoder_norm/scale")
            is not [var source, ..]
        )
            return null;
        const string each = "Transformer/encoderblock_{i}/",
            stacked = "Transformer/encoderblock/";
        string Block(string name) => source.Find(each + name, stacked + name);
        var depth = source.CountOf("Transformer/encoderblock_", "/") is > 0 and var count
            ? count
            : source.Size(Block("LayerNorm_0/scale"), 0);
        var positions = source.FindIfThere(
            "Transformer/posembed_input/pos_embedding",
            "Transformer/pos_embedding",
            "pos_embedding"
        );
        var probe = source.FindIfThere("MAPHead_0/probe", "probe");
        var pooling = options.Pooling
            ?? (
                source.Has("cls") ? VitPooling.Token
                : probe is not null ? VitPooling.Map
                : VitPooling.Mean
            );
        if ((pooling == VitPooling.Token) != source.Has("cls") || (pooling == VitPooling.Map && probe is null))
            throw new UsageException(
                checkpoint.Path,
                $"has {(source.Has("cls") ? "a" : "no")} class token and {(probe is null ? "no" : "an")} attention "
                    + $"pooling head, so that {pooling} pooling cannot be",
                "Leave pool= out"
            );
        var joined = options.JoinPatchMean;
        if (joined && pooling != VitPooling.Token)
            throw new UsageException(
                checkpoint.Path,
                "has no class token that the mean patch token could be joined to",
                "Leave patch-mean out"
            );
        var patch = source.Size("embedding/kernel", 0);
        var rows = positions is null ? 0 : source.Size(positions, -2);
        // What was said goes before a square that there may be by chance.
        var (own, withClass) = (options.GivenGrid(patch), pooling == VitPooling.Token ? rows - 1 : 0);
        var grid =
            positions is null ? (Rows: 224 / patch, Columns: 224 / patch)
            : own is { } given && (given.Rows * given.Columns == rows || given.Rows * given.Columns == withClass)
                ? given
            : ImageTowerOptions.SquareGrid(rows)
                ?? ImageTowerOptions.SquareGrid(withClass)
                ?? throw new LitException(
                    checkpoint.Path,
                    $"'{source.Prefix}{positions}' has {rows} rows, which is no square grid of patches",
                    "Put ':size=WIDTHxHEIGHT' of the pictures that it was trained with after the path"
                );
        var config = new VitConfig
        {
            Width = source.Size("embedding/kernel", -1),
            Depth = depth,
            MlpDim = source.Size(Block("MlpBlock_{0|3}/Dense_0/kernel"), -1),
            AttentionHeads = source.Size(Block("MultiHeadDotProductAttention_{0|1}/query/kernel"), -2),
            Patch = patch,
            ImageSize = grid.Columns * patch,
            ImageHeight = grid.Rows == grid.Columns ? null : grid.Rows * patch,
            Pooling = pooling,
            Positions =
                positions is null ? VitPositions.SinCos2d
                : grid.Rows * grid.Columns == rows ? VitPositions.Learned
                : VitPositions.LearnedWithClass,
            PreLogits = source.Has("pre_logits/kernel") && !joined ? source.Size("pre_logits/kernel", -1) : null,
            JoinPatchMean = joined,
            Heads =
                source.Has("head/kernel") && !joined ? [new HeadConfig("head", source.Size("head/kernel", -1))] : [],
        };
        var names = joined
            ? Flax.Skipping("head/{*}", "a head on the class token alone")
                .Skipping("pre_logits/{*}", "a layer on the class token alone")
            : Flax;
        if (pooling != VitPooling.Map)
            foreach (
                var part in new[]
                {
                    "probe",
                    "LayerNorm_{i}/{*}",
                    "MlpBlock_{i}/{*}",
                    "MultiHeadDotProductAttention_{i}/{*}",
                }
            )
                names = names.Skipping("{MAPHead_0/|}" + part, "attention pooling, which was not asked for");
        return new RecognisedTower(
            Flax.Family,
            source,
            config,
            _ => names,
            Preprocessing.LiT(config.ImageSize) with
            {
                Height = config.ImageHeight ?? config.ImageSize,
            }
        );
    }
}
