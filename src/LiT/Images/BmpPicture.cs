using System.Buffers.Binary;
using System.Numerics;

namespace LiT.Images;

/// <summary>
/// Windows bitmaps, which the image library does not read: 1, 4, 8, 16, 24 and 32 bits, uncompressed or with channel
/// masks, either row order. Layout: BITMAPINFOHEADER and its successors as documented by Microsoft.
/// </summary>
internal sealed record BmpPicture(int Width, int Height)
{
    internal required int Bits { get; init; }
    internal required bool FromTop { get; init; }
    internal required int PixelsAt { get; init; }
    internal required int PaletteAt { get; init; }
    internal required int PaletteEntry { get; init; }
    internal required int PaletteCount { get; init; }
    internal required uint[] Masks { get; init; }

    private long Stride => ((long)Width * Bits + 31) / 32 * 4;

    public static BmpPicture ReadHeader(ReadOnlySpan<byte> bytes, string? origin)
    {
        if (bytes.Length < 26)
            throw Broken("truncated BMP", origin);
        var headerSize = BinaryPrimitives.ReadInt32LittleEndian(bytes[14..]);
        var old = headerSize == 12; // OS/2: 16-bit sides, palette of 3 bytes an entry
        if (!old && (headerSize is < 40 or > 1024 || bytes.Length < 14 + headerSize))
            throw Broken("corrupt BMP header", origin);
        int width = old
            ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[18..])
            : BinaryPrimitives.ReadInt32LittleEndian(bytes[18..]);
        int height = old
            ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[20..])
            : BinaryPrimitives.ReadInt32LittleEndian(bytes[22..]);
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(old ? 24 : 28)..]);
        var compression = old ? 0 : BinaryPrimitives.ReadInt32LittleEndian(bytes[30..]);
        if (width <= 0 || height is 0 or int.MinValue)
            throw Broken("corrupt BMP header", origin);
        if (
            bits is not (1 or 4 or 8 or 16 or 24 or 32)
            || !(compression == 0 || (compression is 3 or 6 && bits is 16 or 32))
        )
            throw Broken($"BMP of {bits} bits with compression {compression}, which is not read", origin);

        var afterHeader = 14 + headerSize;
        uint[] masks = bits == 16 ? [0x7C00, 0x03E0, 0x001F, 0] : [0xFF0000, 0xFF00, 0xFF, 0];
        if (compression != 0) // in a BITMAPINFOHEADER the masks follow it, later ones hold them
        {
            if (bytes.Length < 14 + 52)
                throw Broken("truncated BMP", origin);
            for (var i = 0; i < 3; i++)
                masks[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(54 + 4 * i)..]);
            if (headerSize >= 56)
                masks[3] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[66..]);
        }
        var entry = old ? 3 : 4;
        var declared = old ? 0 : BinaryPrimitives.ReadInt32LittleEndian(bytes[46..]);
        var colours =
            bits > 8 ? 0
            : declared is > 0 and <= 256 ? declared
            : 1 << bits;
        return new BmpPicture(width, Math.Abs(height))
        {
            Bits = bits,
            FromTop = height < 0,
            PixelsAt = BinaryPrimitives.ReadInt32LittleEndian(bytes[10..]),
            PaletteAt = afterHeader,
            PaletteEntry = entry,
            PaletteCount = colours,
            Masks = masks,
        };
    }

    public RgbImage Decode(ReadOnlySpan<byte> bytes, Rgb24? background, string? origin)
    {
        if (PixelsAt < PaletteAt + PaletteCount * PaletteEntry || PixelsAt + Stride * Height > bytes.Length)
            throw Broken("truncated BMP", origin);
        var bands = Masks[3] != 0 ? 4 : 3;
        var raw = new byte[checked(Width * Height * bands)];
        for (var y = 0; y < Height; y++)
        {
            var row = bytes.Slice((int)(PixelsAt + (FromTop ? y : Height - 1 - y) * Stride), (int)Stride);
            var to = raw.AsSpan(y * Width * bands, Width * bands);
            for (var x = 0; x < Width; x++)
                if (Bits <= 8)
                    LookUp(bytes, row, x, to.Slice(3 * x, 3));
                else if (Bits == 24)
                    (to[3 * x], to[3 * x + 1], to[3 * x + 2]) = (row[3 * x + 2], row[3 * x + 1], row[3 * x]);
                else
                    Unmask(
                        Bits == 16
                            ? BinaryPrimitives.ReadUInt16LittleEndian(row[(2 * x)..])
                            : BinaryPrimitives.ReadUInt32LittleEndian(row[(4 * x)..]),
                        to.Slice(x * bands, bands)
                    );
        }
        return new RgbImage(Width, Height, Bands.ToRgb(raw, Width * Height, bands, background));
    }

    private void LookUp(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> row, int x, Span<byte> to)
    {
        var perByte = 8 / Bits;
        var index = row[x / perByte] >> (8 - Bits * (x % perByte + 1)) & ((1 << Bits) - 1);
        if (index >= PaletteCount)
            return; // black, as other readers give it
        var at = PaletteAt + index * PaletteEntry;
        (to[0], to[1], to[2]) = (bytes[at + 2], bytes[at + 1], bytes[at]);
    }

    private void Unmask(uint value, Span<byte> to)
    {
        for (var band = 0; band < to.Length; band++)
        {
            var mask = Masks[band];
            var largest = mask >> BitOperations.TrailingZeroCount(mask);
            to[band] =
                mask == 0
                    ? (byte)0
                    : (byte)((ulong)((value & mask) >> BitOperations.TrailingZeroCount(mask)) * 255 / largest);
        }
    }

    private static PictureException Broken(string reason, string? origin) =>
        new(reason, origin, "Fetch the file again, or save it as PNG.");
}
