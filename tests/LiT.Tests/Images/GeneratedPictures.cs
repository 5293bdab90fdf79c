using LiT.Images;
using NetVips;

namespace LiT.Tests.Images;

/// <summary>Pictures of every kind that people have, made on the spot; all show the same two coloured halves.</summary>
public static class GeneratedPictures
{
    public const int Width = 48,
        Height = 32;

    /// <summary>Left half orange, right half blue, a dark row at the top: up and left can be told.</summary>
    internal static RgbImage Plain { get; } = Draw();

    internal static Image Vips(RgbImage? image = null)
    {
        image ??= Plain;
        using var pixels = Image.NewFromMemory(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        return pixels.Copy(interpretation: Enums.Interpretation.Srgb);
    }

    internal static byte[] Png(RgbImage? image = null) => Vips(image).PngsaveBuffer();

    internal static byte[] Jpeg(RgbImage? image = null) =>
        Vips(image).JpegsaveBuffer(q: 95, subsampleMode: Enums.ForeignSubsample.Off);

    internal static byte[] WebP(RgbImage? image = null) => Vips(image).WebpsaveBuffer(lossless: true);

    public static byte[] JpegWithOrientation(int orientation)
    {
        using var turned = Vips().Mutate(picture => picture.Set(GValue.GIntType, "orientation", orientation));
        return turned.JpegsaveBuffer(q: 95, subsampleMode: Enums.ForeignSubsample.Off);
    }

    /// <summary>The left half opaque, the right half transparent; colours stay under it.</summary>
    public static byte[] WithAlpha(string suffix)
    {
        using var alpha = (Image.Black(Width, Height) + 255)
            .Cast(Enums.BandFormat.Uchar)
            .Insert(Image.Black(Width / 2, Height).Cast(Enums.BandFormat.Uchar), Width / 2, 0);
        using var picture = Vips().Bandjoin(alpha);
        return suffix == ".webp" ? picture.WebpsaveBuffer(lossless: true, exact: true) : picture.WriteToBuffer(suffix);
    }

    public static byte[] Gray(string suffix) =>
        Vips().ExtractBand(1).Copy(interpretation: Enums.Interpretation.Bw).WriteToBuffer(suffix);

    public static byte[] Gray16() =>
        (Vips().ExtractBand(1).Cast(Enums.BandFormat.Ushort) * 256 + 255)
            .Cast(Enums.BandFormat.Ushort)
            .Copy(interpretation: Enums.Interpretation.Grey16)
            .PngsaveBuffer(bitdepth: 16);

    /// <summary>A 24-bit bitmap, written here because the image library writes none; rows from the bottom, as is the custom.</summary>
    internal static byte[] Bmp(RgbImage? image = null, bool fromTop = false)
    {
        image ??= Plain;
        var stride = (image.Width * 3 + 3) / 4 * 4;
        var file = new byte[54 + stride * image.Height];
        "BM"u8.CopyTo(file);
        BitConverter.TryWriteBytes(file.AsSpan(2), file.Length);
        BitConverter.TryWriteBytes(file.AsSpan(10), 54);
        BitConverter.TryWriteBytes(file.AsSpan(14), 40);
        BitConverter.TryWriteBytes(file.AsSpan(18), image.Width);
        BitConverter.TryWriteBytes(file.AsSpan(22), fromTop ? -image.Height : image.Height);
        BitConverter.TryWriteBytes(file.AsSpan(26), (short)1);
        BitConverter.TryWriteBytes(file.AsSpan(28), (short)24);
        for (var y = 0; y < image.Height; y++)
        for (var x = 0; x < image.Width; x++)
        for (var channel = 0; channel < 3; channel++)
            file[54 + (fromTop ? y : image.Height - 1 - y) * stride + x * 3 + 2 - channel] = image.Pixels[
                (y * image.Width + x) * 3 + channel
            ];
        return file;
    }

    /// <summary>The signature, size and checksum of a PNG that says it is this large, and nothing else.</summary>
    public static byte[] PngHeader(int width, int height)
    {
        byte[] header =
        [
            0x89,
            0x50,
            0x4E,
            0x47,
            13,
            10,
            26,
            10,
            0,
            0,
            0,
            13,
            .. "IHDR"u8,
            .. BigEndian(width),
            .. BigEndian(height),
            8,
            2,
            0,
            0,
            0,
        ];
        byte[] data =
        [
            0,
            0,
            0,
            0,
            .. "IDAT"u8,
            .. BigEndian((int)Crc("IDAT"u8)),
            0,
            0,
            0,
            0,
            .. "IEND"u8,
            .. BigEndian((int)Crc("IEND"u8)),
        ];
        return [.. header, .. BigEndian((int)Crc(header.AsSpan(12))), .. data];
    }

    private static byte[] BigEndian(int value) =>
        [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (crc & 1) * 0xEDB88320;
        }
        return ~crc;
    }

    private static RgbImage Draw()
    {
        var pixels = new byte[Width * Height * 3];
        for (var y = 0; y < Height; y++)
        for (var x = 0; x < Width; x++)
        {
            byte[] colour =
                y < 4 ? [16, 16, 16]
                : x < Width / 2 ? [240, 120, 40]
                : [40, 80, 200];
            colour.CopyTo(pixels, (y * Width + x) * 3);
        }
        return new RgbImage(Width, Height, pixels);
    }
}
