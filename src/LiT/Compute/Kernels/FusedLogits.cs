using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// What the losses do with a block of logits beside matrix products, in one or two passes over it: tensor operations would
/// take a dozen, and each of them writes the block to memory and reads it again. For float32 on the CPU. Work is cut at
/// fixed places, so that threads change no bit.
/// </summary>
internal static unsafe class FusedLogits
{
    private const int Lanes = 16,
        PieceRows = 64;

    internal static bool Fits(Tensor embeddings) =>
        embeddings.device_type == TorchSharp.DeviceType.CPU && embeddings.dtype == ScalarType.Float32;

    /// <summary>
    /// Takes a block into the running maxima of rows and columns, notes where they stand (ties go to the first), and adds its
    /// exponentials to the running sums, which are brought to the new maxima.
    /// </summary>
    internal static void AddToSums(Tensor logits, long firstRow, long firstColumn, Margin row, Margin column)
    {
        var (rows, columns) = (logits.shape[0], logits.shape[1]);
        var pieces = (int)((rows + PieceRows - 1) / PieceRows);
        float* l = Floats(logits);
        var (ofRow, ofColumn) = (row.From(firstRow), column.From(firstColumn));
        using Scratch largest = new(pieces * columns),
            best = new(pieces * columns),
            sums = new(pieces * columns);
        var rowBefore = new float[rows];
        InPieces(rows, (piece, from, to) =>
        {
            fixed (
                float* ownLargest = &largest.Numbers[piece * columns],
                    ownBest = &best.Numbers[piece * columns]
            )
            {
                new Span<float>(ownLargest, (int)columns).Fill(float.NegativeInfinity);
                for (var i = from; i < to; i++)
                {
                    var most = Largest(l + i * columns, columns, ownLargest, ownBest, firstRow + i);
                    rowBefore[i] = ofRow.Maximum[i];
                    if (most <= ofRow.Maximum[i])
                        continue;
                    ofRow.Best[i] =
                        firstColumn + Math.Max(0, new ReadOnlySpan<float>(l + i * columns, (int)columns).IndexOf(most));
                    ofRow.Maximum[i] = most;
                }
            }
        });
        var columnBefore = new ReadOnlySpan<float>(ofColumn.Maximum, (int)columns).ToArray();
        for (var piece = 0; piece < pieces; piece++)
        for (var j = 0; j < columns; j++)
            if (largest.Numbers[piece * columns + j] is var most && !(most <= ofColumn.Maximum[j]))
                (ofColumn.Maximum[j], ofColumn.Best[j]) = (most, best.Numbers[piece * columns + j]);
        InPieces(rows, (piece, from, to) =>
        {
            fixed (float* own = &sums.Numbers[piece * columns])
            {
                new Span<float>(own, (int)columns).Clear();
                for (var i = from; i < to; i++)
                {
                    var sum = AddExponentials(l + i * columns, columns, ofRow.Maximum[i], ofColumn.Maximum, own);
                    ofRow.Sum[i] = ofRow.Sum[i] * MathF.Exp(rowBefore[i] - ofRow.Maximum[i]) + sum;
                }
            }
        });
        for (var j = 0; j < columns; j++)
        {
            var sum = ofColumn.Sum[j] * MathF.Exp(columnBefore[j] - ofColumn.Maximum[j]);
            for (var piece = 0; piece < pieces; piece++)
                sum += sums.Numbers[piece * columns + j];
            ofColumn.Sum[j] = sum;
        }
        KeepAlive(logits, row, column);
    }

    /// <summary>Replaces logits by the sum of their shares in their row and in their column.</summary>
    internal static void ToShares(Tensor logits, long firstRow, long firstColumn, Margin row, Margin column)
    {
        var (rows, columns) = (logits.shape[0], logits.shape[1]);
        float* l = Floats(logits);
        var (ofRow, ofColumn) = (row.From(firstRow), column.From(firstColumn));
        var inverse = new float[columns + Lanes];
        for (var j = 0; j < columns; j++)
            inverse[j] = 1 / ofColumn.Sum[j];
        InPieces(rows, (_, from, to) =>
        {
            fixed (float* ofColumns = inverse)
                for (var i = from; i < to; i++)
                {
                    var at = l + i * columns;
                    var (most, share) = (ofRow.Maximum[i], 1 / ofRow.Sum[i]);
                    for (var j = 0L; j < columns; j += Lanes)
                    {
                        var x = Load(at + j, columns - j);
                        var shares =
                            Exp(x - Vector512.Create(most)) * share
                            + Exp(x - Load(ofColumn.Maximum + j, columns - j)) * Load(ofColumns + j, Lanes);
                        Store(at + j, shares, columns - j);
                    }
                }
        });
        KeepAlive(logits, row, column);
    }

    /// <summary>
    /// Replaces logits by sigmoid(l + bias) and adds softplus(l + bias) of each row to its loss; gives the sum of all sigmoids.
    /// Notes the largest logits as <see cref="AddToSums"/> does.
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
        var (rows, columns) = (logits.shape[0], logits.shape[1]);
        var pieces = (int)((rows + PieceRows - 1) / PieceRows);
        float* l = Floats(logits);
        var losses = (double*)TensorMemory.Address(perPair) + firstRow;
        var (ofRow, ofColumn) = (row.From(firstRow), column.From(firstColumn));
        using Scratch largest = new(pieces * columns),
            best = new(pieces * columns);
        var yes = new double[pieces];
        InPieces(rows, (piece, from, to) =>
        {
            fixed (
                float* ownLargest = &largest.Numbers[piece * columns],
                    ownBest = &best.Numbers[piece * columns]
            )
            {
                new Span<float>(ownLargest, (int)columns).Fill(float.NegativeInfinity);
                for (var i = from; i < to; i++)
                {
                    var at = l + i * columns;
                    var most = Largest(at, columns, ownLargest, ownBest, firstRow + i);
                    if (most > ofRow.Maximum[i])
                        (ofRow.Maximum[i], ofRow.Best[i]) = (
                            most,
                            firstColumn + new ReadOnlySpan<float>(at, (int)columns).IndexOf(most)
                        );
                    var (softplus, sigmoids) = (Vector512<float>.Zero, Vector512<float>.Zero);
                    for (var j = 0L; j < columns; j += Lanes)
                    {
                        var left = columns - j;
                        var x = Load(at + j, left) + Vector512.Create(bias);
                        var (sigmoid, plus) = Sigmoid(x);
                        if (left < Lanes)
                            (sigmoid, plus) = (First(sigmoid, left), First(plus, left));
                        Store(at + j, sigmoid, left);
                        softplus += plus;
                        sigmoids += sigmoid;
                    }
                    losses[i] += Vector512.Sum(softplus);
                    yes[piece] += Vector512.Sum(sigmoids);
                }
            }
        });
        for (var piece = 0; piece < pieces; piece++)
        for (var j = 0; j < columns; j++)
            if (largest.Numbers[piece * columns + j] is var most && most > ofColumn.Maximum[j])
                (ofColumn.Maximum[j], ofColumn.Best[j]) = (most, best.Numbers[piece * columns + j]);
        KeepAlive(logits, row, column);
        GC.KeepAlive(perPair);
        return yes.Sum();
    }

    /// <summary>A row's largest value; takes the row into the largest of each column on the way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest(float* at, long columns, float* columnLargest, float* columnBest, float row)
    {
        var (most, number) = (Vector512.Create(float.NegativeInfinity), Vector512.Create(row));
        var j = 0L;
        for (; j + Lanes <= columns; j += Lanes)
        {
            var (x, before) = (Vector512.Load(at + j), Vector512.Load(columnLargest + j));
            most = Vector512.Max(most, x);
            var more = Vector512.GreaterThan(x, before);
            Vector512.ConditionalSelect(more, x, before).Store(columnLargest + j);
            Vector512.ConditionalSelect(more, number, Vector512.Load(columnBest + j)).Store(columnBest + j);
        }
        var largest = float.NegativeInfinity;
        for (var lane = 0; lane < Lanes; lane++)
            largest = MathF.Max(largest, most[lane]);
        for (; j < columns; j++)
        {
            largest = MathF.Max(largest, at[j]);
            if (at[j] > columnLargest[j])
                (columnLargest[j], columnBest[j]) = (at[j], row);
        }
        return largest;
    }

    /// <summary>Sum of exp(l - the row's maximum) over a row; exp(l - a column's maximum) is added to the column's sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float AddExponentials(
        float* at,
        long columns,
        float rowMaximum,
        float* columnMaximum,
        float* columnSum
    )
    {
        var (sum, most) = (Vector512<float>.Zero, Vector512.Create(rowMaximum));
        for (var j = 0L; j < columns; j += Lanes)
        {
            var left = columns - j;
            var x = Load(at + j, left);
            var ofRow = Exp(x - most);
            sum += left < Lanes ? First(ofRow, left) : ofRow;
            Store(columnSum + j, Load(columnSum + j, left) + Exp(x - Load(columnMaximum + j, left)), left);
        }
        return Vector512.Sum(sum);
    }

    /// <summary>exp(x) for x up to 0, within 2 units of the last place; below -87 it is as good as zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Exp(Vector512<float> x)
    {
        // 2^n · e^r with |r| ≤ ln 2 / 2 (Cody and Waite's two-part ln 2); the polynomial is Taylor's, to r^7.
        x = Vector512.Max(x, Vector512.Create(-87f));
        var n = Vector512.Round(x * 1.44269504f);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        var p = Vector512.FusedMultiplyAdd(r, Vector512.Create(1f / 5040), Vector512.Create(1f / 720));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 120));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 24));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 6));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.5f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        return p * ((Vector512.ConvertToInt32(n) + Vector512.Create(127)) << 23).AsSingle();
    }

    /// <summary>sigmoid(x) and softplus(x) = log(1 + e^x), of one exponential.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Sigmoid, Vector512<float> Softplus) Sigmoid(Vector512<float> x)
    {
        var e = Exp(-Vector512.Abs(x));
        var large = Vector512<float>.One / (Vector512<float>.One + e);
        var sigmoid = Vector512.ConditionalSelect(
            Vector512.GreaterThanOrEqual(x, Vector512<float>.Zero),
            large,
            e * large
        );
        // log(1 + e) = 2 artanh(s) with s = e / (2 + e) ≤ 1/3.
        var s = e / (e + Vector512.Create(2f));
        var square = s * s;
        var p = Vector512.Create(2f / 15);
        for (var odd = 13; odd >= 1; odd -= 2)
            p = Vector512.FusedMultiplyAdd(p, square, Vector512.Create(2f / odd));
        return (sigmoid, Vector512.Max(x, Vector512<float>.Zero) + p * s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> First(Vector512<float> x, long count) =>
        Vector512.ConditionalSelect(
            Vector512.LessThan(
                Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                Vector512.Create((float)count)
            ),
            x,
            Vector512<float>.Zero
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Load(float* from, long left)
    {
        return left >= Lanes ? Vector512.Load(from) : LoadPart(from, left);
    }

    private static Vector512<float> LoadPart(float* from, long left)
    {
        Span<float> part = stackalloc float[Lanes];
        part.Clear();
        new ReadOnlySpan<float>(from, (int)left).CopyTo(part);
        return Vector512.Create<float>(part);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* to, Vector512<float> values, long left)
    {
        if (left >= Lanes)
            values.Store(to);
        else
            for (var lane = 0; lane < left; lane++)
                to[lane] = values[lane];
    }

    private static float* Floats(Tensor contiguous) => (float*)TensorMemory.Address(contiguous);

    private static void InPieces(long rows, Action<int, long, long> work) =>
        Parts.For(rows, PieceRows, (from, to) => work((int)(from / PieceRows), from, to));

    /// <summary>Room for numbers that outlives no block; what it holds at first is anything.</summary>
    private readonly struct Scratch(long count) : IDisposable
    {
        public float[] Numbers { get; } = ArrayPool<float>.Shared.Rent((int)count);

        public void Dispose() => ArrayPool<float>.Shared.Return(Numbers);
    }

    private static void KeepAlive(Tensor logits, Margin row, Margin column)
    {
        GC.KeepAlive(logits);
        GC.KeepAlive(row);
        GC.KeepAlive(column);
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
