using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

/// <summary>
/// Queries as signed bytes, laid out once for products with many rows of codes by the processor's own products of
/// bytes. The sums are exact in float32 up to 2^24, and off by a share of 2^-24 above. Safe for use from several
/// threads.
/// </summary>
internal sealed unsafe class ByteQueries : IDisposable
{
    private const int MostRowsAtOnce = 1024,
        FewestRowsAtOnce = 64,
        SumsAtOnce = 1 << 18; // so many stay in the processor's second cache

    private readonly Tensor packed,
        scales,
        zeroPoints;
    private readonly int width,
        count;

    /// <summary>Up to so many numbers in a row sums are exact.</summary>
    public const int LargestExact = (1 << 24) / (127 * 127);

    /// <param name="queries">[count, width], from -127 to 127.</param>
    /// <param name="width">Numbers in a query, a multiple of <see cref="CodeSums.Step"/>.</param>
    public ByteQueries(sbyte[] queries, int width)
    {
        (this.width, count) = (width, queries.Length / width);
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        packed = OneDnn.PackCodes(tensor(queries, [count, width], ScalarType.Int8)).DetachFromDisposeScope();
        scales = ones(count).DetachFromDisposeScope();
        zeroPoints = zeros(count, ScalarType.Int32).DetachFromDisposeScope();
    }

    /// <summary>Whether this processor and this libtorch have such products.</summary>
    public static bool AreFast => OneDnn.MultipliesBytes;

    /// <param name="codes">Rows of bytes, one after the other.</param>
    /// <param name="rows">How many.</param>
    /// <param name="take">Told the first row and how many, and where their sums are until it returns: [rows, count].
    /// </param>
    public void Sums(sbyte* codes, int rows, Action<int, int, nint> take)
    {
        var atOnce = Math.Clamp(SumsAtOnce / count, FewestRowsAtOnce, MostRowsAtOnce);
        for (var first = 0; first < rows; first += atOnce)
        {
            using var inner = NewDisposeScope();
            using var unrecorded = no_grad();
            var some = Math.Min(atOnce, rows - first);
            var raised = empty(some, width, dtype: ScalarType.Byte);
            Raise(codes + (long)first * width, (long)some * width, TensorMemory.Address(raised));
            var sums = OneDnn.Codes(raised, packed, scales, zeroPoints).contiguous();
            take(first, some, (nint)TensorMemory.Address(sums));
            GC.KeepAlive(raised);
            GC.KeepAlive(sums);
        }
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        packed.Dispose();
        scales.Dispose();
        zeroPoints.Dispose();
    }

    // The processor multiplies unsigned bytes by signed ones: 128 stands for zero. Widths are multiples of 64.
    private static void Raise(sbyte* from, long bytes, byte* to)
    {
        var by = Vector512.Create((byte)0x80);
        for (var k = 0L; k < bytes; k += CodeSums.Step)
            (Vector512.Load((byte*)from + k) ^ by).Store(to + k);
    }
}
