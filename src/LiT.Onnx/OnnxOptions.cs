using System.Globalization;
using System.Text.RegularExpressions;
using LiT.Images;
using LiT.Towers;

namespace LiT.Onnx;

/// <summary>How the tokens of a network's output become one representation.</summary>
internal enum TokenPooling
{
    /// <summary>The first token.</summary>
    ClassToken,

    /// <summary>The mean of the patches' tokens.</summary>
    MeanPatch,

    /// <summary>Both, one behind the other.</summary>
    Both,
}

/// <summary>
/// What an ONNX file does not say, as it stands behind its path: <c>model.onnx:input=pixels,mean=0.5,std=0.5</c>.
/// </summary>
internal sealed partial record OnnxOptions
{
    private static readonly string[] Names =
    [
        "input=NAME",
        "output=NAME",
        "size=N or WxH",
        "layout=nchw|nhwc",
        "preprocess=other.onnx|NAME",
        "mean=R,G,B",
        "std=R,G,B",
        "bgr",
        "crop=0.875",
        "resize=bilinear|bicubic",
        "pool=tok|gap",
        "patch-mean",
        "exif",
        "background=rrggbb",
    ];

    /// <summary>The whole as it was given, for messages.</summary>
    public required string Spec { get; init; }

    /// <summary>What towers of every kind can be told.</summary>
    public required ImageTowerOptions Tower { get; init; }

    /// <summary>The input that takes pictures; null where there is but one.</summary>
    public string? Input { get; init; }

    /// <summary>
    /// The output, or any value inside the network, that is the representation; null where there is but one.
    /// </summary>
    public string? Output { get; init; }

    /// <summary>Whether pictures go in as [B, H, W, 3]; null where the input's shape tells.</summary>
    public bool? ChannelsLast { get; init; }

    /// <summary>Another graph, or the name of a way to prepare pictures (<see cref="OnnxPreprocessing"/>).</summary>
    public string? Preprocess { get; init; }

    /// <summary>
    /// Subtracted from each channel, red first, of values in [0, 1], or up to 255 where a number is above 1.
    /// </summary>
    public ChannelValues? Mean { get; init; }

    /// <summary>What each channel is divided by after that.</summary>
    public ChannelValues? Std { get; init; }

    /// <summary>Whether the network takes blue first.</summary>
    public bool Bgr { get; init; }

    /// <summary>The part of the shorter side that the central crop keeps.</summary>
    public double? Crop { get; init; }

    /// <summary>What becomes of tokens; null for the network's own way.</summary>
    public TokenPooling? Pooling { get; init; }

    /// <summary>Whether it was said how pictures are prepared, in place of what the file says of that.</summary>
    public bool SaysPreprocessing => Preprocess is not null || Mean is not null || Std is not null || Crop is not null;

    /// <summary>
    /// Reads <c>key=value</c> pairs and single words; names may hold commas and colons that no key follows.
    /// </summary>
    /// <exception cref="UsageException">Something unknown, or a value that cannot be.</exception>
    public static OnnxOptions Parse(string given, string spec, ImageTowerOptions tower)
    {
        OnnxOptions options = new() { Spec = spec, Tower = tower };
        foreach (
            var item in Separators().Split(given).Select(part => part.Trim(' ', ',')).Where(part => part.Length > 0)
        )
        {
            var (key, value) = item.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
                ? (item[..at], item[(at + 1)..])
                : (item, "");
            options = key switch
            {
                "input" when value.Length > 0 => options with { Input = value },
                "output" when value.Length > 0 => options with { Output = value },
                "layout" when value.ToLowerInvariant() is "nchw" or "nhwc" => options with
                {
                    ChannelsLast = value.Equals("nhwc", StringComparison.OrdinalIgnoreCase),
                },
                "preprocess" when value.Length > 0 => options with { Preprocess = value },
                "mean" => options with { Mean = Channels(spec, item, value) },
                "std" => options with { Std = Channels(spec, item, value) },
                "bgr" when value.Length == 0 => options with { Bgr = true },
                "crop"
                    when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var part)
                        && part is >= 0.1 and <= 1 => options with
                {
                    Crop = part,
                },
                "pool" when value is "tok" or "gap" => options with
                {
                    Pooling = value == "tok" ? TokenPooling.ClassToken : TokenPooling.MeanPatch,
                },
                "patch-mean" when value.Length == 0 => options with { Pooling = TokenPooling.Both },
                "size" or "resize" or "exif" or "background" => options with { Tower = options.Tower.With(item, spec) },
                "img" when value.Length == 0 => options,
                "int8" when value.Length == 0 => throw new UsageException(
                    $"'{spec}': a network in ONNX is computed as it was exported. Leave int8 out."
                ),
                _ => throw new UsageException(
                    $"'{spec}': '{item}' is not understood. After an ONNX file may stand {string.Join(", ", Names)}."
                ),
            };
        }
        return options;
    }

    private static ChannelValues Channels(string spec, string item, string value)
    {
        var numbers = value
            .Split([',', '/', ' '], StringSplitOptions.RemoveEmptyEntries)
            .Select(part =>
                float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && float.IsFinite(number)
                    ? number
                    : throw Wrong()
            )
            .ToArray();
        return numbers switch
        {
            [var all] => all,
            [var r, var g, var b] => new ChannelValues(r, g, b),
            _ => throw Wrong(),
        };

        UsageException Wrong() =>
            new($"'{spec}': {item} is not understood. Give one number, or three as in mean=0.485,0.456,0.406.");
    }

    // A comma or colon before something that is an option; any other belongs to a name or to three numbers.
    [GeneratedRegex(
        @"[,:](?=(input|output|size|layout|preprocess|mean|std|crop|resize|pool|background)="
            + @"|(bgr|patch-mean|exif|int8|img)([,:]|$)|$)",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Separators();
}
