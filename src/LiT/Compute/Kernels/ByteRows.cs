using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// Rows of activations as bytes, each row with its own scale: x ≈ (code - 128) · scale, codes 1 … 255. The scale is
/// that of the row's largest number, so nothing is cut off and nothing has to be known of the data beforehand.
/// </summary>
/// <param name="Codes">[R, K], unsigned bytes.</param>
/// <param name="Scales">[R], float32.</param>
internal readonly unsafe record struct ByteRows(Tensor Codes, Tensor Scales)
{
    /// <summary>Rows that one thread takes at a time.</summary>
    private const int Part = 64;

    /// <param name="x">Float32 on the CPU, [.., K].</param>
    /// <param name="factors">What each of the K numbers is multiplied by first, float32, [K].</param>
    public static ByteRows Of(Tensor x, Tensor factors)
    {
        x = x.contiguous();
        var made = Empty(x);
        Vectors.Run(new Encoding(Floats(x), Floats(factors), new(made)));
        GC.KeepAlive(x);
        GC.KeepAlive(factors);
        return made;
    }

    /// <summary>Gives sums of codes their rows' scales and adds a bias, in place.</summary>
    /// <param name="sums">[R, N], float32; holds the result afterwards.</param>
    /// <param name="bias">[N], or null.</param>
    public void Finish(Tensor sums, Tensor? bias)
    {
        Vectors.Run(new Finishing(Floats(sums), Floats(bias), sums.shape[^1], new(this)));
        GC.KeepAlive(sums);
        GC.KeepAlive(bias);
    }

    /// <summary>
    /// The same, then tanh GELU, then bytes again for the next product: one pass over the activations.
    /// </summary>
    /// <param name="sums">[R, N], float32; overwritten.</param>
    /// <param name="bias">[N], or null.</param>
    /// <param name="factors">Of the next product, [N].</param>
    public ByteRows FinishWithGelu(Tensor sums, Tensor? bias, Tensor factors)
    {
        var made = Empty(sums);
        Vectors.Run(new FinishingWithGelu(Floats(sums), Floats(bias), Floats(factors), new(this), new(made)));
        GC.KeepAlive(sums);
        GC.KeepAlive(bias);
        GC.KeepAlive(factors);
        return made;
    }

    private static ByteRows Empty(Tensor x)
    {
        var (rows, K) = (x.numel() / x.shape[^1], x.shape[^1]);
        return new(empty(rows, K, dtype: ScalarType.Byte), empty(rows));
    }

    private static float* Floats(Tensor? contiguous) =>
        contiguous is null ? null : (float*)TensorMemory.Address(contiguous);

    // Bias lies at the same place for every row; null stands for none.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scaled<V>(float* values, float scale, float* bias, long count)
        where V : unmanaged, IVec<V>
    {
        var (times, i) = (V.Create(scale), 0L);
        var whole = Vectors.Whole<V>(count);
        if (bias is null)
            for (; i < whole; i += V.Count)
                (V.Load(values + i) * times).Store(values + i);
        else
            for (; i < whole; i += V.Count)
                V.Fma(V.Load(values + i), times, V.Load(bias + i)).Store(values + i);
        for (; i < count; i++)
            values[i] = bias is null ? values[i] * scale : MathF.FusedMultiplyAdd(values[i], scale, bias[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Encode<V>(float* x, float* factors, long count, byte* codes)
        where V : unmanaged, IVec<V>
    {
        var (largest, i) = (V.Create(0), 0L);
        var whole = Vectors.Whole<V>(count);
        for (; i < whole; i += V.Count)
            largest = V.Max(largest, V.Abs(V.Load(x + i) * V.Load(factors + i)));
        var max = V.Largest(largest);
        for (; i < count; i++)
            max = MathF.Max(max, MathF.Abs(x[i] * factors[i]));
        if (!(max > 1e-30f))
            max = 127; // a row of zeros
        var (times, zero) = (V.Create(127 / max), V.Create(128));
        for (i = 0; i < whole; i += V.Count)
            (V.Round(V.Load(x + i) * V.Load(factors + i) * times) + zero).StoreBytes(codes + i);
        for (; i < count; i++)
            codes[i] = (byte)(MathF.Round(x[i] * factors[i] * (127 / max)) + 128);
        return max / 127;
    }

    /// <summary>The rows as they lie in memory, and how they are shared out.</summary>
    private sealed class Memory(ByteRows rows)
    {
        private readonly Tensor codes = rows.Codes,
            scales = rows.Scales; // so that they are there as long as this is
        private readonly byte* firstCode = TensorMemory.Address(rows.Codes);
        private readonly float* firstScale = Floats(rows.Scales);

        public long Columns { get; } = rows.Codes.shape[1];

        public byte* Codes(long row) => firstCode + row * Columns;

        public ref float Scale(long row) => ref firstScale[row];

        public void ForEach(Action<long> work)
        {
            Parts.For(scales.shape[0], Part, (from, to) =>
            {
                for (var row = from; row < to; row++)
                    work(row);
            });
            GC.KeepAlive(codes);
            GC.KeepAlive(scales);
        }
    }

    private readonly struct Encoding(float* x, float* factors, Memory made) : IKernel
    {
        private readonly float* x = x,
            factors = factors;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (to, from, times, K) = (made, (nint)x, (nint)factors, made.Columns);
            to.ForEach(row => to.Scale(row) = Encode<V>((float*)from + row * K, (float*)times, K, to.Codes(row)));
        }
    }

    private readonly struct Finishing(float* sums, float* bias, long columns, Memory rows) : IKernel
    {
        private readonly float* sums = sums,
            bias = bias;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (own, values, shift, N) = (rows, (nint)sums, (nint)bias, columns);
            own.ForEach(row => Scaled<V>((float*)values + row * N, own.Scale(row), (float*)shift, N));
        }
    }

    private readonly struct FinishingWithGelu(float* sums, float* bias, float* factors, Memory rows, Memory made)
        : IKernel
    {
        private readonly float* sums = sums,
            bias = bias,
            factors = factors;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (own, to, values, shift, times) = (rows, made, (nint)sums, (nint)bias, (nint)factors);
            var N = to.Columns;
            own.ForEach(row =>
            {
                var at = (float*)values + row * N;
                Scaled<V>(at, own.Scale(row), (float*)shift, N);
                Gelu.Of<V>(at, at, N);
                to.Scale(row) = Encode<V>(at, (float*)times, N, to.Codes(row));
            });
            GC.KeepAlive(to);
        }
    }
}
