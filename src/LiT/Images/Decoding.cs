using System.Runtime.InteropServices;
using NetVips;

namespace LiT.Images;

/// <summary>
/// Encoded bytes in, 8-bit RGB out, as the references' decoders give it: gray is replicated, palettes are expanded, of
/// 16 bits the high byte is kept, CMYK is converted without colour profile, of an animation the first frame is taken.
/// Safe for use from several threads; each call keeps to one core, so callers decode several pictures at once.
/// </summary>
public static class Decoding
{
    static Decoding() => ImageLibrary.Prepare();

    /// <summary>Decodes one picture.</summary>
    /// <param name="bytes">The whole encoded file.</param>
    /// <param name="options">What to do about orientation, transparency and size; the references' way where null.</param>
    /// <param name="origin">Names the picture in messages.</param>
    /// <exception cref="PictureException">No picture, a broken one, or one over <see cref="DecodingOptions.MaxPixels"/>.</exception>
    public static RgbImage Decode(ReadOnlyMemory<byte> bytes, DecodingOptions? options = null, string? origin = null)
    {
        options ??= DecodingOptions.Default;
        var format = FormatOf(bytes.Span, origin);
        if (format is PictureFormat.Bmp)
        {
            var bitmap = BmpPicture.ReadHeader(bytes.Span, origin);
            RefuseLarge(bitmap.Width, bitmap.Height, options.MaxPixels, origin);
            return bitmap.Decode(bytes.Span, options.Background, origin);
        }
        try
        {
            using var picture = Open(bytes, format);
            RefuseLarge(picture.Width, picture.Height, options.MaxPixels, origin);
            var image = ToRgb(picture, options.Background);
            return options.HonourExif ? Orientation.Apply(image, OrientationOf(picture)) : image;
        }
        catch (VipsException broken) { throw Broken(bytes.Span, format, origin, broken); }
    }

    /// <summary>Width and height from the header alone; nothing is decoded.</summary>
    /// <param name="bytes">The encoded file.</param>
    /// <param name="honourExif">Whether to give the size after turning the picture as its EXIF orientation says.</param>
    /// <param name="origin">Names the picture in messages.</param>
    /// <exception cref="PictureException">No picture, or one with a broken header.</exception>
    public static (int Width, int Height) ReadSize(ReadOnlyMemory<byte> bytes, bool honourExif = false, string? origin = null)
    {
        var format = FormatOf(bytes.Span, origin);
        if (format is PictureFormat.Bmp)
        {
            var bitmap = BmpPicture.ReadHeader(bytes.Span, origin);
            return (bitmap.Width, bitmap.Height);
        }
        try
        {
            using var picture = Open(bytes, format);
            var turned = honourExif && Orientation.SwapsSides(OrientationOf(picture));
            return turned ? (picture.Height, picture.Width) : (picture.Width, picture.Height);
        }
        catch (VipsException broken) { throw Broken(bytes.Span, format, origin, broken); }
    }

    // The loader is named, not searched for: libvips also has loaders for documents and drawings, which nobody asked for.
    private static Image Open(ReadOnlyMemory<byte> memory, PictureFormat format)
    {
        var bytes = MemoryMarshal.TryGetArray(memory, out var part) && part is { Offset: 0, Array: { } whole } && whole.Length == part.Count
            ? whole
            : memory.ToArray();
        const Enums.Access access = Enums.Access.Sequential;
        const Enums.FailOn failOn = Enums.FailOn.Error;                    // what Pillow refuses; warnings are let pass, as there
        return format switch
        {
            PictureFormat.Jpeg => Image.JpegloadBuffer(bytes, access: access, failOn: failOn),
            PictureFormat.Png => Image.PngloadBuffer(bytes, access: access, failOn: failOn),
            PictureFormat.WebP => Image.WebploadBuffer(bytes, access: access, failOn: failOn),
            PictureFormat.Gif => Image.GifloadBuffer(bytes, access: access, failOn: failOn),
            PictureFormat.Tiff => Image.TiffloadBuffer(bytes, access: access, failOn: failOn),
            PictureFormat.Avif => Image.HeifloadBuffer(bytes, access: access, failOn: failOn),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
    }

    private static PictureFormat FormatOf(ReadOnlySpan<byte> bytes, string? origin) => PictureFormats.Of(bytes) switch
    {
        PictureFormat.Unknown => throw new PictureException(PictureFormats.InsteadOfPicture(bytes), origin,
            $"Give a {PictureFormats.InWords} file."),
        var format => format,
    };

    private static void RefuseLarge(int width, int height, long maxPixels, string? origin)
    {
        var limit = Math.Min(maxPixels, Array.MaxLength / 4);              // four bands of it must fit one array
        if ((long)width * height > limit)
            throw new PictureException($"{width} x {height} is more than {limit} pixels", origin,
                "Make the picture smaller, or raise the limit if it is really wanted.");
    }

    private static PictureException Broken(ReadOnlySpan<byte> bytes, PictureFormat format, string? origin, VipsException broken)
    {
        // libvips keeps one error text for all threads, so it can be another picture's: the words are our own.
        var name = format switch
        {
            PictureFormat.Jpeg => "JPEG",
            PictureFormat.Png => "PNG",
            PictureFormat.Gif => "GIF",
            PictureFormat.Tiff => "TIFF",
            PictureFormat.Avif => "AVIF",
            _ => "WebP"
        };
        var reason = PictureFormats.IsCutShort(format, bytes) ? $"truncated {name}" : $"corrupt or unsupported {name}";
        return new PictureException(reason, origin, "Fetch the file again, or save it anew with another program.", broken);
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
        var raw = picture.Format is Enums.BandFormat.Ushort ? HighBytes(picture.WriteToMemory<ushort>()) : picture.WriteToMemory<byte>();
        var rgb = picture.Interpretation is Enums.Interpretation.Cmyk && bands >= 4
            ? Bands.FromCmyk(raw, width * height, bands)
            : Bands.ToRgb(raw, width * height, bands, background);
        return new RgbImage(width, height, rgb);
    }

    private static byte[] HighBytes(ushort[] values)
    {
        var high = new byte[values.Length];
        for (var i = 0; i < high.Length; i++) high[i] = (byte)(values[i] >> 8);
        return high;
    }
}
