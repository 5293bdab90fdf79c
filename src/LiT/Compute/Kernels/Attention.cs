using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

// Shapes: B pictures, L tokens, H heads, S numbers a head, D = H · S.

/// <summary>
/// softmax(q · kᵀ / sqrt S) · v for every head of every picture, straight from the fused product of query, key and
/// value. For locked towers; libtorch's own attention takes about twice as long.
/// </summary>
internal static unsafe class Attention
{
    /// <summary>Queries that are done together.</summary>
    private const int Rows = Tile.Rows;

    [ThreadStatic]
    private static float[]? scratch;

    /// <param name="qkv">Queries, keys and values side by side, [B, L, 3 D], float32 on the CPU.</param>
    /// <param name="heads">H.</param>
    /// <returns>[B, L, D].</returns>
    public static Tensor Mixed(Tensor qkv, int heads)
    {
        qkv = qkv.contiguous();
        var (B, L, D) = ((int)qkv.shape[0], (int)qkv.shape[1], (int)qkv.shape[2] / 3);
        var mixed = empty(B, L, D);
        Vectors.Run(new Heads((nint)TensorMemory.Address(qkv), (nint)TensorMemory.Address(mixed), B, L, D, heads));
        GC.KeepAlive(qkv);
        GC.KeepAlive(mixed);
        return mixed;
    }

    private readonly struct Heads(nint from, nint to, int B, int L, int D, int heads) : IKernel
    {
        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (qkv, mixed, L, D, heads, all) = (from, to, this.L, this.D, this.heads, B * this.heads);
            var size = D / heads;
            Parts.Run(all, i =>
                Head<V>(
                    Queries(i),
                    3 * D,
                    D,
                    L,
                    size,
                    (float*)mixed + (long)(i / heads) * L * D + i % heads * size,
                    D,
                    i + 1 < all ? Queries(i + 1) : null
                )
            );
            float* Queries(int i) => (float*)qkv + (long)(i / heads) * L * 3 * D + i % heads * size;
        }

        private readonly int L = L,
            D = D,
            heads = heads;
    }

    // One head: queries at q, keys D further, values 2 D further, a token every stride numbers. What the next head
    // needs is fetched meanwhile: it lies in pieces of one head's size all over the picture, which the processor does
    // not foresee.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Head<V>(float* q, int stride, int D, int L, int size, float* to, int toStride, float* next)
        where V : unmanaged, IVec<V>
    {
        var (padded, wide, panels) = (RowScratch.Filled(L), RowScratch.Filled(size), Tile.Columns<V>());
        var keys = RowScratch.Room(ref scratch, size * padded + L * wide + Rows * (padded + wide + size));
        var values = keys + size * padded; // [L, wide]; keys [S, panels] for every so many keys, the last fewer
        var scores = values + L * wide; // [Rows, padded]
        var made = scores + Rows * padded; // [Rows, wide], where the result cannot go to its place at once
        var asked = made + Rows * wide; // [Rows, S], where there are fewer tokens

        Transpose(q + D, stride, L, size, keys, padded, panels);
        for (var token = 0; token < L; token++)
        {
            var own = values + token * wide;
            new ReadOnlySpan<float>(q + 2 * D + (long)token * stride, size).CopyTo(new Span<float>(own, size));
            new Span<float>(own + size, wide - size).Clear();
        }
        var there = Math.Min(Rows, L);
        var queries = q;
        var queryStride = stride;
        if (L < Rows)
        {
            for (var row = 0; row < Rows; row++)
                new ReadOnlySpan<float>(q + (long)Math.Min(row, L - 1) * stride, size).CopyTo(
                    new Span<float>(asked + row * size, size)
                );
            queries = asked;
            queryStride = size;
            next = null;
        }

        var scale = Vectors.Log2E / MathF.Sqrt(size);
        var sums = stackalloc float[Rows];
        for (var row = 0; row < L; row += Rows)
        {
            // the last block overlaps the one before and gives the same numbers again
            row = Math.Max(0, Math.Min(row, L - Rows));
            if (next is not null)
                Fetch(next + (long)row * stride, stride, D, size);
            for (var panel = 0; panel < padded; panel += panels)
            {
                var columns = Math.Min(panels, padded - panel);
                Tile.Six<V>(
                    queries + (long)row * queryStride,
                    queryStride,
                    keys + panel * size,
                    columns,
                    size,
                    scores + panel,
                    padded,
                    columns
                );
            }
            for (var r = 0; r < Rows; r++)
                sums[r] = Softmax.Exponentials<V>(scores + r * padded, L, padded, scale);
            var straight = wide == size && there == Rows;
            var into = straight ? to + (long)row * toStride : made;
            var intoStride = straight ? toStride : wide;
            Tile.Six<V>(scores, padded, values, wide, L, into, intoStride, wide);
            for (var r = 0; r < there; r++)
            {
                var own = into + (long)r * intoStride;
                var part = V.Create(1 / sums[r]);
                for (var s = 0; s < wide; s += V.Count)
                    (V.Load(own + s) * part).Store(own + s);
                if (!straight)
                    new ReadOnlySpan<float>(own, size).CopyTo(new Span<float>(to + (long)(row + r) * toStride, size));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(float* k, int stride, int L, int size, float* keys, int padded, int panels)
    {
        for (var panel = 0; panel < padded; panel += panels)
        {
            var columns = Math.Min(panels, padded - panel);
            for (var key = panel; key < panel + columns; key += 4)
            {
                var column = keys + panel * size + key - panel;
                var own = k + (long)key * stride;
                if (key + 4 <= L)
                    for (var s = 0; s < size; s++, column += columns)
                    {
                        column[0] = own[s];
                        column[1] = own[stride + s];
                        column[2] = own[2L * stride + s];
                        column[3] = own[3L * stride + s];
                    }
                else
                    for (var s = 0; s < size; s++, column += columns)
                    for (var lane = 0; lane < 4; lane++)
                        column[lane] = key + lane < L ? own[(long)lane * stride + s] : 0;
            }
        }
    }

    private static void Fetch(float* q, int stride, int D, int size)
    {
        if (!Sse.IsSupported)
            return;
        for (var row = 0; row < Rows; row++, q += stride)
        for (var s = 0; s < size; s += Vectors.Lanes)
        {
            Sse.Prefetch1(q + s);
            Sse.Prefetch1(q + D + s);
            Sse.Prefetch1(q + 2 * D + s);
        }
    }
}
