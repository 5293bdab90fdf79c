using System.Text.Json;
using LiT.Checkpoints;
using LiT.Files;
using LiT.Images;

namespace LiT.Towers.Settings;

/// <summary>
/// What stands beside the weights of a Vision Transformer in DINO's names, which timm's plain ones have too, or in
/// Hugging Face's names of DINOv2.
/// </summary>
internal sealed class DinoSettings
{
    private readonly SettingsFile config;
    private readonly TimmSettings? timm;
    private readonly SettingsReport report = new();

    public DinoSettings(string path, JsonElement? json, bool moco)
    {
        config = new(path, json);
        timm = moco ? null : TimmSettings.Of(config);
        timm?.Expect("a plain ViT", TimmSettings.IsPlainViT);
        timm?.ExpectPool("token", "avg");
    }

    /// <summary>Whether config.json is one of timm.</summary>
    public bool IsTimm => timm is not null;

    /// <summary>Attention heads, where the file says them.</summary>
    public int? Heads => timm?.Heads;

    /// <summary>Whether the file asks for the mean patch token.</summary>
    public bool PatchMean => timm?.Pool == "avg";

    /// <summary>
    /// Heads of the public networks of a width: 64 numbers each, but for the large ones of timm and MAE (huge, giant,
    /// gigantic and so400m), which have 16.
    /// </summary>
    public static int UsualHeads(int width) => width is 1152 or 1280 or 1408 or 1664 ? 16 : width / 64;

    /// <summary>The tower with the preprocessing that stands beside it.</summary>
    public RecognisedTower Closed(RecognisedTower found)
    {
        if (timm is not null)
        {
            var preprocessing = timm.Preprocessing(found.Config.ImageSize, report);
            timm.Close(report);
            return found with { Family = "ViT (timm)", Preprocessing = preprocessing, Settings = report };
        }
        if (HuggingFaceConfig.Names(config))
            HuggingFaceConfig.PassOver(config, found.Family, report);
        ProcessorSettings.PassOver(config.Beside, report);
        return found with { Settings = report };
    }

    /// <summary>
    /// Names what timm has that DINO has not, before anything else is said of the table of positions.
    /// </summary>
    public static void CheckTokens(WeightSource source, int rows)
    {
        string? other =
            source.Has("reg_token") ? "timm's register tokens (reg_token)"
            : source.Has("dist_token") ? "a distillation token (dist_token)"
            : (int)Math.Sqrt(rows + 1) is var side && side * side == rows + 1 && rows > 0
                ? "no position for its class token (timm's no_embed_class)"
            : null;
        if (other is not null)
            throw new LitException(
                source.Checkpoint.Path,
                $"is a ViT of timm that has {other}, which is not built here",
                "Give a plain ViT, or DINO's or DINOv2's own file"
            );
    }

    /// <summary>The part of a checkpoint that is a DINOv2 in Hugging Face's names, or null.</summary>
    public static WeightSource? InHuggingFaceNames(Checkpoint checkpoint) =>
        WeightSource
            .Holding(checkpoint, "embeddings.cls_token", "embeddings.patch_embeddings.projection.weight")
            .FirstOrDefault(source =>
                source.FindIfThere("encoder.layer.{i}.layer_scale1.lambda1") is not null
                && source.FindIfThere("encoder.layer.{i}.norm1.weight") is not null
            );

    /// <summary>A DINOv2 in Hugging Face's names (transformers: models/dinov2, models/dinov2_with_registers).</summary>
    public static RecognisedTower HuggingFace(
        Checkpoint checkpoint,
        WeightSource inner,
        ImageTowerOptions options,
        JsonElement? json
    )
    {
        const string patches = "embeddings.patch_embeddings.projection.weight",
            positions = "embeddings.position_embeddings",
            registerTokens = "embeddings.register_tokens";
        var said = new SettingsFile(checkpoint.Path, json);
        ModelKind.Expect(said, "a DINOv2 in Hugging Face's names", ModelKind.Dinov2);
        HuggingFaceConfig.Check(said);
        var source = new WeightSource(checkpoint, Outer(inner.Prefix));
        var (width, patch, rows) = (inner.Size(patches, 0), inner.Size(patches, -1), inner.Size(positions, -2) - 1);
        var side = (int)Math.Sqrt(rows);
        if (side * side != rows)
            throw new LitException(
                checkpoint.Path,
                $"has {rows} positions beside the class token's, which is no square grid of patches",
                "Give a checkpoint for square pictures"
            );
        var gated = inner.FindIfThere("encoder.layer.{i}.mlp.weights_out.weight");
        var registers = inner.Has(registerTokens) ? inner.Size(registerTokens, -2) : 0;
        var classes =
            options.JoinPatchMean && source.Has("classifier.weight") ? source.Size("classifier.weight", 0) : 0;
        var config = new DinoConfig
        {
            Width = width,
            Depth = inner.CountOf("encoder.layer.", "."),
            MlpDim = inner.Size(gated ?? inner.Find("encoder.layer.{i}.mlp.fc1.weight"), gated is null ? 0 : 1),
            AttentionHeads = options.AttentionHeads
                ?? said.Number("num_attention_heads")
                ?? (width % 64 == 0 ? width / 64 : 0),
            Patch = patch,
            ImageSize = side * patch,
            Registers = registers,
            Resampling = registers > 0 ? PositionResampling.BicubicAntialias : PositionResampling.Bicubic,
            LayerScale = true,
            Mlp = gated is null ? DinoMlp.Gelu : DinoMlp.SwiGlu,
            JoinPatchMean = options.JoinPatchMean,
            Heads = classes > 0 ? [new HeadConfig("classifier", classes)] : [],
        };
        if ((config.AttentionHeads < 1 && !options.Describing) || width % Math.Max(1, config.AttentionHeads) != 0)
            throw options.AttentionHeads is null && said.Has("num_attention_heads")
                ? said.Wrong("num_attention_heads", $"a divisor of the width, {width},")
                : new UsageException(
                    checkpoint.Path,
                    $"{config.AttentionHeads} attention heads cannot be for a width of {width}",
                    "Put its config.json beside it, or ':heads=N' after the path"
                );
        const string there = "the weights have";
        said.Expect("hidden_size", width, there);
        said.Expect("num_hidden_layers", config.Depth, there);
        said.Expect("num_register_tokens", registers, there);
        said.Expect("num_channels", 3, "here it can only be");
        said.Expect("layer_norm_eps", 1e-6, "here it can only be");
        said.Expect("qkv_bias", true);
        if (gated is null)
            said.Expect("hidden_act", "gelu");
        else
            said.Settled("hidden_act");
        said.Expect("use_swiglu_ffn", gated is not null);
        ExpectSides(said, "image_size", config.ImageSize);
        ExpectSides(said, "patch_size", patch);
        var report = new SettingsReport();
        var inside = said.Real("mlp_ratio") is { } ratio ? (int)(width * ratio) : (int?)null;
        if (inside is { } plain && gated is not null)
            inside = ((int)(plain * 2 / 3.0) + 7) / 8 * 8;
        if (inside is { } wanted && wanted != config.MlpDim)
            report.Warn(
                $"{said.Name} beside {checkpoint.Path}: mlp_ratio makes an MLP of {wanted}, and the "
                    + $"weights have {config.MlpDim}, which is taken. Check that the two files belong "
                    + "together."
            );
        var preprocessing = ProcessorSettings.Of(
            checkpoint.Path,
            DinoViT.PreprocessingOf(config.ImageSize),
            config.ImageSize,
            report,
            anySize: true // trained with 518 pixels at the end, and evaluated with 224
        );
        report.Close(said, KnownSettings.Transformers);
        var names =
            config.Heads.Count > 0
                ? DinoViT.HuggingFace
                : DinoViT.HuggingFace.Skipping(
                    "classifier.{*}",
                    "a head on class token and mean patch token; load with :patch-mean for it"
                );
        return new(DinoViT.HuggingFace.Family, source, config, _ => names, preprocessing) { Settings = report };
    }

    /// <summary>The part of a checkpoint that is a DINOv3 in Hugging Face's names, or null.</summary>
    public static WeightSource? ThirdInHuggingFaceNames(Checkpoint checkpoint) =>
        WeightSource
            .Holding(checkpoint, "embeddings.cls_token", "embeddings.patch_embeddings.weight")
            .FirstOrDefault(source => source.FindIfThere("{model.|}layer.{i}.attention.q_proj.weight") is not null);

    /// <summary>A DINOv3 in Hugging Face's names (transformers: models/dinov3_vit).</summary>
    public static RecognisedTower Third(
        Checkpoint checkpoint,
        WeightSource source,
        ImageTowerOptions options,
        JsonElement? json
    )
    {
        const string patches = "embeddings.patch_embeddings.weight",
            registers = "embeddings.register_tokens",
            layer = "{model.|}layer.{i}.";
        var said = new SettingsFile(checkpoint.Path, json);
        ModelKind.Expect(said, "a DINOv3 in Hugging Face's names", ModelKind.Dinov3);
        HuggingFaceConfig.Check(said);
        var width = source.Size(patches, 0);
        var gated = source.FindIfThere(layer + "mlp.gate_proj.weight") is not null;
        var side = said.Number("image_size") ?? 224;
        var config = new DinoConfig
        {
            Width = width,
            Depth = Math.Max(source.CountOf("layer.", "."), source.CountOf("model.layer.", ".")),
            MlpDim = source.Size(source.Find(layer + "mlp.up_proj.weight"), 0),
            AttentionHeads = options.AttentionHeads
                ?? said.Number("num_attention_heads")
                ?? (
                    options.Describing && width % 64 != 0 ? 0
                    : width == 4096 ? 32
                    : width / 64
                ),
            Patch = source.Size(patches, -1),
            ImageSize = side,
            Registers = source.Has(registers) ? source.Size(registers, -2) : 0,
            RopeBase = said.Real("rope_theta") ?? 100,
            NormEps = said.Real("layer_norm_eps") ?? 1e-5,
            LayerScale = true,
            Mlp = gated ? DinoMlp.SwiGlu : DinoMlp.Gelu,
            JoinPatchMean = options.JoinPatchMean,
        };
        HuggingFaceConfig.CheckHeads(checkpoint.Path, config.AttentionHeads, width, options.Describing);
        if (config.RopeBase <= 0)
            throw said.Wrong("rope_theta", "a number above 0");
        if (side < config.Patch)
            throw new LitException(
                checkpoint.Path,
                $"pictures of {side} pixels hold no patch of {config.Patch}",
                "Check that it and its config.json belong together"
            );
        Expect(said, config, gated);
        var report = new SettingsReport();
        var preprocessing = ProcessorSettings.Of(
            checkpoint.Path,
            Preprocessing.HuggingFaceViT(side) with
            {
                Mean = Preprocessing.TorchvisionImageNet().Mean,
                Std = Preprocessing.TorchvisionImageNet().Std,
            },
            side,
            report,
            anySize: true // rotary positions take any grid
        );
        report.Close(said, KnownSettings.Transformers);
        var names = DinoViT.Third(gated);
        return new(names.Family, source, config, _ => names, preprocessing) { Settings = report };
    }

    private static void Expect(SettingsFile said, DinoConfig config, bool gated)
    {
        const string there = "the weights have";
        said.Expect("hidden_size", config.Width, there);
        said.Expect("num_hidden_layers", config.Depth, there);
        said.Expect("intermediate_size", config.MlpDim, there);
        said.Expect("num_register_tokens", config.Registers, there);
        said.Expect("num_channels", 3, "here it can only be");
        said.Expect("use_gated_mlp", gated);
        said.Expect("hidden_act", gated ? "silu" : "gelu");
        said.Settled("query_bias", "key_bias", "value_bias"); // a bias that is not there is 0
        said.Expect("proj_bias", true);
        said.Expect("mlp_bias", true);
        ExpectSides(said, "patch_size", config.Patch);
    }

    /// <summary>Refuses a side, a number or two equal ones, that is not the weights'.</summary>
    public static void ExpectSides(SettingsFile said, string key, int side)
    {
        if (!said.Has(key))
            return;
        if (said.Any(key)!.Value.ValueKind != JsonValueKind.Array)
            said.Expect(key, side, "the weights have");
        else if (said.Reals(key, 2) is { } both && (both[0] != side || both[1] != side))
            throw said.Wrong(key, $"{side}, as the weights have,");
    }

    // With a classifier the model stands under a name of its own, the classifier beside it.
    private static string Outer(string prefix)
    {
        foreach (var own in new[] { "dinov2_with_registers.", "dinov2." })
            if (prefix.EndsWith(own, StringComparison.Ordinal))
                return prefix[..^own.Length];
        return prefix;
    }
}
