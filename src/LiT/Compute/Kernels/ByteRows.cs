using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// Rows of activations as bytes, each row with its own scale: x ≈ (code - 128) · scale, codes 1 … 255. The scale is that of the row's
/// largest number, so nothing is cut off and nothing has to be known of the data beforehand.
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
        var (rows, K) = Sizes(x);
        ByteRows made = new(empty(rows, K, dtype: ScalarType.Byte), empty(rows));
        var (from, times, codes, scales) = (
            (nint)TensorMemory.Address(x),
            (nint)TensorMemory.Address(factors),
            (nint)TensorMemory.Address(made.Codes),
            (nint)TensorMemory.Address(made.Scales)
        );
        ForEachRow(rows, row =>
            ((float*)scales)[row] = Encode((float*)from + row * K, (float*)times, (int)K, (byte*)codes + row * K)
        );
        KeepAlive(x, factors, made.Codes, made.Scales);
        return made;
    }

    /// <summary>Gives sums of codes their rows' scales and adds a bias, in place.</summary>
    /// <param name="sums">[R, N], float32; holds the result afterwards.</param>
    /// <param name="bias">[N], or null.</param>
    public void Finish(Tensor sums, Tensor? bias)
    {
        var (rows, N) = Sizes(sums);
        var (values, scales, shift) = (
            (nint)TensorMemory.Address(sums),
            (nint)TensorMemory.Address(Scales),
            bias is null ? 0 : (nint)TensorMemory.Address(bias)
        );
        ForEachRow(rows, row => Scaled((float*)values + row * N, ((float*)scales)[row], (float*)shift, (int)N));
        KeepAlive(sums, bias, Scales);
    }

    /// <summary>The same, then tanh GELU, then bytes again for the next product: one pass over the activations.</summary>
    /// <param name="sums">[R, N], float32; overwritten.</param>
    /// <param name="bias">[N], or null.</param>
    /// <param name="factors">Of the next product, [N].</param>
    public ByteRows FinishWithGelu(Tensor sums, Tensor? bias, Tensor factors)
    {
        var (rows, N) = Sizes(sums);
        ByteRows made = new(empty(rows, N, dtype: ScalarType.Byte), empty(rows));
        var (values, scales, shift) = (
            (nint)TensorMemory.Address(sums),
            (nint)TensorMemory.Address(Scales),
            bias is null ? 0 : (nint)TensorMemory.Address(bias)
        );
        var (times, codes, next) = (
            (nint)TensorMemory.Address(factors),
            (nint)TensorMemory.Address(made.Codes),
            (nint)TensorMemory.Address(made.Scales)
        );
        ForEachRow(rows, row =>
        {
            var at = (float*)values + row * N;
            Scaled(at, ((float*)scales)[row], (float*)shift, (int)N);
            Gelu.InPlace(new Span<float>(at, (int)N));
            ((float*)next)[row] = Encode(at, (float*)times, (int)N, (byte*)codes + row * N);
        });
        KeepAlive(sums, bias, Scales, factors, made.Codes, made.Scales);
        return made;
    }

    private static (long Rows, long Columns) Sizes(Tensor x) => (x.numel() / x.shape[^1], x.shape[^1]);

    private static void KeepAlive(params Tensor?[] tensors) => GC.KeepAlive(tensors);

    private static void ForEachRow(long rows, Action<long> row) => Parts.Run((int)((rows + Part - 1) / Part), part =>
        {
            var end = Math.Min(rows, (part + 1L) * Part);
            for (var r = (long)part * Part; r < end; r++)
                row(r);
        });

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Encode(float* x, float* factors, int count, byte* codes)
    {
        var (largest, whole, max) = (Vector512<float>.Zero, count & ~15, 0f);
        for (var i = 0; i < whole; i += 16)
            largest = Avx512F.Max(largest, Vector512.Abs(Vector512.Load(x + i) * Vector512.Load(factors + i)));
        for (var i = 0; i < 16; i++)
            max = MathF.Max(max, largest[i]);
        for (var i = whole; i < count; i++)
            max = MathF.Max(max, MathF.Abs(x[i] * factors[i]));
        if (!(max > 1e-30f))
            max = 127; // a row of zeros
        var (times, zero) = (Vector512.Create(127 / max), Vector512.Create(128));
        for (var i = 0; i < whole; i += 16)
            Vector128.Store(
                Avx512F.ConvertToVector128Byte(
                    Avx512F.ConvertToVector512Int32(Vector512.Load(x + i) * Vector512.Load(factors + i) * times) + zero
                ),
                codes + i
            );
        for (var i = whole; i < count; i++)
            codes[i] = (byte)(MathF.Round(x[i] * factors[i] * (127 / max)) + 128);
        return max / 127;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scaled(float* values, float scale, float* bias, int count)
    {
        var (times, i) = (Vector512.Create(scale), 0);
        for (; i + 16 <= count; i += 16)
            Vector512.Store(
                Vector512.FusedMultiplyAdd(
                    Vector512.Load(values + i),
                    times,
                    bias is null ? Vector512<float>.Zero : Vector512.Load(bias + i)
                ),
                values + i
            );
        for (; i < count; i++)
            values[i] = values[i] * scale + (bias is null ? 0 : bias[i]);
    }
}
