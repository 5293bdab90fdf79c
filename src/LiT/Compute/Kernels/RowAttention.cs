using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

// Shapes: B rows of text, T tokens of all rows end to end, L tokens of one row, N queries of it (L or 1), H heads, S numbers a
// head, D = H · S.

/// <summary>
/// softmax(q · kᵀ / sqrt S) · v inside each of many short rows that lie end to end, with its gradients. libtorch's attention is made
/// for long rows: on captions of a dozen tokens it takes ten times as long.
/// </summary>
internal sealed unsafe class RowAttention : autograd.SingleTensorFunction<RowAttention>
{
    private const int Lanes = 16,
        Longest = 128;

    [ThreadStatic]
    private static float[]? scratch;

    public override string Name => nameof(RowAttention);

    /// <summary>Whether these states can be attended to here.</summary>
    /// <param name="states">Keys and values, and queries where they are not apart.</param>
    /// <param name="headSize">S.</param>
    /// <param name="lengths">L of every row, or null where it is not known.</param>
    public static bool Takes(Tensor states, long headSize, int[]? lengths) =>
        lengths is not null
        && Simd.IsAvailable
        && !Autocast.IsOn
        && headSize % Lanes == 0
        && states.dtype == ScalarType.Float32
        && states.device_type == TorchSharp.DeviceType.CPU
        && lengths.Max() <= Longest;

    /// <param name="states">Queries, keys and values side by side, [T, 3 D]; keys and values alone, [T, 2 D], where queries are apart.</param>
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
            Parts.Run(at.Lengths.Length, row =>
            {
                for (var head = 0; head < at.Heads; head++)
                    Backward(at, to, row, head);
            });
            foreach (var tensor in new[] { states, queries, gradient, dstates, dqueries })
                GC.KeepAlive(tensor);
            return [dstates, dqueries, null, null];
        });

    private static Tensor Forward(Tensor states, Tensor? queries, int heads, int[] lengths)
    {
        var mixed = empty(queries?.shape[0] ?? states.shape[0], queries?.shape[1] ?? states.shape[1] / 3);
        Places at = new(states, queries, mixed, heads, lengths);
        Parts.Run(lengths.Length, row =>
        {
            for (var head = 0; head < heads; head++)
                Forward(at, row, head);
        });
        foreach (var tensor in new[] { states, queries, mixed })
            GC.KeepAlive(tensor);
        return mixed;
    }

    private static void Forward(Places at, int row, int head)
    {
        var one = at.Of(row, head);
        var (L, N, S, padded) = (one.Length, one.Queries, at.HeadSize, one.Padded);
        var keys = Scratch(S * padded + N * padded);
        var shares = keys + S * padded;
        Shares(one, at, keys, shares);
        Product(shares, padded, 1, one.V, at.Stride, N, L, one.Mixed, at.MixedStride, S);
    }

    private static void Backward(Places at, Places to, int row, int head)
    {
        var one = at.Of(row, head);
        var d = to.Of(row, head);
        var (L, N, S, padded) = (one.Length, one.Queries, at.HeadSize, one.Padded);
        var keys = Scratch(S * padded + 2 * N * padded);
        float* shares = keys + S * padded,
            slopes = shares + N * padded;
        Shares(one, at, keys, shares);
        Product(shares, 1, padded, one.Mixed, at.MixedStride, L, N, d.V, at.Stride, S); // dV = Pᵀ · dO
        Transpose(one.V, at.Stride, L, S, keys, padded);
        Product(one.Mixed, at.MixedStride, 1, keys, padded, N, S, slopes, padded, padded); // dP = dO · Vᵀ
        var scale = Vector512.Create((float)(1 / Math.Sqrt(S)));
        for (var i = 0; i < N; i++)
        {
            float* p = shares + i * padded,
                dp = slopes + i * padded;
            var sum = Vector512<float>.Zero;
            for (var j = 0; j < padded; j += Lanes)
                sum = Vector512.FusedMultiplyAdd(Vector512.Load(p + j), Vector512.Load(dp + j), sum);
            var mean = Vector512.Create(Vector512.Sum(sum));
            for (var j = 0; j < padded; j += Lanes)
                Vector512.Store(Vector512.Load(p + j) * (Vector512.Load(dp + j) - mean) * scale, dp + j);
        }
        Product(slopes, padded, 1, one.K, at.Stride, N, L, d.Q, at.QueryStride, S); // dQ = dS · K
        Product(slopes, 1, padded, one.Q, at.QueryStride, L, N, d.K, at.Stride, S); // dK = dSᵀ · Q
    }

    // The softmax of every query's scores, [N, padded]; zero behind L. keys is room for S · padded.
    private static void Shares(One one, Places at, float* keys, float* shares)
    {
        var (L, N, S, padded) = (one.Length, one.Queries, at.HeadSize, one.Padded);
        Transpose(one.K, at.Stride, L, S, keys, padded);
        Product(one.Q, at.QueryStride, 1, keys, padded, N, S, shares, padded, padded);
        var scale = (float)(1.44269504088896340736 / Math.Sqrt(S));
        for (var i = 0; i < N; i++)
        {
            var p = shares + i * padded;
            var part = Vector512.Create(1 / Attention.Exponentials(p, L, padded, scale));
            for (var j = 0; j < padded; j += Lanes)
                Vector512.Store(Vector512.Load(p + j) * part, p + j);
        }
    }

    // [L, S] with a token every stride numbers → [S, padded], zero behind L.
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

    // c [rows, n] = a [rows, k] · b [k, n]; an element of a lies aRow · row + aStep · step further on. n is a multiple of sixteen.
    private static void Product(
        float* a,
        int aRow,
        int aStep,
        float* b,
        int bStride,
        int rows,
        int k,
        float* c,
        int cStride,
        int n
    )
    {
        var row = 0;
        for (; row + 4 <= rows; row += 4)
        for (var column = 0; column < n; column += Lanes)
            Four(a + (long)row * aRow, aRow, aStep, b + column, bStride, k, c + (long)row * cStride + column, cStride);
        for (; row < rows; row++)
        for (var column = 0; column < n; column += Lanes)
        {
            float* left = a + (long)row * aRow,
                right = b + column;
            var sum = Vector512<float>.Zero;
            for (var i = 0; i < k; i++, left += aStep, right += bStride)
                sum = Vector512.FusedMultiplyAdd(Vector512.Create(*left), Vector512.Load(right), sum);
            Vector512.Store(sum, c + (long)row * cStride + column);
        }
    }

    private static void Four(float* a, int aRow, int aStep, float* b, int bStride, int k, float* c, int cStride)
    {
        Vector512<float> c0 = default,
            c1 = default,
            c2 = default,
            c3 = default;
        for (var i = 0; i < k; i++, a += aStep, b += bStride)
        {
            var b0 = Vector512.Load(b);
            c0 = Vector512.FusedMultiplyAdd(Vector512.Create(a[0]), b0, c0);
            c1 = Vector512.FusedMultiplyAdd(Vector512.Create(a[aRow]), b0, c1);
            c2 = Vector512.FusedMultiplyAdd(Vector512.Create(a[2 * aRow]), b0, c2);
            c3 = Vector512.FusedMultiplyAdd(Vector512.Create(a[3 * aRow]), b0, c3);
        }
        Vector512.Store(c0, c);
        Vector512.Store(c1, c + cStride);
        Vector512.Store(c2, c + 2 * cStride);
        Vector512.Store(c3, c + 3 * cStride);
    }

    private static float* Scratch(int needed)
    {
        if (scratch is null || scratch.Length < needed + Lanes)
            scratch = GC.AllocateUninitializedArray<float>(Math.Max(1 << 15, needed + Lanes), pinned: true);
        return (float*)(((nint)Unsafe.AsPointer(ref scratch[0]) + 63) & ~63);
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

        public int Padded => (Length + Lanes - 1) / Lanes * Lanes;
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
