using System.Text.Json.Serialization;
using LiT.Compute;
using LiT.Images;
using LiT.Towers.Settings;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

// Shapes: B pictures, P patch, L = 1 + (H/P)(W/P) tokens, D width, E width behind the projection.

/// <summary>Size of CLIP's Vision Transformer (Radford et al. 2021, arXiv 2103.00020).</summary>
internal sealed record ClipViTConfig : ImageTowerConfig
{
    internal const string Kind = "clip-vit";

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

    /// <summary>hidden_act: OpenAI's own weights have the quick form, most of LAION's the exact one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public Activation Activation { get; init; } = Activation.QuickGelu;

    /// <summary>layer_norm_eps.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>The representation is the class token joined with the mean patch token, twice as long.</summary>
    public bool JoinPatchMean { get; init; }

    /// <summary>
    /// Width that a projection brings the class token to, which is then the representation; null for the class token
    /// itself.
    /// </summary>
    public int? Projection { get; init; }

    /// <inheritdoc/>
    public override string InWords =>
        $"CLIP's ViT of width {Width}, depth {Depth}, {Layers.HeadsInWords(AttentionHeads)}, MLP {MlpDim}, "
        + $"patch {Patch}, {ImageSize} px, "
        + (
            Projection is { } size ? $"projected to {size}"
            : JoinPatchMean ? "class token and mean patch token"
            : "class token"
        );

    internal override int BlockCount => Depth;

    internal override ImageTowerConfig EndingAfter(int blocks) => this with { Depth = blocks, Heads = [] };

    internal override ImageTower Build(Device? device = null) => new ClipViT(this, device);
}

/// <summary>The image tower of CLIP: a norm before the blocks, and no bias under the patches.</summary>
internal sealed class ClipViT : ImageTower<ClipViTConfig>
{
    private readonly Conv2d embedding;
    private readonly Parameter cls,
        posembed;
    private readonly LayerNorm prenorm;
    private readonly Encoder encoder;
    private readonly Dense? projection;
    private readonly long grid;

    internal ClipViT(ClipViTConfig config, Device? device = null)
        : base(nameof(ClipViT), config, config.Projection ?? (config.JoinPatchMean ? 2 : 1) * config.Width, device)
    {
        var D = config.Width;
        grid = config.ImageSize / config.Patch;
        embedding = Conv2d(3, D, config.Patch, config.Patch, bias: false, device: device);
        cls = Layers.Weight([1, 1, D], device);
        posembed = Layers.Weight([1, 1 + grid * grid, D], device);
        prenorm = LayerNorm(D, config.LayerNormEps, device: device);
        encoder = new Encoder(
            D,
            config.Depth,
            config.MlpDim,
            Math.Max(1, config.AttentionHeads),
            config.Activation,
            config.LayerNormEps,
            device
        );
        if (config.Projection is { } size)
            projection = Layers.Dense(D, size, device, bias: false);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        if (config.JoinPatchMean && projection is null)
            return Layers.WithPatchMean(encoder.call(Embedded(images))).MoveToOuterDisposeScope(); // [B, 2 D]
        var x = encoder.One(Embedded(images), null, states => states.select(1, 0)); // [B, D]
        return (projection?.call(x) ?? x).MoveToOuterDisposeScope();
    }

    private Tensor Embedded(Tensor images)
    {
        var x = embedding.call(images); // [B, D, H/P, W/P]
        var to = (x.shape[2], x.shape[3]);
        var positions = PositionGrid.BehindClass(posembed, (grid, grid), to, PositionResampling.Bicubic);
        x = cat([cls.expand(x.shape[0], 1, -1), x.flatten(2).transpose(1, 2)], 1).Plus(positions); // [B, L, D]
        return prenorm.call(x);
    }

    // transformers, models/clip; the misspelt name is theirs.
    internal static WeightMap Names(bool projection)
    {
        var map = new WeightMap("CLIP (Hugging Face)")
        {
            { "vision_model.embeddings.class_embedding", "cls", Axes.Row },
            { "vision_model.embeddings.position_embedding.weight", "posembed", Axes.OneMore },
            { "vision_model.embeddings.patch_embedding.weight", "embedding.weight" },
            { "vision_model.pre_layrnorm.weight", "prenorm.weight" },
            { "vision_model.pre_layrnorm.bias", "prenorm.bias" },
            { HuggingFaceBlock.Contrastive, "vision_model.encoder.layers.{i}.", "encoder.blocks.{i}." },
            { "vision_model.post_layernorm.weight", "encoder.norm.weight" },
            { "vision_model.post_layernorm.bias", "encoder.norm.bias" },
        }
            .Skipping("vision_model.embeddings.position_ids", "the numbers 0, 1, 2 …")
            .Skipping("text_model.{*}", "the text tower")
            .Skipping("text_projection.{*}", "the text tower's")
            .Skipping("logit_{*}", "the loss's");
        if (!projection)
            return map.Skipping(
                "visual_projection.{*}",
                "the head to the common size; load with :projection to have it in the representation"
            );
        map.Add("visual_projection.weight", "projection.weight");
        return map;
    }

    internal static ImageTowerFamily AsFamily { get; } =
        new(ClipViTConfig.Kind, "", null, Preprocessing.Clip, ContrastiveSettings.Image);
}

/// <summary>The blocks of CLIP and SigLIP in Hugging Face's names, images' and texts'.</summary>
internal static class HuggingFaceBlock
{
    public static WeightMap Contrastive { get; } =
        new("Hugging Face CLIP block")
        {
            { "layer_norm{k}.weight", "norm{k}.weight" },
            { "layer_norm{k}.bias", "norm{k}.bias" },
            { "self_attn.q_proj.weight", "attn.qkv.weight", Axes.Same, 0, 3 },
            { "self_attn.q_proj.bias", "attn.qkv.bias", Axes.Same, 0, 3 },
            { "self_attn.k_proj.weight", "attn.qkv.weight", Axes.Same, 1, 3 },
            { "self_attn.k_proj.bias", "attn.qkv.bias", Axes.Same, 1, 3 },
            { "self_attn.v_proj.weight", "attn.qkv.weight", Axes.Same, 2, 3 },
            { "self_attn.v_proj.bias", "attn.qkv.bias", Axes.Same, 2, 3 },
            { "self_attn.out_proj.weight", "attn.out.weight" },
            { "self_attn.out_proj.bias", "attn.out.bias" },
            { "mlp.fc{k}.weight", "mlp.fc{k}.weight" },
            { "mlp.fc{k}.bias", "mlp.fc{k}.bias" },
        };
}
