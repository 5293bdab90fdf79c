using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

// Shapes: B rows of text, T tokens of all rows end to end, L tokens of one row, N queries of it (L or 1), H heads, S
// numbers a head, D = H · S.

/// <summary>
/// softmax(q · kᵀ / sqrt S) · v inside each of many short rows that lie end to end, with its gradients. libtorch's
/// attention is made for long rows: on captions of a dozen tokens it takes ten times as long.
/// </summary>
internal sealed unsafe class RowAttention : autograd.SingleTensorFunction<RowAttention>
{
    [ThreadStatic]
    private static float[]? scratch;

    public override string Name => nameof(RowAttention);

    /// <param name="states">Queries, keys and values side by side, [T, 3 D]; keys and values alone, [T, 2 D], where
    /// queries are apart.</param>
    /// <param name="queries">One a row, [B, D], or null where every token asks.</param>
    /// <param name="heads">H.</param>
    /// <param name="lengths">L of every row, B of them; their sum is T.</param>
    /// <returns>[T, D], or [B, D] where one a row asks.</returns>
    public static Tensor Mixed(Tensor states, Tensor? queries, int heads, int[] lengths)
    {
        states = states.contiguous();
        queries = queries?.contiguous();
        if (!is_grad_enabled() || !(states.requires_grad || queries?.requires_grad == true))
            return Forward(states, queries, heads, lengths);
        using var scope = NewDisposeScope();
        return apply(states, queries!, heads, lengths).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (states, queries, heads, lengths) = ((Tensor)vars[0], (Tensor?)vars[1], (int)vars[2], (int[])vars[3]);
        ctx.set_materialize_grads(false);
        ctx.save_for_backward([states, queries!]);
        ctx.save_data(nameof(heads), heads);
        ctx.save_data(nameof(lengths), lengths);
        return Forward(states, queries, heads, lengths);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
        Gradients.Give(ctx, grad_output, 4, (saved, gradient) =>
        {
            var (states, queries) = (saved[0]!, saved[1]);
            var (dstates, dqueries) = (empty_like(states), queries is null ? null : empty_like(queries));
            gradient = gradient.contiguous();
            Places at = new(states, queries, gradient, (int)ctx.get_data("heads"), (int[])ctx.get_data("lengths"));
            Places to = new(dstates, dqueries, gradient, at.Heads, at.Lengths);
            Vectors.Run(new BackwardRows(at, to));
            foreach (var tensor in new[] { states, queries, gradient, dstates, dqueries })
                GC.KeepAlive(tensor);
            return [dstates, dqueries, null, null];
        });

    private static Tensor Forward(Tensor states, Tensor? queries, int heads, int[] lengths)
    {
        var mixed = empty(queries?.shape[0] ?? states.shape[0], queries?.shape[1] ?? states.shape[1] / 3);
        Places at = new(states, queries, mixed, heads, lengths);
        Vectors.Run(new ForwardRows(at));
        foreach (var tensor in new[] { states, queries, mixed })
            GC.KeepAlive(tensor);
        return mixed;
    }

    private readonly struct ForwardRows(Places at) : IKernel
    {
        private readonly Places at = at;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var at = this.at;
            Parts.Run(at.Lengths.Length, row =>
            {
                for (var head = 0; head < at.Heads; head++)
                    Forward<V>(at, row, head);
            });
        }
    }

    private readonly struct BackwardRows(Places at, Places to) : IKernel
    {
        private readonly Places at = at,
            to = to;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (at, to) = (this.at, this.to);
            Parts.Run(at.Lengths.Length, row =>
            {
                for (var head = 0; head < at.Heads; head++)
                    Backward<V>(at, to, row, head);
            });
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward<V>(Places at, int row, int head)
        where V : unmanaged, IVec<V>
    {
        var one = at.Of(row, head);
        var (L, N, S, padded) = (one.Length, one.Queries, at.HeadSize, one.Padded);
        var keys = RowScratch.Room(ref scratch, S * padded + N * padded + (L + N) * RowScratch.Filled(S));
        var shares = keys + S * padded;
        Shares<V>(one, at, keys, shares);
        Product<V>(shares, padded, 1, one.V, at.Stride, N, L, one.Mixed, at.MixedStride, S, shares + N * padded);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward<V>(Places at, Places to, int row, int head)
        where V : unmanaged, IVec<V>
    {
        var one = at.Of(row, head);
        var d = to.Of(row, head);
        var (L, N, S, padded) = (one.Length, one.Queries, at.HeadSize, one.Padded);
        var keys = RowScratch.Room(ref scratch, S * padded + 2 * N * padded + (L + N) * RowScratch.Filled(S));
        float* shares = keys + S * padded,
            slopes = shares + N * padded,
            room = slopes + N * padded;
        Shares<V>(one, at, keys, shares);
        Product<V>(shares, 1, padded, one.Mixed, at.MixedStride, L, N, d.V, at.Stride, S, room); // dV = Pᵀ · dO
        Transpose(one.V, at.Stride, L, S, keys, padded);
        Tile.Any<V>(one.Mixed, at.MixedStride, 1, keys, padded, N, S, slopes, padded, padded); // dP = dO · Vᵀ
        for (var i = 0; i < N; i++)
            Slope<V>(shares + i * padded, slopes + i * padded, padded, 1 / MathF.Sqrt(S));
        Product<V>(slopes, padded, 1, one.K, at.Stride, N, L, d.Q, at.QueryStride, S, room); // dQ = dS · K
        Product<V>(slopes, 1, padded, one.Q, at.QueryStride, L, N, d.K, at.Stride, S, room); // dK = dSᵀ · Q
    }

    // dS = P · (dP - Σ P · dP) · scale, in place of dP.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Slope<V>(float* p, float* dp, int padded, float scale)
        where V : unmanaged, IVec<V>
    {
        V s0 = V.Create(0),
            s1 = s0,
            s2 = s0,
            s3 = s0;
        for (var j = 0; j < padded; j += Vectors.Lanes)
        {
            s0 = V.Fma(V.Load(p + j), V.Load(dp + j), s0);
            if (V.Count <= 8)
                s1 = V.Fma(V.Load(p + j + V.Count), V.Load(dp + j + V.Count), s1);
            if (V.Count > 4)
                continue;
            s2 = V.Fma(V.Load(p + j + 2 * V.Count), V.Load(dp + j + 2 * V.Count), s2);
            s3 = V.Fma(V.Load(p + j + 3 * V.Count), V.Load(dp + j + 3 * V.Count), s3);
        }
        var (mean, times) = (V.Create(V.Sum(s0, s1, s2, s3)), V.Create(scale));
        for (var j = 0; j < padded; j += V.Count)
            (V.Load(p + j) * (V.Load(dp + j) - mean) * times).Store(dp + j);
    }

    // The softmax of every query's scores, [N, padded]; zero behind L. keys is room for S · padded.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Shares<V>(One one, Places at, float* keys, float* shares)
        where V : unmanaged, IVec<V>
    {
        var (L, N, S, padded) = (one.Length, one.Queries, at.HeadSize, one.Padded);
        Transpose(one.K, at.Stride, L, S, keys, padded);
        Tile.Any<V>(one.Q, at.QueryStride, 1, keys, padded, N, S, shares, padded, padded);
        var scale = Vectors.Log2E / MathF.Sqrt(S);
        for (var i = 0; i < N; i++)
        {
            var p = shares + i * padded;
            var part = V.Create(1 / Softmax.Exponentials<V>(p, L, padded, scale));
            for (var j = 0; j < padded; j += V.Count)
                (V.Load(p + j) * part).Store(p + j);
        }
    }

    // [L, S] with a token every stride numbers → [S, padded], zero behind L.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(float* from, int stride, int L, int S, float* to, int padded)
    {
        for (var token = 0; token < L; token++)
        {
            var own = from + (long)token * stride;
            for (var s = 0; s < S; s++)
                to[s * padded + token] = own[s];
        }
        for (var s = 0; s < S; s++)
        for (var token = L; token < padded; token++)
            to[s * padded + token] = 0;
    }

    // c [rows, S] = a [rows, k] · b [k, S]. Where S is no multiple of sixteen b and c are laid out anew, in room for (k
    // + rows) of the next multiple.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Product<V>(
        float* a,
        int aRow,
        int aStep,
        float* b,
        int bStride,
        int rows,
        int k,
        float* c,
        int cStride,
        int S,
        float* room
    )
        where V : unmanaged, IVec<V>
    {
        var wide = RowScratch.Filled(S);
        if (wide == S)
        {
            Tile.Any<V>(a, aRow, aStep, b, bStride, rows, k, c, cStride, S);
            return;
        }
        for (var i = 0; i < k; i++)
        {
            new ReadOnlySpan<float>(b + (long)i * bStride, S).CopyTo(new Span<float>(room + i * wide, S));
            new Span<float>(room + i * wide + S, wide - S).Clear();
        }
        var made = room + k * wide;
        Tile.Any<V>(a, aRow, aStep, room, wide, rows, k, made, wide, wide);
        for (var row = 0; row < rows; row++)
            new ReadOnlySpan<float>(made + row * wide, S).CopyTo(new Span<float>(c + (long)row * cStride, S));
    }

    /// <summary>Where everything of one row and one head lies.</summary>
    private readonly ref struct One(float* q, float* k, float* v, float* mixed, int length, int queries)
    {
        public readonly float* Q = q,
            K = k,
            V = v,
            Mixed = mixed;
        public readonly int Length = length,
            Queries = queries;

        public int Padded => RowScratch.Filled(Length);
    }

    /// <summary>Tensors as pointers: states with their queries, and what was mixed of them.</summary>
    private sealed class Places
    {
        private readonly float* states,
            queries,
            mixed;
        private readonly int[] firsts;
        private readonly int width;

        public Places(Tensor states, Tensor? queries, Tensor mixed, int heads, int[] lengths)
        {
            (Heads, Lengths, width) = (heads, lengths, (int)mixed.shape[1]);
            this.states = (float*)TensorMemory.Address(states);
            this.mixed = (float*)TensorMemory.Address(mixed);
            this.queries = queries is null ? null : (float*)TensorMemory.Address(queries);
            firsts = new int[lengths.Length];
            for (var row = 1; row < lengths.Length; row++)
                firsts[row] = firsts[row - 1] + lengths[row - 1];
        }

        public int Heads { get; }

        public int[] Lengths { get; }

        public int HeadSize => width / Heads;

        public int Stride => (queries is null ? 3 : 2) * width;

        public int QueryStride => queries is null ? Stride : width;

        public int MixedStride => width;

        public One Of(int row, int head)
        {
            var at = head * HeadSize;
            var own = states + (long)firsts[row] * Stride;
            return queries is null
                ? new(
                    own + at,
                    own + width + at,
                    own + 2 * width + at,
                    mixed + (long)firsts[row] * width + at,
                    Lengths[row],
                    Lengths[row]
                )
                : new(
                    queries + (long)row * width + at,
                    own + at,
                    own + width + at,
                    mixed + (long)row * width + at,
                    Lengths[row],
                    1
                );
        }
    }
}
