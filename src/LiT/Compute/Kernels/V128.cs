using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace LiT.Compute.Kernels;

/// <summary>Four numbers, in whatever instructions the processor has for 128 bits: SSE, ARM64, or none.</summary>
internal readonly unsafe struct V128(Vector128<float> lanes) : IVec<V128>
{
    private readonly Vector128<float> lanes = lanes;

    public static int Count => 4;

    public static int Registers => AdvSimd.IsSupported ? 32 : 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Load(float* from) => new(Vector128.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Create(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* to) => lanes.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 operator +(V128 a, V128 b) => new(a.lanes + b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 operator -(V128 a, V128 b) => new(a.lanes - b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 operator *(V128 a, V128 b) => new(a.lanes * b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 operator /(V128 a, V128 b) => new(a.lanes / b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Fma(V128 a, V128 b, V128 c) => new(Vector128.MultiplyAddEstimate(a.lanes, b.lanes, c.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 FmaExact(V128 a, V128 b, V128 c) =>
        System.Runtime.Intrinsics.X86.Fma.IsSupported || AdvSimd.IsSupported
            ? Fma(a, b, c)
            : new(InFloat64(a.lanes, b.lanes, c.lanes));

    /// <summary>a · b + c through float64, which holds the product of two float32 whole.</summary>
    internal static Vector128<float> InFloat64(Vector128<float> a, Vector128<float> b, Vector128<float> c)
    {
        var (a0, a1) = Vector128.Widen(a);
        var (b0, b1) = Vector128.Widen(b);
        var (c0, c1) = Vector128.Widen(c);
        return Vector128.Narrow(a0 * b0 + c0, a1 * b1 + c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Min(V128 a, V128 b) => new(Vector128.MinNative(a.lanes, b.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Max(V128 a, V128 b) => new(Vector128.MaxNative(a.lanes, b.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Abs(V128 a) => new(Vector128.Abs(a.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Sqrt(V128 a) => new(Vector128.Sqrt(a.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Round(V128 a) => new(Vector128.Round(a.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Scale(V128 a, V128 n) =>
        new(a.lanes * ((Vector128.ConvertToInt32Native(n.lanes) + Vector128.Create(127)) << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Where(V128 a, V128 b, V128 more, V128 other) =>
        new(Vector128.ConditionalSelect(Vector128.GreaterThan(a.lanes, b.lanes), more.lanes, other.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(V128 first, V128 second, V128 third, V128 fourth) =>
        Vectors.Sum(Vector256.Create(first.lanes + third.lanes, second.lanes + fourth.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(V128 a) =>
        Vectors.Larger(Vectors.Larger(a.lanes[0], a.lanes[1]), Vectors.Larger(a.lanes[2], a.lanes[3]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddTo(double* sums)
    {
        var (lower, upper) = Vector128.Widen(lanes);
        (Vector128.Load(sums) + lower).Store(sums);
        (Vector128.Load(sums + Count / 2) + upper).Store(sums + Count / 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreBytes(byte* to)
    {
        var words = Vector128.ConvertToInt32Native(lanes);
        for (var lane = 0; lane < Count; lane++)
            to[lane] = (byte)words[lane];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreSignedBytes(sbyte* to)
    {
        var words = Vector128.ConvertToInt32Native(lanes);
        for (var lane = 0; lane < Count; lane++)
            to[lane] = (sbyte)words[lane];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 LoadHalf(ushort* from) =>
        new((Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)from).AsUInt16()) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreHalf(ushort* to)
    {
        var halves = lanes.AsUInt32() >> 16;
        Vector128.Narrow(halves, halves).GetLower().Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 ToHalf(V128 a)
    {
        var bits = a.lanes.AsUInt32();
        var rounded = bits + Vector128.Create(0x7FFFu) + ((bits >> 16) & Vector128.Create(1u));
        return new((rounded & Vector128.Create(0xFFFF0000u)).AsSingle());
    }
}
