namespace LiT.Images;

/// <summary>The way from encoded bytes to the pixels that are resized.</summary>
internal enum DecodePath
{
    /// <summary>Every pixel, as the references decode.</summary>
    Exact,

    /// <summary>
    /// Shrunk while it is decoded, by 2, 4 or 8 in each direction and never below the size that is needed, where the
    /// format can (JPEG by its own transform, WebP); the resize goes on from there. Faster, and other pixels.
    /// </summary>
    Fast,
}

/// <summary>What follows from a way.</summary>
internal static class DecodePaths
{
    /// <summary>As store.json and the command line call it.</summary>
    public static string Word(this DecodePath path) => path == DecodePath.Fast ? "fast" : "exact";
}

/// <summary>Width and height in pixels.</summary>
internal readonly record struct PictureSize(int Width, int Height);

/// <summary>How encoded pictures become pixels. The defaults are what the public references do.</summary>
internal sealed record DecodingOptions
{
    /// <summary>What the references do: orientation ignored, alpha dropped, at most 100 megapixels.</summary>
    public static DecodingOptions Default { get; } = new();

    /// <summary>For people's eyes: turned as the camera was held, on white where it is transparent.</summary>
    public static DecodingOptions Upright { get; } = new() { HonourExif = true, Background = Rgb24.White };

    /// <summary>
    /// A picture with more pixels is refused on the strength of its header, before anything is decoded.
    /// </summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>
    /// Turn the picture as its EXIF orientation says. The references (TensorFlow, Pillow) ignore it. What a format
    /// says itself, TIFF by its tag and AVIF by its own turning, is followed in any case, as Pillow and libavif's
    /// readers do.
    /// </summary>
    public bool HonourExif { get; init; }

    /// <summary>
    /// The colour that shows through transparent pixels. Null drops the alpha channel, as the references do, which
    /// leaves whatever colour the file holds under transparent pixels.
    /// </summary>
    public Rgb24? Background { get; init; }

    /// <summary>
    /// A JPEG or WebP may come out at 1/2, 1/4 or 1/8 of its size, but not below this (as the picture is turned by
    /// <see cref="HonourExif"/>); see <see cref="DecodePath.Fast"/>. Null decodes every pixel.
    /// </summary>
    public PictureSize? NotBelow { get; init; }
}
