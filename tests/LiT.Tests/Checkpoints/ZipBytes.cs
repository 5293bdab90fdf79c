using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace LiT.Tests.Checkpoints;

/// <summary>A member of a zip file as it is to be written; what it says of itself may be wrong.</summary>
internal sealed record ZipEntry(string Name, byte[] Content)
{
    public bool Deflated { get; init; }
    public int? Method { get; init; }
    public int Flags { get; init; }
    public long? SaysSize { get; init; }
    public long? SaysCompressed { get; init; }
    public string? LocalName { get; init; }
    public long? SaysOffset { get; init; }

    /// <summary>Sizes and place stand in the zip64 field.</summary>
    public bool Zip64 { get; init; }
}

/// <summary>Zip files, written byte by byte.</summary>
internal static class ZipBytes
{
    public static byte[] Of(params ZipEntry[] entries)
    {
        using var zip = new MemoryStream();
        var directory = new List<byte[]>();
        foreach (var entry in entries)
        {
            var packed = entry.Deflated ? Deflate(entry.Content) : entry.Content;
            var offset = entry.SaysOffset ?? zip.Position;
            var localName = Encoding.UTF8.GetBytes(entry.LocalName ?? entry.Name);
            zip.Write([
                .. Little(0x04034b50, 4),
                .. new byte[22],
                .. Little(localName.Length, 2),
                0,
                0,
                .. localName,
                .. packed,
            ]);

            var name = Encoding.UTF8.GetBytes(entry.Name);
            long compressed = entry.SaysCompressed ?? packed.Length,
                size = entry.SaysSize ?? entry.Content.Length;
            byte[] extra = entry.Zip64
                ? [1, 0, 24, 0, .. Little(size, 8), .. Little(compressed, 8), .. Little(offset, 8)]
                : [];
            if (entry.Zip64)
                size = compressed = offset = -1;
            directory.Add([
                .. Little(0x02014b50, 4),
                .. new byte[4],
                .. Little(entry.Flags, 2),
                .. Little(entry.Method ?? (entry.Deflated ? 8 : 0), 2),
                .. new byte[4],
                .. Little(Crc32.HashToUInt32(entry.Content), 4),
                .. Little(compressed, 4),
                .. Little(size, 4),
                .. Little(name.Length, 2),
                .. Little(extra.Length, 2),
                .. new byte[10],
                .. Little(offset, 4),
                .. name,
                .. extra,
            ]);
        }
        var (start, bytes) = (zip.Position, directory.SelectMany(entry => entry).ToArray());
        zip.Write([
            .. bytes,
            .. Little(0x06054b50, 4),
            .. new byte[4],
            .. Little(entries.Length, 2),
            .. Little(entries.Length, 2),
            .. Little(bytes.Length, 4),
            .. Little(start, 4),
            0,
            0,
        ]);
        return zip.ToArray();
    }

    public static byte[] Deflate(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(content);
        return packed.ToArray();
    }

    public static byte[] Little(long value, int size)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes[..size];
    }
}
