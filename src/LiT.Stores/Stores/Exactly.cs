using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LiT.Stores;

/// <summary>
/// Sums in double precision, always in the same order: two float32 numbers' product is exact there, so neither the
/// processor nor
/// whether it multiplies and adds at once changes a bit.
/// </summary>
internal static class Exactly
{
    private const int Lanes = 16;

    public static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (a.Length != b.Length)
            throw new ArgumentException($"{a.Length} and {b.Length} numbers.", nameof(b));
        Vector512<double> lower = default,
            upper = default;
        ref var left = ref MemoryMarshal.GetReference(a);
        ref var right = ref MemoryMarshal.GetReference(b);
        var k = 0;
        for (; k + Lanes <= a.Length; k += Lanes)
        {
            var (a0, a1) = Vector512.Widen(Vector512.LoadUnsafe(ref left, (nuint)k));
            var (b0, b1) = Vector512.Widen(Vector512.LoadUnsafe(ref right, (nuint)k));
            lower += a0 * b0;
            upper += a1 * b1;
        }
        var sum = Sum(lower + upper);
        for (; k < a.Length; k++)
            sum += (double)a[k] * b[k];
        return sum;
    }

    /// <summary>Σ (a - scale · b)².</summary>
    public static double SquaredDifference(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double scale)
    {
        Vector512<double> lower = default,
            upper = default;
        var factor = Vector512.Create(scale);
        var k = 0;
        for (; k + Lanes <= a.Length; k += Lanes)
        {
            var (a0, a1) = Vector512.Widen(Vector512.Create(a.Slice(k, Lanes)));
            var (b0, b1) = Vector512.Widen(Vector512.Create(b.Slice(k, Lanes)));
            (a0, a1) = (a0 - factor * b0, a1 - factor * b1);
            lower += a0 * a0;
            upper += a1 * a1;
        }
        var sum = Sum(lower + upper);
        for (; k < a.Length; k++)
            sum += (a[k] - scale * b[k]) * (a[k] - scale * b[k]);
        return sum;
    }

    /// <summary>The cosine of a query of unit length and a row of any length; 0 for a row of zeros, NaN for one that
    /// is not finite.</summary>
    public static float Cosine(ReadOnlySpan<float> query, ReadOnlySpan<float> row) =>
        Dot(row, row) is var square && square == 0 ? 0 : (float)(Dot(query, row) / Math.Sqrt(square));

    private static double Sum(Vector512<double> lanes)
    {
        var sum = 0.0;
        for (var lane = 0; lane < 8; lane++)
            sum += lanes[lane];
        return sum;
    }
}
