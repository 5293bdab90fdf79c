using System.Runtime.CompilerServices;

namespace LiT.Compute.Kernels;

/// <summary>
/// Small products c [rows, n] = a [rows, k] · b [k, n] whose sums stay in registers. Every number of c is one chain of
/// multiplications and additions in the order of k, whatever the width.
/// </summary>
internal static unsafe class Tile
{
    /// <summary>Rows that <see cref="Six"/> takes.</summary>
    public const int Rows = 6;

    /// <summary>
    /// Columns that are done together: as many sums as registers hold, with room for what is multiplied.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Columns<V>()
        where V : unmanaged, IVec<V> => (V.Registers >= 32 ? 4 : 2) * V.Count;

    /// <summary>Six rows, each aStride further, and n columns, a multiple of the vector's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Six<V>(float* a, int aStride, float* b, int bStride, int k, float* c, int cStride, int n)
        where V : unmanaged, IVec<V>
    {
        var (column, columns) = (0, Columns<V>());
        for (; column + columns <= n; column += columns)
            if (V.Registers >= 32)
                SixByFour<V>(a, aStride, b + column, bStride, k, c + column, cStride);
            else
                SixByTwo<V>(a, aStride, b + column, bStride, k, c + column, cStride);
        for (; column < n; column += V.Count)
            SixByOne<V>(a, aStride, b + column, bStride, k, c + column, cStride);
    }

    /// <summary>
    /// Any number of rows and n columns, a multiple of sixteen; an element of a lies aRow · row + aStep · step further
    /// on. c lies apart from a and b.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Any<V>(
        float* a,
        int aRow,
        int aStep,
        float* b,
        int bStride,
        int rows,
        int k,
        float* c,
        int cStride,
        int n
    )
        where V : unmanaged, IVec<V>
    {
        var row = 0;
        for (; row < rows && rows >= 4; row += 4)
        {
            row = Math.Min(row, rows - 4); // the last four overlap those before and give the same numbers again
            float* from = a + (long)row * aRow,
                to = c + (long)row * cStride;
            var column = 0;
            for (; column + 2 * V.Count <= n; column += 2 * V.Count)
                FourByTwo<V>(from, aRow, aStep, b + column, bStride, k, to + column, cStride);
            for (; column < n; column += V.Count)
                FourByOne<V>(from, aRow, aStep, b + column, bStride, k, to + column, cStride);
        }
        for (; row < rows; row++)
        {
            float* from = a + (long)row * aRow,
                to = c + (long)row * cStride;
            var column = 0;
            for (; column + 4 * V.Count <= n; column += 4 * V.Count)
                OneByFour<V>(from, aStep, b + column, bStride, k, to + column);
            for (; column < n; column += V.Count)
                OneByOne<V>(from, aStep, b + column, bStride, k, to + column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByFour<V>(float* a, int aStride, float* b, int bStride, int k, float* c, int cStride)
        where V : unmanaged, IVec<V>
    {
        V c00 = V.Create(0),
            c01 = c00,
            c02 = c00,
            c03 = c00,
            c10 = c00,
            c11 = c00,
            c12 = c00,
            c13 = c00,
            c20 = c00,
            c21 = c00,
            c22 = c00,
            c23 = c00,
            c30 = c00,
            c31 = c00,
            c32 = c00,
            c33 = c00,
            c40 = c00,
            c41 = c00,
            c42 = c00,
            c43 = c00,
            c50 = c00,
            c51 = c00,
            c52 = c00,
            c53 = c00;
        var a3 = a + 3L * aStride;
        for (var i = 0; i < k; i++, b += bStride)
        {
            var (b0, b1) = (V.Load(b), V.Load(b + V.Count));
            var (b2, b3) = (V.Load(b + 2 * V.Count), V.Load(b + 3 * V.Count));
            var x = V.Create(a[i]);
            (c00, c01) = (V.Fma(x, b0, c00), V.Fma(x, b1, c01));
            (c02, c03) = (V.Fma(x, b2, c02), V.Fma(x, b3, c03));
            x = V.Create(a[aStride + i]);
            (c10, c11) = (V.Fma(x, b0, c10), V.Fma(x, b1, c11));
            (c12, c13) = (V.Fma(x, b2, c12), V.Fma(x, b3, c13));
            x = V.Create(a[2 * aStride + i]);
            (c20, c21) = (V.Fma(x, b0, c20), V.Fma(x, b1, c21));
            (c22, c23) = (V.Fma(x, b2, c22), V.Fma(x, b3, c23));
            x = V.Create(a3[i]);
            (c30, c31) = (V.Fma(x, b0, c30), V.Fma(x, b1, c31));
            (c32, c33) = (V.Fma(x, b2, c32), V.Fma(x, b3, c33));
            x = V.Create(a3[aStride + i]);
            (c40, c41) = (V.Fma(x, b0, c40), V.Fma(x, b1, c41));
            (c42, c43) = (V.Fma(x, b2, c42), V.Fma(x, b3, c43));
            x = V.Create(a3[2 * aStride + i]);
            (c50, c51) = (V.Fma(x, b0, c50), V.Fma(x, b1, c51));
            (c52, c53) = (V.Fma(x, b2, c52), V.Fma(x, b3, c53));
        }
        Two(c, c00, c01);
        Two(c + 2 * V.Count, c02, c03);
        Two(c + cStride, c10, c11);
        Two(c + cStride + 2 * V.Count, c12, c13);
        Two(c + 2L * cStride, c20, c21);
        Two(c + 2L * cStride + 2 * V.Count, c22, c23);
        Two(c + 3L * cStride, c30, c31);
        Two(c + 3L * cStride + 2 * V.Count, c32, c33);
        Two(c + 4L * cStride, c40, c41);
        Two(c + 4L * cStride + 2 * V.Count, c42, c43);
        Two(c + 5L * cStride, c50, c51);
        Two(c + 5L * cStride + 2 * V.Count, c52, c53);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByTwo<V>(float* a, int aStride, float* b, int bStride, int k, float* c, int cStride)
        where V : unmanaged, IVec<V>
    {
        V c00 = V.Create(0),
            c01 = c00,
            c10 = c00,
            c11 = c00,
            c20 = c00,
            c21 = c00,
            c30 = c00,
            c31 = c00,
            c40 = c00,
            c41 = c00,
            c50 = c00,
            c51 = c00;
        var a3 = a + 3L * aStride;
        for (var i = 0; i < k; i++, b += bStride)
        {
            var (b0, b1) = (V.Load(b), V.Load(b + V.Count));
            var x = V.Create(a[i]);
            (c00, c01) = (V.Fma(x, b0, c00), V.Fma(x, b1, c01));
            x = V.Create(a[aStride + i]);
            (c10, c11) = (V.Fma(x, b0, c10), V.Fma(x, b1, c11));
            x = V.Create(a[2 * aStride + i]);
            (c20, c21) = (V.Fma(x, b0, c20), V.Fma(x, b1, c21));
            x = V.Create(a3[i]);
            (c30, c31) = (V.Fma(x, b0, c30), V.Fma(x, b1, c31));
            x = V.Create(a3[aStride + i]);
            (c40, c41) = (V.Fma(x, b0, c40), V.Fma(x, b1, c41));
            x = V.Create(a3[2 * aStride + i]);
            (c50, c51) = (V.Fma(x, b0, c50), V.Fma(x, b1, c51));
        }
        Two(c, c00, c01);
        Two(c + cStride, c10, c11);
        Two(c + 2L * cStride, c20, c21);
        Two(c + 3L * cStride, c30, c31);
        Two(c + 4L * cStride, c40, c41);
        Two(c + 5L * cStride, c50, c51);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByOne<V>(float* a, int aStride, float* b, int bStride, int k, float* c, int cStride)
        where V : unmanaged, IVec<V>
    {
        V c00 = V.Create(0),
            c10 = c00,
            c20 = c00,
            c30 = c00,
            c40 = c00,
            c50 = c00;
        var a3 = a + 3L * aStride;
        for (var i = 0; i < k; i++, b += bStride)
        {
            var b0 = V.Load(b);
            var x = V.Create(a[i]);
            c00 = V.Fma(x, b0, c00);
            x = V.Create(a[aStride + i]);
            c10 = V.Fma(x, b0, c10);
            x = V.Create(a[2 * aStride + i]);
            c20 = V.Fma(x, b0, c20);
            x = V.Create(a3[i]);
            c30 = V.Fma(x, b0, c30);
            x = V.Create(a3[aStride + i]);
            c40 = V.Fma(x, b0, c40);
            x = V.Create(a3[2 * aStride + i]);
            c50 = V.Fma(x, b0, c50);
        }
        c00.Store(c);
        c10.Store(c + cStride);
        c20.Store(c + 2L * cStride);
        c30.Store(c + 3L * cStride);
        c40.Store(c + 4L * cStride);
        c50.Store(c + 5L * cStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByTwo<V>(float* a, int aRow, int aStep, float* b, int bStride, int k, float* c, int cStride)
        where V : unmanaged, IVec<V>
    {
        V c00 = V.Create(0),
            c01 = c00,
            c10 = c00,
            c11 = c00,
            c20 = c00,
            c21 = c00,
            c30 = c00,
            c31 = c00;
        for (var i = 0; i < k; i++, a += aStep, b += bStride)
        {
            var (b0, b1) = (V.Load(b), V.Load(b + V.Count));
            var x = V.Create(a[0]);
            (c00, c01) = (V.Fma(x, b0, c00), V.Fma(x, b1, c01));
            x = V.Create(a[aRow]);
            (c10, c11) = (V.Fma(x, b0, c10), V.Fma(x, b1, c11));
            x = V.Create(a[2 * aRow]);
            (c20, c21) = (V.Fma(x, b0, c20), V.Fma(x, b1, c21));
            x = V.Create(a[3 * aRow]);
            (c30, c31) = (V.Fma(x, b0, c30), V.Fma(x, b1, c31));
        }
        Two(c, c00, c01);
        Two(c + cStride, c10, c11);
        Two(c + 2L * cStride, c20, c21);
        Two(c + 3L * cStride, c30, c31);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByOne<V>(float* a, int aRow, int aStep, float* b, int bStride, int k, float* c, int cStride)
        where V : unmanaged, IVec<V>
    {
        V c0 = V.Create(0),
            c1 = c0,
            c2 = c0,
            c3 = c0;
        for (var i = 0; i < k; i++, a += aStep, b += bStride)
        {
            var b0 = V.Load(b);
            (c0, c1) = (V.Fma(V.Create(a[0]), b0, c0), V.Fma(V.Create(a[aRow]), b0, c1));
            (c2, c3) = (V.Fma(V.Create(a[2 * aRow]), b0, c2), V.Fma(V.Create(a[3 * aRow]), b0, c3));
        }
        c0.Store(c);
        c1.Store(c + cStride);
        c2.Store(c + 2L * cStride);
        c3.Store(c + 3L * cStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneByFour<V>(float* a, int aStep, float* b, int bStride, int k, float* c)
        where V : unmanaged, IVec<V>
    {
        V c0 = V.Create(0),
            c1 = c0,
            c2 = c0,
            c3 = c0;
        for (var i = 0; i < k; i++, a += aStep, b += bStride)
        {
            var x = V.Create(*a);
            (c0, c1) = (V.Fma(x, V.Load(b), c0), V.Fma(x, V.Load(b + V.Count), c1));
            (c2, c3) = (V.Fma(x, V.Load(b + 2 * V.Count), c2), V.Fma(x, V.Load(b + 3 * V.Count), c3));
        }
        Two(c, c0, c1);
        Two(c + 2 * V.Count, c2, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneByOne<V>(float* a, int aStep, float* b, int bStride, int k, float* c)
        where V : unmanaged, IVec<V>
    {
        var sum = V.Create(0);
        for (var i = 0; i < k; i++, a += aStep, b += bStride)
            sum = V.Fma(V.Create(*a), V.Load(b), sum);
        sum.Store(c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Two<V>(float* to, V first, V second)
        where V : unmanaged, IVec<V>
    {
        first.Store(to);
        second.Store(to + V.Count);
    }
}
