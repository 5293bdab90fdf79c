using System.Runtime.CompilerServices;

namespace LiT.Compute.Kernels;

/// <summary>
/// Every pair of rows of two tiles whose product may reach a threshold, in 8-bit integers, three rows against four at a
/// time, without writing the products anywhere. What it finds is checked exactly afterwards.
/// </summary>
internal static unsafe class TileProduct
{
    private const int Lefts = 3,
        Rights = 4,
        LeftChunk = 48,
        RightPanel = 32;

    /// <summary>The candidates, in no particular order.</summary>
    /// <param name="left">Rows.</param>
    /// <param name="right">Rows to compare each with.</param>
    /// <param name="threshold">The cosine that a pair must have.</param>
    public static List<(int Left, int Right)> Candidates(RowTile left, RowTile right, double threshold)
    {
        // |xy - x'y'| <= |x - x'||y| + |x'||y - y'|, with |x'| <= 1 + |x - x'|; and a little for single precision.
        var slack = left.WorstError + (1 + left.WorstError) * right.WorstError + 1e-5;
        var found = new List<(int, int)>();
        Words.Run(new Chunks(left, right, (float)(threshold - slack), found));
        return found;
    }

    private readonly struct Chunks(RowTile left, RowTile right, float lowest, List<(int, int)> found) : IByteKernel
    {
        public void Run<W>()
            where W : unmanaged, IWords<W>
        {
            var (l, r, least, all) = (left, right, lowest, found);
            Parts.For(l.Count, LeftChunk, (from, to) =>
            {
                var own = new List<(int, int)>();
                Chunk<W>(l, (int)from, (int)to, r, least, own);
                if (own.Count > 0)
                    lock (all)
                        all.AddRange(own);
            });
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Chunk<W>(RowTile left, int from, int to, RowTile right, float lowest, List<(int, int)> found)
        where W : unmanaged, IWords<W>
    {
        var products = stackalloc int[Lefts * Rights];
        fixed (
            sbyte* leftRows = left.Values,
                rightRows = right.Values
        )
            for (var panel = 0; panel < right.Count; panel += RightPanel)
            for (var i = from; i < to; i += Lefts)
            for (var j = panel; j < Math.Min(panel + RightPanel, right.Count); j += Rights)
            {
                ThreeByFour<W>(
                    leftRows + (long)i * left.Stride,
                    rightRows + (long)j * left.Stride,
                    left.Stride,
                    products
                );
                for (var l = 0; l < Lefts && i + l < to; l++)
                for (var r = 0; r < Rights && j + r < right.Count; r++)
                {
                    var product = products[l * Rights + r] - W.Raised * right.Sums[j + r];
                    if (product * right.Scales[j + r] * left.Scales[i + l] >= lowest)
                        found.Add((i + l, j + r));
                }
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThreeByFour<W>(sbyte* left, sbyte* right, int stride, int* products)
        where W : unmanaged, IWords<W>
    {
        W a0 = default,
            a1 = default,
            a2 = default,
            a3 = default,
            b0 = default,
            b1 = default,
            b2 = default,
            b3 = default,
            c0 = default,
            c1 = default,
            c2 = default,
            c3 = default;
        sbyte* leftB = left + stride,
            leftC = leftB + stride,
            right1 = right + stride,
            right2 = right1 + stride,
            right3 = right2 + stride;
        for (var k = 0; k < stride; k += W.Step)
        {
            var (a, b, c) = (W.LoadLeft(left + k), W.LoadLeft(leftB + k), W.LoadLeft(leftC + k));
            var r = W.LoadRight(right + k);
            a0 = W.MultiplyAdd(a0, a, r);
            b0 = W.MultiplyAdd(b0, b, r);
            c0 = W.MultiplyAdd(c0, c, r);
            r = W.LoadRight(right1 + k);
            a1 = W.MultiplyAdd(a1, a, r);
            b1 = W.MultiplyAdd(b1, b, r);
            c1 = W.MultiplyAdd(c1, c, r);
            r = W.LoadRight(right2 + k);
            a2 = W.MultiplyAdd(a2, a, r);
            b2 = W.MultiplyAdd(b2, b, r);
            c2 = W.MultiplyAdd(c2, c, r);
            r = W.LoadRight(right3 + k);
            a3 = W.MultiplyAdd(a3, a, r);
            b3 = W.MultiplyAdd(b3, b, r);
            c3 = W.MultiplyAdd(c3, c, r);
        }
        Sums(a0, a1, a2, a3, products);
        Sums(b0, b1, b2, b3, products + Rights);
        Sums(c0, c1, c2, c3, products + 2 * Rights);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sums<W>(W a, W b, W c, W d, int* to)
        where W : unmanaged, IWords<W> => (to[0], to[1], to[2], to[3]) = (W.Sum(a), W.Sum(b), W.Sum(c), W.Sum(d));
}
