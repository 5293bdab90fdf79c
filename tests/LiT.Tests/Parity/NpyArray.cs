using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace LiT.Tests.Parity;

/// <summary>
/// A .npy file read the plain way, so that an expectation does not pass through the reader under test: little-endian,
/// C order, any shape.
/// </summary>
public sealed partial record NpyArray(string Type, int[] Shape, byte[] Data)
{
    public static NpyArray Read(string path)
    {
        var file = File.ReadAllBytes(path);
        var (at, length) = file[6] == 1 ? (10, BitConverter.ToUInt16(file, 8)) : (12, BitConverter.ToInt32(file, 8));
        var header = Encoding.Latin1.GetString(file, at, length);
        Assert.Contains("'fortran_order': False", header);
        var shape = Shapes()
            .Match(header)
            .Groups[1]
            .Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new(
            Types().Match(header).Groups[1].Value,
            [.. shape.Select(side => int.Parse(side, CultureInfo.InvariantCulture))],
            file[(at + length)..]
        );
    }

    public int Count => Shape.Aggregate(1, (product, side) => product * side);

    public byte[] Bytes =>
        Type == "|u1" ? Data : throw new InvalidOperationException($"{Type} where uint8 is expected");

    public float[] Floats =>
        Type == "<f4"
            ? MemoryMarshal.Cast<byte, float>(Data).ToArray()
            : throw new InvalidOperationException($"{Type} where float32 is expected");

    public double[] Doubles =>
        Type == "<f8"
            ? MemoryMarshal.Cast<byte, double>(Data).ToArray()
            : throw new InvalidOperationException($"{Type} where float64 is expected");

    public int[] Ints =>
        Type == "<i4"
            ? MemoryMarshal.Cast<byte, int>(Data).ToArray()
            : throw new InvalidOperationException($"{Type} where int32 is expected");

    [GeneratedRegex(@"'descr': '([^']+)'")]
    private static partial Regex Types();

    [GeneratedRegex(@"'shape': \(([^)]*)\)")]
    private static partial Regex Shapes();
}
