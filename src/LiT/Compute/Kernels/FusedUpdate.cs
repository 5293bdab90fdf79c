using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// Optimizer updates in one pass over the memory of float32 tensors on the CPU: an update is bound by memory, and tensor
/// operations would read and write everything ten times. Work is cut at fixed places, so that threads change no bit.
/// </summary>
internal static unsafe class FusedUpdate
{
    private const int Lanes = 8;
    private const long Piece = 1 << 15;
    private const float Smallest = 1e-30f;

    internal static bool Fits(Tensor parameter) =>
        parameter.device_type == TorchSharp.DeviceType.CPU
        && parameter.dtype == ScalarType.Float32
        && parameter.is_contiguous();

    internal static void Adam(
        Tensor parameter,
        Tensor gradient,
        Tensor momentum,
        Tensor square,
        AdamConstants constants,
        UpdateFactors factors
    )
    {
        float* p = Floats(parameter),
            g = Floats(gradient),
            v = Floats(square);
        var m = new MomentumLanes(momentum, constants.Mixing);
        var (toMomentum, toSquare) = (1 / constants.MomentumCorrection, 1 / constants.SquareCorrection);
        Parts.For(parameter.numel(), Piece, (from, to) =>
        {
            var (lanes, epsilon) = (m, Vector256.Create(constants.Epsilon));
            for (var at = from; at < to; at += Lanes)
            {
                var left = to - at;
                var gradients = Load(g + at, left) * factors.Shrink;
                var squares = Load(v + at, left) * constants.Beta2 + gradients * gradients * constants.NewSquare;
                Store(v + at, squares, left);
                var direction =
                    lanes.Mix(at, gradients, left) * toMomentum / (Vector256.Sqrt(squares * toSquare) + epsilon);
                Move(p + at, direction, left, factors);
            }
        });
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
        float* p = Floats(parameter),
            g = Floats(gradient),
            v = Floats(square);
        var m = new MomentumLanes(momentum, mixing);
        Parts.For(parameter.numel(), Piece, (from, to) =>
        {
            var (lanes, smallest) = (m, Vector256.Create(Smallest));
            for (var at = from; at < to; at += Lanes)
            {
                var left = to - at;
                var gradients = Load(g + at, left) * factors.Shrink;
                var squares = Load(v + at, left) * beta2 + (gradients * gradients + smallest) * (1 - beta2);
                Store(v + at, squares, left);
                Move(p + at, lanes.Mix(at, gradients / Vector256.Sqrt(squares), left), left, factors);
            }
        });
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
        float* p = Floats(parameter),
            g = Floats(gradient),
            byRow = Floats(rowFactor),
            byColumn = Floats(columnFactor);
        var m = new MomentumLanes(momentum, mixing);
        var columns = parameter.shape[1];
        Parts.For(parameter.shape[0], RowsAPiece(columns), (from, to) =>
        {
            var lanes = m;
            for (var row = from; row < to; row++)
            {
                var ofRow = factors.Shrink * byRow[row];
                for (var column = 0L; column < columns; column += Lanes)
                {
                    var (at, left) = (row * columns + column, columns - column);
                    var direction = Load(g + at, left) * ofRow * Load(byColumn + column, left);
                    Move(p + at, lanes.Mix(at, direction, left), left, factors);
                }
            }
        });
        KeepAlive(parameter, gradient, momentum, rowFactor, columnFactor);
    }

    /// <summary>Means over each row and over each column of (shrink · gradient)² + 1e-30, [R] and [C].</summary>
    internal static (Tensor Rows, Tensor Columns) SquareMeans(Tensor gradient, float shrink)
    {
        var (rows, columns) = (gradient.shape[0], gradient.shape[1]);
        var apiece = RowsAPiece(columns);
        var ofRows = empty(rows);
        using var sums = zeros((rows + apiece - 1) / apiece, columns);
        float* g = Floats(gradient),
            r = Floats(ofRows),
            c = Floats(sums);
        Parts.For(rows, apiece, (from, to) =>
        {
            var own = c + from / apiece * columns;
            var smallest = Vector256.Create(Smallest);
            for (var row = from; row < to; row++)
            {
                var sum = Vector256<float>.Zero;
                for (var column = 0L; column < columns; column += Lanes)
                {
                    var left = columns - column;
                    var gradients = Load(g + row * columns + column, left) * shrink;
                    var squares = gradients * gradients;
                    // Lanes past the end hold zero squares; the smallest is added outside.
                    sum += squares;
                    Store(own + column, Load(own + column, left) + squares + smallest, left);
                }
                r[row] = Vector256.Sum(sum) / columns + Smallest;
            }
        });
        KeepAlive(gradient, ofRows, sums);
        return (ofRows, sums.sum([0]).div_(rows));
    }

    private static long RowsAPiece(long columns) => Math.Max(1, Piece / columns);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Move(float* parameter, Vector256<float> direction, long left, UpdateFactors factors)
    {
        var now = Load(parameter, left);
        Store(parameter, now - (direction * factors.LearningRate + now * factors.WeightDecay) * factors.Schedule, left);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Load(float* from, long left)
    {
        if (left >= Lanes)
            return Vector256.Load(from);
        var part = Vector256<float>.Zero;
        for (var lane = 0; lane < left; lane++)
            part = part.WithElement(lane, from[lane]);
        return part;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store(float* to, Vector256<float> values, long left)
    {
        if (left >= Lanes)
            values.Store(to);
        else
            for (var lane = 0; lane < left; lane++)
                to[lane] = values.GetElement(lane);
    }

    private static float* Floats(Tensor contiguous) => (float*)TensorMemory.Address(contiguous);

    private static void KeepAlive(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (var tensor in tensors)
            GC.KeepAlive(tensor);
    }
}

/// <summary>The memory of a momentum, float32 or bfloat16, eight values at a time.</summary>
internal readonly unsafe struct MomentumLanes(Tensor momentum, MomentumMixing mixing)
{
    private readonly byte* memory = TensorMemory.Address(momentum);
    private readonly bool half = mixing.Half;
    private readonly float old = mixing.Old,
        fresh = mixing.New;

    /// <summary>The new average of eight values, which is remembered; lanes from <paramref name="left"/> on are not touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vector256<float> Mix(long at, Vector256<float> values, long left)
    {
        if (!half)
        {
            var mean = FusedUpdate.Load((float*)memory + at, left) * old + values * fresh;
            FusedUpdate.Store((float*)memory + at, mean, left);
            return mean;
        }
        var place = (ushort*)memory + at;
        var bits = Vector128<ushort>.Zero;
        if (left >= 8)
            bits = Vector128.Load(place);
        else
            for (var lane = 0; lane < left; lane++)
                bits = bits.WithElement(lane, place[lane]);
        var (low, high) = Vector128.Widen(bits);
        var kept = (Vector256.Create(low, high) << 16).AsSingle() * old;
        var next = (Round(kept) << 16).AsSingle() + values * fresh;
        var rounded = Round(next);
        var narrow = Vector128.Narrow(rounded.GetLower(), rounded.GetUpper());
        if (left >= 8)
            narrow.Store(place);
        else
            for (var lane = 0; lane < left; lane++)
                place[lane] = narrow.GetElement(lane);
        return next;
    }

    /// <summary>The upper halves of float32 values, rounded to the nearest, ties to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Round(Vector256<float> values)
    {
        var bits = values.AsUInt32();
        return (bits + Vector256.Create(0x7FFFu) + ((bits >> 16) & Vector256.Create(1u))) >> 16;
    }
}
