using System.Text.RegularExpressions;
using LiT.Files;
using LiT.Images;

namespace LiT.Towers.Settings;

/// <summary>
/// config.json of timm (pytorch-image-models: models/_hub.py; data/config.py and data/transforms_factory.py for what is
/// done to a picture). Older files have at the top what newer ones have in pretrained_cfg.
/// </summary>
internal sealed partial class TimmSettings
{
    private readonly SettingsFile config,
        pretrained,
        arguments;

    private TimmSettings(SettingsFile config)
    {
        this.config = config;
        pretrained = config.Has("pretrained_cfg") ? config.Part("pretrained_cfg") : config;
        arguments = config.Part("model_args");
        Architecture = config.Word("architecture") ?? pretrained.Word("architecture");
        Pool = arguments.Word("global_pool") ?? config.Word("global_pool");
    }

    /// <summary>timm's name of the model, as in vit_base_patch16_224.</summary>
    public string? Architecture { get; }

    /// <summary>How tokens or places become one representation: token, avg …</summary>
    public string? Pool { get; }

    /// <summary>Attention heads, where the file says them.</summary>
    public int? Heads => arguments.Number("num_heads");

    /// <summary>The settings where a config.json is one of timm, else null.</summary>
    public static TimmSettings? Of(SettingsFile config) =>
        config.Has("pretrained_cfg")
        || (config.Has("architecture") && !config.Has("model_type"))
        || (config.Has("input_size") && config.Has("mean"))
            ? new(config)
            : null;

    /// <summary>What is done to a picture, by the file.</summary>
    /// <param name="trained">Side of the pictures that the weights were made with.</param>
    /// <param name="report">Told where positions have to be resampled; null for a network without any.</param>
    /// <exception cref="LitException">It says something that is not built here.</exception>
    public Preprocessing Preprocessing(int trained, SettingsReport? report)
    {
        var side = trained;
        if (pretrained.Reals("input_size", 3) is { } input)
        {
            if (input[0] != 3 || input[1] != input[2] || input[1] is < 1 or > 1 << 14)
                throw pretrained.Wrong("input_size", "3 channels of a square");
            side = (int)input[1];
        }
        var crop = pretrained.Real("crop_pct") ?? 0.875;
        if (crop is <= 0 or > 1)
            throw pretrained.Wrong("crop_pct", "a share above 0");
        var squash = pretrained.Choice("crop_mode", false, ("center", false), ("squash", true));
        var preprocessing = Images.Preprocessing.TorchvisionImageNet(
            side,
            pretrained.Choice(
                "interpolation",
                ResizeMethod.PillowBicubic,
                ("bilinear", ResizeMethod.PillowBilinear),
                ("bicubic", ResizeMethod.PillowBicubic),
                ("lanczos", ResizeMethod.PillowLanczos)
            )
        ) with
        {
            Fit = squash ? ResizeFit.SquashThenCrop : ResizeFit.ShorterSide,
            ShorterSide = (int)Math.Floor(side / crop),
            Mean = Channels("mean") ?? Images.Preprocessing.ImageNetMean,
            Std = Channels("std") ?? Images.Preprocessing.ImageNetStd,
        };
        preprocessing.Check($"{config.Name} beside {config.Beside}");
        if (side != trained)
            report?.Warn(
                $"{config.Name} beside {config.Beside}: pictures of {side} x {side}, and the weights "
                    + $"were made with {trained} x {trained}; the table of positions is resampled."
            );
        return preprocessing;
    }

    /// <summary>Refuses a model of another name than those that are built as the weights' names are read.</summary>
    /// <param name="looksLike">What the weights' names look like.</param>
    /// <param name="known">Whether a name is one of them.</param>
    public void Expect(string looksLike, Func<string, bool> known)
    {
        if (Architecture is { } name && !known(name))
            throw new LitException(
                $"{config.Name} beside {config.Beside}: says that the model is timm's {name}. The "
                    + $"weights have the names of {looksLike}, but {name} computes something else from "
                    + "them, which is not built here. Give another model."
            );
    }

    /// <summary>Refuses a pooling that is not built.</summary>
    public void ExpectPool(params ReadOnlySpan<string> known)
    {
        if (Pool is null)
            return;
        foreach (var one in known)
            if (Pool == one)
                return;
        throw new LitException(
            $"{config.Name} beside {config.Beside}: global_pool is "
                + $"{(Pool.Length == 0 ? "empty" : Pool)}, and only {string.Join(" or ", known.ToArray())} "
                + "can be read here. Give another model."
        );
    }

    /// <summary>Whether a name is that of a ResNet as torchvision has it, however trained.</summary>
    public static bool IsPlainResNet(string name) => PlainResNet().IsMatch(name);

    /// <summary>Whether a name is that of a ViT as DINO and DeiT have it, however trained.</summary>
    public static bool IsPlainViT(string name) =>
        name.StartsWith("vit_", StringComparison.Ordinal) || name.StartsWith("deit_", StringComparison.Ordinal)
            ? !name.Contains("quickgelu", StringComparison.Ordinal)
            : name.StartsWith("deit3_", StringComparison.Ordinal);

    [GeneratedRegex(@"^(tv_|ssl_|swsl_|gluon_)?(wide_)?resnet(18|34|50|101|152)(_2)?(_v1b)?$")]
    private static partial Regex PlainResNet();

    /// <summary>Adds what was followed and what is left over.</summary>
    public void Close(SettingsReport report)
    {
        // Sizes that the weights' shapes have as well.
        arguments.Settled("img_size", "num_classes", "patch_size", "embed_dim", "depth", "in_chans");
        config.Settled("input_size", "crop_pct", "crop_mode", "interpolation", "mean", "std", "global_pool");
        pretrained.Settled("model_args");
        report.Close(
            config,
            KnownSettings.Timm,
            ReferenceEquals(pretrained, config) ? [arguments] : [pretrained, arguments]
        );
    }

    private ChannelValues? Channels(string key) =>
        pretrained.Reals(key, 3) is { } values
            ? new ChannelValues((float)values[0], (float)values[1], (float)values[2])
            : null;
}
