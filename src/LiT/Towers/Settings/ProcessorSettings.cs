using LiT.Files;
using LiT.Images;

namespace LiT.Towers.Settings;

/// <summary>
/// preprocessor_config.json: what an image processor of Hugging Face does to a picture (transformers:
/// image_transforms.py, and models/vit, bit, clip and deit for what a file does not say).
/// </summary>
internal static class ProcessorSettings
{
    private const string Name = "preprocessor_config.json";

    /// <summary>What a processor does where its file says nothing.</summary>
    /// <param name="Side">Of the resized picture.</param>
    /// <param name="Shorter">Whether the shorter side is resized to it, and not both.</param>
    /// <param name="Crop">Side of the central crop, or null where there is none.</param>
    /// <param name="Method">The filter.</param>
    /// <param name="Mean">Of the channels.</param>
    /// <param name="Std">Their deviation.</param>
    private sealed record Defaults(
        int Side,
        bool Shorter,
        int? Crop,
        ResizeMethod Method,
        ChannelValues Mean,
        ChannelValues Std
    );

    private static readonly Defaults ViT = new(224, false, null, ResizeMethod.PillowBilinear, 0.5f, 0.5f),
        Clip = new(224, true, 224, ResizeMethod.PillowBicubic, Preprocessing.ClipMean, Preprocessing.ClipStd),
        DeiT = new(256, false, 224, ResizeMethod.PillowBicubic, 0.5f, 0.5f);

    private static readonly Dictionary<string, Defaults> Kinds = new(StringComparer.Ordinal)
    {
        ["ViT"] = ViT,
        ["Bit"] = Clip,
        ["CLIP"] = Clip,
        ["Siglip"] = new(224, false, null, ResizeMethod.PillowBicubic, 0.5f, 0.5f),
        ["DeiT"] = DeiT,
        ["DINOv3ViT"] = ViT with
        {
            Mean = Preprocessing.TorchvisionImageNet().Mean,
            Std = Preprocessing.TorchvisionImageNet().Std,
        },
    };

    /// <summary>The preprocessing that the file says, or the family's own where there is no such file.</summary>
    /// <param name="path">The checkpoint.</param>
    /// <param name="family">What the family does.</param>
    /// <param name="trained">Side of the pictures that the weights were trained with.</param>
    /// <param name="report">Told what was followed.</param>
    /// <param name="anySize">Whether the family takes pictures of other sides than it was trained with, as a
    /// rule.</param>
    /// <exception cref="LitException">The file says something that is not built here.</exception>
    public static Preprocessing Of(
        string path,
        Preprocessing family,
        int trained,
        SettingsReport report,
        bool anySize = false
    )
    {
        var said = SettingsFile.In(path, Name);
        if (!said.IsThere)
            return family;
        var kind = KindOf(said) ?? OfFamily(family);
        var resizes = said.Flag("do_resize") ?? true;
        var method = MethodOf(said, kind.Method);
        var size = SizeOf(said, "size") ?? new(kind.Side, kind.Side, kind.Shorter ? kind.Side : null);
        if (size.Plain && kind.Shorter)
            size = size with { Shorter = size.Width };
        Sides? crop = null;
        if (said.Flag("do_center_crop") ?? kind.Crop is not null)
            crop = SizeOf(said, "crop_size") ?? new(kind.Crop ?? trained, kind.Crop ?? trained, null);
        else
            said.Settled("crop_size");
        if (crop is { Shorter: not null })
            throw said.Wrong("crop_size", "a number, or height and width");
        var (mean, std) = Values(said, kind);
        var preprocessing = family with { Mean = mean, Std = std, CropFromBelow = true };
        if (!resizes)
        {
            if (crop is not null)
                throw said.NotBuilt("do_resize", "true with a central crop");
            preprocessing = preprocessing with
            {
                Width = trained,
                Height = trained,
                Fit = ResizeFit.Squash,
                ShorterSide = 0,
                Method = ResizeMethod.None,
            };
        }
        else if (crop is { } cut)
        {
            if (size.Shorter is null && size.Width != size.Height)
                throw said.Wrong("size", "a square before a central crop");
            preprocessing = preprocessing with
            {
                Width = cut.Width,
                Height = cut.Height,
                Fit = size.Shorter is null ? ResizeFit.SquashThenCrop : ResizeFit.ShorterSide,
                ShorterSide = size.Shorter ?? size.Width,
                Method = method,
            };
        }
        else if (size.Shorter is not null)
            throw said.NotBuilt("size", "shortest_edge with a central crop, or height and width,");
        else
            preprocessing = preprocessing with
            {
                Width = size.Width,
                Height = size.Height,
                Fit = ResizeFit.Squash,
                ShorterSide = 0,
                Method = method,
            };
        if (preprocessing.Fit is ResizeFit.Squash)
            preprocessing = preprocessing with { CropFromBelow = false };
        preprocessing.Check($"{Name} beside {path}");
        if (Math.Max(mean.R, Math.Max(mean.G, mean.B)) > 1)
            report.Warn(
                $"{Name} beside {path}: image_mean is above 1 for values that are scaled to [0, 1]; "
                    + "it is followed, but looks like the mean of values up to 255, which needs do_rescale "
                    + "false."
            );
        if (!anySize && (preprocessing.Width != trained || preprocessing.Height != trained))
            report.Warn(
                $"{Name} beside {path}: pictures of {preprocessing.Width} x {preprocessing.Height}, "
                    + $"and the weights were made with {trained} x {trained}; the table of positions is "
                    + "resampled."
            );
        report.Close(said, KnownSettings.Processor);
        return preprocessing;
    }

    /// <summary>Tells that the file stands beside weights that are not read by it.</summary>
    public static void PassOver(string path, SettingsReport report)
    {
        if (SettingsFile.In(path, Name).IsThere)
            report.Warn(
                $"{Name} beside {path}: passed over, since these weights are not in Hugging Face's "
                    + "form; pictures are taken as their own family takes them."
            );
    }

    private static Defaults OfFamily(Preprocessing family) =>
        new(
            family.Fit is ResizeFit.Squash ? family.Width : family.ShorterSide,
            family.Fit is ResizeFit.ShorterSide,
            family.Fit is ResizeFit.Squash ? null : family.Width,
            family.Method,
            family.Mean,
            family.Std
        );

    private static Defaults? KindOf(SettingsFile said)
    {
        var key = said.Has("image_processor_type") ? "image_processor_type" : "feature_extractor_type";
        said.Settled("feature_extractor_type");
        if (said.Word(key) is not { } name)
            return null;
        foreach (var (stem, defaults) in Kinds)
            if (
                name == stem + "ImageProcessor"
                || name == stem + "ImageProcessorFast"
                || name == stem + "FeatureExtractor"
            )
                return defaults;
        throw said.Wrong(
            key,
            $"{string.Join(", ", Kinds.Keys.SkipLast(1).Select(stem => stem + "ImageProcessor"))} or "
                + $"{Kinds.Keys.Last()}ImageProcessor"
        );
    }

    // Pillow's numbers for its filters.
    private static ResizeMethod MethodOf(SettingsFile said, ResizeMethod otherwise) =>
        said.Number("resample") switch
        {
            null => otherwise,
            1 => ResizeMethod.PillowLanczos,
            2 => ResizeMethod.PillowBilinear,
            3 => ResizeMethod.PillowBicubic,
            var other => throw new LitException(
                $"{Name} beside {said.Beside}: resample is {other}, a filter that is not known here. "
                    + "Known are 1 (Lanczos), 2 (bilinear) and 3 (bicubic)."
            ),
        };

    /// <param name="Width">In pixels.</param>
    /// <param name="Height">In pixels.</param>
    /// <param name="Shorter">Where only the shorter side is given.</param>
    /// <param name="Plain">Whether it was one number, which some processors take for the shorter side.</param>
    private sealed record Sides(int Width, int Height, int? Shorter, bool Plain = false);

    private static Sides? SizeOf(SettingsFile said, string key)
    {
        if (!said.Has(key))
            return null;
        if (said.Any(key)!.Value.ValueKind == System.Text.Json.JsonValueKind.Number)
        {
            var side = Side(said.Number(key));
            return new(side, side, null, Plain: true);
        }
        if (said.Any(key)!.Value.ValueKind == System.Text.Json.JsonValueKind.Array)
        {
            var sides = said.Reals(key, 2)!;
            return new(Side((int)Math.Clamp(sides[1], 0, 1e6)), Side((int)Math.Clamp(sides[0], 0, 1e6)), null);
        }
        var part = said.Part(key);
        var (height, width, shorter) = (part.Number("height"), part.Number("width"), part.Number("shortest_edge"));
        if (part.Left([]) is [var unknown, ..])
            throw new LitException(
                $"{Name} beside {said.Beside}: {unknown} is not known here. Known are height with "
                    + "width, and shortest_edge."
            );
        return (height, width, shorter) switch
        {
            ({ } h, { } w, null) => new(Side(w), Side(h), null),
            (null, null, { } s) => new(Side(s), Side(s), Side(s)),
            _ => throw said.Wrong(key, "height with width, or shortest_edge,"),
        };

        int Side(int? side) => side is > 0 and <= 1 << 20 ? side.Value : throw said.Wrong(key, "a number of pixels");
    }

    // (value · factor - mean) / deviation, in the form (value / 255 - mean) / deviation.
    private static (ChannelValues Mean, ChannelValues Std) Values(SettingsFile said, Defaults kind)
    {
        said.Expect("rescale_offset", false);
        said.Expect("do_pad", false);
        var rescales = said.Flag("do_rescale") ?? true;
        double scale = 255;
        if (rescales)
            scale = 255 * (said.Real("rescale_factor") ?? 1 / 255.0);
        else
            said.Settled("rescale_factor");
        if (scale <= 0)
            throw said.Wrong("rescale_factor", "a number above 0");
        // 0.00392156862745098 and its like are 1/255 cut to fewer digits.
        if (Math.Abs(scale - 1) < 1e-6)
            scale = 1;
        var normalises = said.Flag("do_normalize") ?? true;
        var (mean, std) = (Channels("image_mean") ?? kind.Mean, Channels("image_std") ?? kind.Std);
        if (!normalises)
            (mean, std) = (0, 1);
        return scale == 1 ? (mean, std) : (Divided(mean), Divided(std));

        ChannelValues Divided(ChannelValues values) =>
            new((float)(values.R / scale), (float)(values.G / scale), (float)(values.B / scale));

        ChannelValues? Channels(string key) =>
            !said.Has(key) ? null
            : said.Any(key)!.Value.ValueKind == System.Text.Json.JsonValueKind.Number
                ? (ChannelValues)(float)said.Any(key)!.Value.GetDouble()
            : said.Reals(key, 3)! is var values ? new((float)values[0], (float)values[1], (float)values[2])
            : null;
    }
}
