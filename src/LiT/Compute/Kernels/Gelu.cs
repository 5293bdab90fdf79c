using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// GELU by its tanh approximation (Hendrycks and Gimpel 2016, arXiv 1606.08415), in place; libtorch's own takes five
/// times as long.
/// </summary>
internal static unsafe class Gelu
{
    // x · (1 + tanh u) / 2 = x / (1 + exp(-2u)), u = sqrt(2/π) · (x + 0.044715 x³); the exponent is taken to base 2.
    private const float Linear = (float)(-2 * 0.79788456080286535588 * 1.44269504088896340736);
    private const float Cubic = (float)(-2 * 0.79788456080286535588 * 0.044715 * 1.44269504088896340736);

    /// <summary>Numbers that one thread takes at a time.</summary>
    private const int Part = 1 << 16;

    /// <param name="x">Float32 on the CPU, contiguous; holds the result afterwards.</param>
    public static void TanhInPlace(Tensor x)
    {
        var at = (float*)TensorMemory.Address(x);
        Vectors.Run(new Values(at, at, x.numel()));
        GC.KeepAlive(x);
    }

    /// <summary>gelu(x); both may be the same place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Of<V>(float* x, float* to, long count)
        where V : unmanaged, IVec<V>
    {
        long i = 0,
            whole = Vectors.Whole<V>(count);
        for (; i < whole; i += V.Count)
            Of(V.Load(x + i)).Store(to + i);
        if (i < count)
            Vectors.Store(Of(Vectors.Load<V>(x + i, count - i)), to + i, count - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Slopes<V>(float* x, float* dy, float* to, long count)
        where V : unmanaged, IVec<V>
    {
        long i = 0,
            whole = Vectors.Whole<V>(count);
        for (; i < whole; i += V.Count)
            (SlopeOf(V.Load(x + i)) * V.Load(dy + i)).Store(to + i);
        if (count - i is > 0 and var left)
            Vectors.Store(SlopeOf(Vectors.Load<V>(x + i, left)) * Vectors.Load<V>(dy + i, left), to + i, left);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Of<V>(V x)
        where V : unmanaged, IVec<V> => x / (V.Create(1) + Vectors.Exp2(Exponent(x)));

    // s = 1 / (1 + 2^e): (x · s)' = s · (1 - x · (1 - s) · ln 2 · e').
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V SlopeOf<V>(V x)
        where V : unmanaged, IVec<V>
    {
        var s = V.Create(1) / (V.Create(1) + Vectors.Exp2(Exponent(x)));
        var slope = V.Fma(V.Create(-3 * Cubic * 0.69314718055994531f), x * x, V.Create(-Linear * 0.69314718055994531f));
        return s * V.Fma(x * (V.Create(1) - s), slope, V.Create(1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Exponent<V>(V x)
        where V : unmanaged, IVec<V> => x * V.Fma(V.Create(Cubic), x * x, V.Create(Linear));

    /// <summary>gelu(x) of many numbers; both may be the same place.</summary>
    internal readonly struct Values(float* x, float* to, long count) : IKernel
    {
        private readonly float* x = x,
            to = to;
        private readonly long count = count;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (x, to) = ((nint)this.x, (nint)this.to);
            Parts.For(count, Part, (from, end) => Of<V>((float*)x + from, (float*)to + from, end - from));
        }
    }

    /// <summary>gelu'(x) · dy of many numbers.</summary>
    internal readonly struct Gradients(float* x, float* dy, float* to, long count) : IKernel
    {
        private readonly float* x = x,
            dy = dy,
            to = to;
        private readonly long count = count;

        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            var (x, dy, to) = ((nint)this.x, (nint)this.dy, (nint)this.to);
            Parts.For(count, Part, (from, end) =>
                Slopes<V>((float*)x + from, (float*)dy + from, (float*)to + from, end - from)
            );
        }
    }
}
