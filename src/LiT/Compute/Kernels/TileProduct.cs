using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LiT.Compute.Kernels;

/// <summary>
/// Every pair of rows of two tiles whose product may reach a threshold. With AVX-VNNI in 8-bit integers, three rows against
/// four at a time, without writing the products anywhere; elsewhere plainly. What it finds is checked exactly afterwards.
/// </summary>
internal static unsafe class TileProduct
{
    private const int Lefts = 3,
        Rights = 4,
        LeftChunk = 48,
        RightPanel = 32;

    /// <summary>Whether this processor has the instruction.</summary>
    public static bool IsFast => AvxVnni.IsSupported;

    /// <summary>The candidates, in no particular order.</summary>
    /// <param name="left">Rows.</param>
    /// <param name="right">Rows to compare each with.</param>
    /// <param name="threshold">The cosine that a pair must have.</param>
    /// <param name="plain">Do without the instruction, for tests.</param>
    public static List<(int Left, int Right)> Candidates(
        RowTile left,
        RowTile right,
        double threshold,
        bool plain = false
    )
    {
        // |xy - x'y'| <= |x - x'||y| + |x'||y - y'|, with |x'| <= 1 + |x - x'|; and a little for single precision.
        var slack = left.WorstError + (1 + left.WorstError) * right.WorstError + 1e-5;
        var lowest = (float)(threshold - slack);
        var found = new List<(int, int)>();
        Parts.Run((left.Count + LeftChunk - 1) / LeftChunk, chunk =>
        {
            var own = new List<(int, int)>();
            var (from, to) = (chunk * LeftChunk, Math.Min(left.Count, (chunk + 1) * LeftChunk));
            if (IsFast && !plain)
                Fast(left, from, to, right, lowest, own);
            else
                Plain(left, from, to, right, lowest, own);
            if (own.Count > 0)
                lock (found)
                    found.AddRange(own);
        });
        return found;
    }

    private static void Plain(RowTile left, int from, int to, RowTile right, float lowest, List<(int, int)> found)
    {
        for (var i = from; i < to; i++)
        {
            var row = left.Values.AsSpan(i * left.Stride, left.Stride);
            for (var j = 0; j < right.Count; j++)
            {
                var product = 0;
                var other = right.Values.AsSpan(j * right.Stride, right.Stride);
                for (var k = 0; k < row.Length; k++)
                    product += row[k] * other[k];
                if (product * left.Scales[i] * right.Scales[j] >= lowest)
                    found.Add((i, j));
            }
        }
    }

    private static void Fast(RowTile left, int from, int to, RowTile right, float lowest, List<(int, int)> found)
    {
        var stride = left.Stride;
        // The instruction multiplies unsigned by signed: the left rows are raised by 128, and 128 x the right row's sum taken off again.
        var raised = GC.AllocateUninitializedArray<byte>((LeftChunk + Lefts) * stride);
        var lefts = to - from;
        for (var i = 0; i < raised.Length; i++)
            raised[i] = i < lefts * stride ? (byte)(left.Values[from * stride + i] + 128) : (byte)128;
        var results = stackalloc int[Lefts * Rights];
        fixed (byte* leftRows = raised)
        fixed (sbyte* rightRows = right.Values)
        fixed (float* scales = right.Scales)
        fixed (int* sums = right.Sums)
            for (var panel = 0; panel < right.Count; panel += RightPanel)
            for (var i = 0; i < lefts; i += Lefts)
            for (var j = panel; j < Math.Min(panel + RightPanel, right.Count); j += Rights)
            {
                ThreeByFour(leftRows + i * stride, rightRows + (long)j * stride, stride, results);
                var taken = Vector128.Load(sums + j) * 128;
                var rightScales = Vector128.Load(scales + j);
                for (var l = 0; l < Lefts && i + l < lefts; l++)
                {
                    var products =
                        Vector128.ConvertToSingle(Vector128.Load(results + l * Rights) - taken)
                        * rightScales
                        * left.Scales[from + i + l];
                    var near = Vector128
                        .GreaterThanOrEqual(products, Vector128.Create(lowest))
                        .ExtractMostSignificantBits();
                    for (; near != 0; near &= near - 1)
                        if (j + System.Numerics.BitOperations.TrailingZeroCount(near) is var r && r < right.Count)
                            found.Add((from + i + l, r));
                }
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThreeByFour(byte* left, sbyte* right, int stride, int* results)
    {
        Vector256<int> a0 = default,
            a1 = default,
            a2 = default,
            a3 = default;
        Vector256<int> b0 = default,
            b1 = default,
            b2 = default,
            b3 = default;
        Vector256<int> c0 = default,
            c1 = default,
            c2 = default,
            c3 = default;
        byte* leftB = left + stride,
            leftC = leftB + stride;
        sbyte* right1 = right + stride,
            right2 = right1 + stride,
            right3 = right2 + stride;
        for (var k = 0; k < stride; k += RowTile.Step)
        {
            var (a, b, c) = (Vector256.Load(left + k), Vector256.Load(leftB + k), Vector256.Load(leftC + k));
            var r = Vector256.Load(right + k);
            a0 = AvxVnni.MultiplyWideningAndAdd(a0, a, r);
            b0 = AvxVnni.MultiplyWideningAndAdd(b0, b, r);
            c0 = AvxVnni.MultiplyWideningAndAdd(c0, c, r);
            r = Vector256.Load(right1 + k);
            a1 = AvxVnni.MultiplyWideningAndAdd(a1, a, r);
            b1 = AvxVnni.MultiplyWideningAndAdd(b1, b, r);
            c1 = AvxVnni.MultiplyWideningAndAdd(c1, c, r);
            r = Vector256.Load(right2 + k);
            a2 = AvxVnni.MultiplyWideningAndAdd(a2, a, r);
            b2 = AvxVnni.MultiplyWideningAndAdd(b2, b, r);
            c2 = AvxVnni.MultiplyWideningAndAdd(c2, c, r);
            r = Vector256.Load(right3 + k);
            a3 = AvxVnni.MultiplyWideningAndAdd(a3, a, r);
            b3 = AvxVnni.MultiplyWideningAndAdd(b3, b, r);
            c3 = AvxVnni.MultiplyWideningAndAdd(c3, c, r);
        }
        Sums(a0, a1, a2, a3).Store(results);
        Sums(b0, b1, b2, b3).Store(results + Rights);
        Sums(c0, c1, c2, c3).Store(results + 2 * Rights);
    }

    /// <summary>The sums of four vectors' lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Sums(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d)
    {
        var pairs = Avx2.HorizontalAdd(Avx2.HorizontalAdd(a, b), Avx2.HorizontalAdd(c, d));
        return pairs.GetLower() + pairs.GetUpper();
    }
}
