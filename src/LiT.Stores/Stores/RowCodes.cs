using System.Numerics.Tensors;

namespace LiT.Stores;

/// <summary>
/// A row's direction as 8-bit codes: z ≈ scale · codes, and how far that is off at most. So a product of the codes
/// with a
/// query is off by no more than the query's length times that (Cauchy and Schwarz): nothing near is ever missed.
/// </summary>
internal static class RowCodes
{
    private const int Largest = 127;

    // What float32 may add to an error that was summed in double precision, and to that of a product.
    private const double Rounding = 1.000001,
        Least = 1e-7;

    /// <param name="row">Numbers of any length; something else afterwards.</param>
    /// <param name="codes">Receives as many codes as there are numbers.</param>
    /// <returns>Scale, and the length of z - scale · codes or a little more; zeros for a row of zeros; null where a
    /// number is not
    /// finite.</returns>
    public static (float Scale, float Error)? Of(Span<float> row, Span<sbyte> codes)
    {
        var length = Math.Sqrt(Exactly.Dot(row, row));
        if (!double.IsFinite(length))
            return null;
        if (length == 0)
        {
            codes.Clear();
            return (0, 0);
        }
        var most = TensorPrimitives.MaxMagnitude<float>(row);
        var step = Math.Abs(most) / Largest;
        if (step == 0 || !float.IsFinite(1 / step))
            return Tiny(row, codes);
        Span<float> whole = row.Length <= 4096 ? stackalloc float[row.Length] : new float[row.Length];
        TensorPrimitives.Multiply(row, 1 / step, whole);
        TensorPrimitives.Round(whole, whole);
        TensorPrimitives.Min(whole, Largest, whole);
        TensorPrimitives.Max(whole, -Largest, whole);
        for (var k = 0; k < whole.Length; k++)
            codes[k] = (sbyte)whole[k];
        // z - scale · codes = (row - step · codes) / length, with the scale as it is stored.
        var scale = (float)(step / length);
        var exactStep = scale * length;
        // |row - s c|² = |row|² - 2 s (row · c) + s² |c|² loses digits: the differences themselves are summed.
        var error = Exactly.SquaredDifference(row, whole, exactStep);
        return (scale, (float)(Math.Sqrt(error) / length * Rounding + Least));
    }

    // Numbers so small that one over them is none: they are made larger first, which changes no direction.
    private static (float, float)? Tiny(Span<float> row, Span<sbyte> codes)
    {
        TensorPrimitives.Multiply(row, 1e30f, row);
        return Of(row, codes);
    }
}
