using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// The sum of the squares of many tensors in one pass over memory, float64, cut at fixed places: the number of threads
/// changes no bit, which libtorch's norm does not promise. Four lanes of float64 hold it whatever the
/// processor; the square of a float32 is exact in float64.
/// </summary>
internal static unsafe class SquareSums
{
    private const long Piece = 1 << 16;

    /// <param name="tensors">Each contiguous, float32, on the CPU.</param>
    public static double Of(IReadOnlyList<Tensor> tensors)
    {
        List<(nint Place, int Count)> pieces = [];
        foreach (var tensor in tensors)
        {
            var place = (float*)TensorMemory.Address(tensor);
            var count = tensor.numel();
            for (var from = 0L; from < count; from += Piece)
                pieces.Add(((nint)(place + from), (int)Math.Min(Piece, count - from)));
        }
        var sums = new double[pieces.Count];
        Parts.For(sums.Length, 16, (from, to) =>
        {
            for (var i = (int)from; i < to; i++)
                sums[i] = Of((float*)pieces[i].Place, pieces[i].Count);
        });
        GC.KeepAlive(tensors);
        var whole = 0.0;
        foreach (var sum in sums)
            whole += sum;
        return whole;
    }

    private static double Of(float* x, int count)
    {
        Vector256<double> first = default,
            second = default,
            third = default,
            fourth = default;
        var i = 0;
        for (; i + 16 <= count; i += 16)
        {
            var (a, b) = Vector256.Widen(Vector256.Load(x + i));
            var (c, d) = Vector256.Widen(Vector256.Load(x + i + 8));
            first += a * a;
            second += b * b;
            third += c * c;
            fourth += d * d;
        }
        var sum = Vector256.Sum(first + second + (third + fourth));
        for (; i < count; i++)
            sum += (double)x[i] * x[i];
        return sum;
    }
}
