using LiT.Files;
using LiT.Images;
using LiT.Towers;
using LiT.Towers.Settings;

namespace LiT.Onnx;

/// <summary>
/// What makes a picture a network's input: another graph behind plain pixels, a named way, numbers given by hand, or a
/// preprocessor_config.json beside the file.
/// </summary>
internal static class OnnxPreprocessing
{
    private const int UsualSide = 224;
    private const string Processor = "preprocessor_config.json";

    // Ways that others' code prepares pictures, by the names under which people look for them.
    private static readonly Dictionary<string, Func<int, Preprocessing>> Ways = new(StringComparer.OrdinalIgnoreCase)
    {
        ["imagenet"] = size => Preprocessing.TorchvisionImageNet(size),
        ["dino"] = size => Preprocessing.TorchvisionImageNet(size, ResizeMethod.PillowBicubic),
        ["vit"] = Preprocessing.HuggingFaceViT,
        ["lit"] = Preprocessing.LiT,
        ["clip"] = size =>
            Preprocessing.TorchvisionImageNet(size, ResizeMethod.PillowBicubic, crop: 1) with
            {
                Mean = new(0.48145466f, 0.4578275f, 0.40821073f),
                Std = new(0.26862954f, 0.26130258f, 0.27577711f),
            },
        ["unit"] = size => Plain(size) with { Std = 1 },
        ["raw"] = Plain,
    };

    /// <summary>Pixels as they are, 0 to 255: the shorter side to size, then the central square.</summary>
    public static Preprocessing Plain(int size) =>
        Preprocessing.TorchvisionImageNet(size, crop: 1) with
        {
            Mean = 0,
            Std = 1 / 255f,
        };

    /// <summary>Whether a network takes pixels as they are.</summary>
    public static bool IsPlain(Preprocessing preprocessing) =>
        preprocessing.Mean == (ChannelValues)0 && preprocessing.Std == (ChannelValues)(1 / 255f);

    /// <summary>Whether an option names another graph and not a way.</summary>
    public static bool IsGraph(string preprocess) => preprocess.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);

    /// <summary>The other graph's file: as given, or beside the network.</summary>
    /// <exception cref="LitException">It is at neither place.</exception>
    public static string GraphOf(string preprocess, string network)
    {
        var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(network))!, preprocess);
        return File.Exists(beside) ? beside
            : File.Exists(preprocess) ? preprocess
            : throw new LitException(
                preprocess,
                $"the graph that prepares pictures for {network} is not there",
                $"Give its path, or put it beside {Path.GetFileName(network)}"
            );
    }

    /// <summary>The preprocessing of a network.</summary>
    /// <param name="network">Its file.</param>
    /// <param name="input">The first input on the way: the network's own, or that of the graph before it.</param>
    /// <param name="sides">Height and width that the input is fixed to; -1 where it is not.</param>
    /// <param name="options">What was said.</param>
    /// <param name="plain">Whether pixels go in as they are: a graph comes first, or the input takes bytes.</param>
    /// <param name="report">Told what was followed, and what was assumed.</param>
    /// <exception cref="LitException">The picture that it makes is not of the size that the input takes.</exception>
    public static Preprocessing Of(
        string network,
        OnnxValue input,
        PixelLayout sides,
        OnnxOptions options,
        bool plain,
        SettingsReport report
    )
    {
        if (options.Tower.Preprocessing is { } known)
            return Fitting(known, input, sides, network);
        var width = sides.Width > 0 ? (int)Math.Min(sides.Width, int.MaxValue) : options.Tower.ImageSize ?? UsualSide;
        var height =
            sides.Height > 0
                ? (int)Math.Min(sides.Height, int.MaxValue)
                : options.Tower.ImageHeight ?? options.Tower.ImageSize ?? UsualSide;
        var (way, ownSize) = plain ? (Plain(width), false) : Said(network, width, options, report);
        if ((sides.Width < 0 || sides.Height < 0) && options.Tower.ImageSize is null && !ownSize)
            report.Warn(
                $"{network} takes pictures of any size, and nothing says which it was trained with: "
                    + $"{width} x {height} is taken. Write :size=N behind it where that is wrong."
            );
        var numbers = ownSize ? way : ImageTowerLoader.Resized(way, width, height);
        if (options.Crop is { } part)
            numbers = numbers with
            {
                Fit = ResizeFit.ShorterSide,
                ShorterSide = (int)Math.Round(Math.Max(width, height) / part),
            };
        numbers = ImageTowerLoader.PreprocessingOf(numbers, options.Tower);
        numbers.Check(options.Spec);
        return Fitting(numbers, input, sides, network);
    }

    // With whether the size is said, too.
    private static (Preprocessing Way, bool OwnSize) Said(
        string network,
        int side,
        OnnxOptions options,
        SettingsReport report
    )
    {
        if (options.Preprocess is { } named)
            return Ways.TryGetValue(named, out var way)
                ? (WithNumbers(way(side), options), false)
                : throw new UsageException(
                    $"'{options.Spec}': there is no way '{named}' to prepare pictures. "
                        + $"Give a graph (a file .onnx) or one of {string.Join(", ", Ways.Keys)}."
                );
        if (options.Mean is not null || options.Std is not null)
            return (WithNumbers(Plain(side) with { Std = 1 }, options), false);
        if (ProcessorBeside(network) is { } beside)
            return (
                ProcessorSettings.Of(beside, Preprocessing.HuggingFaceViT(side), side, report, anySize: true),
                true
            );
        report.Warn(
            $"nothing says how pictures become the input of {network}: torchvision's way for ImageNet is taken. Write "
                + $":preprocess={string.Join('|', Ways.Keys)} behind it, mean= and std=, "
                + $"or put its {Processor} beside it."
        );
        return (Preprocessing.TorchvisionImageNet(side), false);
    }

    // Numbers above 1 are meant for values up to 255, as Caffe's and Keras' are.
    private static Preprocessing WithNumbers(Preprocessing way, OnnxOptions options)
    {
        var (mean, std) = (options.Mean ?? way.Mean, options.Std ?? (options.Mean is null ? way.Std : 1));
        var scale = Largest(mean) > 1 || Largest(std) > 1 ? 255f : 1f;
        return way with
        {
            Mean = new(mean.R / scale, mean.G / scale, mean.B / scale),
            Std = new(std.R / scale, std.G / scale, std.B / scale),
        };

        static float Largest(ChannelValues values) => Math.Max(values.R, Math.Max(values.G, values.B));
    }

    // Exports of Hugging Face's models lie in a folder onnx beside the model's own settings.
    private static string? ProcessorBeside(string network)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(network))!;
        if (SettingsFile.IsAt(Path.Combine(folder, Processor)))
            return network;
        return
            Path.GetFileName(folder) == "onnx"
            && Path.GetDirectoryName(folder) is { } above
            && SettingsFile.IsAt(Path.Combine(above, Processor))
            ? above
            : null;
    }

    private static Preprocessing Fitting(
        Preprocessing preprocessing,
        OnnxValue input,
        PixelLayout sides,
        string network
    ) =>
        (sides.Width > 0 && sides.Width != preprocessing.Width)
        || (sides.Height > 0 && sides.Height != preprocessing.Height)
            ? throw new LitException(
                network,
                $"its input {input} is fixed to pictures of {sides.Width} x {sides.Height}, and "
                    + $"{preprocessing.Width} x {preprocessing.Height} are to go in",
                "Leave size out, or export it for other pictures"
            )
            : preprocessing;
}
