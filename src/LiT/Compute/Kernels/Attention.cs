using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

// Shapes: B pictures, L tokens, H heads, S numbers a head, D = H · S.

/// <summary>
/// softmax(q · kᵀ / sqrt S) · v for every head of every picture, straight from the fused product of query, key and value. For
/// locked towers on processors with vectors of 512 bits; libtorch's own multiplies with MKL and takes about twice as long here.
/// </summary>
internal static unsafe class Attention
{
    /// <summary>Queries that are done together: 6 x 4 sums of sixteen numbers, four vectors of keys and one of queries fill the registers.</summary>
    private const int Rows = 6;

    private const int Lanes = 16,
        Columns = 4 * Lanes;

    [ThreadStatic]
    private static float[]? scratch;

    /// <summary>Whether these sizes can be done here.</summary>
    public static bool Takes(long tokens, long headSize) => Simd.IsAvailable && tokens >= Rows && headSize % Lanes == 0;

    /// <param name="qkv">Queries, keys and values side by side, [B, L, 3 D], float32 on the CPU.</param>
    /// <param name="heads">H.</param>
    /// <returns>[B, L, D].</returns>
    public static Tensor Mixed(Tensor qkv, int heads)
    {
        qkv = qkv.contiguous();
        var (B, L, D) = ((int)qkv.shape[0], (int)qkv.shape[1], (int)qkv.shape[2] / 3);
        var mixed = empty(B, L, D);
        var (from, to) = ((nint)TensorMemory.Address(qkv), (nint)TensorMemory.Address(mixed));
        var size = D / heads;
        Parts.Run(B * heads, i =>
        {
            var (picture, head) = (i / heads, i % heads);
            float* Queries(int i) => (float*)from + (long)(i / heads) * L * 3 * D + i % heads * size;
            Head(
                Queries(i),
                3 * D,
                D,
                L,
                size,
                (float*)to + (long)picture * L * D + head * size,
                D,
                i + 1 < B * heads ? Queries(i + 1) : null
            );
        });
        GC.KeepAlive(qkv);
        GC.KeepAlive(mixed);
        return mixed;
    }

    // One head: queries at q, keys D further, values 2 D further, a token every stride numbers. What the next head needs is fetched
    // meanwhile: it lies in pieces of one head's size all over the picture, which the processor does not foresee.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Head(float* q, int stride, int D, int L, int size, float* to, int toStride, float* next)
    {
        var padded = (L + Lanes - 1) / Lanes * Lanes;
        var needed = size * padded + L * size + Rows * padded + Lanes;
        if (scratch is null || scratch.Length < needed)
            scratch = GC.AllocateUninitializedArray<float>(needed, pinned: true);
        var keys = (float*)(((nint)Unsafe.AsPointer(ref scratch[0]) + 63) & ~63); // [S, 64] for every 64 keys, the last fewer
        var values = keys + size * padded; // [L, S]
        var scores = values + L * size; // [Rows, padded]

        for (var key = 0; key < padded; key += Lanes)
        {
            var (there, panel) = (Math.Min(Lanes, L - key), key / Columns * Columns);
            var columns = Math.Min(Columns, padded - panel);
            var k = q + D + (long)key * stride;
            for (var s = 0; s < size; s++)
            {
                var column = keys + panel * size + s * columns + key - panel;
                for (var lane = 0; lane < there; lane++)
                    column[lane] = k[(long)lane * stride + s];
                for (var lane = there; lane < Lanes; lane++)
                    column[lane] = 0;
            }
        }
        for (var token = 0; token < L; token++)
            new ReadOnlySpan<float>(q + 2 * D + (long)token * stride, size).CopyTo(
                new Span<float>(values + token * size, size)
            );

        var scale = (float)(1.44269504088896340736 / Math.Sqrt(size));
        var sums = stackalloc float[Rows];
        for (var row = 0; row < L; row += Rows)
        {
            row = Math.Min(row, L - Rows); // the last block overlaps the one before and gives the same numbers again
            if (next is not null)
                Fetch(next + (long)row * stride, stride, D, size);
            for (var panel = 0; panel < padded; panel += Columns)
            {
                var columns = Math.Min(Columns, padded - panel);
                Product(
                    q + (long)row * stride,
                    stride,
                    keys + panel * size,
                    columns,
                    size,
                    scores + panel,
                    padded,
                    columns
                );
            }
            for (var r = 0; r < Rows; r++)
                sums[r] = Exponentials(scores + r * padded, L, padded, scale);
            var into = to + (long)row * toStride;
            Product(scores, padded, values, size, L, into, toStride, size);
            for (var r = 0; r < Rows; r++)
            for (var s = 0; s < size; s += Lanes)
                Vector512.Store(
                    Vector512.Load(into + (long)r * toStride + s) * Vector512.Create(1 / sums[r]),
                    into + (long)r * toStride + s
                );
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fetch(float* q, int stride, int D, int size)
    {
        for (var row = 0; row < Rows; row++, q += stride)
        for (var s = 0; s < size; s += Lanes)
        {
            Sse.Prefetch1(q + s);
            Sse.Prefetch1(q + D + s);
            Sse.Prefetch1(q + 2 * D + s);
        }
    }

    // exp(scale · (x - max)) in place, to base 2; the sum is given back. What stands behind L is zero afterwards.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static float Exponentials(float* row, int L, int padded, float scale)
    {
        for (var i = L; i < padded; i++)
            row[i] = float.NegativeInfinity;
        var largest = Vector512.Load(row);
        for (var i = Lanes; i < padded; i += Lanes)
            largest = Avx512F.Max(largest, Vector512.Load(row + i));
        var max = float.NegativeInfinity;
        for (var i = 0; i < Lanes; i++)
            max = MathF.Max(max, largest[i]);
        var (times, shift, sum) = (Vector512.Create(scale), Vector512.Create(-max * scale), Vector512<float>.Zero);
        for (var i = 0; i < padded; i += Lanes)
        {
            var e = Simd.Exp2(Vector512.FusedMultiplyAdd(Vector512.Load(row + i), times, shift));
            sum += e;
            Vector512.Store(e, row + i);
        }
        for (var i = L; i < padded; i++)
            row[i] = 0;
        return Vector512.Sum(sum);
    }

    // c [Rows, n] = a [Rows, k] · b [k, n]; n is a multiple of sixteen.
    private static void Product(float* a, int aStride, float* b, int bStride, int k, float* c, int cStride, int n)
    {
        var column = 0;
        for (; column + Columns <= n; column += Columns)
            SixByFour(a, aStride, b + column, bStride, k, c + column, cStride);
        for (; column < n; column += Lanes)
            SixByOne(a, aStride, b + column, bStride, k, c + column, cStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByOne(float* a, int aStride, float* b, int bStride, int k, float* c, int cStride)
    {
        Vector512<float> c0 = default,
            c1 = default,
            c2 = default,
            c3 = default,
            c4 = default,
            c5 = default;
        float* a3 = a + 3L * aStride;
        for (var i = 0; i < k; i++, b += bStride)
        {
            var b0 = Vector512.Load(b);
            c0 = Vector512.FusedMultiplyAdd(Vector512.Create(a[i]), b0, c0);
            c1 = Vector512.FusedMultiplyAdd(Vector512.Create(a[aStride + i]), b0, c1);
            c2 = Vector512.FusedMultiplyAdd(Vector512.Create(a[2 * aStride + i]), b0, c2);
            c3 = Vector512.FusedMultiplyAdd(Vector512.Create(a3[i]), b0, c3);
            c4 = Vector512.FusedMultiplyAdd(Vector512.Create(a3[aStride + i]), b0, c4);
            c5 = Vector512.FusedMultiplyAdd(Vector512.Create(a3[2 * aStride + i]), b0, c5);
        }
        Vector512.Store(c0, c);
        Vector512.Store(c1, c + cStride);
        Vector512.Store(c2, c + 2L * cStride);
        Vector512.Store(c3, c + 3L * cStride);
        Vector512.Store(c4, c + 4L * cStride);
        Vector512.Store(c5, c + 5L * cStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByFour(float* a, int aStride, float* b, int bStride, int k, float* c, int cStride)
    {
        Vector512<float> c00 = default,
            c01 = default,
            c02 = default,
            c03 = default,
            c10 = default,
            c11 = default,
            c12 = default,
            c13 = default,
            c20 = default,
            c21 = default,
            c22 = default,
            c23 = default,
            c30 = default,
            c31 = default,
            c32 = default,
            c33 = default,
            c40 = default,
            c41 = default,
            c42 = default,
            c43 = default,
            c50 = default,
            c51 = default,
            c52 = default,
            c53 = default;
        float* a3 = a + 3L * aStride;
        for (var i = 0; i < k; i++, b += bStride)
        {
            var (b0, b1, b2, b3) = (
                Vector512.Load(b),
                Vector512.Load(b + 16),
                Vector512.Load(b + 32),
                Vector512.Load(b + 48)
            );
            var x = Vector512.Create(a[i]);
            (c00, c01) = (Vector512.FusedMultiplyAdd(x, b0, c00), Vector512.FusedMultiplyAdd(x, b1, c01));
            (c02, c03) = (Vector512.FusedMultiplyAdd(x, b2, c02), Vector512.FusedMultiplyAdd(x, b3, c03));
            x = Vector512.Create(a[aStride + i]);
            (c10, c11) = (Vector512.FusedMultiplyAdd(x, b0, c10), Vector512.FusedMultiplyAdd(x, b1, c11));
            (c12, c13) = (Vector512.FusedMultiplyAdd(x, b2, c12), Vector512.FusedMultiplyAdd(x, b3, c13));
            x = Vector512.Create(a[2 * aStride + i]);
            (c20, c21) = (Vector512.FusedMultiplyAdd(x, b0, c20), Vector512.FusedMultiplyAdd(x, b1, c21));
            (c22, c23) = (Vector512.FusedMultiplyAdd(x, b2, c22), Vector512.FusedMultiplyAdd(x, b3, c23));
            x = Vector512.Create(a3[i]);
            (c30, c31) = (Vector512.FusedMultiplyAdd(x, b0, c30), Vector512.FusedMultiplyAdd(x, b1, c31));
            (c32, c33) = (Vector512.FusedMultiplyAdd(x, b2, c32), Vector512.FusedMultiplyAdd(x, b3, c33));
            x = Vector512.Create(a3[aStride + i]);
            (c40, c41) = (Vector512.FusedMultiplyAdd(x, b0, c40), Vector512.FusedMultiplyAdd(x, b1, c41));
            (c42, c43) = (Vector512.FusedMultiplyAdd(x, b2, c42), Vector512.FusedMultiplyAdd(x, b3, c43));
            x = Vector512.Create(a3[2 * aStride + i]);
            (c50, c51) = (Vector512.FusedMultiplyAdd(x, b0, c50), Vector512.FusedMultiplyAdd(x, b1, c51));
            (c52, c53) = (Vector512.FusedMultiplyAdd(x, b2, c52), Vector512.FusedMultiplyAdd(x, b3, c53));
        }
        Four(c, c00, c01, c02, c03);
        Four(c + cStride, c10, c11, c12, c13);
        Four(c + 2L * cStride, c20, c21, c22, c23);
        Four(c + 3L * cStride, c30, c31, c32, c33);
        Four(c + 4L * cStride, c40, c41, c42, c43);
        Four(c + 5L * cStride, c50, c51, c52, c53);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(
        float* to,
        Vector512<float> v0,
        Vector512<float> v1,
        Vector512<float> v2,
        Vector512<float> v3
    )
    {
        Vector512.Store(v0, to);
        Vector512.Store(v1, to + 16);
        Vector512.Store(v2, to + 32);
        Vector512.Store(v3, to + 48);
    }
}
