using System.Runtime.CompilerServices;

namespace LiT.Compute.Kernels;

/// <summary>The part of attention between its two products.</summary>
internal static unsafe class Softmax
{
    /// <summary>
    /// 2^(scale · (x - max)) in place of L numbers; their sum is given back. What stands behind them, up to padded, a
    /// multiple of sixteen, is zero afterwards.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Exponentials<V>(float* row, int L, int padded, float scale)
        where V : unmanaged, IVec<V>
    {
        for (var i = L; i < padded; i++)
            row[i] = float.NegativeInfinity;
        var most = V.Load(row);
        for (var i = V.Count; i < padded; i += V.Count)
            most = V.Max(most, V.Load(row + i));
        var largest = V.Largest(most);
        var (times, shift) = (V.Create(scale), V.Create(-largest * scale));
        V s0 = V.Create(0),
            s1 = s0,
            s2 = s0,
            s3 = s0;
        for (var i = 0; i < padded; i += Vectors.Lanes)
        {
            s0 += Exponential(row + i, times, shift);
            if (V.Count <= 8)
                s1 += Exponential(row + i + V.Count, times, shift);
            if (V.Count > 4)
                continue;
            s2 += Exponential(row + i + 2 * V.Count, times, shift);
            s3 += Exponential(row + i + 3 * V.Count, times, shift);
        }
        for (var i = L; i < padded; i++)
            row[i] = 0;
        return V.Sum(s0, s1, s2, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Exponential<V>(float* at, V times, V shift)
        where V : unmanaged, IVec<V>
    {
        var e = Vectors.Exp2(V.Fma(V.Load(at), times, shift));
        e.Store(at);
        return e;
    }
}
