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
            [(byte)'I', (byte)'I', 42, 0, ..] or [(byte)'M', (byte)'M', 0, 42, ..] => PictureFormat.Tiff,
            [(byte)'B', (byte)'M', _, _, _, _, 0, 0, 0, 0, ..] => PictureFormat.Bmp,
            [
                _,
                _,
                _,
                _,
                (byte)'f',
                (byte)'t',
                (byte)'y',
                (byte)'p',
                (byte)'a',
                (byte)'v',
                (byte)'i',
                (byte)'f'
                or (byte)'s',
                ..,
            ] => PictureFormat.Avif,
            _ => PictureFormat.Unknown,
        };

    /// <summary>Whether the bytes end before the format says they do.</summary>
    public static bool IsCutShort(PictureFormat format, ReadOnlySpan<byte> bytes) =>
        format switch
        {
            PictureFormat.Jpeg => bytes.LastIndexOf([(byte)0xFF, (byte)0xD9]) < 0,
            PictureFormat.Png => bytes.LastIndexOf("IEND"u8) < 0,
            PictureFormat.WebP => bytes.Length < 8 + (long)BitConverter.ToUInt32(bytes[4..8]),
            PictureFormat.Gif => !bytes.TrimEnd((byte)0).EndsWith([(byte)0x3B]),
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
        return bytes.IndexOfAnyExcept((byte)0) < 0 ? "the file holds zeros only" : $"not a {InWords} picture";
    }
}
