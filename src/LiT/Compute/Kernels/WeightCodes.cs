using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>A weight [N, K] as signed bytes with a scale for each row, w · factor ≈ code · scale, in two passes over memory.</summary>
internal static unsafe class WeightCodes
{
    /// <summary>Rows that one thread takes at a time.</summary>
    private const int Part = 64;

    /// <summary>The largest size in each column, [K].</summary>
    /// <param name="weight">[N, K], float32 on the CPU, contiguous.</param>
    public static Tensor LargestOfColumns(Tensor weight)
    {
        var (rows, K) = ((int)weight.shape[0], (int)weight.shape[1]);
        var parts = (rows + Part - 1) / Part;
        var found = zeros(parts, K);
        var (from, to) = ((nint)TensorMemory.Address(weight), (nint)TensorMemory.Address(found));
        Parts.Run(parts, part =>
        {
            var largest = (float*)to + (long)part * K;
            for (var row = part * Part; row < Math.Min(rows, (part + 1) * Part); row++)
                Larger((float*)from + (long)row * K, largest, K);
        });
        GC.KeepAlive(weight);
        return found.amax([0]);
    }

    /// <param name="weight">[N, K], float32 on the CPU, contiguous.</param>
    /// <param name="factors">What each column is multiplied by first, [K].</param>
    /// <returns>Codes from -127 to 127, [N, K], int8; scales, [N], float32. A row with what is no number has a scale that is none.</returns>
    public static (Tensor Codes, Tensor Scales) Of(Tensor weight, Tensor factors)
    {
        var (rows, K) = ((int)weight.shape[0], (int)weight.shape[1]);
        var (codes, scales) = (empty(rows, K, dtype: ScalarType.Int8), empty(rows));
        var (from, times, to, scale) = (
            (nint)TensorMemory.Address(weight),
            (nint)TensorMemory.Address(factors),
            (nint)TensorMemory.Address(codes),
            (nint)TensorMemory.Address(scales)
        );
        Parts.Run((rows + Part - 1) / Part, part =>
        {
            for (var row = part * Part; row < Math.Min(rows, (part + 1) * Part); row++)
                ((float*)scale)[row] = Encode(
                    (float*)from + (long)row * K,
                    (float*)times,
                    K,
                    (sbyte*)to + (long)row * K
                );
        });
        foreach (var tensor in (Tensor[])[weight, factors, codes, scales])
            GC.KeepAlive(tensor);
        return (codes, scales);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Larger(float* row, float* largest, int count)
    {
        var i = 0;
        for (; i + 16 <= count; i += 16)
            Vector512.Store(
                Avx512F.Max(Vector512.Load(largest + i), Vector512.Abs(Vector512.Load(row + i))),
                largest + i
            );
        for (; i < count; i++)
            largest[i] = MathF.Max(largest[i], MathF.Abs(row[i]));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Encode(float* row, float* factors, int count, sbyte* codes)
    {
        var (largest, poison, whole) = (Vector512<float>.Zero, Vector512<float>.Zero, count & ~15);
        for (var i = 0; i < whole; i += 16)
        {
            var value = Vector512.Load(row + i) * Vector512.Load(factors + i);
            largest = Avx512F.Max(largest, Vector512.Abs(value));
            poison += value * Vector512<float>.Zero; // no number where one of them is none
        }
        var (max, trouble) = (0f, Vector512.Sum(poison));
        for (var i = 0; i < 16; i++)
            max = MathF.Max(max, largest[i]);
        for (var i = whole; i < count; i++)
            (max, trouble) = (MathF.Max(max, MathF.Abs(row[i] * factors[i])), trouble + 0 * (row[i] * factors[i]));
        var scale = MathF.Max(max, 1e-12f) / 127;
        var (by, least, most) = (Vector512.Create(scale), Vector512.Create(-127), Vector512.Create(127));
        for (var i = 0; i < whole; i += 16)
        {
            var code = Avx512F.ConvertToVector512Int32(Vector512.Load(row + i) * Vector512.Load(factors + i) / by);
            Vector128.Store(Avx512F.ConvertToVector128SByte(Avx512F.Max(least, Avx512F.Min(most, code))), codes + i);
        }
        for (var i = whole; i < count; i++)
            codes[i] = (sbyte)Math.Clamp(MathF.Round(row[i] * factors[i] / scale), -127, 127);
        return scale + trouble;
    }
}
