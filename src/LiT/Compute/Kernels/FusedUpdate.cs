using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// Optimizer updates in one pass over the memory of float32 tensors on the CPU, contiguous all of them: an update is
/// bound by memory, and tensor operations would read and write everything ten times. Work is cut at fixed places, so
/// that threads change no bit.
/// </summary>
internal static unsafe class FusedUpdate
{
    private const long Piece = 1 << 15;
    private const float Smallest = 1e-30f;

    /// <summary>Adam, bias-corrected, with decoupled weight decay.</summary>
    internal static void Adam(
        Tensor parameter,
        Tensor gradient,
        Tensor momentum,
        Tensor square,
        AdamConstants constants,
        UpdateFactors factors
    )
    {
        Places at = new(Floats(parameter), Floats(gradient), TensorMemory.Address(momentum), Floats(square));
        var (mixing, count) = (constants.Mixing, parameter.numel());
        if (mixing.Half)
            Vectors.Run(new AdamUpdate<HalfMomentum>(at, count, constants, factors));
        else
            Vectors.Run(new AdamUpdate<WholeMomentum>(at, count, constants, factors));
        KeepAlive(parameter, gradient, momentum, square);
    }

    /// <summary>Adafactor for a tensor whose squares are remembered whole.</summary>
    internal static void AdafactorWhole(
        Tensor parameter,
        Tensor gradient,
        Tensor momentum,
        Tensor square,
        MomentumMixing mixing,
        float beta2,
        UpdateFactors factors
    )
    {
        Places at = new(Floats(parameter), Floats(gradient), TensorMemory.Address(momentum), Floats(square));
        var count = parameter.numel();
        if (mixing.Half)
            Vectors.Run(new WholeUpdate<HalfMomentum>(at, count, mixing, beta2, factors));
        else
            Vectors.Run(new WholeUpdate<WholeMomentum>(at, count, mixing, beta2, factors));
        KeepAlive(parameter, gradient, momentum, square);
    }

    /// <summary>Adafactor for a matrix [R, C]: the direction is gradient · rowFactor · columnFactor.</summary>
    internal static void AdafactorMatrix(
        Tensor parameter,
        Tensor gradient,
        Tensor momentum,
        Tensor rowFactor,
        Tensor columnFactor,
        MomentumMixing mixing,
        UpdateFactors factors
    )
    {
        Places at = new(Floats(parameter), Floats(gradient), TensorMemory.Address(momentum), Floats(columnFactor));
        var (rows, columns) = (parameter.shape[0], parameter.shape[1]);
        var byRow = Floats(rowFactor);
        if (mixing.Half)
            Vectors.Run(new MatrixUpdate<HalfMomentum>(at, byRow, rows, columns, mixing, factors));
        else
            Vectors.Run(new MatrixUpdate<WholeMomentum>(at, byRow, rows, columns, mixing, factors));
        KeepAlive(parameter, gradient, momentum, rowFactor, columnFactor);
    }

    /// <summary>Means over each row and over each column of (shrink · gradient)² + 1e-30, [R] and [C].</summary>
    internal static (Tensor Rows, Tensor Columns) SquareMeans(Tensor gradient, float shrink)
    {
        var (rows, columns) = (gradient.shape[0], gradient.shape[1]);
        var ofRows = empty(rows);
        using var sums = zeros((rows + RowsAPiece(columns) - 1) / RowsAPiece(columns), columns);
        Vectors.Run(new Squares(Floats(gradient), Floats(ofRows), Floats(sums), rows, columns, shrink));
        KeepAlive(gradient, ofRows, sums);
        Tensor? ofColumns = null;
        // On one thread: libtorch cuts sums where its threads are.
        Parts.Run(1, _ => ofColumns = sums.sum([0]).With(rows, (x, count) => x.div_(count)));
        return (ofRows, ofColumns!);
    }

    private static long RowsAPiece(long columns) => Math.Max(1, Piece / columns);

    private static float* Floats(Tensor contiguous) => (float*)TensorMemory.Address(contiguous);

    private static void KeepAlive(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (var tensor in tensors)
            GC.KeepAlive(tensor);
    }

    /// <summary>Where the numbers of one tensor's update lie; a momentum's in its own precision.</summary>
    private readonly struct Places(float* parameter, float* gradient, byte* momentum, float* other)
    {
        public readonly float* Parameter = parameter,
            Gradient = gradient,
            Other = other;
        public readonly byte* Momentum = momentum;

        public Places From<M>(long at, long other)
            where M : IMomentum => new(Parameter + at, Gradient + at, Momentum + at * M.Bytes, Other + other);

        public Places From<M>(long at)
            where M : IMomentum => From<M>(at, at);

        /// <summary>The same numbers, fewer than sixteen, in room for 4 x 16, with zeros behind them.</summary>
        public Places Copied<M>(long count, float* room)
            where M : IMomentum
        {
            new Span<float>(room, 4 * Vectors.Lanes).Clear();
            Places to = new(room, room + Vectors.Lanes, (byte*)(room + 2 * Vectors.Lanes), room + 3 * Vectors.Lanes);
            CopyTo<M>(to, count);
            Copy(Gradient, to.Gradient, count);
            return to;
        }

        /// <summary>What updates change, to other places.</summary>
        public void CopyTo<M>(Places to, long count, bool others = true)
            where M : IMomentum
        {
            Copy(Parameter, to.Parameter, count);
            Copy(Momentum, to.Momentum, count * M.Bytes);
            if (others)
                Copy(Other, to.Other, count);
        }

        private static void Copy<T>(T* from, T* to, long count)
            where T : unmanaged => new ReadOnlySpan<T>(from, (int)count).CopyTo(new Span<T>(to, (int)count));
    }

    private readonly struct AdamUpdate<M>(Places at, long count, AdamConstants constants, UpdateFactors factors)
        : IKernel
        where M : IMomentum
    {
        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (own, c, f) = (at, constants, factors);
            Parts.For(count, Piece, (from, to) => Values<V>(own.From<M>(from), to - from, c, f));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Values<V>(Places at, long count, AdamConstants constants, UpdateFactors factors)
            where V : unmanaged, IVec<V>
        {
            Move<V> move = new(factors);
            Mixing<V, M> mix = new(constants.Mixing);
            var (shrink, keep, fresh) = (
                V.Create(factors.Shrink),
                V.Create(constants.Beta2),
                V.Create(constants.NewSquare)
            );
            var (toMomentum, toSquare, epsilon) = (
                V.Create(1 / constants.MomentumCorrection),
                V.Create(1 / constants.SquareCorrection),
                V.Create(constants.Epsilon)
            );
            var i = 0L;
            var whole = Vectors.Whole<V>(count);
            for (; i < whole; i += V.Count)
            {
                var gradient = V.Load(at.Gradient + i) * shrink;
                var square = V.Load(at.Other + i) * keep + gradient * gradient * fresh;
                square.Store(at.Other + i);
                var mean = mix.Of(at.Momentum + i * M.Bytes, gradient);
                move.By(at.Parameter + i, mean * toMomentum / (V.Sqrt(square * toSquare) + epsilon));
            }
            if (i == count)
                return;
            var room = stackalloc float[4 * Vectors.Lanes];
            var (rest, left) = (at.From<M>(i), count - i);
            var copied = rest.Copied<M>(left, room);
            Values<V>(copied, Vectors.Lanes, constants, factors);
            copied.CopyTo<M>(rest, left);
        }
    }

    private readonly struct WholeUpdate<M>(
        Places at,
        long count,
        MomentumMixing mixing,
        float beta2,
        UpdateFactors factors
    ) : IKernel
        where M : IMomentum
    {
        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (own, m, b, f) = (at, mixing, beta2, factors);
            Parts.For(count, Piece, (from, to) => Values<V>(own.From<M>(from), to - from, m, b, f));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Values<V>(Places at, long count, MomentumMixing mixing, float beta2, UpdateFactors factors)
            where V : unmanaged, IVec<V>
        {
            Move<V> move = new(factors);
            Mixing<V, M> mix = new(mixing);
            var (shrink, smallest, keep, fresh) = (
                V.Create(factors.Shrink),
                V.Create(Smallest),
                V.Create(beta2),
                V.Create(1 - beta2)
            );
            var i = 0L;
            var whole = Vectors.Whole<V>(count);
            for (; i < whole; i += V.Count)
            {
                var gradient = V.Load(at.Gradient + i) * shrink;
                var square = V.Load(at.Other + i) * keep + (gradient * gradient + smallest) * fresh;
                square.Store(at.Other + i);
                move.By(at.Parameter + i, mix.Of(at.Momentum + i * M.Bytes, gradient / V.Sqrt(square)));
            }
            if (i == count)
                return;
            var room = stackalloc float[4 * Vectors.Lanes];
            var (rest, left) = (at.From<M>(i), count - i);
            var copied = rest.Copied<M>(left, room);
            Values<V>(copied, Vectors.Lanes, mixing, beta2, factors);
            copied.CopyTo<M>(rest, left);
        }
    }

    private readonly struct MatrixUpdate<M>(
        Places at,
        float* byRow,
        long rows,
        long columns,
        MomentumMixing mixing,
        UpdateFactors factors
    ) : IKernel
        where M : IMomentum
    {
        private readonly float* byRow = byRow;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (own, ofRows, width, m, f) = (at, (nint)byRow, columns, mixing, factors);
            Parts.For(rows, RowsAPiece(width), (from, to) =>
            {
                for (var row = from; row < to; row++)
                    Values<V>(own.From<M>(row * width, 0), width, f.Shrink * ((float*)ofRows)[row], m, f);
            });
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Values<V>(Places at, long count, float ofRow, MomentumMixing mixing, UpdateFactors factors)
            where V : unmanaged, IVec<V>
        {
            Move<V> move = new(factors);
            Mixing<V, M> mix = new(mixing);
            var (row, i) = (V.Create(ofRow), 0L);
            var whole = Vectors.Whole<V>(count);
            for (; i < whole; i += V.Count)
            {
                var direction = V.Load(at.Gradient + i) * row * V.Load(at.Other + i);
                move.By(at.Parameter + i, mix.Of(at.Momentum + i * M.Bytes, direction));
            }
            if (i == count)
                return;
            var room = stackalloc float[4 * Vectors.Lanes];
            var (rest, left) = (at.From<M>(i), count - i);
            var copied = rest.Copied<M>(left, room);
            Values<V>(copied, Vectors.Lanes, ofRow, mixing, factors);
            copied.CopyTo<M>(rest, left, others: false);
        }
    }

    private readonly struct Squares(float* gradient, float* ofRows, float* sums, long rows, long columns, float shrink)
        : IKernel
    {
        private readonly float* gradient = gradient,
            ofRows = ofRows,
            sums = sums;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (g, r, c, width, times) = ((nint)gradient, (nint)ofRows, (nint)sums, columns, shrink);
            var apiece = RowsAPiece(width);
            Parts.For(rows, apiece, (from, to) =>
            {
                var own = (float*)c + from / apiece * width;
                for (var row = from; row < to; row++)
                    ((float*)r)[row] = OfRow<V>((float*)g + row * width, own, width, times) / width + Smallest;
            });
        }

        // The sum of a row's squares; each square, with the smallest, is added to its column's sum.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float OfRow<V>(float* gradient, float* columns, long count, float shrink)
            where V : unmanaged, IVec<V>
        {
            var (times, smallest, i) = (V.Create(shrink), V.Create(Smallest), 0L);
            V s0 = V.Create(0),
                s1 = s0,
                s2 = s0,
                s3 = s0;
            var whole = Vectors.Whole(count);
            for (; i < whole; i += Vectors.Lanes)
            {
                s0 += Square(gradient + i, columns + i, times, smallest);
                if (V.Count <= 8)
                    s1 += Square(gradient + i + V.Count, columns + i + V.Count, times, smallest);
                if (V.Count > 4)
                    continue;
                s2 += Square(gradient + i + 2 * V.Count, columns + i + 2 * V.Count, times, smallest);
                s3 += Square(gradient + i + 3 * V.Count, columns + i + 3 * V.Count, times, smallest);
            }
            var sum = V.Sum(s0, s1, s2, s3);
            if (i == count)
                return sum;
            var room = stackalloc float[2 * Vectors.Lanes];
            var left = (int)(count - i);
            new Span<float>(room, 2 * Vectors.Lanes).Clear();
            new ReadOnlySpan<float>(gradient + i, left).CopyTo(new Span<float>(room, left));
            new ReadOnlySpan<float>(columns + i, left).CopyTo(new Span<float>(room + Vectors.Lanes, left));
            sum += OfRow<V>(room, room + Vectors.Lanes, Vectors.Lanes, shrink);
            new ReadOnlySpan<float>(room + Vectors.Lanes, left).CopyTo(new Span<float>(columns + i, left));
            return sum;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static V Square<V>(float* gradient, float* column, V times, V smallest)
            where V : unmanaged, IVec<V>
        {
            var scaled = V.Load(gradient) * times;
            var square = scaled * scaled;
            (V.Load(column) + (square + smallest)).Store(column);
            return square;
        }
    }

    /// <summary>p -= schedule · (lr · u + wd · p).</summary>
    private readonly struct Move<V>(UpdateFactors factors)
        where V : unmanaged, IVec<V>
    {
        private readonly V rate = V.Create(factors.LearningRate),
            decay = V.Create(factors.WeightDecay),
            schedule = V.Create(factors.Schedule);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void By(float* parameter, V direction)
        {
            var now = V.Load(parameter);
            (now - (direction * rate + now * decay) * schedule).Store(parameter);
        }
    }

    /// <summary>The new average of a momentum's numbers, which is remembered.</summary>
    private readonly struct Mixing<V, M>(MomentumMixing mixing)
        where V : unmanaged, IVec<V>
        where M : IMomentum
    {
        private readonly V old = V.Create(mixing.Old),
            fresh = V.Create(mixing.New);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Of(byte* momentum, V values)
        {
            var mean = M.Rounded(M.Load<V>(momentum) * old) + values * fresh;
            M.Store(mean, momentum);
            return mean;
        }
    }

    /// <summary>In which precision a momentum is remembered.</summary>
    private interface IMomentum
    {
        static abstract int Bytes { get; }

        static abstract V Load<V>(byte* from)
            where V : unmanaged, IVec<V>;

        static abstract void Store<V>(V mean, byte* to)
            where V : unmanaged, IVec<V>;

        /// <summary>A product with the memory, which has the memory's precision.</summary>
        static abstract V Rounded<V>(V product)
            where V : unmanaged, IVec<V>;
    }

    private readonly struct WholeMomentum : IMomentum
    {
        public static int Bytes => sizeof(float);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Load<V>(byte* from)
            where V : unmanaged, IVec<V> => V.Load((float*)from);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store<V>(V mean, byte* to)
            where V : unmanaged, IVec<V> => mean.Store((float*)to);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Rounded<V>(V product)
            where V : unmanaged, IVec<V> => product;
    }

    private readonly struct HalfMomentum : IMomentum
    {
        public static int Bytes => sizeof(ushort);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Load<V>(byte* from)
            where V : unmanaged, IVec<V> => V.LoadHalf((ushort*)from);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store<V>(V mean, byte* to)
            where V : unmanaged, IVec<V> => V.ToHalf(mean).StoreHalf((ushort*)to);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Rounded<V>(V product)
            where V : unmanaged, IVec<V> => V.ToHalf(product);
    }
}
