namespace LiT.Images;

/// <summary>The picture formats that are read, told apart by their first bytes and never by a file's name.</summary>
internal enum PictureFormat
{
    Unknown,
    Jpeg,
    Png,
    WebP,
    Gif,
    Tiff,
    Bmp,
    Avif,
}

/// <summary>What can be said of an encoded picture from its bytes alone.</summary>
internal static class PictureFormats
{
    public const string InWords = "JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF";

    public static PictureFormat Of(ReadOnlySpan<byte> bytes) =>
        bytes switch
        {
            [0xFF, 0xD8, 0xFF, ..] => PictureFormat.Jpeg,
            [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => PictureFormat.Png,
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] =>
                PictureFormat.WebP,
            [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => PictureFormat.Gif,
            [(byte)'I', (byte)'I', 42 or 43, 0, ..] or [(byte)'M', (byte)'M', 0, 42 or 43, ..] => PictureFormat.Tiff,
            [(byte)'B', (byte)'M', _, _, _, _, 0, 0, 0, 0, ..] => PictureFormat.Bmp,
            [_, _, _, _, ..] when Brands(bytes) is { } brands && (brands.Contains("avif") || brands.Contains("avis")) =>
                PictureFormat.Avif,
            _ => PictureFormat.Unknown,
        };

    /// <summary>Whether the bytes end before the format says they do.</summary>
    public static bool IsCutShort(PictureFormat format, ReadOnlySpan<byte> bytes) =>
        format switch
        {
            PictureFormat.Jpeg => bytes.LastIndexOf([(byte)0xFF, (byte)0xD9]) < 0,
            PictureFormat.Png => bytes.LastIndexOf("IEND"u8) < 0,
            PictureFormat.WebP => bytes.Length < 8 + (long)BitConverter.ToUInt32(bytes[4..8]),
            _ => false,
        };

    /// <summary>
    /// What else the bytes may be, for the message about a picture that is none: a web page, nothing at all.
    /// </summary>
    public static string InsteadOfPicture(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return "the file is empty";
        var start = bytes.TrimStart(" \t\r\n\uFEFF"u8);
        if (start.StartsWith("<svg"u8) || (start.StartsWith("<?xml"u8) && bytes.IndexOf("<svg"u8) >= 0))
            return "an SVG drawing, not a picture";
        if (start.StartsWith("<"u8))
            return "a web page, not a picture";
        if (start.StartsWith("{"u8))
            return "JSON, not a picture";
        if (start.StartsWith("%PDF"u8))
            return "a PDF, not a picture";
        if (Other(bytes) is { } other)
            return $"{other}, which is not read";
        return bytes.IndexOfAnyExcept((byte)0) < 0 ? "the file holds zeros only" : $"not a {InWords} picture";
    }

    /// <summary>
    /// A picture, or a file of pictures, of a form that is known and not read; its name often says something else.
    /// </summary>
    private static string? Other(ReadOnlySpan<byte> bytes) =>
        Brands(bytes) is { } brands
            ? brands.Any(brand => brand is "heic" or "heix" or "hevc" or "heim" or "heis" or "mif1" or "msf1")
                ? "an HEIC picture (as telephones write it)"
                : brands.Contains("crx ")
                    ? "a camera's raw picture (CR3)"
                    : "a video"
            : bytes.StartsWith<byte>([0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', (byte)' '])
            || bytes.StartsWith<byte>([0xFF, 0x0A])
                ? "a JPEG XL picture"
                : bytes.StartsWith<byte>([0, 0, 0, 12, (byte)'j', (byte)'P', (byte)' ', (byte)' '])
                || bytes.StartsWith<byte>([0xFF, 0x4F, 0xFF, 0x51])
                    ? "a JPEG 2000 picture"
                    : bytes.StartsWith<byte>([(byte)'I', (byte)'I', 0xBC, 1])
                        ? "a JPEG XR picture"
                        : bytes.StartsWith<byte>([0, 0, 1, 0])
                            ? "an icon (ICO)"
                            : bytes.StartsWith("8BPS"u8)
                                ? "a Photoshop file"
                                : bytes.StartsWith("PK\x03\x04"u8)
                                    ? "a zip archive"
                                    : bytes.StartsWith<byte>([0x1F, 0x8B])
                                        ? "data packed with gzip"
                                        : bytes.StartsWith("version https://git-lfs"u8)
                                            ? "a pointer of Git LFS, in place of the file"
                                            : bytes
                                                is [
                                                    (byte)'P',
                                                    >= (byte)'1'
                                                    and <= (byte)'7',
                                                    (byte)' '
                                                    or (byte)'\n'
                                                    or (byte)'\r'
                                                    or (byte)'\t',
                                                    ..,
                                                ]
                                                ? "a PNM picture"
                                                : null;

    /// <summary>
    /// What a file of ISO's media container says that it is: its major brand and the others that it fits.
    /// </summary>
    private static List<string>? Brands(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 12 || !bytes[4..8].SequenceEqual("ftyp"u8))
            return null;
        var length = (int)Math.Min(bytes.Length, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes));
        List<string> brands = [];
        for (var at = 8; at + 4 <= Math.Min(length, 256); at += 4)
            if (at != 12) // the major brand's version
                brands.Add(System.Text.Encoding.Latin1.GetString(bytes.Slice(at, 4)));
        return brands;
    }
}
