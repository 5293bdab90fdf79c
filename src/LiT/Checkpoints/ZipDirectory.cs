using System.Buffers.Binary;
using System.Text;

namespace LiT.Checkpoints;

/// <summary>One file inside a zip file, as the central directory tells it.</summary>
internal sealed record ZipMember(
    string Name,
    bool Deflated,
    long CompressedSize,
    long Size,
    uint Crc,
    long HeaderOffset
)
{
    /// <summary>Where the member's bytes begin in the zip file.</summary>
    public long DataOffset { get; init; }
}

/// <summary>
/// The members of a zip file (PKWARE APPNOTE 6.3), with zip64 and streamed sizes. Only what is certain is accepted:
/// members lie inside the file, do not overlap, and are called the same in both places that name them.
/// </summary>
internal static class ZipDirectory
{
    private const uint LocalHeader = 0x04034b50,
        CentralHeader = 0x02014b50,
        End = 0x06054b50,
        End64 = 0x06064b50,
        Locator64 = 0x07064b50;
    private const int MostMembers = 100_000;
    private const int DeflateLimit = 1032; // no deflated stream grows by more (zlib, "Maximum Compression Factor")

    /// <exception cref="LitException">The file is no whole zip file.</exception>
    public static IReadOnlyList<ZipMember> Read(CheckpointFile file)
    {
        var (start, size, count) = FindDirectory(file);
        if (!file.Holds(start, size) || count > size / 46)
            throw file.CutOff();
        if (count > MostMembers)
            throw new LitException(
                file.Path,
                $"holds {count} members, more than a checkpoint ever does",
                "Give a checkpoint"
            );
        var directory = file.ReadBytes(start, size);
        var members = new List<ZipMember>((int)count);
        var rest = directory.AsSpan();
        for (var i = 0L; i < count; i++)
            members.Add(ReadEntry(file, ref rest));
        return Located(file, members, start);
    }

    private static (long Start, long Size, long Count) FindDirectory(CheckpointFile file)
    {
        var tail = file.ReadBytes(
            Math.Max(0, file.Length - 22 - ushort.MaxValue),
            Math.Min(file.Length, 22 + ushort.MaxValue)
        );
        for (var at = tail.Length - 22; at >= 0; at--)
        {
            var end = tail.AsSpan(at);
            if (U32(end) != End || U16(end[20..]) != end.Length - 22)
                continue;
            long count = U16(end[10..]),
                size = U32(end[12..]),
                start = U32(end[16..]);
            if (count != ushort.MaxValue && size != uint.MaxValue && start != uint.MaxValue)
                return (start, size, count);

            Span<byte> locator = stackalloc byte[20],
                end64 = stackalloc byte[56];
            file.Read(file.Length - tail.Length + at - 20, locator);
            if (U32(locator) != Locator64)
                return (start, size, count); // really 65,535 members
            file.Read(I64(file, locator[8..]), end64);
            if (U32(end64) != End64)
                throw file.CutOff();
            return (I64(file, end64[48..]), I64(file, end64[40..]), I64(file, end64[32..]));
        }
        throw file.CutOff();
    }

    private static ZipMember ReadEntry(CheckpointFile file, ref Span<byte> rest)
    {
        if (rest.Length < 46 || U32(rest) != CentralHeader)
            throw file.CutOff();
        int flags = U16(rest[8..]),
            method = U16(rest[10..]);
        int nameLength = U16(rest[28..]),
            extraLength = U16(rest[30..]),
            commentLength = U16(rest[32..]);
        if (rest.Length < 46 + nameLength + extraLength + commentLength)
            throw file.CutOff();
        var name = Encoding.UTF8.GetString(rest.Slice(46, nameLength));
        if ((flags & 0x2041) != 0)
            throw new LitException(file.Path, Place.Member(name), "is encrypted", "Save the file without a password");
        if (method is not (0 or 8))
            throw new LitException(
                file.Path,
                Place.Member(name),
                $"is packed with zip method {method}, where stored (0) or deflated (8) is expected",
                "Save the file again without compression"
            );

        long compressed = U32(rest[20..]),
            size = U32(rest[24..]),
            header = U32(rest[42..]);
        var extra = rest.Slice(46 + nameLength, extraLength);
        while (extra.Length >= 4)
        {
            var (id, length) = (U16(extra), U16(extra[2..]));
            if (length > extra.Length - 4)
                break;
            if (id == 1)
            {
                var wide = extra.Slice(4, length);
                if (size == uint.MaxValue)
                    size = Next(file, ref wide);
                if (compressed == uint.MaxValue)
                    compressed = Next(file, ref wide);
                if (header == uint.MaxValue)
                    header = Next(file, ref wide);
            }
            extra = extra[(4 + length)..];
        }
        var crc = U32(rest[16..]);
        rest = rest[(46 + nameLength + extraLength + commentLength)..];
        return new(name, method == 8, compressed, size, crc, header);
    }

    /// <summary>Reads the local headers: the data begin behind them.</summary>
    private static List<ZipMember> Located(CheckpointFile file, List<ZipMember> members, long directoryStart)
    {
        var located = new List<ZipMember>(members.Count);
        var names = new HashSet<string>(members.Count);
        var free = 0L;
        Span<byte> header = stackalloc byte[30 + 512];
        foreach (var member in members.OrderBy(member => member.HeaderOffset))
        {
            if (member.HeaderOffset < free)
                throw Odd(file, member, "overlaps another one");
            var have = (int)Math.Clamp(file.Length - member.HeaderOffset, 0, header.Length);
            file.Read(member.HeaderOffset, header[..Math.Max(30, have)]);
            if (U32(header) != LocalHeader)
                throw file.CutOff();
            int nameLength = U16(header[26..]),
                extraLength = U16(header[28..]);
            var named =
                nameLength <= have - 30
                    ? header.Slice(30, nameLength)
                    : file.ReadBytes(member.HeaderOffset + 30, nameLength);
            if (Encoding.UTF8.GetString(named) != member.Name)
                throw Odd(file, member, "has two names");
            var data = member.HeaderOffset + 30 + nameLength + extraLength;
            free = checked(data + Math.Min(member.CompressedSize, file.Length));
            if (free > directoryStart || member.CompressedSize > file.Length)
                throw file.CutOff();
            if (
                member.Deflated
                    ? member.Size / DeflateLimit > member.CompressedSize
                    : member.Size != member.CompressedSize
            )
                throw Odd(file, member, $"says it has {member.Size} bytes in {member.CompressedSize}, which cannot be");
            if (member.Deflated && member.Size > Math.Max(1L << 28, 64 * file.Length))
                throw Odd(
                    file,
                    member,
                    $"grows to {member.Size} bytes from a file of {file.Length}, more than weights ever do"
                );
            if (!names.Add(member.Name))
                throw Odd(file, member, "is there twice");
            located.Add(member with { DataOffset = data });
        }
        return located;
    }

    private static LitException Odd(CheckpointFile file, ZipMember member, string what) =>
        new(
            $"{file.Path}, member {member.Name}: {what}. The file is damaged or made to harm; get it from "
                + "its source again."
        );

    private static long Next(CheckpointFile file, ref Span<byte> wide)
    {
        if (wide.Length < 8)
            throw file.CutOff();
        var value = I64(file, wide);
        wide = wide[8..];
        return value;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static uint U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static long I64(CheckpointFile file, ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.ReadInt64LittleEndian(bytes) is >= 0 and var value ? value : throw file.CutOff();
}
