using System.Buffers.Binary;

namespace LiT.TestSets;

/// <summary>
/// Pixels of an array as an encoded picture without loss: a Windows bitmap of 24 bits, which costs next to nothing to
/// write and read.
/// </summary>
internal static class PixelPicture
{
    private const int Head = 54;

    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="rgb">[height, width, 3]</param>
    public static byte[] Encode(int width, int height, ReadOnlySpan<byte> rgb)
    {
        var stride = (width * 3 + 3) / 4 * 4;
        var file = new byte[Head + stride * height];
        file[0] = (byte)'B';
        file[1] = (byte)'M';
        void Int(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
        Int(2, file.Length);
        Int(10, Head);
        Int(14, 40);
        Int(18, width);
        Int(22, -height); // rows from the top
        file[26] = 1;
        file[28] = 24;
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        for (var c = 0; c < 3; c++)
            file[Head + y * stride + 3 * x + c] = rgb[(y * width + x) * 3 + 2 - c];
        return file;
    }

    /// <summary>The same from planes, [3, height, width], as CIFAR keeps them.</summary>
    public static byte[] FromPlanes(int width, int height, ReadOnlySpan<byte> planes)
    {
        var rgb = new byte[planes.Length];
        for (var i = 0; i < width * height; i++)
        for (var c = 0; c < 3; c++)
            rgb[3 * i + c] = planes[c * width * height + i];
        return Encode(width, height, rgb);
    }
}
