using System.Globalization;
using LiT.Compute;
using LiT.Images;

namespace LiT.Towers;

/// <summary>
/// How an image tower is loaded, and what its file does not say. Text after the path sets the same:
/// <c>vit.npz:pool=map</c>.
/// </summary>
internal sealed record ImageTowerOptions
{
    /// <summary>Where and in what type it computes.</summary>
    public ComputeDevice Compute { get; init; } = ComputeDevice.Cpu;

    /// <summary>
    /// Whether the tower becomes a constant (<see cref="Tower.Lock"/>); false leaves it ready for training.
    /// </summary>
    public bool Locked { get; init; } = true;

    /// <summary>Decides the weights of a tower from scratch.</summary>
    public long Seed { get; init; }

    /// <summary>Preprocessing in place of the family's own.</summary>
    public Preprocessing? Preprocessing { get; init; }

    /// <summary>
    /// <c>size=384</c>: side of the pictures to take, in place of the side that the tower was trained with.
    /// </summary>
    public int? ImageSize { get; init; }

    /// <summary>
    /// <c>size=320x224</c>: the height of the pictures, where they are not square; the other number is their width.
    /// </summary>
    public int? ImageHeight { get; init; }

    /// <summary>
    /// <c>heads=4</c>: attention heads where the file does not say; every public DINO has width / 64.
    /// </summary>
    public int? AttentionHeads { get; init; }

    /// <summary>
    /// <c>pool=tok|gap|map|0</c>: how a ViT's tokens become one representation, where the file allows another than its
    /// own.
    /// </summary>
    public VitPooling? Pooling { get; init; }

    /// <summary>
    /// <c>pre-logits</c>: a ViT from scratch has the dense layer with tanh behind its pooling that the first paper's
    /// files have.
    /// </summary>
    public bool PreLogits { get; init; }

    /// <summary>
    /// <c>pad=zero|inf</c>: what surrounds the picture before BiT's max pooling, where it is not what the file's names
    /// say.
    /// </summary>
    public RootPadding? RootPadding { get; init; }

    /// <summary>
    /// <c>patch-mean</c>: the representation of a ViT with a class token is that one joined with the mean patch token.
    /// </summary>
    public bool JoinPatchMean { get; init; }

    /// <summary>
    /// <c>projection</c>: a CLIP's representation is what its projection to the common size gives.
    /// </summary>
    public bool Projection { get; init; }

    /// <summary><c>pooler</c>: a Hugging Face ViT's representation is its pooler's output.</summary>
    public bool Pooler { get; init; }

    /// <summary>
    /// <c>layers=9</c>: the tower ends after so many of its blocks; what it does behind the last one, its norm and its
    /// pooling, follows there.
    /// </summary>
    public int? Layers { get; init; }

    /// <summary><c>exif</c>: pictures are turned as their EXIF orientation says, which no reference does.</summary>
    public bool HonourExif { get; init; }

    /// <summary>
    /// <c>background=ffffff</c>: the colour that shows through transparent pixels; the references drop the alpha
    /// channel.
    /// </summary>
    public Rgb24? Background { get; init; }

    /// <summary>
    /// <c>int8</c>: the tower's blocks multiply bytes (<see cref="Towers.Int8"/>): faster, and a tower of its own.
    /// </summary>
    public bool Int8 { get; init; }

    /// <summary>Whether supervised heads are loaded with the tower.</summary>
    public bool Heads { get; init; } = true;

    /// <summary>
    /// <c>resize=bilinear|bicubic</c>: Pillow's filter, where the file's origin used another than its family.
    /// </summary>
    public ResizeMethod? Resize { get; init; }

    /// <summary>
    /// The tower is only to be described: what the file does not say stays unknown instead of being refused.
    /// </summary>
    internal bool Describing { get; init; }

    /// <summary>Reads <c>key=value</c> pairs and single words, separated by commas.</summary>
    /// <exception cref="UsageException">Something unknown, or a value that cannot be.</exception>
    public ImageTowerOptions With(string text, string spec)
    {
        var options = this;
        foreach (var item in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = item.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
                ? (item[..at], item[(at + 1)..])
                : (item, "");
            options = key switch
            {
                "size" when value.Split('x') is [var width, var height] => options with
                {
                    ImageSize = Number(spec, key, width),
                    ImageHeight = Number(spec, key, height),
                },
                "size" => options with { ImageSize = Number(spec, key, value), ImageHeight = null },
                "layers" => options with { Layers = Number(spec, key, value) },
                "heads" => options with { AttentionHeads = Number(spec, key, value) },
                "pool" => options with { Pooling = PoolingOf(spec, value) },
                "pad" when value is "zero" or "inf" => options with
                {
                    RootPadding = value == "zero" ? Towers.RootPadding.Zero : Towers.RootPadding.MinusInfinity,
                },
                "resize" when value is "bilinear" or "bicubic" => options with
                {
                    Resize = value == "bilinear" ? ResizeMethod.PillowBilinear : ResizeMethod.PillowBicubic,
                },
                "pre-logits" when value.Length == 0 => options with { PreLogits = true },
                "patch-mean" when value.Length == 0 => options with { JoinPatchMean = true },
                "projection" when value.Length == 0 => options with { Projection = true },
                "pooler" when value.Length == 0 => options with { Pooler = true },
                "int8" when value.Length == 0 => options with { Int8 = true },
                "exif" when value.Length == 0 => options with { HonourExif = true },
                "background" => options with { Background = Rgb24.Parse(value) },
                // big_vision's way to name the tower in a file of two; it is found without.
                "img" when value.Length == 0 => options,
                _ => throw new UsageException(
                    $"'{spec}': '{item}' is not understood. After a path may stand size=N, size=WxH, "
                        + "layers=N, heads=N, pool=tok|gap|map|0, pad=zero|inf, resize=bilinear|bicubic, patch-mean, "
                        + "pooler, projection, exif, background=rrggbb, int8."
                ),
            };
        }
        return options;
    }

    /// <summary>
    /// The grid of the pictures given here, where they are not square; null where nothing of that kind was said.
    /// </summary>
    internal (int Rows, int Columns)? GivenGrid(int patch) =>
        ImageSize is { } width && ImageHeight is { } height && width >= patch && height >= patch
            ? (height / patch, width / patch)
            : null;

    /// <summary>The square grid that a number of patches is; null where it is none.</summary>
    internal static (int Rows, int Columns)? SquareGrid(int patches) =>
        (int)Math.Sqrt(patches) is > 0 and var side && side * side == patches ? (side, side) : null;

    private static VitPooling PoolingOf(string spec, string value) =>
        value switch
        {
            "tok" => VitPooling.Token,
            "gap" => VitPooling.Mean,
            "map" => VitPooling.Map,
            "0" => VitPooling.First,
            _ => throw new UsageException($"'{spec}': pool={value} is unknown. Choose tok, gap, map or 0."),
        };

    private static int Number(string spec, string key, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number is > 0 and <= 1 << 20
            ? number
            : throw new UsageException($"'{spec}': {key}={value} is not a size. Give a whole number above 0.");
}
