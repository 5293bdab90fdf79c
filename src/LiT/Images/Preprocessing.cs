using System.Text.Json.Serialization;

namespace LiT.Images;

/// <summary>How a picture's shape becomes the tower's.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ResizeFit>))]
internal enum ResizeFit
{
    /// <summary>Both sides are resized to the target, whatever that does to the proportions.</summary>
    Squash,

    /// <summary>The shorter side is resized to <see cref="Preprocessing.ShorterSide"/>, then the centre is cut out.</summary>
    ShorterSide,

    /// <summary>The largest central square is cut out, then resized.</summary>
    CentralSquare,

    /// <summary>Both sides are resized to <see cref="Preprocessing.ShorterSide"/>, whatever that does to the proportions, then the centre is cut out.</summary>
    SquashThenCrop,
}

/// <summary>
/// All that has to be known to turn a decoded picture into a tower's input: size, resampling, crop, value range, and what
/// the decoder does about orientation and transparency. It belongs to the tower: another preprocessing is another tower.
/// Immutable, compared by value, safe for use from several threads.
/// </summary>
internal sealed partial record Preprocessing
{
    /// <summary>Width of the tower's input in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height of the tower's input in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>The resampling.</summary>
    public required ResizeMethod Method { get; init; }

    /// <summary>How the shape is made to fit.</summary>
    public required ResizeFit Fit { get; init; }

    /// <summary>For <see cref="ResizeFit.ShorterSide"/> and <see cref="ResizeFit.SquashThenCrop"/>: what the (shorter) side is resized to; at least width and height.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int ShorterSide { get; init; }

    /// <summary>
    /// Whether a central crop whose place falls between two pixels begins at the upper and left one, as Hugging Face's
    /// processors cut; torchvision rounds half to even.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool CropFromBelow { get; init; }

    /// <summary>Subtracted from each channel of a picture in [0, 1].</summary>
    public required ChannelValues Mean { get; init; }

    /// <summary>What each channel is divided by after that.</summary>
    public required ChannelValues Std { get; init; }

    /// <summary>Whether the EXIF orientation is honoured; the references ignore it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool HonourExif { get; init; }

    /// <summary>What shows through transparent pixels; null drops the alpha channel, as the references do.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Rgb24? Background { get; init; }

    /// <summary>Numbers in one preprocessed picture: 3 x height x width.</summary>
    [JsonIgnore]
    public int ValueCount => 3 * Height * Width;

    /// <summary>What the decoder has to be told.</summary>
    [JsonIgnore]
    public DecodingOptions Decoding => new() { HonourExif = HonourExif, Background = Background };

    /// <summary>The size that a picture must keep to be only scaled down on its way into the tower; null where pictures are not resized.</summary>
    internal PictureSize? NotBelow =>
        Method is ResizeMethod.None
            ? null
            : Fit switch
            {
                ResizeFit.Squash => new(Width, Height),
                ResizeFit.CentralSquare => new(Math.Max(Width, Height), Math.Max(Width, Height)),
                _ => new(ShorterSide, ShorterSide),
            };

    /// <summary>A decoded picture into the tower's input.</summary>
    /// <param name="image">Any size.</param>
    /// <param name="chw">Receives [3, Height, Width], channel by channel; <see cref="ValueCount"/> numbers.</param>
    /// <exception cref="LitException">The method is <see cref="ResizeMethod.None"/> and the picture has another size.</exception>
    public void Apply(RgbImage image, Span<float> chw)
    {
        if (chw.Length != ValueCount)
            throw new ArgumentException($"{ValueCount} numbers are needed, not {chw.Length}.", nameof(chw));
        Normalise(Resized(image), chw);
    }

    /// <summary>Encoded bytes into the tower's input.</summary>
    /// <param name="encoded">A JPEG, PNG, WebP … file.</param>
    /// <param name="chw">Receives [3, Height, Width]; <see cref="ValueCount"/> numbers.</param>
    /// <param name="origin">Names the picture in messages.</param>
    /// <returns>The picture's size before resizing.</returns>
    /// <exception cref="PictureException">The picture cannot be read.</exception>
    public (int Width, int Height) Apply(ReadOnlyMemory<byte> encoded, Span<float> chw, string? origin = null)
    {
        var image = Images.Decoding.Decode(encoded, Decoding, origin);
        Apply(image, chw);
        return (image.Width, image.Height);
    }

    /// <summary>The picture as the tower sees it, before the values are normalised, [Height, Width, 3].</summary>
    public RgbImage Fitted(RgbImage image) => new(Width, Height, Resized(image));

    private byte[] Resized(RgbImage image)
    {
        if (Fit == ResizeFit.CentralSquare && image.Width != image.Height)
        {
            var side = Math.Min(image.Width, image.Height);
            var square = new Window((image.Width - side) / 2, (image.Height - side) / 2, side, side);
            image = new RgbImage(side, side, Resizing.Cut(image, square));
        }
        if (Fit is not (ResizeFit.ShorterSide or ResizeFit.SquashThenCrop))
            return Resizing.Resize(image, Width, Height, Method, Window.Whole(Width, Height));
        var (width, height) =
            Fit == ResizeFit.SquashThenCrop
                ? (ShorterSide, ShorterSide)
                : SizeWithShorterSide(image.Width, image.Height, ShorterSide, Method);
        var window = CropFromBelow
            ? new Window((width - Width) / 2, (height - Height) / 2, Width, Height)
            : new Window(CropOffset(width, Width, Method), CropOffset(height, Height, Method), Width, Height);
        return Resizing.Resize(image, width, height, Method, window);
    }

    /// <summary>The size with its shorter side changed: rounded half to even in float32 by TensorFlow's users, truncated by torchvision.</summary>
    internal static (int Width, int Height) SizeWithShorterSide(int width, int height, int side, ResizeMethod method)
    {
        if (!IsTensorFlow(method))
            return width <= height
                ? (side, (int)((long)side * height / width))
                : ((int)((long)side * width / height), side);
        var factor = side / (float)Math.Min(width, height);
        return ((int)MathF.Round(width * factor), (int)MathF.Round(height * factor));
    }

    /// <summary>Where a central crop starts: rounded down by TensorFlow's users, half to even by torchvision.</summary>
    internal static int CropOffset(int from, int to, ResizeMethod method) =>
        IsTensorFlow(method) ? (from - to) / 2 : (int)Math.Round((from - to) / 2.0);

    private static bool IsTensorFlow(ResizeMethod method) =>
        method
            is ResizeMethod.TensorFlowBilinear
                or ResizeMethod.TensorFlowBilinearAntialias
                or ResizeMethod.TensorFlowArea;

    private void Normalise(ReadOnlySpan<byte> rgb, Span<float> chw)
    {
        Span<float> values = stackalloc float[3 * 256]; // every result there can be, once
        for (var channel = 0; channel < 3; channel++)
        for (var i = 0; i < 256; i++)
            values[channel * 256 + i] = (i / 255f - Mean[channel]) / Std[channel];
        var plane = Width * Height;
        for (var channel = 0; channel < 3; channel++)
        {
            var to = chw.Slice(channel * plane, plane);
            var table = values.Slice(channel * 256, 256);
            for (int i = 0, at = channel; i < to.Length; i++, at += 3)
                to[i] = table[rgb[at]];
        }
    }
}
