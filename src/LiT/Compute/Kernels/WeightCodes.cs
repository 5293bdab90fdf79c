using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// A weight [N, K] as signed bytes with a scale for each row, w · factor ≈ code · scale, in two passes over memory.
/// </summary>
internal static unsafe class WeightCodes
{
    /// <summary>Rows that one thread takes at a time.</summary>
    private const int Part = 64;

    /// <summary>The largest size in each column, [K].</summary>
    /// <param name="weight">[N, K], float32 on the CPU, contiguous.</param>
    public static Tensor LargestOfColumns(Tensor weight)
    {
        var (rows, K) = (weight.shape[0], weight.shape[1]);
        var found = zeros((rows + Part - 1) / Part, K);
        Vectors.Run(new Largest(Floats(weight), Floats(found), rows, K));
        GC.KeepAlive(weight);
        return found.amax([0]);
    }

    /// <param name="weight">[N, K], float32 on the CPU, contiguous.</param>
    /// <param name="factors">What each column is multiplied by first, [K].</param>
    /// <returns>Codes from -127 to 127, [N, K], int8; scales, [N], float32. A row with what is no number has a scale
    /// that is none.</returns>
    public static (Tensor Codes, Tensor Scales) Of(Tensor weight, Tensor factors)
    {
        var (rows, K) = (weight.shape[0], weight.shape[1]);
        var (codes, scales) = (empty(rows, K, dtype: ScalarType.Int8), empty(rows));
        Vectors.Run(
            new Encoding(Floats(weight), Floats(factors), (sbyte*)TensorMemory.Address(codes), Floats(scales), rows, K)
        );
        foreach (var tensor in (Tensor[])[weight, factors, codes, scales])
            GC.KeepAlive(tensor);
        return (codes, scales);
    }

    private static float* Floats(Tensor contiguous) => (float*)TensorMemory.Address(contiguous);

    private readonly struct Largest(float* weight, float* found, long rows, long K) : IKernel
    {
        private readonly float* weight = weight,
            found = found;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (w, to, columns) = ((nint)weight, (nint)found, K);
            Parts.For(rows, Part, (from, end) =>
            {
                for (var row = from; row < end; row++)
                    Larger<V>((float*)w + row * columns, (float*)to + from / Part * columns, columns);
            });
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Larger<V>(float* row, float* largest, long count)
            where V : unmanaged, IVec<V>
        {
            var i = 0L;
            var whole = Vectors.Whole<V>(count);
            for (; i < whole; i += V.Count)
                V.Max(V.Load(largest + i), V.Abs(V.Load(row + i))).Store(largest + i);
            for (; i < count; i++)
                largest[i] = MathF.Max(largest[i], MathF.Abs(row[i]));
        }
    }

    private readonly struct Encoding(float* weight, float* factors, sbyte* codes, float* scales, long rows, long K)
        : IKernel
    {
        private readonly float* weight = weight,
            factors = factors,
            scales = scales;
        private readonly sbyte* codes = codes;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (w, times, to, scale, columns) = ((nint)weight, (nint)factors, (nint)codes, (nint)scales, K);
            Parts.For(rows, Part, (from, end) =>
            {
                for (var row = from; row < end; row++)
                    ((float*)scale)[row] = Encode<V>(
                        (float*)w + row * columns,
                        (float*)times,
                        columns,
                        (sbyte*)to + row * columns
                    );
            });
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float Encode<V>(float* row, float* factors, long count, sbyte* codes)
            where V : unmanaged, IVec<V>
        {
            var (largest, poison, zero, i) = (V.Create(0), V.Create(0), V.Create(0), 0L);
            var whole = Vectors.Whole<V>(count);
            for (; i < whole; i += V.Count)
            {
                var value = V.Load(row + i) * V.Load(factors + i);
                largest = V.Max(largest, V.Abs(value));
                poison += value * zero; // no number where one of them is none
            }
            var (max, trouble) = (V.Largest(largest), V.Sum(poison, zero, zero, zero));
            for (; i < count; i++)
                (max, trouble) = (MathF.Max(max, MathF.Abs(row[i] * factors[i])), trouble + 0 * (row[i] * factors[i]));
            var scale = MathF.Max(max, 1e-12f) / 127;
            var (by, least, most) = (V.Create(scale), V.Create(-127), V.Create(127));
            for (i = 0; i < whole; i += V.Count)
            {
                var code = V.Round(V.Load(row + i) * V.Load(factors + i) / by);
                V.Max(least, V.Min(most, code)).StoreSignedBytes(codes + i);
            }
            for (; i < count; i++)
                codes[i] = (sbyte)Math.Clamp(MathF.Round(row[i] * factors[i] / scale), -127, 127);
            return scale + trouble;
        }
    }
}
