using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Checkpoints;
using LiT.Compute;
using LiT.Images;
using LiT.Towers.Settings;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

// Shapes: B pictures, P patch, N = (H/P)(W/P) patches, R registers, L = 1 + R + N tokens, D width.

/// <summary>The MLP inside a DINO block.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DinoMlp>))]
internal enum DinoMlp
{
    /// <summary>Two layers with an exact GELU between.</summary>
    Gelu,

    /// <summary>silu(first half) · second half, then a layer (Shazeer 2020, arXiv 2002.05202): DINOv2's g.</summary>
    SwiGlu,
}

/// <summary>
/// Size of a Vision Transformer as DINO trains it (Caron et al. 2021, arXiv 2104.14294; DINOv2: Oquab et al. 2023,
/// arXiv 2304.07193; registers: Darcet et al. 2023, arXiv 2309.16588). MoCo v3 and DeiT have the same form.
/// </summary>
internal sealed record DinoConfig : ImageTowerConfig
{
    internal const string Kind = "dino";

    /// <summary>Length of a token's state.</summary>
    public required int Width { get; init; }

    /// <summary>Blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>Width inside a block's MLP (of one half where it is gated).</summary>
    public required int MlpDim { get; init; }

    /// <summary>Attention heads; they divide the width.</summary>
    public required int AttentionHeads { get; init; }

    /// <summary>Side of a patch in pixels.</summary>
    public required int Patch { get; init; }

    /// <summary>Register tokens beside the class token.</summary>
    public int Registers { get; init; }

    /// <summary>
    /// The base of the rotary positions' periods, 100 in DINOv3; null for a learned table of positions.
    /// </summary>
    public double? RopeBase { get; init; }

    /// <summary>Added to variances in every normalisation; null for 1e-6.</summary>
    public double? NormEps { get; init; }

    /// <summary>
    /// Whether every branch is multiplied by a learned vector (LayerScale, arXiv 2103.17239): DINOv2.
    /// </summary>
    public bool LayerScale { get; init; }

    /// <summary>The MLP.</summary>
    public DinoMlp Mlp { get; init; }

    /// <summary>
    /// How positions are made to fit pictures of another size; DINO's own hub has another way for networks with
    /// registers.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public PositionResampling Resampling { get; init; } = PositionResampling.BicubicOffset;

    /// <summary>
    /// The representation is the class token joined with the mean patch token, twice as long (as dino.txt has it).
    /// </summary>
    public bool JoinPatchMean { get; init; }

    /// <summary>The representation is the mean patch token alone (timm's global_pool avg).</summary>
    public bool PatchMean { get; init; }

    private static readonly Dictionary<string, (int Width, int Depth, int MlpDim, int Heads)> ThirdSizes = new()
    {
        ["vits16"] = (384, 12, 1536, 6),
        ["vits16plus"] = (384, 12, 1536, 6),
        ["vitb16"] = (768, 12, 3072, 12),
        ["vitl16"] = (1024, 24, 4096, 16),
        ["vith16plus"] = (1280, 32, 5120, 20),
        ["vit7b16"] = (4096, 40, 8192, 32),
    };

    private static readonly Dictionary<string, (int Width, int Depth, int MlpDim, int Heads)> Sizes = new()
    {
        ["s"] = (384, 12, 1536, 6),
        ["b"] = (768, 12, 3072, 12),
        ["l"] = (1024, 24, 4096, 16),
        ["g"] = (1536, 40, 4096, 24),
    };

    /// <summary>
    /// A published network by its hub name: vits16, vits8, vitb16, vitb8 (DINO), vits14 … vitg14 and vits14_reg …
    /// (DINOv2).
    /// </summary>
    /// <exception cref="ArgumentException">There is no such network.</exception>
    public static DinoConfig Named(string variant)
    {
        const string third = "v3-";
        if (variant.StartsWith(third, StringComparison.Ordinal))
            return ThirdNamed(variant[third.Length..]);
        var registers = variant.EndsWith("_reg", StringComparison.Ordinal);
        var plain = registers ? variant[..^4] : variant;
        var second = plain.EndsWith("14", StringComparison.Ordinal);
        var patch =
            second ? 14
            : plain.EndsWith("16", StringComparison.Ordinal) ? 16
            : plain.EndsWith('8') ? 8
            : 0;
        var size = plain.StartsWith("vit", StringComparison.Ordinal) && plain.Length > 4 ? plain[3..4] : "";
        if (
            patch == 0
            || plain != $"vit{size}{patch}"
            || !Sizes.TryGetValue(size, out var s)
            || (!second && (registers || size is "l" or "g"))
        )
            throw new ArgumentException(
                $"There is no DINO network '{variant}'. Write vits16, vits8, vitb16 or vitb8, or "
                    + "DINOv2's vits14, vitb14, vitl14, vitg14, with _reg for registers.",
                nameof(variant)
            );
        return new()
        {
            Width = s.Width,
            Depth = s.Depth,
            MlpDim = s.MlpDim,
            AttentionHeads = s.Heads,
            Patch = patch,
            ImageSize = second ? 518 : 224,
            Registers = registers ? 4 : 0,
            Resampling = ResamplingOf(registers),
            LayerScale = second,
            Mlp = size == "g" ? DinoMlp.SwiGlu : DinoMlp.Gelu,
        };
    }

    // As facebookresearch/dinov3's hub has them.
    private static DinoConfig ThirdNamed(string variant) =>
        ThirdSizes.TryGetValue(variant, out var s)
            ? new()
            {
                Width = s.Width,
                Depth = s.Depth,
                MlpDim = s.MlpDim,
                AttentionHeads = s.Heads,
                Patch = 16,
                ImageSize = 224,
                Registers = 4,
                RopeBase = 100,
                NormEps = 1e-5,
                LayerScale = true,
                Mlp =
                    variant.EndsWith("plus", StringComparison.Ordinal) || variant == "vit7b16"
                        ? DinoMlp.SwiGlu
                        : DinoMlp.Gelu,
            }
            : throw new ArgumentException(
                $"There is no DINOv3 network '{variant}'. Write one of v3-{string.Join(", v3-", ThirdSizes.Keys)}.",
                nameof(variant)
            );

    internal static PositionResampling ResamplingOf(bool registers) =>
        registers ? PositionResampling.BicubicAntialias : PositionResampling.BicubicOffset;

    /// <inheritdoc/>
    public override string InWords
    {
        get
        {
            var name = Sizes.FirstOrDefault(size => size.Value == (Width, Depth, MlpDim, AttentionHeads)).Key
                is { } known
                ? $"ViT-{known.ToUpperInvariant()}/{Patch}"
                : $"ViT of width {Width}, depth {Depth}, {Layers.HeadsInWords(AttentionHeads)}, MLP "
                    + $"{MlpDim}, patch {Patch}";
            return name
                + (
                    RopeBase is not null ? " in DINOv3's form"
                    : LayerScale ? " in DINOv2's form"
                    : " in DINO's form"
                )
                + (Registers > 0 ? $", {Registers} registers" : "")
                + (Mlp == DinoMlp.SwiGlu ? ", SwiGLU" : "")
                + (
                    JoinPatchMean ? ", class token and mean patch token"
                    : PatchMean ? ", mean patch token"
                    : ", class token"
                );
        }
    }

    internal override int BlockCount => Depth;

    internal override ImageTowerConfig EndingAfter(int blocks) => this with { Depth = blocks, Heads = [] };

    internal override ImageTower Build(Device? device = null) => new DinoViT(this, device);
}

/// <summary>The Vision Transformer of DINO and DINOv2.</summary>
internal sealed class DinoViT : ImageTower<DinoConfig>
{
    private readonly Conv2d embedding;
    private readonly Parameter cls;
    private readonly Parameter? posembed,
        registers;
    private readonly ModuleList<DinoBlock> blocks;
    private readonly LayerNorm norm;
    private readonly long grid;
    private readonly Func<long, long, Rope>? rope; // of the patches' rows and columns

    internal DinoViT(DinoConfig config, Device? device = null)
        : base(nameof(DinoViT), config, config.JoinPatchMean ? 2 * config.Width : config.Width, device)
    {
        var D = config.Width;
        grid = config.ImageSize / config.Patch;
        if (grid < 1)
            throw new ArgumentException(
                $"A picture of {config.ImageSize} pixels holds no patch of {config.Patch}.",
                nameof(config)
            );
        embedding = Conv2d(3, D, config.Patch, config.Patch, device: device);
        cls = Layers.Weight([1, 1, D], device);
        if (config.RopeBase is null)
            posembed = Layers.Weight([1, 1 + grid * grid, D], device);
        else if (config.AttentionHeads > 0 && D / config.AttentionHeads % 4 != 0)
            throw new ArgumentException(
                $"Rotary positions need heads of a size that 4 divides, not {D / config.AttentionHeads}.",
                nameof(config)
            );
        if (config.Registers > 0)
            registers = Layers.Weight([1, config.Registers, D], device);
        blocks = new([.. Enumerable.Range(0, config.Depth).Select(_ => new DinoBlock(config, device))]);
        norm = LayerNorm(D, config.NormEps ?? 1e-6, device: device);
        if (config is { RopeBase: { } period, AttentionHeads: > 0 and var heads })
            rope = (rows, columns) => Rope.Of(rows, columns, D / heads, heads, period, cls);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var (first, patches) = Encoded(images);
        return (
            config.JoinPatchMean ? cat([first, patches.mean([1])], 1)
            : config.PatchMean ? patches.mean([1])
            : first.alias()
        ).MoveToOuterDisposeScope();
    }

    /// <summary>The class token [B, D] and the patch tokens [B, N, D] after the last norm.</summary>
    internal (Tensor Class, Tensor Patches) Encoded(Tensor images)
    {
        using var scope = NewDisposeScope();
        var x = embedding.call(images); // [B, D, H/P, W/P]
        var (rows, columns) = (x.shape[2], x.shape[3]);
        x = cat([cls.expand(x.shape[0], 1, -1), x.flatten(2).transpose(1, 2)], 1); // [B, 1+N, D]
        if (posembed is not null)
            x = x.Plus(Positions(rows, columns));
        if (registers is not null) // they have no positions
            x = cat([x[.., ..1], registers.expand(x.shape[0], -1, -1), x[.., 1..]], 1); // [B, L, D]
        var turned = rope?.Invoke(rows, columns);
        using (var loop = NewDisposeScope())
        {
            foreach (var block in blocks)
                x = loop.DisposeEverythingBut(block.call(x, turned));
            x.MoveToOuterDisposeScope();
        }
        x = norm.call(x);
        return (x.select(1, 0).MoveToOuterDisposeScope(), x[.., (1 + config.Registers)..].MoveToOuterDisposeScope());
    }

    /// <summary>The positions of class token and patches for a picture's grid, [1+N, D].</summary>
    internal Tensor Positions(long rows, long columns) =>
        PositionGrid.BehindClass(posembed!, (grid, grid), (rows, columns), config.Resampling);

    private protected override void InitialiseBody(Generator random)
    {
        Layers.TruncatedNormal(embedding.weight!, 0.02, random);
        init.zeros_(embedding.bias!);
        foreach (var token in new[] { cls, posembed, registers })
            if (token is not null)
                Layers.TruncatedNormal(token, 0.02, random);
        foreach (var block in blocks)
            block.Initialise(random);
    }

    // facebookresearch dino (vision_transformer.py) and dinov2 (models/vision_transformer.py); training checkpoints of
    // dinov2 put blocks in chunks, with the number of the block over all chunks.
    internal static readonly WeightMap Torch = new WeightMap("ViT (DINO)")
    {
        { "cls_token", "cls" },
        { "pos_embed", "posembed" },
        { "register_tokens", "registers" },
        { "patch_embed.proj.weight", "embedding.weight" },
        { "patch_embed.proj.bias", "embedding.bias" },
        { DinoBlock.Torch, "blocks.{i}.", "blocks.{i}." },
        { DinoBlock.Torch, "blocks.{c}.{i}.", "blocks.{i}." },
        { "norm.weight", "norm.weight" },
        { "norm.bias", "norm.bias" },
        { "head.weight", "heads.head.weight" },
        { "head.bias", "heads.head.bias" },
    }.Skipping("mask_token", "only pre-training needs it");

    // transformers, models/dinov2 and models/dinov2_with_registers.
    internal static readonly WeightMap HuggingFace = new WeightMap("DINOv2 (Hugging Face)")
    {
        { "{dinov2.|dinov2_with_registers.|}embeddings.cls_token", "cls" },
        { "{dinov2.|dinov2_with_registers.|}embeddings.position_embeddings", "posembed" },
        { "{dinov2.|dinov2_with_registers.|}embeddings.register_tokens", "registers" },
        { "{dinov2.|dinov2_with_registers.|}embeddings.patch_embeddings.projection.weight", "embedding.weight" },
        { "{dinov2.|dinov2_with_registers.|}embeddings.patch_embeddings.projection.bias", "embedding.bias" },
        { DinoBlock.HuggingFace, "{dinov2.|dinov2_with_registers.|}encoder.layer.{i}.", "blocks.{i}." },
        { "{dinov2.|dinov2_with_registers.|}layernorm.weight", "norm.weight" },
        { "{dinov2.|dinov2_with_registers.|}layernorm.bias", "norm.bias" },
        { "classifier.weight", "heads.classifier.weight" },
        { "classifier.bias", "heads.classifier.bias" },
    }.Skipping("{dinov2.|dinov2_with_registers.|}embeddings.mask_token", "only pre-training needs it");

    // transformers, models/dinov3_vit: keys have no bias, and in the largest neither have queries and values.
    internal static WeightMap Third(bool gated) =>
        new WeightMap("DINOv3 (Hugging Face)")
        {
            { "embeddings.cls_token", "cls" },
            { "embeddings.register_tokens", "registers" },
            { "embeddings.patch_embeddings.weight", "embedding.weight" },
            { "embeddings.patch_embeddings.bias", "embedding.bias" },
            { DinoBlock.Third(gated), "{model.|}layer.{i}.", "blocks.{i}." },
            { "norm.weight", "norm.weight" },
            { "norm.bias", "norm.bias" },
        }
            .Skipping("embeddings.mask_token", "only pre-training needs it")
            .Skipping("rope_embeddings.inv_freq", "follows from the base of the rotary positions");

    internal static ImageTowerFamily AsFamily { get; } =
        new(
            DinoConfig.Kind,
            "vits16, vitb16, vitb8, vits14, vitb14, vitl14, vitg14, vitb14_reg, v3-vits16, v3-vitb16, v3-vitl16",
            (variant, options) => DinoConfig.Named(variant) with { JoinPatchMean = options.JoinPatchMean },
            PreprocessingOf,
            Recognise
        );

    // Trained with 518 pixels at the end, DINOv2 is evaluated with 224 like its predecessor.
    internal static Preprocessing PreprocessingOf(int size) =>
        Preprocessing.TorchvisionImageNet(Math.Min(size, 224), ResizeMethod.PillowBicubic);

    private static RecognisedTower? Recognise(Checkpoint checkpoint, ImageTowerOptions options, JsonElement? configJson)
    {
        if (DinoSettings.InHuggingFaceNames(checkpoint) is { } theirs)
            return DinoSettings.HuggingFace(checkpoint, theirs, options, configJson);
        if (DinoSettings.ThirdInHuggingFaceNames(checkpoint) is { } third)
            return DinoSettings.Third(checkpoint, third, options, configJson);
        if (
            WeightSource.Holding(checkpoint, "patch_embed.proj.weight", "cls_token", "pos_embed", "norm.weight")
            is not [var source, ..]
        )
            return null;
        var width = source.Size("patch_embed.proj.weight", 0);
        var moco = source.Prefix.EndsWith("base_encoder.", StringComparison.Ordinal);
        var gated = source.FindIfThere("blocks.{i}.mlp.w3.weight", "blocks.{c}.{i}.mlp.w3.weight");
        var (rows, patch) = (source.Size("pos_embed", -2) - 1, source.Size("patch_embed.proj.weight", -1));
        var side = (int)Math.Sqrt(rows);
        DinoSettings.CheckTokens(source, rows);
        if (side * side != rows)
            throw new LitException(
                checkpoint.Path,
                $"'pos_embed' has {rows} rows beside the class token's, which is no square grid of patches",
                "Give a checkpoint for square pictures"
            );
        var settings = new DinoSettings(checkpoint.Path, configJson, moco);
        var head = !moco && source.Has("head.weight") && source.ShapeOf("head.weight").Count == 2;
        var config = new DinoConfig
        {
            Width = width,
            Depth = source.Believable(source.Tensors.Keys.Max(BlockOf) + 1),
            MlpDim = source.Size(
                gated ?? source.Find("blocks.{i}.mlp.fc1.weight", "blocks.{c}.{i}.mlp.fc1.weight"),
                gated is null ? 0 : 1
            ),
            // MoCo v3's S has twice as many heads as every other ViT-S (moco-v3: vits.py).
            AttentionHeads = options.AttentionHeads
                ?? settings.Heads
                ?? (moco && width == 384 ? 12 : DinoSettings.UsualHeads(width)),
            Patch = patch,
            ImageSize = side * patch,
            Registers = source.Has("register_tokens") ? source.Size("register_tokens", -2) : 0,
            Resampling = settings.IsTimm
                ? PositionResampling.BicubicAntialias
                : DinoConfig.ResamplingOf(source.Has("register_tokens")),
            LayerScale = source.FindIfThere("blocks.{i}.ls1.gamma", "blocks.{c}.{i}.ls1.gamma") is not null,
            Mlp = gated is null ? DinoMlp.Gelu : DinoMlp.SwiGlu,
            JoinPatchMean = options.JoinPatchMean,
            PatchMean = settings.PatchMean && !options.JoinPatchMean,
            Heads = head && !options.JoinPatchMean ? [new HeadConfig("head", source.Size("head.weight", 0))] : [],
        };
        if (options.Describing && options.AttentionHeads is null && settings.Heads is null && width % 64 != 0)
            config = config with { AttentionHeads = 0 };
        else if (config.AttentionHeads < 1 || width % config.AttentionHeads != 0)
            throw new UsageException(
                checkpoint.Path,
                $"says nothing of its attention heads, and {config.AttentionHeads} cannot be for a width of {width}",
                "Put ':heads=N' after the path"
            );
        var names =
            head && config.Heads.Count > 0
                ? Torch
                : Torch.Skipping(
                    "head.{*}",
                    moco ? "MoCo's projector, which only its training needs" : "a head on the class token alone"
                );
        // MoCo v3 is evaluated with torchvision's default filter (moco-v3: main_lincls.py), DINO and DINOv2 with
        // bicubic.
        return settings.Closed(
            new RecognisedTower(
                moco ? "ViT (MoCo v3)" : names.Family,
                source,
                config,
                _ => names,
                moco ? Preprocessing.TorchvisionImageNet(config.ImageSize) : PreprocessingOf(config.ImageSize)
            )
        );
    }

    private static readonly NamePattern[] BlockNames =
    [
        new("blocks.{i}.norm1.weight"),
        new("blocks.{c}.{i}.norm1.weight"),
    ];

    private static int BlockOf(string name) =>
        BlockNames.Select(pattern => pattern.NumbersIn(name)).FirstOrDefault(numbers => numbers is not null)?['i']
        ?? -1;
}

/// <summary>x + ls1 · attention(norm1(x)), then x + ls2 · mlp(norm2(x)).</summary>
internal sealed class DinoBlock : Module<Tensor, Rope?, Tensor>
{
    private readonly LayerNorm norm1,
        norm2;
    private readonly SelfAttention attn;
    private readonly Module<Tensor, Tensor> mlp;
    private readonly Parameter? ls1,
        ls2;

    public DinoBlock(DinoConfig config, Device? device)
        : base(nameof(DinoBlock))
    {
        var D = config.Width;
        var eps = config.NormEps ?? 1e-6;
        (norm1, norm2) = (LayerNorm(D, eps, device: device), LayerNorm(D, eps, device: device));
        attn = new SelfAttention(D, Math.Max(1, config.AttentionHeads), device);
        if (config.RopeBase is not null)
            attn.ClearBiases();
        mlp =
            config.Mlp == DinoMlp.SwiGlu
                ? new SwiGlu(D, config.MlpDim, device)
                : new Mlp(D, config.MlpDim, Activation.Gelu, device);
        if (config.LayerScale)
            (ls1, ls2) = (Layers.Weight([D], device), Layers.Weight([D], device));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Rope? rope)
    {
        var y = attn.call(norm1.call(x), rope);
        x = x.Plus(ls1 is null ? y : y * ls1);
        y = mlp.call(norm2.call(x));
        return x.Plus(ls2 is null ? y : y * ls2);
    }

    public void Initialise(Generator random)
    {
        attn.Initialise(random);
        foreach (var (name, weight) in mlp.named_parameters())
        {
            if (name.EndsWith("bias", StringComparison.Ordinal))
                init.zeros_(weight);
            else
                Layers.TruncatedNormal(weight, 0.02, random);
        }
        foreach (var scale in new[] { ls1, ls2 })
            if (scale is not null)
                scale.With(1e-5, init.constant_);
    }

    internal static readonly WeightMap Torch = new("DINO block")
    {
        { "norm{k}.weight", "norm{k}.weight" },
        { "norm{k}.bias", "norm{k}.bias" },
        { "attn.qkv.weight", "attn.qkv.weight" },
        { "attn.qkv.bias", "attn.qkv.bias" },
        { "attn.proj.weight", "attn.out.weight" },
        { "attn.proj.bias", "attn.out.bias" },
        { "ls{k}.gamma", "ls{k}" },
        { "mlp.{fc1|w12}.weight", "mlp.fc1.weight" },
        { "mlp.{fc1|w12}.bias", "mlp.fc1.bias" },
        { "mlp.{fc2|w3}.weight", "mlp.fc2.weight" },
        { "mlp.{fc2|w3}.bias", "mlp.fc2.bias" },
    };

    internal static WeightMap Third(bool gated)
    {
        WeightMap map = new("Hugging Face DINOv3 block")
        {
            { "norm{k}.weight", "norm{k}.weight" },
            { "norm{k}.bias", "norm{k}.bias" },
            { "attention.o_proj.weight", "attn.out.weight" },
            { "attention.o_proj.bias", "attn.out.bias" },
            { "layer_scale{k}.lambda1", "ls{k}" },
            { "mlp.down_proj.weight", "mlp.fc2.weight" },
            { "mlp.down_proj.bias", "mlp.fc2.bias" },
        };
        foreach (var (part, letter) in "qkv".Select((letter, part) => (part, letter)))
        {
            map.Add($"attention.{letter}_proj.weight", "attn.qkv.weight", Axes.Same, part, 3);
            map.Add(new($"attention.{letter}_proj.bias", "attn.qkv.bias", Axes.Same, part, 3, Optional: true));
        }
        foreach (var kind in (string[])["weight", "bias"])
        {
            if (gated)
                map.Add($"mlp.gate_proj.{kind}", $"mlp.fc1.{kind}", Axes.Same, 0, 2);
            map.Add($"mlp.up_proj.{kind}", $"mlp.fc1.{kind}", Axes.Same, gated ? 1 : 0, gated ? 2 : 1);
        }
        return map;
    }

    internal static readonly WeightMap HuggingFace = new("Hugging Face DINOv2 block")
    {
        { "norm{k}.weight", "norm{k}.weight" },
        { "norm{k}.bias", "norm{k}.bias" },
        { "attention.attention.query.weight", "attn.qkv.weight", Axes.Same, 0, 3 },
        { "attention.attention.query.bias", "attn.qkv.bias", Axes.Same, 0, 3 },
        { "attention.attention.key.weight", "attn.qkv.weight", Axes.Same, 1, 3 },
        { "attention.attention.key.bias", "attn.qkv.bias", Axes.Same, 1, 3 },
        { "attention.attention.value.weight", "attn.qkv.weight", Axes.Same, 2, 3 },
        { "attention.attention.value.bias", "attn.qkv.bias", Axes.Same, 2, 3 },
        { "attention.output.dense.weight", "attn.out.weight" },
        { "attention.output.dense.bias", "attn.out.bias" },
        { "layer_scale{k}.lambda1", "ls{k}" },
        { "mlp.{fc1|weights_in}.weight", "mlp.fc1.weight" },
        { "mlp.{fc1|weights_in}.bias", "mlp.fc1.bias" },
        { "mlp.{fc2|weights_out}.weight", "mlp.fc2.weight" },
        { "mlp.{fc2|weights_out}.bias", "mlp.fc2.bias" },
    };
}

/// <summary>
/// silu(first half) · second half of one dense layer, then another (DINOv2: layers/swiglu_ffn.py, w12 and w3).
/// </summary>
internal sealed class SwiGlu : Module<Tensor, Tensor>
{
    private readonly Dense fc1,
        fc2;

    public SwiGlu(int width, int hidden, Device? device)
        : base(nameof(SwiGlu))
    {
        (fc1, fc2) = (Layers.Dense(width, 2 * hidden, device), Layers.Dense(hidden, width, device));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var halves = fc1.call(x).chunk(2, -1);
        return fc2.call(functional.silu(halves[0]) * halves[1]);
    }
}
