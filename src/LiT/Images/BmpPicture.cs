using System.Buffers.Binary;
using System.Numerics;

namespace LiT.Images;

/// <summary>
/// Windows and OS/2 bitmaps, which the image library does not read: 1, 4, 8, 16, 24 and 32 bits, uncompressed, with
/// channel masks, or with runs (RLE4, RLE8), either row order. Layout: BITMAPINFOHEADER and its successors as
/// documented by Microsoft.
/// </summary>
internal sealed record BmpPicture(int Width, int Height)
{
    private const int Rle8 = 1,
        Rle4 = 2,
        Masked = 3,
        MaskedWithAlpha = 6;

    internal required int Bits { get; init; }
    internal required bool FromTop { get; init; }
    internal required int PixelsAt { get; init; }
    internal required int PaletteAt { get; init; }
    internal required int PaletteEntry { get; init; }
    internal required int PaletteCount { get; init; }
    internal required bool Runs { get; init; }
    internal required uint[] Masks { get; init; }

    private long Stride => ((long)Width * Bits + 31) / 32 * 4;

    public static BmpPicture ReadHeader(ReadOnlySpan<byte> bytes, string? origin)
    {
        if (bytes.Length < 26)
            throw Broken("truncated BMP", origin);
        var headerSize = BinaryPrimitives.ReadInt32LittleEndian(bytes[14..]);
        var old = headerSize == 12; // OS/2: 16-bit sides, palette of 3 bytes an entry
        // OS/2 2.x cuts its header of 64 bytes where the rest is zero: 16 bytes hold sides and bits only.
        if (!old && (headerSize is < 16 or > 1024 || bytes.Length < 14 + headerSize))
            throw Broken(headerSize is < 16 or > 1024 ? "corrupt BMP header" : "truncated BMP", origin);
        int Field(ReadOnlySpan<byte> file, int at) =>
            at + 4 <= 14 + headerSize ? BinaryPrimitives.ReadInt32LittleEndian(file[at..]) : 0;
        int width = old ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[18..]) : Field(bytes, 18);
        int height = old ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[20..]) : Field(bytes, 22);
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(old ? 24 : 28)..]);
        var compression = old ? 0 : Field(bytes, 30);
        if (width <= 0 || height is 0 or int.MinValue)
            throw Broken("corrupt BMP header", origin);
        var packing = (compression, bits) switch
        {
            (0, 1 or 4 or 8 or 16 or 24 or 32) => "",
            (Rle8, 8) or (Rle4, 4) => "",
            (Masked or MaskedWithAlpha, 16 or 32) when headerSize != 64 => "",
            (0, _) => $"{bits} bits a pixel",
            (4, 24) when headerSize == 64 => "runs of 24 bits (OS/2)",
            (Masked, 1) => "Huffman codes (OS/2)",
            (4, _) => "a JPEG inside",
            (5, _) => "a PNG inside",
            _ => $"{bits} bits and compression {compression}",
        };
        if (packing.Length > 0)
            throw Broken($"BMP with {packing}, which is not read", origin);

        var afterHeader = 14 + headerSize;
        uint[] masks = bits == 16 ? [0x7C00, 0x03E0, 0x001F, 0] : [0xFF0000, 0xFF00, 0xFF, 0];
        if (compression is Masked or MaskedWithAlpha) // in a BITMAPINFOHEADER the masks follow it, later ones hold them
        {
            var count = headerSize >= 56 || compression == MaskedWithAlpha ? 4 : 3;
            if (bytes.Length < 54 + 4 * count)
                throw Broken("truncated BMP", origin);
            for (var i = 0; i < count; i++)
                masks[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(54 + 4 * i)..]);
        }
        var entry = old ? 3 : 4;
        var pixelsAt = BinaryPrimitives.ReadInt32LittleEndian(bytes[10..]);
        var declared = old ? 0 : Field(bytes, 46);
        var colours =
            bits > 8 ? 0
            : declared is > 0 and <= 256 ? declared
            : 1 << bits;
        // A palette may be shorter than the bits allow and not say so; it ends where the pixels begin.
        if (declared <= 0 && pixelsAt > afterHeader)
            colours = Math.Min(colours, (pixelsAt - afterHeader) / entry);
        return new BmpPicture(width, Math.Abs(height))
        {
            Bits = bits,
            FromTop = height < 0,
            PixelsAt = pixelsAt,
            PaletteAt = afterHeader,
            PaletteEntry = entry,
            PaletteCount = colours,
            Runs = compression is Rle8 or Rle4,
            Masks = masks,
        };
    }

    public RgbImage Decode(ReadOnlySpan<byte> bytes, Rgb24? background, string? origin)
    {
        if (
            PixelsAt < PaletteAt + PaletteCount * PaletteEntry
            || PixelsAt > bytes.Length
            || (!Runs && PixelsAt + Stride * Height > bytes.Length)
        )
            throw Broken("truncated BMP", origin);
        if (Runs)
            return FromRuns(bytes, origin);
        var bands = Masks[3] != 0 ? 4 : 3;
        var raw = new byte[checked(Width * Height * bands)];
        for (var y = 0; y < Height; y++)
        {
            var row = bytes.Slice((int)(PixelsAt + (FromTop ? y : Height - 1 - y) * Stride), (int)Stride);
            var to = raw.AsSpan(y * Width * bands, Width * bands);
            for (var x = 0; x < Width; x++)
                if (Bits <= 8)
                    LookUp(bytes, Index(row, x), to.Slice(3 * x, 3));
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

    /// <summary>
    /// Runs of one or two alternating indices, pieces of plain ones, and jumps. What is jumped over has index 0. The
    /// end of a row need not be reached, but the picture's end mark (or its last row's end) must come.
    /// </summary>
    private RgbImage FromRuns(ReadOnlySpan<byte> bytes, string? origin)
    {
        var indices = new byte[checked(Width * Height)];
        int at = PixelsAt,
            x = 0,
            y = 0;
        try
        {
            while (true)
            {
                int count = bytes[at++],
                    value = bytes[at++];
                if (count > 0)
                {
                    for (var i = 0; i < count; i++)
                        Set(
                            indices,
                            ref x,
                            y,
                            Bits == 8 ? value
                                : i % 2 == 0 ? value >> 4
                                : value & 15
                        );
                    continue;
                }
                if (value == 1)
                    break;
                switch (value)
                {
                    case 0:
                        (x, y) = (0, y + 1);
                        break;
                    case 2:
                        x += bytes[at++];
                        y += bytes[at++];
                        break;
                    default:
                        for (var i = 0; i < value; i++)
                        {
                            var pair = bytes[at + (Bits == 8 ? i : i / 2)];
                            Set(
                                indices,
                                ref x,
                                y,
                                Bits == 8 ? pair
                                    : i % 2 == 0 ? pair >> 4
                                    : pair & 15
                            );
                        }
                        var length = Bits == 8 ? value : (value + 1) / 2;
                        at += length + (length & 1); // to a whole word
                        break;
                }
            }
        }
        catch (IndexOutOfRangeException) when (y >= Height || (y == Height - 1 && x >= Width))
        {
            // Every pixel came; only the end mark is missing.
        }
        catch (IndexOutOfRangeException)
        {
            throw Broken("truncated BMP", origin);
        }
        var rgb = new byte[checked(indices.Length * 3)];
        for (var row = 0; row < Height; row++)
        for (var column = 0; column < Width; column++)
            LookUp(
                bytes,
                indices[(FromTop ? row : Height - 1 - row) * Width + column],
                rgb.AsSpan((row * Width + column) * 3, 3)
            );
        return new RgbImage(Width, Height, rgb);
    }

    private void Set(byte[] indices, ref int x, int y, int index)
    {
        if (x < Width && y < Height) // what runs past the row's end is passed over, as other readers do
            indices[y * Width + x] = (byte)index;
        x++;
    }

    private int Index(ReadOnlySpan<byte> row, int x)
    {
        var perByte = 8 / Bits;
        return row[x / perByte] >> (8 - Bits * (x % perByte + 1)) & ((1 << Bits) - 1);
    }

    private void LookUp(ReadOnlySpan<byte> bytes, int index, Span<byte> to)
    {
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
