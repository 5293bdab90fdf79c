using System.Buffers;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// What the losses do with a block of logits beside matrix products, in one or two passes over it: tensor operations
/// would take a dozen, and each of them writes the block to memory and reads it again. For float32 on the CPU. Work is
/// cut at fixed places, so that threads change no bit.
/// </summary>
internal static unsafe class FusedLogits
{
    private const int PieceRows = 64;

    /// <summary>
    /// Takes a block into the running maxima of rows and columns, notes where they stand (ties go to the first), and
    /// adds its exponentials to the running sums, which are brought to the new maxima.
    /// </summary>
    internal static void AddToSums(Tensor logits, long firstRow, long firstColumn, Margin row, Margin column)
    {
        Vectors.Run(new Sums(new(logits, firstRow, firstColumn, row, column)));
        KeepAlive(logits, row, column);
    }

    /// <summary>Replaces logits by the sum of their shares in their row and in their column.</summary>
    internal static void ToShares(Tensor logits, long firstRow, long firstColumn, Margin row, Margin column)
    {
        Vectors.Run(new Shares(new(logits, firstRow, firstColumn, row, column)));
        KeepAlive(logits, row, column);
    }

    /// <summary>
    /// Replaces logits by sigmoid(l + bias) and adds softplus(l + bias) of each row to its loss; gives the sum of all
    /// sigmoids. Notes the largest logits as <see cref="AddToSums"/> does.
    /// </summary>
    internal static double ToSigmoids(
        Tensor logits,
        float bias,
        long firstRow,
        long firstColumn,
        Margin row,
        Margin column,
        Tensor perPair
    )
    {
        Block block = new(logits, firstRow, firstColumn, row, column);
        var yes = new double[block.Pieces];
        Vectors.Run(new Sigmoids(block, bias, (double*)TensorMemory.Address(perPair) + firstRow, yes));
        KeepAlive(logits, row, column);
        GC.KeepAlive(perPair);
        return yes.Sum();
    }

    private static float* Floats(Tensor contiguous) => (float*)TensorMemory.Address(contiguous);

    private static void KeepAlive(Tensor logits, Margin row, Margin column)
    {
        GC.KeepAlive(logits);
        GC.KeepAlive(row);
        GC.KeepAlive(column);
    }

    /// <summary>A block of logits, [Rows, Columns], with what is known of its rows and of its columns.</summary>
    private sealed class Block(Tensor logits, long firstRow, long firstColumn, Margin row, Margin column)
    {
        private readonly float* logits = Floats(logits);

        public readonly long Rows = logits.shape[0],
            Columns = logits.shape[1],
            FirstRow = firstRow,
            FirstColumn = firstColumn;
        public readonly Pointers OfRow = row.From(firstRow),
            OfColumn = column.From(firstColumn);

        public int Pieces => (int)((Rows + PieceRows - 1) / PieceRows);

        public float* Row(long row) => logits + row * Columns;

        /// <summary>Does the pieces of fixed size, each told its number, where it begins and where it ends.</summary>
        public void InPieces(Action<int, long, long> work) =>
            Parts.For(Rows, PieceRows, (from, to) => work((int)(from / PieceRows), from, to));

        /// <summary>Notes the largest logit of row i, given the first place that has it.</summary>
        public void Note(long i, float most)
        {
            if (most <= OfRow.Maximum[i])
                return;
            var place = new ReadOnlySpan<float>(Row(i), (int)Columns).IndexOf(most);
            (OfRow.Maximum[i], OfRow.Best[i]) = (most, FirstColumn + Math.Max(0, place));
        }

        /// <summary>Notes the largest logits of columns, which pieces of rows have found.</summary>
        public void Note(Scratch largest, Scratch best)
        {
            for (var piece = 0; piece < Pieces; piece++)
            for (var j = 0; j < Columns; j++)
                if (largest.Numbers[piece * Columns + j] is var most && !(most <= OfColumn.Maximum[j]))
                    (OfColumn.Maximum[j], OfColumn.Best[j]) = (most, best.Numbers[piece * Columns + j]);
        }
    }

    private readonly struct Sums(Block block) : IKernel
    {
        private readonly Block block = block;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (block, columns) = (this.block, this.block.Columns);
            using Scratch largest = new(block.Pieces * columns),
                best = new(block.Pieces * columns),
                sums = new(block.Pieces * columns);
            var rowBefore = new ReadOnlySpan<float>(block.OfRow.Maximum, (int)block.Rows).ToArray();
            block.InPieces(
                (piece, from, to) =>
                {
                    fixed (
                        float* ownLargest = &largest.Numbers[piece * columns],
                            ownBest = &best.Numbers[piece * columns]
                    )
                    {
                        new Span<float>(ownLargest, (int)columns).Fill(float.NegativeInfinity);
                        for (var i = from; i < to; i++)
                            block.Note(i, Largest<V>(block.Row(i), columns, ownLargest, ownBest, block.FirstRow + i));
                    }
                }
            );
            var columnBefore = new ReadOnlySpan<float>(block.OfColumn.Maximum, (int)columns).ToArray();
            block.Note(largest, best);
            block.InPieces(
                (piece, from, to) =>
                {
                    fixed (float* own = &sums.Numbers[piece * columns])
                    {
                        new Span<float>(own, (int)columns).Clear();
                        for (var i = from; i < to; i++)
                        {
                            var most = block.OfRow.Maximum[i];
                            var sum = AddExponentials<V>(block.Row(i), columns, most, block.OfColumn.Maximum, own);
                            block.OfRow.Sum[i] = block.OfRow.Sum[i] * MathF.Exp(rowBefore[i] - most) + sum;
                        }
                    }
                }
            );
            for (var j = 0; j < columns; j++)
            {
                var sum = block.OfColumn.Sum[j] * MathF.Exp(columnBefore[j] - block.OfColumn.Maximum[j]);
                for (var piece = 0; piece < block.Pieces; piece++)
                    sum += sums.Numbers[piece * columns + j];
                block.OfColumn.Sum[j] = sum;
            }
        }
    }

    private readonly struct Shares(Block block) : IKernel
    {
        private readonly Block block = block;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var block = this.block;
            var inverse = new float[block.Columns];
            for (var j = 0; j < inverse.Length; j++)
                inverse[j] = 1 / block.OfColumn.Sum[j];
            block.InPieces(
                (_, from, to) =>
                {
                    fixed (float* ofColumns = inverse)
                        for (var i = from; i < to; i++)
                            RowShares<V>(
                                block.Row(i),
                                block.Columns,
                                block.OfRow.Maximum[i],
                                1 / block.OfRow.Sum[i],
                                block.OfColumn.Maximum,
                                ofColumns
                            );
                }
            );
        }
    }

    private readonly struct Sigmoids(Block block, float bias, double* losses, double[] yes) : IKernel
    {
        private readonly Block block = block;
        private readonly float bias = bias;
        private readonly double* losses = losses;
        private readonly double[] yes = yes;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (block, columns, bias, losses, yes) = (
                this.block,
                this.block.Columns,
                this.bias,
                (nint)this.losses,
                this.yes
            );
            using Scratch largest = new(block.Pieces * columns),
                best = new(block.Pieces * columns);
            block.InPieces(
                (piece, from, to) =>
                {
                    fixed (
                        float* ownLargest = &largest.Numbers[piece * columns],
                            ownBest = &best.Numbers[piece * columns]
                    )
                    {
                        new Span<float>(ownLargest, (int)columns).Fill(float.NegativeInfinity);
                        for (var i = from; i < to; i++)
                        {
                            block.Note(i, Largest<V>(block.Row(i), columns, ownLargest, ownBest, block.FirstRow + i));
                            var (softplus, sigmoids) = RowSigmoids<V>(block.Row(i), columns, bias);
                            ((double*)losses)[i] += softplus;
                            yes[piece] += sigmoids;
                        }
                    }
                }
            );
            block.Note(largest, best);
        }
    }

    /// <summary>A row's largest value; takes the row into the largest of each column on the way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Largest<V>(float* at, long columns, float* columnLargest, float* columnBest, float row)
        where V : unmanaged, IVec<V>
    {
        var (most, number, j) = (V.Create(float.NegativeInfinity), V.Create(row), 0L);
        var whole = Vectors.Whole<V>(columns);
        for (; j < whole; j += V.Count)
        {
            var (x, before) = (V.Load(at + j), V.Load(columnLargest + j));
            most = V.Max(most, x);
            V.Where(x, before, x, before).Store(columnLargest + j);
            V.Where(x, before, number, V.Load(columnBest + j)).Store(columnBest + j);
        }
        var largest = V.Largest(most);
        for (; j < columns; j++)
        {
            largest = at[j] > largest ? at[j] : largest;
            if (at[j] > columnLargest[j])
                (columnLargest[j], columnBest[j]) = (at[j], row);
        }
        return largest;
    }

    /// <summary>
    /// Sum of exp(l - the row's maximum) over a row; exp(l - a column's maximum) is added to the column's sum.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float AddExponentials<V>(
        float* at,
        long columns,
        float rowMaximum,
        float* columnMaximum,
        float* columnSum
    )
        where V : unmanaged, IVec<V>
    {
        var (most, j) = (V.Create(rowMaximum), 0L);
        V s0 = V.Create(0),
            s1 = s0,
            s2 = s0,
            s3 = s0;
        var whole = Vectors.Whole(columns);
        for (; j < whole; j += Vectors.Lanes)
        {
            s0 += Exponentials(at + j, most, columnMaximum + j, columnSum + j);
            if (V.Count <= 8)
                s1 += Exponentials(at + j + V.Count, most, columnMaximum + j + V.Count, columnSum + j + V.Count);
            if (V.Count > 4)
                continue;
            s2 += Exponentials(
                at + j + 2 * V.Count,
                most,
                columnMaximum + j + 2 * V.Count,
                columnSum + j + 2 * V.Count
            );
            s3 += Exponentials(
                at + j + 3 * V.Count,
                most,
                columnMaximum + j + 3 * V.Count,
                columnSum + j + 3 * V.Count
            );
        }
        var sum = V.Sum(s0, s1, s2, s3);
        if (j == columns)
            return sum;
        var last = stackalloc float[3 * Vectors.Lanes];
        var left = (int)(columns - j);
        Tail(at + j, left, float.NegativeInfinity, last);
        Tail(columnMaximum + j, left, 0, last + Vectors.Lanes);
        Tail(columnSum + j, left, 0, last + 2 * Vectors.Lanes);
        sum += AddExponentials<V>(last, Vectors.Lanes, rowMaximum, last + Vectors.Lanes, last + 2 * Vectors.Lanes);
        new ReadOnlySpan<float>(last + 2 * Vectors.Lanes, left).CopyTo(new Span<float>(columnSum + j, left));
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Exponentials<V>(float* at, V rowMaximum, float* columnMaximum, float* columnSum)
        where V : unmanaged, IVec<V>
    {
        var x = V.Load(at);
        (V.Load(columnSum) + Vectors.Exp(x - V.Load(columnMaximum))).Store(columnSum);
        return Vectors.Exp(x - rowMaximum);
    }

    /// <summary>A row's logits become their shares of the row plus their shares of the columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RowShares<V>(
        float* at,
        long columns,
        float rowMaximum,
        float rowShare,
        float* columnMaximum,
        float* columnShare
    )
        where V : unmanaged, IVec<V>
    {
        var (most, share, j) = (V.Create(rowMaximum), V.Create(rowShare), 0L);
        var whole = Vectors.Whole<V>(columns);
        for (; j < whole; j += V.Count)
        {
            var x = V.Load(at + j);
            var ofColumn = Vectors.Exp(x - V.Load(columnMaximum + j)) * V.Load(columnShare + j);
            (Vectors.Exp(x - most) * share + ofColumn).Store(at + j);
        }
        if (j == columns)
            return;
        var last = stackalloc float[3 * Vectors.Lanes];
        var left = (int)(columns - j);
        Tail(at + j, left, float.NegativeInfinity, last);
        Tail(columnMaximum + j, left, 0, last + Vectors.Lanes);
        Tail(columnShare + j, left, 0, last + 2 * Vectors.Lanes);
        RowShares<V>(last, Vectors.Lanes, rowMaximum, rowShare, last + Vectors.Lanes, last + 2 * Vectors.Lanes);
        new ReadOnlySpan<float>(last, left).CopyTo(new Span<float>(at + j, left));
    }

    /// <summary>A row's logits become sigmoids; the sums of softplus and of sigmoids are given back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (double Softplus, double Sigmoids) RowSigmoids<V>(float* at, long columns, float bias)
        where V : unmanaged, IVec<V>
    {
        var (plus, j) = (V.Create(bias), 0L);
        V p0 = V.Create(0),
            p1 = p0,
            p2 = p0,
            p3 = p0,
            y0 = p0,
            y1 = p0,
            y2 = p0,
            y3 = p0;
        var whole = Vectors.Whole(columns);
        for (; j < whole; j += Vectors.Lanes)
        {
            var (sigmoid, softplus) = Sigmoid(V.Load(at + j) + plus);
            sigmoid.Store(at + j);
            (p0, y0) = (p0 + softplus, y0 + sigmoid);
            if (V.Count <= 8)
            {
                (sigmoid, softplus) = Sigmoid(V.Load(at + j + V.Count) + plus);
                sigmoid.Store(at + j + V.Count);
                (p1, y1) = (p1 + softplus, y1 + sigmoid);
            }
            if (V.Count > 4)
                continue;
            (sigmoid, softplus) = Sigmoid(V.Load(at + j + 2 * V.Count) + plus);
            sigmoid.Store(at + j + 2 * V.Count);
            (p2, y2) = (p2 + softplus, y2 + sigmoid);
            (sigmoid, softplus) = Sigmoid(V.Load(at + j + 3 * V.Count) + plus);
            sigmoid.Store(at + j + 3 * V.Count);
            (p3, y3) = (p3 + softplus, y3 + sigmoid);
        }
        var sums = ((double)V.Sum(p0, p1, p2, p3), (double)V.Sum(y0, y1, y2, y3));
        if (j == columns)
            return sums;
        var last = stackalloc float[Vectors.Lanes];
        var left = (int)(columns - j);
        Tail(at + j, left, float.NegativeInfinity, last);
        var (ofSoftplus, ofSigmoids) = RowSigmoids<V>(last, Vectors.Lanes, bias);
        new ReadOnlySpan<float>(last, left).CopyTo(new Span<float>(at + j, left));
        return (sums.Item1 + ofSoftplus, sums.Item2 + ofSigmoids);
    }

    /// <summary>sigmoid(x) and softplus(x) = log(1 + e^x), of one exponential.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (V Sigmoid, V Softplus) Sigmoid<V>(V x)
        where V : unmanaged, IVec<V>
    {
        var (one, zero) = (V.Create(1), V.Create(0));
        var e = Vectors.Exp(zero - V.Abs(x));
        var large = one / (one + e);
        // log(1 + e) = 2 artanh(s) with s = e / (2 + e) ≤ 1/3.
        var s = e / (e + V.Create(2));
        var square = s * s;
        var p = V.Create(2f / 15);
        p = V.Fma(p, square, V.Create(2f / 13));
        p = V.Fma(p, square, V.Create(2f / 11));
        p = V.Fma(p, square, V.Create(2f / 9));
        p = V.Fma(p, square, V.Create(2f / 7));
        p = V.Fma(p, square, V.Create(2f / 5));
        p = V.Fma(p, square, V.Create(2f / 3));
        p = V.Fma(p, square, V.Create(2));
        return (V.Where(zero, x, e * large, large), V.Max(zero, x) + p * s);
    }

    /// <summary>The last numbers, fewer than sixteen, filled up to sixteen.</summary>
    private static void Tail(float* from, int left, float filling, float* to)
    {
        new Span<float>(to, Vectors.Lanes).Fill(filling);
        new ReadOnlySpan<float>(from, left).CopyTo(new Span<float>(to, left));
    }

    /// <summary>Room for numbers that outlives no block; what it holds at first is anything.</summary>
    private readonly struct Scratch(long count) : IDisposable
    {
        public float[] Numbers { get; } = ArrayPool<float>.Shared.Rent((int)count);

        public void Dispose() => ArrayPool<float>.Shared.Return(Numbers);
    }

    /// <summary>What is known of every row, or of every column, of the logits: contiguous tensors, [B].</summary>
    internal sealed record Margin(Tensor Maximum, Tensor Best, Tensor Sum)
    {
        internal Pointers From(long first) => new(Floats(Maximum) + first, Floats(Best) + first, Floats(Sum) + first);
    }

    internal readonly struct Pointers(float* maximum, float* best, float* sum)
    {
        internal float* Maximum { get; } = maximum;

        internal float* Best { get; } = best;

        internal float* Sum { get; } = sum;
    }
}
