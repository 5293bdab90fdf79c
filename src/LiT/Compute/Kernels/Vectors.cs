using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LiT.Compute.Kernels;

/// <summary>What kernels of every width share.</summary>
internal static unsafe class Vectors
{
    /// <summary>Lanes that sums across lanes are taken by, and that scratch memory is filled up to.</summary>
    public const int Lanes = 16;

    /// <summary>log2 of e.</summary>
    public const float Log2E = 1.44269504088896340736f;

    // Its own rounding error, so that the product with both is good to 40 bits.
    private const float Log2ELow = 1.92596299112661746887e-8f;

    /// <summary>Runs a kernel with vectors as wide as the process's instruction set has them.</summary>
    public static void Run<K>(K kernel)
        where K : struct, IKernel
    {
        switch (Processor.Isa)
        {
            case Isa.Avx512:
                kernel.Run<V512>();
                break;
            case Isa.Avx2:
                kernel.Run<V256>();
                break;
            default:
                kernel.Run<V128>();
                break;
        }
    }

    /// <summary>So many numbers of these as fill vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Whole<V>(long count)
        where V : unmanaged, IVec<V> => count & -(long)V.Count;

    /// <summary>So many numbers of these as fill groups of sixteen.</summary>
    public static long Whole(long count) => count & -(long)Lanes;

    /// <summary>2^z; below -126 it is 2^-126, above 126 it is 2^126. What is no number stays none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp2<V>(V z)
        where V : unmanaged, IVec<V>
    {
        z = V.Min(V.Create(126), V.Max(V.Create(-126), z));
        var whole = V.Round(z);
        return Power(z - whole, whole);
    }

    /// <summary>e^x within two units of the last place; below -87.3 it is 2^-126, above 87.3 it is 2^126.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V>(V x)
        where V : unmanaged, IVec<V>
    {
        x = V.Min(V.Create(126 / Log2E), V.Max(V.Create(-126 / Log2E), x));
        var whole = V.Round(x * V.Create(Log2E));
        var rest = V.Fma(x, V.Create(Log2ELow), V.FmaExact(x, V.Create(Log2E), V.Create(0) - whole));
        return Power(rest, whole);
    }

    /// <summary>2^whole · 2^f for f in [-1/2, 1/2], relative error of the polynomial below 1e-8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Power<V>(V f, V whole)
        where V : unmanaged, IVec<V>
    {
        var power = V.Create(1.535336188e-4f);
        power = V.Fma(power, f, V.Create(1.339887440e-3f));
        power = V.Fma(power, f, V.Create(9.618437357e-3f));
        power = V.Fma(power, f, V.Create(5.550332548e-2f));
        power = V.Fma(power, f, V.Create(2.402264791e-1f));
        power = V.Fma(power, f, V.Create(6.931472028e-1f));
        power = V.Fma(power, f, V.Create(1));
        return V.Scale(power, whole);
    }

    /// <summary>The sum of eight lanes, always in the same order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> eight)
    {
        var four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    /// <summary>The larger of two numbers; b where either is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Larger(float a, float b) => a > b ? a : b;

    /// <summary>A vector of the numbers that are left, and zeros behind them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(float* from, long left)
        where V : unmanaged, IVec<V> => left >= V.Count ? V.Load(from) : LoadPart<V>(from, left);

    /// <summary>Stores as many numbers as are left, and writes nothing behind them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V>(V vector, float* to, long left)
        where V : unmanaged, IVec<V>
    {
        if (left >= V.Count)
            vector.Store(to);
        else
            StorePart(vector, to, left);
    }

    /// <summary>The first lanes of a vector, and zeros behind them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V First<V>(V vector, long count)
        where V : unmanaged, IVec<V>
    {
        return count >= V.Count ? vector : FirstPart(vector, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static V FirstPart<V>(V vector, long count)
        where V : unmanaged, IVec<V>
    {
        var lanes = stackalloc float[Lanes];
        vector.Store(lanes);
        return LoadPart<V>(lanes, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static V LoadPart<V>(float* from, long left)
        where V : unmanaged, IVec<V>
    {
        var lanes = stackalloc float[Lanes];
        for (var lane = 0; lane < V.Count; lane++)
            lanes[lane] = lane < left ? from[lane] : 0;
        return V.Load(lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void StorePart<V>(V vector, float* to, long left)
        where V : unmanaged, IVec<V>
    {
        var lanes = stackalloc float[Lanes];
        vector.Store(lanes);
        for (var lane = 0; lane < left; lane++)
            to[lane] = lanes[lane];
    }
}
