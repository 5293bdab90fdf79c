using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>A group norm's weights: scale and shift of every channel, [C], the number of groups, and epsilon.</summary>
internal readonly record struct GroupScales(int Groups, Tensor Weight, Tensor Bias, double Eps)
{
    /// <summary>The norm alone, by libtorch, with gradients, [B, C, H, W].</summary>
    public Tensor Normed(Tensor x) => nn.functional.group_norm(x, Groups, Weight, Bias, Eps);
}

/// <summary>
/// Group normalisation (Wu and He 2018, arXiv 1803.08494) of pictures whose channels are innermost in memory, with the ReLU, and the
/// shortcut before it, in the same pass.
/// </summary>
internal static unsafe class GroupNorms
{
    private const int Lanes = 16;

    /// <summary>Sums are added up in float32 over so many places, beyond that in float64.</summary>
    private const int Places = 32;

    /// <summary>Whether pictures of so many channels can be done here.</summary>
    public static bool Takes(long channels) => Simd.IsAvailable && channels % Lanes == 0;

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
        var (from, to, added) = (
            (nint)TensorMemory.Address(x),
            (nint)TensorMemory.Address(made),
            shortcut is null ? 0 : (nint)TensorMemory.Address(shortcut)
        );
        var (scale, shift) = ((nint)TensorMemory.Address(weight), (nint)TensorMemory.Address(bias));
        Parts.Run(B, picture =>
        {
            var at = (long)picture * places * C;
            var factors = new float[2 * C];
            fixed (float* times = factors)
            {
                Factors((float*)from + at, places, C, groups, eps, (float*)scale, (float*)shift, times, times + C);
                Apply(
                    (float*)from + at,
                    added == 0 ? null : (float*)added + at,
                    (float*)to + at,
                    places,
                    C,
                    times,
                    times + C
                );
            }
        });
        foreach (var tensor in (Tensor?[])[x, made, shortcut, weight, bias])
            GC.KeepAlive(tensor);
        return made.permute(0, 3, 1, 2);
    }

    // (x - mean of the group) / deviation of the group · weight + bias = x · times + plus.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Factors(
        float* x,
        int places,
        int C,
        int groups,
        double eps,
        float* weight,
        float* bias,
        float* times,
        float* plus
    )
    {
        var totals = new double[2 * C];
        fixed (double* sums = totals)
        {
            // The picture's first place is taken off first, so that the squares of a large mean do not swallow a small deviation.
            for (var start = 0; start < places; start += Places)
            for (var c = 0; c < C; c += Lanes)
            {
                var (first, sum, squares, end) = (
                    Vector512.Load(x + c),
                    Vector512<float>.Zero,
                    Vector512<float>.Zero,
                    Math.Min(places, start + Places)
                );
                for (var place = start; place < end; place++)
                {
                    var value = Vector512.Load(x + (long)place * C + c) - first;
                    sum += value;
                    squares = Vector512.FusedMultiplyAdd(value, value, squares);
                }
                Add(sum, sums + c);
                Add(squares, sums + C + c);
            }
            Fold(x, sums, places, C, groups, eps, weight, bias, times, plus);
        }
    }

    private static void Add(Vector512<float> some, double* sums)
    {
        var (lower, upper) = Vector512.Widen(some);
        Vector512.Store(Vector512.Load(sums) + lower, sums);
        Vector512.Store(Vector512.Load(sums + Lanes / 2) + upper, sums + Lanes / 2);
    }

    private static void Fold(
        float* first,
        double* sums,
        int places,
        int C,
        int groups,
        double eps,
        float* weight,
        float* bias,
        float* times,
        float* plus
    )
    {
        var size = C / groups;
        for (var group = 0; group < groups; group++)
        {
            var (sum, squares) = (0.0, 0.0);
            for (var c = group * size; c < (group + 1) * size; c++)
            {
                sum += sums[c] + places * (double)first[c];
                squares += sums[C + c] + 2.0 * first[c] * sums[c] + places * (double)first[c] * first[c];
            }
            var mean = sum / ((double)places * size);
            var inverse = 1 / Math.Sqrt(Math.Max(0, squares / ((double)places * size) - mean * mean) + eps);
            for (var c = group * size; c < (group + 1) * size; c++)
            {
                times[c] = (float)(weight[c] * inverse);
                plus[c] = (float)(bias[c] - mean * inverse * weight[c]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply(float* x, float* shortcut, float* to, int places, int C, float* times, float* plus)
    {
        for (var place = 0; place < places; place++, x += C, to += C, shortcut += shortcut is null ? 0 : C)
        for (var c = 0; c < C; c += Lanes)
        {
            var value = Vector512.FusedMultiplyAdd(
                Vector512.Load(x + c),
                Vector512.Load(times + c),
                Vector512.Load(plus + c)
            );
            if (shortcut is not null)
                value += Vector512.Load(shortcut + c);
            Vector512.Store(Avx512F.Max(Vector512<float>.Zero, value), to + c); // in this order NaN stays NaN
        }
    }
}
