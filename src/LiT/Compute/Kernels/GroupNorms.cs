using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>A group norm's weights: scale and shift of every channel, [C], the number of groups, and epsilon.</summary>
internal readonly record struct GroupScales(int Groups, Tensor Weight, Tensor Bias, double Eps)
{
    /// <summary>The norm alone, by libtorch, with gradients, [B, C, H, W].</summary>
    public Tensor Normed(Tensor x) => nn.functional.group_norm(x, Groups, Weight, Bias, Eps);
}

/// <summary>
/// Group normalisation (Wu and He 2018, arXiv 1803.08494) of pictures whose channels are innermost in memory, with the
/// ReLU, and the shortcut before it, in the same pass.
/// </summary>
internal static unsafe class GroupNorms
{
    /// <summary>Sums are added up in float32 over so many places, beyond that in float64.</summary>
    private const int Places = 32;

    /// <summary>ReLU of the normalised x, or of its sum with a shortcut.</summary>
    /// <param name="norm">Scale, shift, groups and epsilon.</param>
    /// <param name="x">[B, C, H, W], float32 on the CPU; no gradient will be asked for.</param>
    /// <param name="shortcut">Of the same shape, or null.</param>
    /// <param name="inPlace">Whether x's memory may hold the result.</param>
    public static Tensor Of(GroupScales norm, Tensor x, Tensor? shortcut, bool inPlace)
    {
        x = x.permute(0, 2, 3, 1).contiguous(); // [B, H, W, C]
        shortcut = shortcut?.permute(0, 2, 3, 1).contiguous();
        var (B, C, places) = ((int)x.shape[0], (int)x.shape[3], (int)(x.shape[1] * x.shape[2]));
        var made = inPlace ? x : empty(x.shape);
        var (weight, bias, groups, eps) = (norm.Weight.contiguous(), norm.Bias.contiguous(), norm.Groups, norm.Eps);
        Vectors.Run(
            new Pictures(
                new(places, C, groups, eps, Floats(weight), Floats(bias)),
                B,
                Floats(x),
                shortcut is null ? null : Floats(shortcut),
                Floats(made)
            )
        );
        foreach (var tensor in (Tensor?[])[x, made, shortcut, weight, bias])
            GC.KeepAlive(tensor);
        return made.permute(0, 3, 1, 2);
    }

    private static float* Floats(Tensor contiguous) => (float*)TensorMemory.Address(contiguous);

    /// <summary>Sizes of every picture, and the norm's own numbers.</summary>
    private sealed class Norm(int places, int C, int groups, double eps, float* weight, float* bias)
    {
        public readonly int Places = places,
            C = C,
            Groups = groups;
        public readonly double Eps = eps;
        public readonly float* Weight = weight,
            Bias = bias;
    }

    private readonly struct Pictures(Norm norm, int B, float* x, float* shortcut, float* to) : IKernel
    {
        private readonly float* x = x,
            shortcut = shortcut,
            to = to;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (own, from, added, made) = (norm, (nint)x, (nint)shortcut, (nint)to);
            Parts.Run(B, picture =>
            {
                var at = (long)picture * own.Places * own.C;
                var factors = new float[2 * own.C];
                fixed (float* times = factors)
                {
                    var plus = times + own.C;
                    Factors<V>(own, (float*)from + at, times, plus);
                    if (added == 0)
                        Apply<V>(own, (float*)from + at, (float*)made + at, times, plus);
                    else
                        ApplyOnto<V>(own, (float*)from + at, (float*)added + at, (float*)made + at, times, plus);
                }
            });
        }
    }

    // (x - mean of the group) / deviation of the group · weight + bias = x · times + plus.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Factors<V>(Norm norm, float* x, float* times, float* plus)
        where V : unmanaged, IVec<V>
    {
        var (C, places, wide) = (norm.C, norm.Places, RowScratch.Filled(norm.C));
        var whole = (int)Vectors.Whole<V>(C);
        var totals = new double[2 * wide];
        fixed (double* sums = totals)
        {
            // The picture's first place is taken off first, so that the squares of a large mean do not swallow a small
            // deviation.
            for (var start = 0; start < places; start += Places)
            {
                var (end, c) = (Math.Min(places, start + Places), 0);
                for (; c < whole; c += V.Count)
                {
                    var (first, sum, squares) = (V.Load(x + c), V.Create(0), V.Create(0));
                    for (var place = start; place < end; place++)
                    {
                        var value = V.Load(x + (long)place * C + c) - first;
                        sum += value;
                        squares = V.Fma(value, value, squares);
                    }
                    sum.AddTo(sums + c);
                    squares.AddTo(sums + wide + c);
                }
                for (; c < C; c++)
                {
                    var (sum, squares) = (0f, 0f);
                    for (var place = start; place < end; place++)
                    {
                        var value = x[(long)place * C + c] - x[c];
                        sum += value;
                        squares = MathF.FusedMultiplyAdd(value, value, squares);
                    }
                    sums[c] += sum;
                    sums[wide + c] += squares;
                }
            }
            Fold(norm, x, sums, sums + wide, times, plus);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fold(Norm norm, float* first, double* sums, double* squaresOf, float* times, float* plus)
    {
        var (places, size) = (norm.Places, norm.C / norm.Groups);
        for (var group = 0; group < norm.Groups; group++)
        {
            var (sum, squares) = (0.0, 0.0);
            for (var c = group * size; c < (group + 1) * size; c++)
            {
                sum += sums[c] + places * (double)first[c];
                squares += squaresOf[c] + 2.0 * first[c] * sums[c] + places * (double)first[c] * first[c];
            }
            var mean = sum / ((double)places * size);
            var inverse = 1 / Math.Sqrt(Math.Max(0, squares / ((double)places * size) - mean * mean) + norm.Eps);
            for (var c = group * size; c < (group + 1) * size; c++)
            {
                times[c] = (float)(norm.Weight[c] * inverse);
                plus[c] = (float)(norm.Bias[c] - mean * inverse * norm.Weight[c]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<V>(Norm norm, float* x, float* to, float* times, float* plus)
        where V : unmanaged, IVec<V>
    {
        var (C, whole, zero) = (norm.C, (int)Vectors.Whole<V>(norm.C), V.Create(0));
        for (var place = 0; place < norm.Places; place++, x += C, to += C)
        {
            var c = 0;
            for (; c < whole; c += V.Count)
                V.Max(zero, Normed<V>(x + c, times + c, plus + c)).Store(to + c); // NaN stays NaN
            for (; c < C; c++)
                to[c] = Rectified(MathF.FusedMultiplyAdd(x[c], times[c], plus[c]));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ApplyOnto<V>(Norm norm, float* x, float* shortcut, float* to, float* times, float* plus)
        where V : unmanaged, IVec<V>
    {
        var (C, whole, zero) = (norm.C, (int)Vectors.Whole<V>(norm.C), V.Create(0));
        for (var place = 0; place < norm.Places; place++, x += C, to += C, shortcut += C)
        {
            var c = 0;
            for (; c < whole; c += V.Count)
                V.Max(zero, Normed<V>(x + c, times + c, plus + c) + V.Load(shortcut + c)).Store(to + c);
            for (; c < C; c++)
                to[c] = Rectified(MathF.FusedMultiplyAdd(x[c], times[c], plus[c]) + shortcut[c]);
        }
    }

    // Of a large mean and a small deviation the product and the shift cancel.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Normed<V>(float* x, float* times, float* plus)
        where V : unmanaged, IVec<V> => V.FmaExact(V.Load(x), V.Load(times), V.Load(plus));

    private static float Rectified(float value) => value < 0 ? 0 : value; // NaN stays NaN
}
