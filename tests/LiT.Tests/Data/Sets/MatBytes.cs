using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace LiT.Tests.Data.Sets;

/// <summary>Writes MATLAB level 5 files as MATLAB does, as far as the data sets use them.</summary>
internal static class MatBytes
{
    public static byte[] File(bool compressed, params byte[][] arrays)
    {
        MemoryStream file = new();
        file.Write(Encoding.ASCII.GetBytes("MATLAB 5.0 MAT-file, Platform: GLNXA64".PadRight(124)));
        file.Write([0, 1, (byte)'I', (byte)'M']);
        foreach (var array in arrays)
        {
            if (!compressed)
            {
                file.Write(array);
                continue;
            }
            MemoryStream packed = new();
            using (ZLibStream zlib = new(packed, CompressionLevel.Fastest, leaveOpen: true))
                zlib.Write(array);
            file.Write(Tag(15, (int)packed.Length));
            file.Write(packed.ToArray());
        }
        return file.ToArray();
    }

    /// <summary>An array of bytes (class uint8), column-major.</summary>
    public static byte[] Bytes(string name, byte[] values, params int[] sizes) =>
        Matrix(9, name, sizes, Element(2, values));

    /// <summary>An array of doubles that MATLAB stores as bytes, as it does where they fit.</summary>
    public static byte[] SmallNumbers(string name, params byte[] values) =>
        Matrix(6, name, [1, values.Length], Element(2, values));

    public static byte[] Numbers(string name, params double[] values) =>
        Matrix(6, name, [1, values.Length], Element(9, [.. values.SelectMany(value => BitConverter.GetBytes(value))]));

    public static byte[] Text(string name, string text) =>
        Matrix(4, name, [1, text.Length], Element(16, Encoding.UTF8.GetBytes(text)));

    /// <summary>A structure array, N x 1.</summary>
    public static byte[] Table(string name, string[] fields, params byte[][][] rows)
    {
        const int Width = 32;
        var names = fields.SelectMany(field => Encoding.ASCII.GetBytes(field.PadRight(Width, '\0'))).ToArray();
        return Matrix(
            2,
            name,
            [rows.Length, 1],
            [
                .. Small(5, [Width, 0, 0, 0]),
                .. Element(1, names),
                .. rows.SelectMany(row => row.SelectMany(value => value)),
            ]
        );
    }

    private static byte[] Matrix(byte kind, string name, int[] sizes, byte[] content)
    {
        byte[] inside =
        [
            .. Element(6, [kind, 0, 0, 0, 0, 0, 0, 0]),
            .. Element(5, [.. sizes.SelectMany(BitConverter.GetBytes)]),
            .. name.Length is > 0 and <= 4
                ? Small(1, Encoding.ASCII.GetBytes(name))
                : Element(1, Encoding.ASCII.GetBytes(name)),
            .. content,
        ];
        return [.. Tag(14, inside.Length), .. inside];
    }

    private static byte[] Element(int type, byte[] data) =>
        [.. Tag(type, data.Length), .. data, .. new byte[(8 - data.Length % 8) % 8]];

    private static byte[] Small(int type, byte[] data) =>
        [(byte)type, 0, (byte)data.Length, 0, .. data, .. new byte[4 - data.Length]];

    private static byte[] Tag(int type, int length)
    {
        var tag = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(tag, type);
        BinaryPrimitives.WriteInt32LittleEndian(tag.AsSpan(4), length);
        return tag;
    }
}
