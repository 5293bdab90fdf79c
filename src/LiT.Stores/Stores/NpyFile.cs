using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;

namespace LiT.Stores;

/// <summary>
/// The head of a .npy file of rows (numpy/lib/format.py, version 1.0): where the numbers begin and what they are.
/// </summary>
internal sealed partial record NpyFile(StoredType Type, long Rows, int Columns, int DataOffset)
{
    private const int Alignment = 64;

    public int ItemSize => Type.Bytes();

    /// <summary>
    /// The head as numpy writes it: magic, version, length, a Python dictionary, blanks up to a multiple of 64.
    /// </summary>
    public static byte[] Head(StoredType type, long rows, int columns)
    {
        var dictionary =
            $"{{'descr': '{(type == StoredType.Int8 ? "|i" : "<f")}{type.Bytes()}', 'fortran_order': False, "
            + $"'shape': ({rows}, {columns}), }}";
        var length = (10 + dictionary.Length + 1 + Alignment - 1) / Alignment * Alignment;
        var head = new byte[length];
        "NUMPY"u8.CopyTo(head.AsSpan(1));
        head[0] = 0x93;
        head[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(8), (ushort)(length - 10));
        Encoding.ASCII.GetBytes(dictionary.PadRight(length - 11) + "\n", head.AsSpan(10));
        return head;
    }

    /// <summary>Reads a file's head and checks the file's length against it.</summary>
    /// <exception cref="LitException">Not a .npy file, not rows of float16, float32 or int8, or shorter than its shape
    /// says.</exception>
    public static NpyFile Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        Span<byte> start = stackalloc byte[12];
        var read = file.ReadAtLeast(start, 12, throwOnEndOfStream: false);
        if (read < 10 || start[0] != 0x93 || !start[1..6].SequenceEqual("NUMPY"u8))
            throw new LitException(path, "not a .npy file", "Give a folder of numpy arrays");
        var wide = start[6] >= 2;
        var length = wide
            ? BinaryPrimitives.ReadUInt32LittleEndian(start[8..])
            : BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);
        var begin = wide ? 12 : 10;
        if (length > 65536 || begin + length > file.Length)
            throw new LitException(path, "its head is cut", "Copy the file again");
        var text = new byte[length];
        file.Position = begin;
        file.ReadExactly(text);
        var head = HeadPattern().Match(Encoding.Latin1.GetString(text));
        if (!head.Success || head.Groups["fortran"].Value == "True")
            throw new LitException(
                path,
                "not rows of float16, float32 or int8 numbers",
                "Save it as a C-ordered array of two dimensions of '<f2', '<f4' or '|i1'"
            );
        var type = head.Groups["type"].Value switch
        {
            "f2" => StoredType.Float16,
            "f4" => StoredType.Float32,
            _ => StoredType.Int8,
        };
        var inRange =
            long.TryParse(head.Groups["rows"].Value, out var rows)
            & int.TryParse(head.Groups["columns"].Value, out var columns);
        var npy = new NpyFile(type, rows, columns, begin + (int)length);
        var expected = npy.DataOffset + (Int128)rows * columns * npy.ItemSize;
        if (!inRange || columns == 0 || expected > file.Length)
            throw new LitException(
                path,
                $"{file.Length:N0} bytes where a shape of ({rows}, {columns}) needs {expected:N0}",
                "Copy or embed it again"
            );
        return npy;
    }

    [GeneratedRegex(
        @"'descr':\s*'[<|](?<type>f2|f4|i1)'.*'fortran_order':\s*(?<fortran>True|False).*"
            + @"'shape':\s*\((?<rows>\d+),\s*(?<columns>\d+),?\s*\)"
    )]
    private static partial Regex HeadPattern();
}
