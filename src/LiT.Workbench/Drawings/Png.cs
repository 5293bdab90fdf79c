using System.Buffers.Binary;
using System.IO.Compression;
using LiT.Images;

namespace LiT.Drawings;

/// <summary>Writes PNG files quickly rather than small (PNG specification, third edition): one filter, fastest compression.</summary>
internal static class Png
{
    private static readonly uint[] Crc = [.. Enumerable.Range(0, 256).Select(CrcOf)];

    public static byte[] Encode(RgbImage image)
    {
        var file = new MemoryStream(image.Pixels.Length);
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], image.Height);
        header[8] = 8; // bits a channel
        header[9] = 2; // RGB
        Chunk(file, "IHDR"u8, header);
        Chunk(file, "IDAT"u8, Compressed(image));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    /// <summary>Rows as differences to the pixel on the left (filter Sub), as a zlib stream.</summary>
    private static ReadOnlySpan<byte> Compressed(RgbImage image)
    {
        var stride = image.Width * 3;
        var filtered = new byte[(stride + 1) * image.Height];
        for (var y = 0; y < image.Height; y++)
        {
            var row = image.Pixels.AsSpan(y * stride, stride);
            var to = filtered.AsSpan(y * (stride + 1), stride + 1);
            to[0] = 1;
            row[..3].CopyTo(to[1..]);
            for (var i = 3; i < stride; i++)
                to[i + 1] = (byte)(row[i] - row[i - 3]);
        }
        var packed = new MemoryStream(filtered.Length);
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            zlib.Write(filtered);
        return packed.GetBuffer().AsSpan(0, (int)packed.Length);
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        file.Write(number);
        file.Write(type);
        file.Write(content);
        var crc = ~Update(Update(uint.MaxValue, type), content);
        BinaryPrimitives.WriteUInt32BigEndian(number, crc);
        file.Write(number);
    }

    private static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
            crc = Crc[(byte)crc ^ b] ^ (crc >> 8);
        return crc;
    }

    private static uint CrcOf(int value)
    {
        var crc = (uint)value;
        for (var bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
        return crc;
    }
}
