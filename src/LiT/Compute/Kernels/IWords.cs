using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace LiT.Compute.Kernels;

/// <summary>
/// A vector for exact products of signed bytes: of bytes, taken from memory and made wider where the processor needs
/// it, or of their 32-bit sums. Nothing saturates.
/// </summary>
/// <typeparam name="W">The vector itself.</typeparam>
internal unsafe interface IWords<W>
    where W : unmanaged, IWords<W>
{
    /// <summary>Bytes that one vector takes; divides 32.</summary>
    static abstract int Step { get; }

    /// <summary>What left bytes are raised by: so many times the right bytes' sum has to be taken off again.</summary>
    static abstract int Raised { get; }

    static abstract W LoadLeft(sbyte* from);

    static abstract W LoadRight(sbyte* from);

    /// <summary>Adds the products of the bytes, in groups of neighbours, to 32-bit sums.</summary>
    static abstract W MultiplyAdd(W sums, W left, W right);

    /// <summary>The sum of the 32-bit sums.</summary>
    static abstract int Sum(W sums);
}

/// <summary>A vector of pairs of 16-bit numbers, one pair a column, or of the columns' 32-bit sums.</summary>
/// <typeparam name="W">The vector itself.</typeparam>
internal unsafe interface IPairs<W>
    where W : unmanaged, IPairs<W>
{
    /// <summary>Columns in a vector.</summary>
    static abstract int Columns { get; }

    /// <summary>Vectors that the processor keeps at hand at once.</summary>
    static abstract int Registers { get; }

    /// <summary>One pair for every column.</summary>
    static abstract W Broadcast(short* pair);

    /// <summary>Every column's own pair, from bytes.</summary>
    static abstract W LoadPairs(sbyte* from);

    /// <summary>Every column's own pair, from 16-bit numbers.</summary>
    static abstract W LoadPairs(short* from);

    /// <summary>The sum of all columns' sums.</summary>
    static abstract int Sum(W sums);

    /// <summary>Adds both products of every column's pairs to its sum, exactly.</summary>
    static abstract W MultiplyAdd(W sums, W left, W right);

    /// <summary>Stores the sums as numbers, each times its column's scale.</summary>
    static abstract void StoreScaled(W sums, float* scales, float* to);
}

/// <summary>A kernel that <see cref="Words.RunPairs"/> runs with vectors of one width.</summary>
internal interface IPairKernel
{
    void Run<W>()
        where W : unmanaged, IPairs<W>;
}

/// <summary>A kernel of bytes that <see cref="Words.Run"/> runs with vectors of one width.</summary>
internal interface IByteKernel
{
    void Run<W>()
        where W : unmanaged, IWords<W>;
}

internal static class Words
{
    /// <summary>Runs a kernel with vectors as wide as the process's instruction set has them.</summary>
    public static void Run<K>(K kernel)
        where K : struct, IByteKernel
    {
        switch (Processor.Isa)
        {
            case Isa.Avx512:
                kernel.Run<W512>();
                break;
            case Isa.Avx2 when AvxVnni.IsSupported:
                kernel.Run<WVnni>();
                break;
            case Isa.Avx2:
                kernel.Run<W256>();
                break;
            default:
                kernel.Run<W128>();
                break;
        }
    }

    /// <summary>Runs a kernel of pairs with vectors as wide as the process's instruction set has them.</summary>
    public static void RunPairs<K>(K kernel)
        where K : struct, IPairKernel
    {
        switch (Processor.Isa)
        {
            case Isa.Avx512:
                kernel.Run<W512>();
                break;
            case Isa.Avx2:
                kernel.Run<W256>();
                break;
            default:
                kernel.Run<W128>();
                break;
        }
    }
}

/// <summary>AVX-512: 32 bytes as 16-bit numbers.</summary>
internal readonly unsafe struct W512(Vector512<int> lanes) : IWords<W512>, IPairs<W512>
{
    private readonly Vector512<int> lanes = lanes;

    public static int Step => 32;

    public static int Raised => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W512 LoadLeft(sbyte* from) => new(Avx512BW.ConvertToVector512Int16(Vector256.Load(from)).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W512 LoadRight(sbyte* from) => LoadLeft(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W512 MultiplyAdd(W512 sums, W512 left, W512 right) =>
        new(sums.lanes + Avx512BW.MultiplyAddAdjacent(left.lanes.AsInt16(), right.lanes.AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Sum(W512 sums) => Vector512.Sum(sums.lanes);

    public static int Columns => 16;

    public static int Registers => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W512 Broadcast(short* pair) => new(Vector512.Create(*(int*)pair));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W512 LoadPairs(sbyte* from) => LoadLeft(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W512 LoadPairs(short* from) => new(Vector512.Load((int*)from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreScaled(W512 sums, float* scales, float* to) =>
        (Vector512.ConvertToSingle(sums.lanes) * Vector512.Load(scales)).Store(to);
}

/// <summary>AVX2: 16 bytes as 16-bit numbers.</summary>
internal readonly unsafe struct W256(Vector256<int> lanes) : IWords<W256>, IPairs<W256>
{
    private readonly Vector256<int> lanes = lanes;

    public static int Step => 16;

    public static int Raised => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W256 LoadLeft(sbyte* from) => new(Avx2.ConvertToVector256Int16(from).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W256 LoadRight(sbyte* from) => LoadLeft(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W256 MultiplyAdd(W256 sums, W256 left, W256 right) =>
        new(sums.lanes + Avx2.MultiplyAddAdjacent(left.lanes.AsInt16(), right.lanes.AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Sum(W256 sums) => Vector256.Sum(sums.lanes);

    public static int Columns => 8;

    public static int Registers => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W256 Broadcast(short* pair) => new(Vector256.Create(*(int*)pair));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W256 LoadPairs(sbyte* from) => LoadLeft(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W256 LoadPairs(short* from) => new(Vector256.Load((int*)from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreScaled(W256 sums, float* scales, float* to) =>
        (Vector256.ConvertToSingle(sums.lanes) * Vector256.Load(scales)).Store(to);
}

/// <summary>
/// AVX-VNNI: 32 bytes as they are. It multiplies unsigned by signed ones, so the left are raised by 128.
/// </summary>
internal readonly unsafe struct WVnni(Vector256<int> lanes) : IWords<WVnni>
{
    private readonly Vector256<int> lanes = lanes;

    public static int Step => 32;

    public static int Raised => 128;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WVnni LoadLeft(sbyte* from) =>
        new((Vector256.Load(from).AsByte() ^ Vector256.Create((byte)0x80)).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WVnni LoadRight(sbyte* from) => new(Vector256.Load(from).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WVnni MultiplyAdd(WVnni sums, WVnni left, WVnni right) =>
        new(AvxVnni.MultiplyWideningAndAdd(sums.lanes, left.lanes.AsByte(), right.lanes.AsSByte()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Sum(WVnni sums) => Vector256.Sum(sums.lanes);
}

/// <summary>Eight bytes as 16-bit numbers, in whatever instructions the processor has for 128 bits.</summary>
internal readonly unsafe struct W128(Vector128<int> lanes) : IWords<W128>, IPairs<W128>
{
    private readonly Vector128<int> lanes = lanes;

    public static int Step => 8;

    public static int Raised => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W128 LoadLeft(sbyte* from) =>
        new(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)from).AsSByte()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W128 LoadRight(sbyte* from) => LoadLeft(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W128 MultiplyAdd(W128 sums, W128 left, W128 right)
    {
        var (a, b) = (left.lanes.AsInt16(), right.lanes.AsInt16());
        if (Sse2.IsSupported)
            return new(sums.lanes + Sse2.MultiplyAddAdjacent(a, b));
        var (lower, upper) = AdvSimd.IsSupported
            ? (AdvSimd.MultiplyWideningLower(a.GetLower(), b.GetLower()), AdvSimd.MultiplyWideningUpper(a, b))
            : (Vector128.WidenLower(a) * Vector128.WidenLower(b), Vector128.WidenUpper(a) * Vector128.WidenUpper(b));
        if (AdvSimd.Arm64.IsSupported)
            return new(sums.lanes + AdvSimd.Arm64.AddPairwise(lower, upper));
        return new(
            sums.lanes
                + Vector128.Create(lower[0] + lower[1], lower[2] + lower[3], upper[0] + upper[1], upper[2] + upper[3])
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Sum(W128 sums) => Vector128.Sum(sums.lanes);

    public static int Columns => 4;

    public static int Registers => AdvSimd.IsSupported ? 32 : 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W128 Broadcast(short* pair) => new(Vector128.Create(*(int*)pair));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W128 LoadPairs(sbyte* from) => LoadLeft(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static W128 LoadPairs(short* from) => new(Vector128.Load((int*)from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreScaled(W128 sums, float* scales, float* to) =>
        (Vector128.ConvertToSingle(sums.lanes) * Vector128.Load(scales)).Store(to);
}
