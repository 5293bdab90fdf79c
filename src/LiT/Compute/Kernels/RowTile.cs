using System.Numerics.Tensors;

namespace LiT.Compute.Kernels;

/// <summary>
/// Some rows as 8-bit integers, [Count, Stride], each with its own scale, and how far the worst of them is from what
/// it stands for: a product of two such rows is wrong by a known amount at most, so that nothing near is ever missed.
/// </summary>
internal sealed class RowTile
{
    /// <summary>Rows are filled up with zeros to a multiple of this many bytes.</summary>
    public const int Step = 32;

    /// <param name="count">Rows.</param>
    /// <param name="size">Numbers in each.</param>
    public RowTile(int count, int size)
    {
        Count = count;
        Stride = (size + Step - 1) / Step * Step;
        Values = new sbyte[Padded * Stride];
        Scales = new float[Padded];
        Sums = new int[Padded];
    }

    public int Count { get; }

    /// <summary>Rows with those that fill the last groups of the product up; those are zero.</summary>
    public int Padded => (Count + 11) / 12 * 12;

    public int Stride { get; }

    public sbyte[] Values { get; }

    /// <summary>Row = scale x integers, about.</summary>
    public float[] Scales { get; }

    /// <summary>Sum of each row's integers.</summary>
    public int[] Sums { get; }

    /// <summary>The largest length of row - scale x integers, rows being of unit length.</summary>
    public float WorstError { get; set; }

    /// <summary>
    /// Makes a row of integers. One without a direction (zero, not finite) becomes zero and is near nothing.
    /// </summary>
    /// <param name="row">Its number here.</param>
    /// <param name="values">What it is; something else afterwards.</param>
    /// <returns>The length of row - scale x integers, the row being of unit length.</returns>
    public float Set(int row, Span<float> values)
    {
        var length = TensorPrimitives.Norm<float>(values);
        if (!float.IsFinite(length) || length == 0)
            return 0;
        TensorPrimitives.Divide(values, length, values);
        var scale = Math.Abs(TensorPrimitives.MaxMagnitude<float>(values)) / 127;
        TensorPrimitives.Divide(values, scale, values);
        var place = Values.AsSpan(row * Stride, values.Length);
        var (error, sum) = (0f, 0);
        for (var k = 0; k < values.Length; k++)
        {
            var whole = MathF.Round(values[k]);
            place[k] = (sbyte)whole;
            sum += (int)whole;
            error += (values[k] - whole) * (values[k] - whole);
        }
        (Scales[row], Sums[row]) = (scale, sum);
        return scale * MathF.Sqrt(error) * 1.001f; // the sum's own rounding
    }
}
