using System.Text;

namespace LiT.Tests.Data.Sets;

/// <summary>Batches of CIFAR with two pictures, as the published files have them.</summary>
internal static class CifarPickle
{
    /// <summary>Red, green, blue planes: the second picture begins with (2, 12, 22), (3, 12, 22).</summary>
    public static byte[] Planes(int picture) =>
        [
            .. Enumerable
                .Range(0, 3)
                .SelectMany(channel =>
                    Enumerable
                        .Range(0, 1024)
                        .Select(pixel => (byte)(picture + 1 + 10 * channel + (channel == 0 && pixel == 1 ? 1 : 0)))
                ),
        ];

    /// <summary>What Python 2's cPickle wrote for {'data': uint8[2, 3072], labels: [...]}, protocol 2.</summary>
    public static byte[] Batch(string labels, byte[] values)
    {
        byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);
        byte[] Str(string text) => [(byte)'U', (byte)text.Length, .. Ascii(text)];
        byte[] Bytes(byte[] data) => [(byte)'T', .. BitConverter.GetBytes(data.Length), .. data];
        return
        [
            0x80,
            2,
            .. Ascii("}("),
            .. Str("data"),
            .. Ascii("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"),
            (byte)'K',
            0,
            0x85,
            .. Str("b"),
            0x87,
            (byte)'R',
            (byte)'(',
            (byte)'K',
            1,
            (byte)'K',
            2,
            (byte)'M',
            0,
            12,
            0x86,
            .. Ascii("cnumpy\ndtype\n"),
            .. Str("u1"),
            (byte)'K',
            0,
            (byte)'K',
            1,
            0x87,
            (byte)'R',
            (byte)'(',
            (byte)'K',
            3,
            .. Str("|"),
            .. Ascii("NNN"),
            (byte)'J',
            255,
            255,
            255,
            255,
            (byte)'J',
            255,
            255,
            255,
            255,
            (byte)'K',
            0,
            .. Ascii("tb"),
            0x89,
            .. Bytes([.. Planes(0), .. Planes(1)]),
            .. Ascii("tb"),
            .. Str(labels),
            .. Ascii("]("),
            .. values.SelectMany(value => (byte[])[(byte)'K', value]),
            .. Ascii("eu."),
        ];
    }
}
