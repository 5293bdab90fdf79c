using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Checkpoints;
using LiT.Compute;
using LiT.Files;
using LiT.Images;
using LiT.Towers.Settings;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

// Shapes: B pictures, P patch, L = 1 + (H/P)(W/P) tokens, D width.

/// <summary>
/// Size of a Vision Transformer as Hugging Face transformers has it (models/vit/modeling_vit.py), from config.json
/// where that lies beside the weights.
/// </summary>
internal sealed record HuggingFaceViTConfig : ImageTowerConfig
{
    internal const string Kind = "hf-vit";

    /// <summary>hidden_size: length of a token's state.</summary>
    public required int Width { get; init; }

    /// <summary>num_hidden_layers: blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>intermediate_size: width inside a block's MLP.</summary>
    public required int MlpDim { get; init; }

    /// <summary>num_attention_heads; they divide the width.</summary>
    public required int AttentionHeads { get; init; }

    /// <summary>patch_size: side of a patch in pixels.</summary>
    public required int Patch { get; init; }

    /// <summary>hidden_act; exact GELU in every published ViT.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public Activation Activation { get; init; } = Activation.Gelu;

    /// <summary>layer_norm_eps.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>
    /// The representation is what the pooler makes of the class token, tanh(dense(cls)), and not the class token
    /// itself.
    /// </summary>
    public bool Pooler { get; init; }

    /// <summary>The representation is the class token joined with the mean patch token, twice as long.</summary>
    public bool JoinPatchMean { get; init; }

    /// <inheritdoc/>
    public override string InWords =>
        $"ViT of width {Width}, depth {Depth}, {Layers.HeadsInWords(AttentionHeads)}, MLP {MlpDim}, "
        + $"patch {Patch}, {ImageSize} px, "
        + (
            Pooler ? "pooler"
            : JoinPatchMean ? "class token and mean patch token"
            : "class token"
        );

    internal override int BlockCount => Depth;

    internal override ImageTowerConfig EndingAfter(int blocks) => this with { Depth = blocks, Heads = [] };

    internal override ImageTower Build(Device? device = null) => new HuggingFaceViT(this, device);
}

/// <summary>Hugging Face's ViTModel and ViTForImageClassification.</summary>
internal sealed class HuggingFaceViT : ImageTower<HuggingFaceViTConfig>
{
    private readonly Conv2d embedding;
    private readonly Parameter cls,
        posembed;
    private readonly Encoder encoder;
    private readonly Dense? pooler;
    private readonly long grid;

    internal HuggingFaceViT(HuggingFaceViTConfig config, Device? device = null)
        : base(nameof(HuggingFaceViT), config, (config.JoinPatchMean ? 2 : 1) * config.Width, device)
    {
        var D = config.Width;
        grid = config.ImageSize / config.Patch;
        embedding = Conv2d(3, D, config.Patch, config.Patch, device: device);
        cls = Layers.Weight([1, 1, D], device);
        posembed = Layers.Weight([1, 1 + grid * grid, D], device);
        encoder = new Encoder(
            D,
            config.Depth,
            config.MlpDim,
            Math.Max(1, config.AttentionHeads),
            config.Activation,
            config.LayerNormEps,
            device
        );
        if (config.Pooler)
            pooler = Layers.Dense(D, D, device);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        if (config.JoinPatchMean)
            return Layers.WithPatchMean(encoder.call(Embedded(images))).MoveToOuterDisposeScope(); // [B, 2 D]
        var x = encoder.One(Embedded(images), null, states => states.select(1, 0)); // [B, D]
        if (pooler is not null)
            x = pooler.call(x).tanh();
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>last_hidden_state: every token after the last norm, [B, L, D].</summary>
    internal Tensor Encoded(Tensor images)
    {
        using var scope = NewDisposeScope();
        return encoder.call(Embedded(images)).MoveToOuterDisposeScope();
    }

    private Tensor Embedded(Tensor images)
    {
        var x = embedding.call(images); // [B, D, H/P, W/P]
        var to = (x.shape[2], x.shape[3]);
        var positions = PositionGrid.BehindClass(posembed, (grid, grid), to, PositionResampling.Bicubic);
        return cat([cls.expand(x.shape[0], 1, -1), x.flatten(2).transpose(1, 2)], 1).Plus(positions); // [B, L, D]
    }

    internal static readonly WeightMap Names = new("ViT (Hugging Face)")
    {
        { "{vit.|}embeddings.cls_token", "cls" },
        { "{vit.|}embeddings.position_embeddings", "posembed" },
        { "{vit.|}embeddings.patch_embeddings.projection.weight", "embedding.weight" },
        { "{vit.|}embeddings.patch_embeddings.projection.bias", "embedding.bias" },
        { Block, "{vit.|}encoder.layer.{i}.", "encoder.blocks.{i}." },
        { "{vit.|}layernorm.weight", "encoder.norm.weight" },
        { "{vit.|}layernorm.bias", "encoder.norm.bias" },
        { "{vit.|}pooler.dense.weight", "pooler.weight" },
        { "{vit.|}pooler.dense.bias", "pooler.bias" },
        { "classifier.weight", "heads.classifier.weight" },
        { "classifier.bias", "heads.classifier.bias" },
    };

    private static WeightMap Block =>
        new("Hugging Face ViT block")
        {
            { "layernorm_before.weight", "norm1.weight" },
            { "layernorm_before.bias", "norm1.bias" },
            { "attention.attention.query.weight", "attn.qkv.weight", Axes.Same, 0, 3 },
            { "attention.attention.query.bias", "attn.qkv.bias", Axes.Same, 0, 3 },
            { "attention.attention.key.weight", "attn.qkv.weight", Axes.Same, 1, 3 },
            { "attention.attention.key.bias", "attn.qkv.bias", Axes.Same, 1, 3 },
            { "attention.attention.value.weight", "attn.qkv.weight", Axes.Same, 2, 3 },
            { "attention.attention.value.bias", "attn.qkv.bias", Axes.Same, 2, 3 },
            { "attention.output.dense.weight", "attn.out.weight" },
            { "attention.output.dense.bias", "attn.out.bias" },
            { "layernorm_after.weight", "norm2.weight" },
            { "layernorm_after.bias", "norm2.bias" },
            { "intermediate.dense.weight", "mlp.fc1.weight" },
            { "intermediate.dense.bias", "mlp.fc1.bias" },
            { "output.dense.weight", "mlp.fc2.weight" },
            { "output.dense.bias", "mlp.fc2.bias" },
        };

    internal static ImageTowerFamily AsFamily { get; } =
        new(HuggingFaceViTConfig.Kind, "", null, Preprocessing.HuggingFaceViT, Recognise);

    private static RecognisedTower? Recognise(Checkpoint checkpoint, ImageTowerOptions options, JsonElement? configJson)
    {
        const string cls = "embeddings.cls_token",
            patches = "embeddings.patch_embeddings.projection.weight";
        if (WeightSource.Holding(checkpoint, cls, patches, "layernorm.weight") is not [var inner, ..])
            return null;
        // With a classifier the model stands under "vit.", the classifier beside it.
        var source = inner.Prefix.EndsWith("vit.", StringComparison.Ordinal)
            ? new WeightSource(checkpoint, inner.Prefix[..^4])
            : inner;
        var (width, rows, patch) = (
            inner.Size(patches, 0),
            inner.Size("embeddings.position_embeddings", -2) - 1,
            inner.Size(patches, -1)
        );
        var side = (int)Math.Sqrt(rows);
        if (side * side != rows)
            throw new LitException(
                checkpoint.Path,
                $"has {rows} positions beside the class token's, which is no square grid of patches",
                "Give a checkpoint for square pictures"
            );
        var said = new SettingsFile(checkpoint.Path, configJson);
        ModelKind.Expect(said, "a ViT in Hugging Face's names", ModelKind.ViT);
        HuggingFaceConfig.Check(said);
        if (options is { JoinPatchMean: true, Pooler: true })
            throw new UsageException(
                checkpoint.Path,
                "a pooler sees the class token alone",
                "Give one of pooler and patch-mean"
            );
        var report = new SettingsReport();
        var classes = source.Has("classifier.weight") ? source.Size("classifier.weight", 0) : 0;
        var config = new HuggingFaceViTConfig
        {
            Width = width,
            Depth = inner.CountOf("encoder.layer.", "."),
            MlpDim = inner.Size(inner.Find("encoder.layer.{i}.intermediate.dense.weight"), 0),
            AttentionHeads = options.AttentionHeads
                ?? said.Number("num_attention_heads")
                ?? (width % 64 == 0 ? DinoSettings.UsualHeads(width) : 0),
            Patch = patch,
            ImageSize = side * patch,
            LayerNormEps = said.Real("layer_norm_eps") ?? (said.Word("model_type") == "vit_msn" ? 1e-6 : 1e-12),
            Activation = HuggingFaceConfig.ActivationOf(said),
            Pooler = options.Pooler,
            JoinPatchMean = options.JoinPatchMean,
            Heads =
                classes > 0 && !options.Pooler && !options.JoinPatchMean
                    ? [new HeadConfig("classifier", classes, ClassNames(configJson, classes))]
                    : [],
        };
        const string there = "the weights have";
        said.Expect("hidden_size", width, there);
        said.Expect("num_hidden_layers", config.Depth, there);
        said.Expect("intermediate_size", config.MlpDim, there);
        said.Expect("num_channels", 3, "here it can only be");
        said.Expect("qkv_bias", true);
        said.Expect("pooler_act", "tanh");
        said.Expect("pooler_output_size", width, "here it can only be the width,");
        DinoSettings.ExpectSides(said, "image_size", config.ImageSize);
        DinoSettings.ExpectSides(said, "patch_size", patch);
        var preprocessing = ProcessorSettings.Of(
            checkpoint.Path,
            Preprocessing.HuggingFaceViT(config.ImageSize),
            config.ImageSize,
            report
        );
        report.Close(said, KnownSettings.Transformers);
        if (options.Describing && config.AttentionHeads == 0)
            return new RecognisedTower(
                Names.Family,
                source,
                config,
                _ => Names.Skipping("{vit.|}pooler.{*}", "the pooler, which was not asked for"),
                preprocessing
            )
            {
                Settings = report,
            };
        if (config.AttentionHeads < 1 || width % config.AttentionHeads != 0)
            throw options.AttentionHeads is null && said.Has("num_attention_heads")
                ? said.Wrong("num_attention_heads", $"a divisor of the width, {width},")
                : new UsageException(
                    checkpoint.Path,
                    $"{config.AttentionHeads} attention heads cannot be for a width of {width}",
                    "Put its config.json beside it, or ':heads=N' after the path"
                );
        var names = options.Pooler
            ? Names.Skipping("classifier.{*}", "a head on the class token, not on the pooler")
            : Names.Skipping("{vit.|}pooler.{*}", "the pooler, which was not asked for");
        if (options.JoinPatchMean)
            names = names.Skipping("classifier.{*}", "a head on the class token alone");
        return new RecognisedTower(Names.Family, source, config, _ => names, preprocessing) { Settings = report };
    }

    private static string[]? ClassNames(JsonElement? configJson, int classes)
    {
        if (
            configJson is not { ValueKind: JsonValueKind.Object } json
            || !json.TryGetProperty("id2label", out var labels)
            || labels.ValueKind != JsonValueKind.Object
        )
            return null;
        var names = Enumerable
            .Range(0, classes)
            .Select(id =>
                labels.TryGetProperty(id.ToString(CultureInfo.InvariantCulture), out var name)
                && name.ValueKind == JsonValueKind.String
                    ? name.GetString()
                    : null
            )
            .OfType<string>()
            .ToArray();
        return names.Length < classes || names.Any(name => name.StartsWith("LABEL_", StringComparison.Ordinal))
            ? null
            : names;
    }
}
