namespace LiT.Images;

/// <summary>
/// The first frame of a GIF, read here because the image library gives black for transparent pixels and for missing
/// ones. As in Pillow's <c>convert("RGB")</c> a transparent entry keeps its colour; where the frame does not cover the
/// picture, the transparent entry is seen, or entry 0 where there is none. Layout: CompuServe's GIF89a.
/// </summary>
internal sealed record GifPicture(int Width, int Height)
{
    private const int LargestCode = 12;

    private readonly record struct Frame(int Left, int Top, int Width, int Height, bool Interlaced);

    /// <summary>What is seen where nothing is drawn: an index, of a transparent entry where there is one.</summary>
    private int Ground { get; init; }
    private int? Transparent { get; init; }
    private Frame At { get; init; }
    private int DataAt { get; init; }
    private byte[] Palette { get; init; } = []; // 256 x RGB

    /// <exception cref="PictureException">A broken header, or no picture.</exception>
    public static GifPicture ReadHeader(ReadOnlySpan<byte> bytes, string? origin)
    {
        try
        {
            return Header(bytes);
        }
        catch (IndexOutOfRangeException)
        {
            throw Broken("truncated GIF", origin);
        }
        catch (FormatException)
        {
            throw Broken("corrupt or unsupported GIF", origin);
        }
    }

    /// <exception cref="PictureException">The data end before the frame is full, or are damaged.</exception>
    public RgbImage Decode(ReadOnlySpan<byte> bytes, Rgb24? background, string? origin)
    {
        var indices = new byte[checked(At.Width * At.Height)];
        var filled = 0;
        try
        {
            filled = Unpack(bytes, indices);
        }
        catch (IndexOutOfRangeException)
        {
            // The file ends in the middle of the frame; how much of it is there is looked at below.
        }
        catch (FormatException)
        {
            throw Broken("corrupt or unsupported GIF", origin);
        }
        if (filled < indices.Length)
            throw Broken("truncated GIF", origin);

        var seen = new byte[checked(Width * Height * 4)];
        for (var i = 0; i < seen.Length; i += 4)
            Paint(seen, i, Ground, opaque: Transparent is null);
        for (var row = 0; row < At.Height; row++)
        {
            var y = At.Interlaced ? Row(row, At.Height) : row;
            for (var x = 0; x < At.Width; x++)
            {
                var index = indices[row * At.Width + x];
                Paint(seen, ((At.Top + y) * Width + At.Left + x) * 4, index, opaque: index != Transparent);
            }
        }
        return new RgbImage(Width, Height, Bands.ToRgb(seen, Width * Height, 4, background));
    }

    private static GifPicture Header(ReadOnlySpan<byte> bytes)
    {
        int width = Number(bytes, 6),
            height = Number(bytes, 8);
        var flags = bytes[10];
        var at = 13;
        var global = ColourTable(bytes, flags, ref at);
        int? transparent = null;
        while (true)
        {
            var block = bytes[at++];
            if (block == 0x3B)
                throw new FormatException(); // the end, and no picture
            if (block == 0x21)
            {
                if (bytes[at] == 0xF9 && bytes[at + 1] >= 4)
                    transparent = (bytes[at + 2] & 1) != 0 ? bytes[at + 5] : null;
                at++;
                while (bytes[at] is > 0 and var length)
                    at += 1 + length;
                at++;
                continue;
            }
            if (block != 0x2C)
                continue; // bytes between blocks are passed over, as in Pillow
            var frame = new Frame(
                Number(bytes, at),
                Number(bytes, at + 2),
                Number(bytes, at + 4),
                Number(bytes, at + 6),
                (bytes[at + 8] & 0x40) != 0
            );
            flags = bytes[at + 8];
            at += 9;
            var palette = ColourTable(bytes, flags, ref at) ?? global ?? GrayRamp();
            _ = bytes[at]; // data follow
            if (frame.Width == 0 || frame.Height == 0)
                throw new FormatException();
            // A frame larger than the screen makes the picture larger, as in Pillow.
            return new(Math.Max(width, frame.Left + frame.Width), Math.Max(height, frame.Top + frame.Height))
            {
                At = frame,
                DataAt = at,
                Palette = palette,
                Transparent = transparent,
                Ground = transparent ?? 0,
            };
        }
    }

    /// <summary>LZW with codes of growing length (GIF89a, appendix F).</summary>
    /// <returns>How many indices came.</returns>
    private int Unpack(ReadOnlySpan<byte> bytes, byte[] indices)
    {
        var at = DataAt;
        int first = bytes[at++];
        if (first is < 1 or >= LargestCode)
            throw new FormatException();
        int clear = 1 << first,
            end = clear + 1;
        var before = new int[1 << LargestCode];
        var last = new byte[1 << LargestCode];
        var length = new int[1 << LargestCode];
        for (var i = 0; i < clear; i++)
            (last[i], length[i], before[i]) = ((byte)i, 1, -1);
        int next = end + 1,
            bits = first + 1,
            previous = -1,
            filled = 0;
        uint held = 0;
        int count = 0,
            left = 0; // bits held, and bytes left in the block
        while (filled < indices.Length)
        {
            while (count < bits)
            {
                if (left == 0 && (left = bytes[at++]) == 0)
                    return filled;
                held |= (uint)bytes[at++] << count;
                count += 8;
                left--;
            }
            var code = (int)(held & ((1u << bits) - 1));
            held >>= bits;
            count -= bits;
            if (code == end)
                return filled;
            if (code == clear)
            {
                (next, bits, previous) = (end + 1, first + 1, -1);
                continue;
            }
            if (code > next || (code == next && previous < 0))
                throw new FormatException();
            var from = code < next ? code : previous;
            var string_ = code < next ? length[code] : length[previous] + 1;
            var stop = filled + string_;
            // Written from its end; what does not fit the frame is cut off.
            var place = code < next ? stop - 1 : stop - 2;
            var walk = from;
            byte head = 0;
            while (walk >= 0)
            {
                head = last[walk];
                if (place < indices.Length)
                    indices[place] = head;
                place--;
                walk = before[walk];
            }
            if (code >= next && stop - 1 < indices.Length)
                indices[stop - 1] = head;
            if (previous >= 0 && next < 1 << LargestCode)
            {
                (before[next], last[next], length[next]) = (previous, head, length[previous] + 1);
                next++;
                if (next == 1 << bits && bits < LargestCode)
                    bits++;
            }
            previous = code;
            filled = Math.Min(stop, indices.Length);
        }
        return filled;
    }

    private void Paint(byte[] rgba, int at, int index, bool opaque)
    {
        Palette.AsSpan(index * 3, 3).CopyTo(rgba.AsSpan(at));
        rgba[at + 3] = opaque ? (byte)255 : (byte)0;
    }

    /// <summary>
    /// Where the n-th row of the data belongs: every 8th from 0, every 8th from 4, every 4th from 2, every 2nd from
    /// 1.
    /// </summary>
    private static int Row(int n, int height)
    {
        foreach (var (start, step) in new[] { (0, 8), (4, 8), (2, 4), (1, 2) })
        {
            var rows = (height - start + step - 1) / step;
            if (n < rows)
                return start + n * step;
            n -= Math.Max(rows, 0);
        }
        return height - 1;
    }

    private static byte[]? ColourTable(ReadOnlySpan<byte> bytes, byte flags, ref int at)
    {
        if ((flags & 0x80) == 0)
            return null;
        var length = 3 << ((flags & 7) + 1);
        if (at + length > bytes.Length)
            throw new IndexOutOfRangeException();
        var table = new byte[256 * 3]; // what is not named is black
        bytes.Slice(at, length).CopyTo(table);
        at += length;
        return table;
    }

    private static byte[] GrayRamp() => [.. Enumerable.Range(0, 256 * 3).Select(i => (byte)(i / 3))];

    private static int Number(ReadOnlySpan<byte> bytes, int at) => bytes[at] | bytes[at + 1] << 8;

    private static PictureException Broken(string reason, string? origin) =>
        new(reason, origin, "Fetch the file again, or save it as PNG.");
}
