using System.Text;

namespace LiT.Data;

/// <summary>One member of a tar archive.</summary>
/// <param name="Name">As the archive gives it, without a leading "./".</param>
/// <param name="Size">Bytes of content.</param>
/// <param name="IsFile">False for folders, links and devices.</param>
/// <param name="Odd">What it is where its content does not stand here: "a hard link to a.jpg"; null for files and
/// folders.</param>
internal sealed record TarMember(string Name, long Size, bool IsFile, string? Odd = null);

/// <summary>
/// Reads a tar archive once, from front to back, and survives damage: what cannot be read is reported through
/// <paramref name="damaged"/> (member, reason) and reading goes on at the next sound header, so that one flipped byte
/// costs one member. Knows ustar, GNU long names and sizes, and pax (POSIX.1-2001, section "pax Interchange Format").
/// </summary>
internal sealed class TarReader(Stream stream, long? length, Action<string, string> damaged)
{
    private const int Block = 512;
    private const int ExtensionLimit = 1 << 20;

    private readonly byte[] block = new byte[Block];
    private Stream stream = stream;
    private long position;
    private long left; // bytes of the current member, with its padding, not yet read
    private TarMember? current;

    /// <summary>
    /// Whether the archive's end mark (a block of zeros) came last. False after the last member means: cut.
    /// </summary>
    public bool EndMarkSeen { get; private set; }

    /// <summary>The next member, or null at the end.</summary>
    public TarMember? Next()
    {
        string? longName = null;
        long? longSize = null;
        if (!SkipContent() || !ReadBlock())
            return null;
        while (true)
        {
            if (!block.AsSpan().ContainsAnyExcept((byte)0))
            {
                EndMarkSeen = true;
                if (!ReadBlock())
                    return null;
                continue;
            }
            EndMarkSeen = false;
            if (!IsHeader(block) && !FindHeader(current is null ? "the start" : $"after {current.Name}"))
                return null;

            var type = (char)block[156];
            var isExtension = type is 'L' or 'K' or 'x' or 'g';
            var size = isExtension ? Number(block.AsSpan(124, 12)) : longSize ?? Number(block.AsSpan(124, 12));
            var name = isExtension ? HeaderName() : longName ?? HeaderName();
            if (Doubt(size, isExtension) is { } doubt)
            {
                damaged(name, doubt);
                (longName, longSize) = (null, null);
                if (!FindHeader(null))
                    return null;
                continue;
            }
            if (name.StartsWith("./", StringComparison.Ordinal))
                name = name[2..];
            left = Padded(size);
            current = new(name, size, type is '0' or '\0' or '7' && !name.EndsWith('/'), OddKind(type));
            if (!isExtension)
                return current;

            var content = Content(ExtensionLimit);
            if (type == 'L')
                longName = Text(content);
            if (type == 'x')
                (longName, longSize) = Pax(content, longName, longSize);
            if (!SkipContent() || !ReadBlock())
                return null;
        }
    }

    private string? OddKind(char type) =>
        type switch
        {
            '1' => $"a hard link to {Text(block.AsSpan(157, 100))}",
            '2' => $"a symbolic link to {Text(block.AsSpan(157, 100))}",
            'S' => "a sparse file",
            '3' or '4' or '6' => "a device",
            _ => null,
        };

    /// <summary>Why a header's size cannot be true, or null where it can.</summary>
    private string? Doubt(long size, bool isExtension) =>
        size is < 0 or > 1L << 60 ? "its size is not a number"
        : isExtension && size > ExtensionLimit ? $"a member's name of {size:N0} bytes"
        : length is { } end && size > end - position
            ? $"the archive ends {size - (end - position):N0} bytes before the end of this member (of {size:N0})"
        : null;

    /// <summary>
    /// The current member's content, at most <paramref name="limit"/> bytes of it; fewer than its size where the
    /// archive is cut.
    /// </summary>
    public byte[] Content(long limit)
    {
        var size = (int)Math.Min(current!.Size, limit);
        var bytes = new byte[Math.Min(size, 1 << 20)]; // a size is only believed as far as content follows
        var filled = 0;
        while (filled < size)
        {
            if (filled == bytes.Length)
                Array.Resize(ref bytes, (int)Math.Min(size, 2L * bytes.Length));
            var read = Read(bytes.AsSpan(filled));
            if (read == 0)
                break;
            filled += read;
        }
        left -= filled;
        if (filled < size)
            ReportCut(filled);
        return filled == bytes.Length ? bytes : bytes[..filled];
    }

    private bool SkipContent()
    {
        if (left > 0 && length is not null)
        {
            position = stream.Seek(left, SeekOrigin.Current); // the size was checked against the length
            left = 0;
        }
        while (left > 0)
        {
            var read = Read(block.AsSpan(0, (int)Math.Min(left, Block)));
            if (read == 0)
            {
                ReportCut(Padded(current!.Size) - left); // at least the size where only padding is missing
                return false;
            }
            left -= read;
        }
        return true;
    }

    private static long Padded(long size) => (size + Block - 1) / Block * Block;

    private void ReportCut(long read)
    {
        left = 0;
        if (stream != Stream.Null && read < current!.Size)
            damaged(
                current!.Name,
                $"the archive is cut inside this member (after {read:N0} of {current.Size:N0} bytes)"
            );
        stream = Stream.Null;
    }

    /// <summary>Looks for the next sound header, block by block, and leaves it in <see cref="block"/>.</summary>
    /// <param name="where">Names the damage in the report; null where it is reported already.</param>
    private bool FindHeader(string? where)
    {
        var start = position - Block;
        while (ReadBlock(looking: true))
        {
            if (!IsHeader(block) || !block.AsSpan(257).StartsWith("ustar"u8))
                continue;
            if (where is not null)
                damaged("", $"damaged from byte {start:N0} ({where}) to byte {position - Block:N0}");
            return true;
        }
        if (where is not null)
            damaged("", $"damaged from byte {start:N0} ({where}) to the end");
        return false;
    }

    private bool ReadBlock(bool looking = false)
    {
        var filled = 0;
        while (filled < Block && Read(block.AsSpan(filled)) is > 0 and var read)
            filled += read;
        if (!looking && filled is > 0 and < Block && block.AsSpan(0, filled).ContainsAnyExcept((byte)0))
            damaged("", $"the archive is cut at byte {position:N0}, inside a header");
        return filled == Block;
    }

    private int Read(Span<byte> destination)
    {
        try
        {
            var read = stream.Read(destination);
            position += read;
            return read;
        }
        catch (InvalidDataException trouble)
        {
            damaged(
                left > 0 ? current!.Name : "",
                $"the compressed data is damaged after byte {position:N0} ({trouble.Message.TrimEnd('.')})"
            );
            stream = Stream.Null;
            return 0;
        }
    }

    /// <summary>Whether a block of 512 bytes is a member's header: its checksum is right.</summary>
    public static bool IsHeader(ReadOnlySpan<byte> block)
    {
        var sum = 8L * ' ';
        for (var i = 0; i < Block; i++)
            if (i is < 148 or >= 156)
                sum += block[i];
        return Number(block[148..156]) == sum;
    }

    /// <summary>Octal digits, or (GNU) a big-endian number whose first bit is set; -1 where it is neither.</summary>
    private static long Number(ReadOnlySpan<byte> field)
    {
        var value = 0L;
        if ((field[0] & 0x80) != 0)
        {
            foreach (var b in field[1..])
                value = value > long.MaxValue >> 9 ? long.MaxValue >> 1 : value << 8 | b;
            return value;
        }
        foreach (var b in field.Trim(" \0"u8))
        {
            if (b is < (byte)'0' or > (byte)'7')
                return -1;
            value = value << 3 | (uint)(b - '0');
        }
        return value;
    }

    private string HeaderName()
    {
        var name = Text(block.AsSpan(0, 100));
        return block.AsSpan(257, 6).SequenceEqual("ustar\0"u8) && block[345] != 0
            ? $"{Text(block.AsSpan(345, 155))}/{name}"
            : name;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    /// <summary>Records "length key=value\n"; path and size are what matters here.</summary>
    private static (string? Name, long? Size) Pax(ReadOnlySpan<byte> records, string? name, long? size)
    {
        while (records.IndexOf((byte)' ') is > 0 and var space)
        {
            if (!int.TryParse(records[..space], out var total) || total <= space + 1 || total > records.Length)
                break;
            var record = records[(space + 1)..(total - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals > 0 && record[..equals].SequenceEqual("path"u8))
                name = Text(record[(equals + 1)..]);
            if (
                equals > 0
                && record[..equals].SequenceEqual("size"u8)
                && long.TryParse(record[(equals + 1)..], out var n)
                && n >= 0
            )
                size = n;
            records = records[total..];
        }
        return (name, size);
    }
}
