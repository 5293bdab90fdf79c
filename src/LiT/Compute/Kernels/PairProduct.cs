using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace LiT.Compute.Kernels;

// Shapes: R rows, K inputs, N outputs.

/// <summary>
/// Products of bytes with exact sums, for processors without an instruction that multiplies bytes and adds up in 32
/// bits: bytes become 16-bit numbers on the way, pairs of products are added in 32 bits, and nothing saturates. The
/// weight is laid out once.
/// </summary>
internal sealed unsafe class PairProduct : IDisposable
{
    private const int Rows = 6;

    /// <summary>
    /// Rows that one thread takes at a time; as 16-bit numbers they stay in the processor's second cache.
    /// </summary>
    private const int Part = 16 * Rows;

    [ThreadStatic]
    private static short[]? scratch;

    private readonly Tensor packed, // for every panel of columns [pairs, columns, 2]
        scales; // [columns of all panels]
    private readonly Isa isa;
    private readonly int outputs,
        inputs,
        panel;

    /// <param name="codes">[N, K], int8.</param>
    /// <param name="scales">[N], float32.</param>
    public PairProduct(Tensor codes, Tensor scales)
    {
        isa = Processor.Isa;
        PanelWidth width = new();
        Words.RunPairs(width.Ask());
        (outputs, inputs, panel) = ((int)codes.shape[0], (int)codes.shape[1], width.Columns);
        var panels = (outputs + panel - 1) / panel;
        packed = zeros((long)panels * Pairs * panel * 2, ScalarType.Int8).DetachFromDisposeScope();
        this.scales = zeros((long)panels * panel).DetachFromDisposeScope();
        this.scales.narrow(0, 0, outputs).copy_(scales);
        Pack(codes.contiguous());
    }

    private int Pairs => (inputs + 1) / 2;

    /// <summary>(x - 128) · weightᵀ, each output times its scale: bytes in, [R, K], float32 out, [R, N].</summary>
    /// <param name="x">Unsigned bytes; 128 stands for zero.</param>
    public Tensor Sums(Tensor x)
    {
        var sums = empty(x.shape[0], outputs);
        using (Processor.Use(isa)) // as it was laid out
            Words.RunPairs(
                new Multiplication(this, TensorMemory.Address(x), x.shape[0], (float*)TensorMemory.Address(sums))
            );
        GC.KeepAlive(x);
        GC.KeepAlive(sums);
        GC.KeepAlive(this);
        return sums;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        packed.Dispose();
        scales.Dispose();
    }

    private void Pack(Tensor codes)
    {
        var (from, to) = ((nint)TensorMemory.Address(codes), (nint)TensorMemory.Address(packed));
        Parts.Run((outputs + panel - 1) / panel, p =>
        {
            var own = (sbyte*)to + (long)p * Pairs * panel * 2;
            for (var column = 0; column < panel && p * panel + column < outputs; column++)
            {
                var row = (sbyte*)from + (long)(p * panel + column) * inputs;
                for (var k = 0; k < inputs; k++)
                    own[(k / 2 * panel + column) * 2 + k % 2] = row[k];
            }
        });
        GC.KeepAlive(codes);
        GC.KeepAlive(packed);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int VectorsOf<W>()
        where W : unmanaged, IPairs<W> => W.Registers >= 32 ? 4 : 2;

    /// <summary>Asks how many columns are done together.</summary>
    private sealed class PanelWidth
    {
        public int Columns { get; private set; }

        public Question Ask() => new(this);

        public readonly struct Question(PanelWidth asker) : IPairKernel
        {
            public void Run<W>()
                where W : unmanaged, IPairs<W> => asker.Columns = VectorsOf<W>() * W.Columns;
        }
    }

    private readonly struct Multiplication(PairProduct product, byte* x, long rows, float* sums) : IPairKernel
    {
        private readonly byte* x = x;
        private readonly float* sums = sums;

        public void Run<W>()
            where W : unmanaged, IPairs<W>
        {
            var (own, from, to) = (product, (nint)x, (nint)sums);
            Parts.For(rows, Part, (first, end) =>
                own.Multiply<W>((byte*)from + first * own.inputs, (int)(end - first), (float*)to + first * own.outputs)
            );
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply<W>(byte* x, int rows, float* sums)
        where W : unmanaged, IPairs<W>
    {
        var (pairs, blocks) = (Pairs, (rows + Rows - 1) / Rows);
        var needed = blocks * Rows * pairs * 2;
        if (scratch is null || scratch.Length < needed)
            scratch = GC.AllocateUninitializedArray<short>(needed, pinned: true);
        var a = (short*)Unsafe.AsPointer(ref scratch[0]);
        for (var row = 0; row < blocks * Rows; row++)
            Widen(x + (long)row * inputs, row < rows ? inputs : 0, a + row * pairs * 2, pairs * 2);

        var tile = stackalloc float[Rows * panel];
        var (weights, scale) = ((nint)TensorMemory.Address(packed), (nint)TensorMemory.Address(scales));
        for (var column = 0; column < outputs; column += panel)
        {
            var b = (sbyte*)weights + (long)column * pairs * 2;
            for (var block = 0; block < blocks; block++)
            {
                var (first, whole) = (block * Rows, column + panel <= outputs && (block + 1) * Rows <= rows);
                var to = whole ? sums + (long)first * outputs + column : tile;
                var left = a + first * pairs * 2;
                if (W.Registers >= 32)
                    SixByFour<W>(left, pairs, b, (float*)scale + column, to, whole ? outputs : panel);
                else
                    SixByTwo<W>(left, pairs, b, (float*)scale + column, to, whole ? outputs : panel);
                if (whole)
                    continue;
                for (var row = first; row < Math.Min(rows, first + Rows); row++)
                    new ReadOnlySpan<float>(tile + (row - first) * panel, Math.Min(panel, outputs - column)).CopyTo(
                        new Span<float>(sums + (long)row * outputs + column, panel)
                    );
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(byte* from, int count, short* to, int padded)
    {
        var i = 0;
        for (; i + 16 <= count; i += 16)
        {
            var bytes = Vector128.Load(from + i);
            var (low, high) = Vector128.Widen(bytes);
            var zero = Vector128.Create((short)128);
            (low.AsInt16() - zero).Store(to + i);
            (high.AsInt16() - zero).Store(to + i + 8);
        }
        for (; i < count; i++)
            to[i] = (short)(from[i] - 128);
        for (; i < padded; i++)
            to[i] = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByFour<W>(short* a, int pairs, sbyte* b, float* scales, float* to, int stride)
        where W : unmanaged, IPairs<W>
    {
        W c00 = default,
            c01 = default,
            c02 = default,
            c03 = default,
            c10 = default,
            c11 = default,
            c12 = default,
            c13 = default,
            c20 = default,
            c21 = default,
            c22 = default,
            c23 = default,
            c30 = default,
            c31 = default,
            c32 = default,
            c33 = default,
            c40 = default,
            c41 = default,
            c42 = default,
            c43 = default,
            c50 = default,
            c51 = default,
            c52 = default,
            c53 = default;
        var step = 2L * pairs;
        var a3 = a + 3 * step;
        for (var i = 0; i < pairs; i++, a += 2, a3 += 2, b += 8 * W.Columns)
        {
            var b0 = W.LoadPairs(b);
            var b1 = W.LoadPairs(b + 2 * W.Columns);
            var b2 = W.LoadPairs(b + 4 * W.Columns);
            var b3 = W.LoadPairs(b + 6 * W.Columns);
            var x = W.Broadcast(a);
            c00 = W.MultiplyAdd(c00, x, b0);
            c01 = W.MultiplyAdd(c01, x, b1);
            c02 = W.MultiplyAdd(c02, x, b2);
            c03 = W.MultiplyAdd(c03, x, b3);
            x = W.Broadcast(a + step);
            c10 = W.MultiplyAdd(c10, x, b0);
            c11 = W.MultiplyAdd(c11, x, b1);
            c12 = W.MultiplyAdd(c12, x, b2);
            c13 = W.MultiplyAdd(c13, x, b3);
            x = W.Broadcast(a + 2 * step);
            c20 = W.MultiplyAdd(c20, x, b0);
            c21 = W.MultiplyAdd(c21, x, b1);
            c22 = W.MultiplyAdd(c22, x, b2);
            c23 = W.MultiplyAdd(c23, x, b3);
            x = W.Broadcast(a3);
            c30 = W.MultiplyAdd(c30, x, b0);
            c31 = W.MultiplyAdd(c31, x, b1);
            c32 = W.MultiplyAdd(c32, x, b2);
            c33 = W.MultiplyAdd(c33, x, b3);
            x = W.Broadcast(a3 + step);
            c40 = W.MultiplyAdd(c40, x, b0);
            c41 = W.MultiplyAdd(c41, x, b1);
            c42 = W.MultiplyAdd(c42, x, b2);
            c43 = W.MultiplyAdd(c43, x, b3);
            x = W.Broadcast(a3 + 2 * step);
            c50 = W.MultiplyAdd(c50, x, b0);
            c51 = W.MultiplyAdd(c51, x, b1);
            c52 = W.MultiplyAdd(c52, x, b2);
            c53 = W.MultiplyAdd(c53, x, b3);
        }
        Store(to, scales, c00, c01);
        Store(to + 2 * W.Columns, scales + 2 * W.Columns, c02, c03);
        Store(to + stride, scales, c10, c11);
        Store(to + stride + 2 * W.Columns, scales + 2 * W.Columns, c12, c13);
        Store(to + 2L * stride, scales, c20, c21);
        Store(to + 2L * stride + 2 * W.Columns, scales + 2 * W.Columns, c22, c23);
        Store(to + 3L * stride, scales, c30, c31);
        Store(to + 3L * stride + 2 * W.Columns, scales + 2 * W.Columns, c32, c33);
        Store(to + 4L * stride, scales, c40, c41);
        Store(to + 4L * stride + 2 * W.Columns, scales + 2 * W.Columns, c42, c43);
        Store(to + 5L * stride, scales, c50, c51);
        Store(to + 5L * stride + 2 * W.Columns, scales + 2 * W.Columns, c52, c53);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByTwo<W>(short* a, int pairs, sbyte* b, float* scales, float* to, int stride)
        where W : unmanaged, IPairs<W>
    {
        W c00 = default,
            c01 = default,
            c10 = default,
            c11 = default,
            c20 = default,
            c21 = default,
            c30 = default,
            c31 = default,
            c40 = default,
            c41 = default,
            c50 = default,
            c51 = default;
        var step = 2L * pairs;
        var a3 = a + 3 * step;
        for (var i = 0; i < pairs; i++, a += 2, a3 += 2, b += 4 * W.Columns)
        {
            var b0 = W.LoadPairs(b);
            var b1 = W.LoadPairs(b + 2 * W.Columns);
            var x = W.Broadcast(a);
            c00 = W.MultiplyAdd(c00, x, b0);
            c01 = W.MultiplyAdd(c01, x, b1);
            x = W.Broadcast(a + step);
            c10 = W.MultiplyAdd(c10, x, b0);
            c11 = W.MultiplyAdd(c11, x, b1);
            x = W.Broadcast(a + 2 * step);
            c20 = W.MultiplyAdd(c20, x, b0);
            c21 = W.MultiplyAdd(c21, x, b1);
            x = W.Broadcast(a3);
            c30 = W.MultiplyAdd(c30, x, b0);
            c31 = W.MultiplyAdd(c31, x, b1);
            x = W.Broadcast(a3 + step);
            c40 = W.MultiplyAdd(c40, x, b0);
            c41 = W.MultiplyAdd(c41, x, b1);
            x = W.Broadcast(a3 + 2 * step);
            c50 = W.MultiplyAdd(c50, x, b0);
            c51 = W.MultiplyAdd(c51, x, b1);
        }
        Store(to, scales, c00, c01);
        Store(to + stride, scales, c10, c11);
        Store(to + 2L * stride, scales, c20, c21);
        Store(to + 3L * stride, scales, c30, c31);
        Store(to + 4L * stride, scales, c40, c41);
        Store(to + 5L * stride, scales, c50, c51);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<W>(float* to, float* scales, W first, W second)
        where W : unmanaged, IPairs<W>
    {
        W.StoreScaled(first, scales, to);
        W.StoreScaled(second, scales + W.Columns, to + W.Columns);
    }
}
