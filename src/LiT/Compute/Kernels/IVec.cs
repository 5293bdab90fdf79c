namespace LiT.Compute.Kernels;

/// <summary>
/// A vector of float32 numbers of some width, so that a kernel is written once: <c>Run&lt;V&gt;()</c> is compiled for
/// each width on its own, and what depends on <see cref="Count"/> is decided by the compiler. Where sums run across
/// lanes they are taken as if every vector had sixteen (<see cref="Sum"/>), so that the width changes no bit.
/// </summary>
/// <typeparam name="V">The vector itself.</typeparam>
internal unsafe interface IVec<V>
    where V : unmanaged, IVec<V>
{
    /// <summary>Numbers in a vector; divides sixteen.</summary>
    static abstract int Count { get; }

    /// <summary>Vectors that the processor keeps at hand at once.</summary>
    static abstract int Registers { get; }

    static abstract V Load(float* from);

    static abstract V Create(float value);

    void Store(float* to);

    static abstract V operator +(V a, V b);

    static abstract V operator -(V a, V b);

    static abstract V operator *(V a, V b);

    static abstract V operator /(V a, V b);

    /// <summary>a · b + c, rounded once where the processor can.</summary>
    static abstract V Fma(V a, V b, V c);

    /// <summary>
    /// a · b + c whose product is not rounded on any processor: for sums that cancel. <see cref="Fma"/> is faster where
    /// there is no instruction for it.
    /// </summary>
    static abstract V FmaExact(V a, V b, V c);

    /// <summary>The smaller one of each; b where either is no number.</summary>
    static abstract V Min(V a, V b);

    /// <summary>The larger one of each; b where either is no number.</summary>
    static abstract V Max(V a, V b);

    static abstract V Abs(V a);

    static abstract V Sqrt(V a);

    /// <summary>To the nearest whole number, ties to even.</summary>
    static abstract V Round(V a);

    /// <summary>a · 2^n for whole n from -126 to 127.</summary>
    static abstract V Scale(V a, V n);

    /// <summary>more where a &gt; b, else other; in lanes with what is no number, other.</summary>
    static abstract V Where(V a, V b, V more, V other);

    /// <summary>
    /// The sum of sixteen lanes, always in the same order: of one vector of sixteen, of the first two of eight, or of
    /// four of four.
    /// </summary>
    static abstract float Sum(V first, V second, V third, V fourth);

    /// <summary>The largest lane; what is no number may be passed over.</summary>
    static abstract float Largest(V a);

    /// <summary>Adds every lane to a number of its own.</summary>
    void AddTo(double* sums);

    /// <summary>Whole numbers from 0 to 255 as bytes.</summary>
    void StoreBytes(byte* to);

    /// <summary>Whole numbers from -128 to 127 as bytes.</summary>
    void StoreSignedBytes(sbyte* to);

    /// <summary>bfloat16 numbers.</summary>
    static abstract V LoadHalf(ushort* from);

    /// <summary>Stores as bfloat16 what <see cref="ToHalf"/> has rounded.</summary>
    void StoreHalf(ushort* to);

    /// <summary>Rounds to bfloat16, to the nearest, ties to even.</summary>
    static abstract V ToHalf(V a);
}

/// <summary>A kernel that <see cref="Vectors.Run"/> runs with vectors of one width.</summary>
internal interface IKernel
{
    void Run<V>()
        where V : unmanaged, IVec<V>;
}
