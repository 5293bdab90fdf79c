using System.Runtime.InteropServices;
using NetVips;

namespace LiT.Images;

/// <summary>
/// Encoded bytes in, 8-bit RGB out, as the references' decoders give it: gray is replicated, palettes are expanded, of
/// 16 bits the high byte is kept, CMYK is converted without colour profile, of an animation the first frame is taken.
/// Safe for use from several threads; each call keeps to one core, so callers decode several pictures at once.
/// </summary>
internal static class Decoding
{
    static Decoding() => ImageLibrary.Prepare();

    private const int LargestShrink = 8;
    private const string Remedy = "Fetch the file again, or save it anew with another program.";

    /// <summary>libjpeg's words for a scan that ends before the picture does: what is missing would be grey.</summary>
    private static readonly string[] JpegEndings =
    [
        "premature end of data segment",
        "found marker 0xd9 instead of RST",
        "Premature end of JPEG file",
    ];

    /// <summary>Decodes one picture.</summary>
    /// <param name="bytes">The whole encoded file.</param>
    /// <param name="options">What to do about orientation, transparency and size; the references' way where null.</param>
    /// <param name="origin">Names the picture in messages.</param>
    /// <exception cref="PictureException">No picture, a broken one, or one over <see cref="DecodingOptions.MaxPixels"/>.</exception>
    public static RgbImage Decode(ReadOnlyMemory<byte> bytes, DecodingOptions? options = null, string? origin = null) =>
        Decode(bytes, options, origin, out _);

    /// <param name="bytes">The whole encoded file.</param>
    /// <param name="options">What to do about orientation, transparency and size; the references' way where null.</param>
    /// <param name="origin">Names the picture in messages.</param>
    /// <param name="size">The picture's size where it is not shrunk.</param>
    /// <inheritdoc cref="Decode(ReadOnlyMemory{byte}, DecodingOptions?, string?)"/>
    internal static RgbImage Decode(
        ReadOnlyMemory<byte> bytes,
        DecodingOptions? options,
        string? origin,
        out PictureSize size
    )
    {
        options ??= DecodingOptions.Default;
        var format = FormatOf(bytes.Span, origin);
        if (format is PictureFormat.Bmp)
        {
            var bitmap = BmpPicture.ReadHeader(bytes.Span, origin);
            RefuseLarge(bitmap.Width, bitmap.Height, options.MaxPixels, origin);
            size = new(bitmap.Width, bitmap.Height);
            return bitmap.Decode(bytes.Span, options.Background, origin);
        }
        try
        {
            RgbImage image;
            string? warning;
            using (ImageLibrary.Reading())
            {
                image = Decode(bytes, format, options, origin, out size);
                warning = ImageLibrary.TakeWarning();
            }
            // Hardly any JPEG has one. The words may be about another thread's picture; looked at again alone, they are about this one.
            if (
                warning is not null
                && format is PictureFormat.Jpeg
                && ImageLibrary.WarningOf(() => Decode(bytes, format, options, origin, out _)) is { } own
                && JpegEndings.Any(own.Contains)
            )
                throw new PictureException("the picture data end early", origin, Remedy);
            return image;
        }
        catch (VipsException broken)
        {
            throw Broken(bytes.Span, format, origin, broken);
        }
    }

    private static RgbImage Decode(
        ReadOnlyMemory<byte> bytes,
        PictureFormat format,
        DecodingOptions options,
        string? origin,
        out PictureSize size
    )
    {
        using var whole = Open(bytes, format);
        RefuseLarge(whole.Width, whole.Height, options.MaxPixels, origin);
        var orientation = options.HonourExif ? OrientationOf(whole) : 1;
        size = Orientation.SwapsSides(orientation) ? new(whole.Height, whole.Width) : new(whole.Width, whole.Height);
        var shrink = options.NotBelow is { } least ? ShrinkOf(format, size, least) : 1;
        using var shrunk = shrink > 1 ? Open(bytes, format, shrink) : null;
        return Orientation.Apply(ToRgb(shrunk ?? whole, options.Background), orientation);
    }

    /// <summary>Width and height from the header alone; nothing is decoded.</summary>
    /// <param name="bytes">The encoded file.</param>
    /// <param name="honourExif">Whether to give the size after turning the picture as its EXIF orientation says.</param>
    /// <param name="origin">Names the picture in messages.</param>
    /// <exception cref="PictureException">No picture, or one with a broken header.</exception>
    public static (int Width, int Height) ReadSize(
        ReadOnlyMemory<byte> bytes,
        bool honourExif = false,
        string? origin = null
    )
    {
        var format = FormatOf(bytes.Span, origin);
        if (format is PictureFormat.Bmp)
        {
            var bitmap = BmpPicture.ReadHeader(bytes.Span, origin);
            return (bitmap.Width, bitmap.Height);
        }
        try
        {
            using var reading = ImageLibrary.Reading();
            using var picture = Open(bytes, format);
            var turned = honourExif && Orientation.SwapsSides(OrientationOf(picture));
            return turned ? (picture.Height, picture.Width) : (picture.Width, picture.Height);
        }
        catch (VipsException broken)
        {
            throw Broken(bytes.Span, format, origin, broken);
        }
    }

    /// <summary>The largest of 1, 2, 4 and 8 that leaves the picture at least as large as it is needed.</summary>
    private static int ShrinkOf(PictureFormat format, PictureSize size, PictureSize least)
    {
        var shrink = 1;
        if (format is PictureFormat.Jpeg or PictureFormat.WebP)
            while (
                shrink < LargestShrink
                && size.Width / (2 * shrink) >= least.Width
                && size.Height / (2 * shrink) >= least.Height
            )
                shrink *= 2;
        return shrink;
    }

    // The loader is named, not searched for: libvips also has loaders for documents and drawings, which nobody asked for.
    private static Image Open(ReadOnlyMemory<byte> memory, PictureFormat format, int shrink = 1)
    {
        var bytes =
            MemoryMarshal.TryGetArray(memory, out var part)
            && part is { Offset: 0, Array: { } whole }
            && whole.Length == part.Count
                ? whole
                : memory.ToArray();
        const Enums.Access access = Enums.Access.Sequential;
        const Enums.FailOn failOn = Enums.FailOn.Error; // what Pillow refuses; of warnings one is refused here, too (JpegEndings)
        return format switch
        {
            PictureFormat.Jpeg => Image.JpegloadBuffer(bytes, shrink: shrink, access: access, failOn: failOn),
            PictureFormat.Png => Image.PngloadBuffer(bytes, access: access, failOn: failOn),
            PictureFormat.WebP => Image.WebploadBuffer(bytes, scale: 1.0 / shrink, access: access, failOn: failOn),
            PictureFormat.Gif => Image.GifloadBuffer(bytes, access: access, failOn: failOn),
            PictureFormat.Tiff => Image.TiffloadBuffer(bytes, access: access, failOn: failOn),
            PictureFormat.Avif => Image.HeifloadBuffer(bytes, access: access, failOn: failOn),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
    }

    private static PictureFormat FormatOf(ReadOnlySpan<byte> bytes, string? origin) =>
        PictureFormats.Of(bytes) switch
        {
            PictureFormat.Unknown => throw new PictureException(
                PictureFormats.InsteadOfPicture(bytes),
                origin,
                $"Give a {PictureFormats.InWords} file."
            ),
            var format => format,
        };

    private static void RefuseLarge(int width, int height, long maxPixels, string? origin)
    {
        var limit = Math.Min(maxPixels, Array.MaxLength / 4); // four bands of it must fit one array
        if ((long)width * height > limit)
            throw new PictureException(
                $"{width} x {height} is more than {limit} pixels",
                origin,
                "Make the picture smaller, or raise the limit if it is really wanted."
            );
    }

    private static PictureException Broken(
        ReadOnlySpan<byte> bytes,
        PictureFormat format,
        string? origin,
        VipsException broken
    )
    {
        // libvips keeps one error text for all threads, so it can be another picture's: the words are our own.
        var name = format switch
        {
            PictureFormat.Jpeg => "JPEG",
            PictureFormat.Png => "PNG",
            PictureFormat.Gif => "GIF",
            PictureFormat.Tiff => "TIFF",
            PictureFormat.Avif => "AVIF",
            _ => "WebP",
        };
        var reason = PictureFormats.IsCutShort(format, bytes) ? $"truncated {name}" : $"corrupt or unsupported {name}";
        return new PictureException(reason, origin, Remedy, broken);
    }

    private static int OrientationOf(Image picture) =>
        picture.Contains("orientation") && picture.Get("orientation") is int orientation ? orientation : 1;

    private static RgbImage ToRgb(Image picture, Rgb24? background)
    {
        if (picture.Format is not (Enums.BandFormat.Uchar or Enums.BandFormat.Ushort))
        {
            using var srgb = picture.Colourspace(Enums.Interpretation.Srgb);
            using var eight = srgb.Cast(Enums.BandFormat.Uchar);
            return ToRgb(eight, background);
        }
        var (width, height, bands) = (picture.Width, picture.Height, picture.Bands);
        var raw =
            picture.Format is Enums.BandFormat.Ushort
                ? HighBytes(picture.WriteToMemory<ushort>())
                : picture.WriteToMemory<byte>();
        var rgb =
            picture.Interpretation is Enums.Interpretation.Cmyk && bands >= 4
                ? Bands.FromCmyk(raw, width * height, bands)
                : Bands.ToRgb(raw, width * height, bands, background);
        return new RgbImage(width, height, rgb);
    }

    private static byte[] HighBytes(ushort[] values)
    {
        var high = new byte[values.Length];
        for (var i = 0; i < high.Length; i++)
            high[i] = (byte)(values[i] >> 8);
        return high;
    }
}
