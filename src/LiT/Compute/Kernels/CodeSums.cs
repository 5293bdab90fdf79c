using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace LiT.Compute.Kernels;

/// <summary>
/// Exact sums of products of rows of bytes, as they lie in a file of codes, with queries of 16-bit numbers. Integers:
/// the width
/// of the vectors changes nothing.
/// </summary>
internal static unsafe class CodeSums
{
    /// <summary>Rows and queries are filled up with zeros to a multiple of so many numbers.</summary>
    public const int Step = 64;

    // So many rows stay in the processor's first cache while the queries pass.
    private const int RowsAtOnce = 16;

    // So many bytes are on their way at once.
    private const int FetchedAhead = 1024;

    /// <param name="codes">Rows of <paramref name="width"/> bytes.</param>
    /// <param name="width">Numbers in a row and in a query, a multiple of <see cref="Step"/>.</param>
    /// <param name="rows">Which rows; null takes them one after the other from the first.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="queries">Queries one after the other. The sum of a query's magnitudes times 127 is below
    /// 2^31.</param>
    /// <param name="queryCount">How many queries.</param>
    /// <param name="sums">[queries, count].</param>
    public static void Of(sbyte* codes, int width, int* rows, int count, short* queries, int queryCount, int* sums) =>
        Words.RunPairs(new Summing(codes, width, rows, count, queries, queryCount, sums));

    private readonly struct Summing(
        sbyte* codes,
        int width,
        int* rows,
        int count,
        short* queries,
        int queryCount,
        int* sums
    ) : IPairKernel
    {
        private readonly sbyte* codes = codes;
        private readonly int* rows = rows,
            sums = sums;
        private readonly short* queries = queries;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<W>()
            where W : unmanaged, IPairs<W>
        {
            for (var first = 0; first < count; first += RowsAtOnce)
            {
                var end = Math.Min(count, first + RowsAtOnce);
                var query = 0;
                for (; query + 4 <= queryCount; query += 4)
                    if (W.Registers >= 32)
                        for (var row = first; row < end; row += 4)
                            FourByFour<W>(row, query);
                    else
                        for (var row = first; row < end; row += 2)
                            TwoByFour<W>(row, query);
                for (; query < queryCount; query++)
                for (var row = first; row < end; row++)
                {
                    Fetch(row);
                    OneByOne<W>(row, query);
                }
            }
        }

        // Of rows here and there the processor does not see the next ones coming.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Fetch(int row)
        {
            if (rows == null || !Sse.IsSupported)
                return;
            var next = Row(row + 1 + FetchedAhead / width);
            for (var k = 0; k < width; k += Step)
                Sse.Prefetch0(next + k);
        }

        /// <summary>A row's bytes; behind the last one, those of the last one once more.</summary>
        private sbyte* Row(int row)
        {
            row = Math.Min(row, count - 1);
            return codes + (long)(rows == null ? row : rows[row]) * width;
        }

        private void Put(int row, int query, int sum)
        {
            if (row < count)
                sums[(long)query * count + row] = sum;
        }

        // One row after the other: the processor fetches a single stream ahead, and this way is as fast as memory.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void OneByOne<W>(int row, int query)
            where W : unmanaged, IPairs<W>
        {
            var a = Row(row);
            var q = queries + (long)query * width;
            W first = default,
                second = default;
            for (var k = 0; k < width; k += 4 * W.Columns)
            {
                first = W.MultiplyAdd(first, W.LoadPairs(a + k), W.LoadPairs(q + k));
                second = W.MultiplyAdd(second, W.LoadPairs(a + k + 2 * W.Columns), W.LoadPairs(q + k + 2 * W.Columns));
            }
            sums[(long)query * count + row] = W.Sum(first) + W.Sum(second);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void TwoByFour<W>(int row, int query)
            where W : unmanaged, IPairs<W>
        {
            sbyte* a = Row(row),
                b = Row(row + 1);
            var q = queries + (long)query * width;
            W a0 = default,
                a1 = default,
                a2 = default,
                a3 = default,
                b0 = default,
                b1 = default,
                b2 = default,
                b3 = default;
            for (var k = 0; k < width; k += 2 * W.Columns)
            {
                W left = W.LoadPairs(a + k),
                    right = W.LoadPairs(b + k),
                    with = W.LoadPairs(q + k);
                a0 = W.MultiplyAdd(a0, left, with);
                b0 = W.MultiplyAdd(b0, right, with);
                with = W.LoadPairs(q + width + k);
                a1 = W.MultiplyAdd(a1, left, with);
                b1 = W.MultiplyAdd(b1, right, with);
                with = W.LoadPairs(q + 2 * width + k);
                a2 = W.MultiplyAdd(a2, left, with);
                b2 = W.MultiplyAdd(b2, right, with);
                with = W.LoadPairs(q + 3 * width + k);
                a3 = W.MultiplyAdd(a3, left, with);
                b3 = W.MultiplyAdd(b3, right, with);
            }
            PutFour(row, query, a0, a1, a2, a3);
            PutFour(row + 1, query, b0, b1, b2, b3);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void FourByFour<W>(int row, int query)
            where W : unmanaged, IPairs<W>
        {
            sbyte* a = Row(row),
                b = Row(row + 1),
                c = Row(row + 2),
                d = Row(row + 3);
            short* q = queries + (long)query * width,
                r = q + width,
                s = r + width,
                t = s + width;
            W a0 = default,
                a1 = default,
                a2 = default,
                a3 = default,
                b0 = default,
                b1 = default,
                b2 = default,
                b3 = default;
            W c0 = default,
                c1 = default,
                c2 = default,
                c3 = default,
                d0 = default,
                d1 = default,
                d2 = default,
                d3 = default;
            for (var k = 0; k < width; k += 2 * W.Columns)
            {
                W q0 = W.LoadPairs(q + k),
                    q1 = W.LoadPairs(r + k),
                    q2 = W.LoadPairs(s + k),
                    q3 = W.LoadPairs(t + k);
                var one = W.LoadPairs(a + k);
                a0 = W.MultiplyAdd(a0, one, q0);
                a1 = W.MultiplyAdd(a1, one, q1);
                a2 = W.MultiplyAdd(a2, one, q2);
                a3 = W.MultiplyAdd(a3, one, q3);
                one = W.LoadPairs(b + k);
                b0 = W.MultiplyAdd(b0, one, q0);
                b1 = W.MultiplyAdd(b1, one, q1);
                b2 = W.MultiplyAdd(b2, one, q2);
                b3 = W.MultiplyAdd(b3, one, q3);
                one = W.LoadPairs(c + k);
                c0 = W.MultiplyAdd(c0, one, q0);
                c1 = W.MultiplyAdd(c1, one, q1);
                c2 = W.MultiplyAdd(c2, one, q2);
                c3 = W.MultiplyAdd(c3, one, q3);
                one = W.LoadPairs(d + k);
                d0 = W.MultiplyAdd(d0, one, q0);
                d1 = W.MultiplyAdd(d1, one, q1);
                d2 = W.MultiplyAdd(d2, one, q2);
                d3 = W.MultiplyAdd(d3, one, q3);
            }
            PutFour(row, query, a0, a1, a2, a3);
            PutFour(row + 1, query, b0, b1, b2, b3);
            PutFour(row + 2, query, c0, c1, c2, c3);
            PutFour(row + 3, query, d0, d1, d2, d3);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void PutFour<W>(int row, int query, W first, W second, W third, W fourth)
            where W : unmanaged, IPairs<W>
        {
            Put(row, query, W.Sum(first));
            Put(row, query + 1, W.Sum(second));
            Put(row, query + 2, W.Sum(third));
            Put(row, query + 3, W.Sum(fourth));
        }
    }
}
