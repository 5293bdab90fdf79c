using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace LiT.Stores;

/// <summary>How the numbers of a row become bytes.</summary>
internal static class RowNumbers
{
    /// <summary>Writes a row of unit length as it lies in a file.</summary>
    /// <param name="row">Of unit length.</param>
    /// <param name="type">How it is stored.</param>
    /// <param name="place">Room for it, and no more.</param>
    public static void Store(ReadOnlySpan<float> row, StoredType type, Span<byte> place)
    {
        switch (type)
        {
            case StoredType.Float32:
                MemoryMarshal.AsBytes(row).CopyTo(place);
                break;
            case StoredType.Float16:
                TensorPrimitives.ConvertToHalf(row, MemoryMarshal.Cast<byte, Half>(place));
                break;
            default:
                // The largest number becomes 127. The scale is not kept: rows have unit length, so it is in the row
                // itself.
                var scale = 127 / MathF.Abs(TensorPrimitives.MaxMagnitude(row));
                var bytes = MemoryMarshal.Cast<byte, sbyte>(place);
                for (var i = 0; i < row.Length; i++)
                    bytes[i] = (sbyte)Math.Clamp(MathF.Round(row[i] * scale), -127, 127);
                break;
        }
    }

    /// <summary>
    /// Euclidean length, summed in double precision so that it does not depend on the machine's vector width.
    /// </summary>
    public static float Norm(ReadOnlySpan<float> row)
    {
        var sum = 0.0;
        foreach (var value in row)
            sum += (double)value * value;
        return (float)Math.Sqrt(sum);
    }
}
