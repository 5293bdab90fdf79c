using System.Text.Json;
using LiT.Checkpoints;
using LiT.Files;
using LiT.Images;

namespace LiT.Towers.Settings;

/// <summary>
/// CLIP, SigLIP, and SigLIP 2 of one size in Hugging Face's names, both sides (transformers: models/clip,
/// models/siglip).
/// </summary>
internal static class ContrastiveSettings
{
    private const string Patches = "vision_model.embeddings.patch_embedding.weight",
        ImagePositions = "vision_model.embeddings.position_embedding.weight",
        Tokens = "text_model.embeddings.token_embedding.weight",
        TextPositions = "text_model.embeddings.position_embedding.weight",
        There = "the weights have";

    // What Hugging Face's configurations are where a file leaves them out.
    private const double ClipEps = 1e-5,
        SiglipEps = 1e-6;

    /// <summary>The image tower in a checkpoint, or null.</summary>
    public static RecognisedTower? Image(Checkpoint checkpoint, ImageTowerOptions options, JsonElement? json)
    {
        if (WeightSource.Holding(checkpoint, Patches, ImagePositions) is not [var source, ..])
            return null;
        var (said, part) = Said(checkpoint, json, "vision_config");
        var report = new SettingsReport();
        if (source.ShapeOf(Patches).Count != 4)
            throw Flexible(checkpoint);
        var clip = source.Has("vision_model.embeddings.class_embedding");
        var (width, patch, rows) = (
            source.Size(Patches, 0),
            source.Size(Patches, -1),
            source.Size(ImagePositions, 0) - (clip ? 1 : 0)
        );
        var side = (int)Math.Sqrt(rows);
        if (side * side != rows || rows < 1)
            throw new LitException(
                checkpoint.Path,
                $"has positions for {rows} patches, which is no square grid",
                "Give a checkpoint for square pictures"
            );
        var heads = options.AttentionHeads ?? part.Number("num_attention_heads") ?? (width % 64 == 0 ? width / 64 : 0);
        HuggingFaceConfig.CheckHeads(checkpoint.Path, heads, width, options.Describing);
        var depth = source.Believable(source.CountOf("vision_model.encoder.layers.", "."));
        var inside = source.Size(source.Find("vision_model.encoder.layers.{i}.mlp.fc1.weight"), 0);
        part.Expect("hidden_size", width, There);
        part.Expect("num_hidden_layers", depth, There);
        part.Expect("intermediate_size", inside, There);
        part.Expect("num_channels", 3, "here it can only be");
        part.Expect("vision_use_head", true);
        part.Settled("projection_dim");
        DinoSettings.ExpectSides(part, "image_size", side * patch);
        DinoSettings.ExpectSides(part, "patch_size", patch);
        var (activation, eps) = (ActivationOf(part, clip), part.Real("layer_norm_eps") ?? (clip ? ClipEps : SiglipEps));
        var preprocessing = ProcessorSettings.Of(
            checkpoint.Path,
            clip ? Preprocessing.Clip(side * patch) : Preprocessing.Siglip(side * patch),
            side * patch,
            report
        );
        report.Close(said, KnownSettings.Transformers, ReferenceEquals(said, part) ? [] : [part]);
        if (clip)
        {
            var projects = options.Projection && source.Has("visual_projection.weight");
            var names = ClipViT.Names(projects);
            var config = new ClipViTConfig
            {
                Width = width,
                Depth = depth,
                MlpDim = inside,
                AttentionHeads = heads,
                Patch = patch,
                ImageSize = side * patch,
                Activation = activation,
                LayerNormEps = eps,
                JoinPatchMean = options.JoinPatchMean,
                Projection = projects ? source.Size("visual_projection.weight", 0) : null,
            };
            return new(names.Family, source, config, _ => names, preprocessing) { Settings = report };
        }
        if (activation != Activation.GeluTanh || Math.Abs(eps - SiglipEps) > 1e-12)
            throw new LitException(
                $"config.json beside {checkpoint.Path}: a SigLIP of {activation} and an eps of {eps} is not built "
                    + "here. Give one of GeluTanh and 1e-6, as all public ones are."
            );
        return new(
            VisionTransformer.HuggingFace.Family,
            source,
            new VitConfig
            {
                Width = width,
                Depth = depth,
                MlpDim = inside,
                AttentionHeads = Math.Max(1, heads),
                Patch = patch,
                ImageSize = side * patch,
                Pooling = VitPooling.Map,
                Positions = VitPositions.Learned,
            },
            _ => VisionTransformer.HuggingFace,
            preprocessing
        )
        {
            Settings = report,
        };
    }

    /// <summary>The text tower in a checkpoint, or null.</summary>
    public static RecognisedText? Text(Checkpoint checkpoint, TextTowerOptions options, JsonElement? json)
    {
        if (WeightSource.Holding(checkpoint, Tokens, TextPositions) is not [var source, ..])
            return null;
        var (said, part) = Said(checkpoint, json, "text_config");
        var report = new SettingsReport();
        var siglip = source.Has("text_model.head.weight");
        var clip = !siglip && Kind(said, part) is null or ModelKind.Clip;
        var width = source.Size(Tokens, 1);
        var heads = options.Heads ?? part.Number("num_attention_heads") ?? (width % 64 == 0 ? width / 64 : 0);
        if ((heads < 1 && !options.Describing) || width % Math.Max(1, heads) != 0)
            throw new LitException(
                checkpoint.Path,
                $"{heads} attention heads cannot be for a width of {width}",
                "Put its config.json beside it, or ':heads=N' after the path"
            );
        var vocabulary = source.Size(Tokens, 0);
        var last = siglip ? "text_model.head.weight" : "text_projection.weight";
        var projects = options.Projection && source.Has(last);
        var config = new TextTransformerConfig(
            width,
            source.Believable(source.CountOf("text_model.encoder.layers.", ".")),
            heads,
            source.Size(source.Find("text_model.encoder.layers.{i}.mlp.fc1.weight"), 0),
            vocabulary,
            source.Size(TextPositions, 0)
        )
        {
            Pooling = options.Pooling ?? TextPooling.Last,
            Activation = options.Activation ?? ActivationOf(part, clip),
            Eps = part.Real("layer_norm_eps") ?? (clip ? ClipEps : SiglipEps),
            // Files before a correction say 2 and mean the highest id, which all of that time end with.
            CausalEnd = clip
                ? part.Number("eos_token_id") is { } end and not 2
                    ? end
                    : vocabulary - 1
                : null,
            Projection = projects ? source.Size(last, 0) : null,
            ProjectionBias = projects && siglip,
        };
        if (!clip)
            part.Settled("eos_token_id");
        part.Expect("hidden_size", width, There);
        part.Expect("num_hidden_layers", config.Depth, There);
        part.Expect("intermediate_size", config.MlpDim, There);
        part.Expect("vocab_size", vocabulary, There);
        part.Expect("max_position_embeddings", config.MaxLength, There);
        part.Settled("projection_dim", "projection_size", "pad_token_id", "hidden_act");
        report.Close(said, KnownSettings.Transformers, ReferenceEquals(said, part) ? [] : [part]);
        var family = clip ? "CLIP (Hugging Face)" : "SigLIP (Hugging Face)";
        return new(family, source, config, _ => TextTransformer.HuggingFace(family, projects))
        {
            Settings = report,
            Contrastive = clip ? ContrastiveText.Clip : ContrastiveText.Siglip,
        };
    }

    // One side's settings stand in a part of their own where both are in the file, and by themselves where one is.
    private static (SettingsFile Said, SettingsFile Part) Said(Checkpoint checkpoint, JsonElement? json, string side)
    {
        var said = new SettingsFile(checkpoint.Path, json);
        if (said.Word("model_type") is "siglip2" or "siglip2_vision_model" or "siglip2_text_model")
            throw Flexible(checkpoint);
        ModelKind.Expect(said, "a CLIP or SigLIP in Hugging Face's names", ModelKind.Clip, ModelKind.Siglip);
        HuggingFaceConfig.Check(said);
        said.Settled("text_config", "vision_config", "text_config_dict", "vision_config_dict", "projection_dim");
        said.Settled("logit_scale_init_value", "logit_bias_init_value");
        var part = said.Has(side) ? said.Part(side) : said;
        part.Settled("model_type", "architectures", "num_attention_heads");
        return (said, part);
    }

    private static string? Kind(SettingsFile said, SettingsFile part) => ModelKind.Of(said) ?? ModelKind.Of(part);

    private static LitException Flexible(Checkpoint checkpoint) =>
        new(
            checkpoint.Path,
            "is a SigLIP 2 of the NaFlex kind, which takes pictures in their own shape and is not built here",
            "Give one of a single size, as in siglip2-base-patch16-224"
        );

    private static Activation ActivationOf(SettingsFile part, bool clip) =>
        part.Choice(
            "hidden_act",
            clip ? Activation.QuickGelu : Activation.GeluTanh,
            ("quick_gelu", Activation.QuickGelu),
            ("gelu", Activation.Gelu),
            ("gelu_new", Activation.GeluTanh),
            ("gelu_pytorch_tanh", Activation.GeluTanh)
        );
}

/// <summary>How the texts of a contrastive model are made rows.</summary>
internal enum ContrastiveText
{
    /// <summary>Start, text, end, and anything behind it.</summary>
    Clip,

    /// <summary>Text, end, padding to the last place, whose state is the representation.</summary>
    Siglip,
}
