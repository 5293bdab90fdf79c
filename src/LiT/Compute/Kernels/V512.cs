using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LiT.Compute.Kernels;

/// <summary>Sixteen numbers: AVX-512.</summary>
internal readonly unsafe struct V512(Vector512<float> lanes) : IVec<V512>
{
    private readonly Vector512<float> lanes = lanes;

    public static int Count => 16;

    public static int Registers => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Load(float* from) => new(Vector512.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* to) => lanes.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 operator +(V512 a, V512 b) => new(a.lanes + b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 operator -(V512 a, V512 b) => new(a.lanes - b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 operator *(V512 a, V512 b) => new(a.lanes * b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 operator /(V512 a, V512 b) => new(a.lanes / b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Fma(V512 a, V512 b, V512 c) => new(Vector512.FusedMultiplyAdd(a.lanes, b.lanes, c.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 FmaExact(V512 a, V512 b, V512 c) => Fma(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Min(V512 a, V512 b) => new(Avx512F.Min(a.lanes, b.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Max(V512 a, V512 b) => new(Avx512F.Max(a.lanes, b.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Abs(V512 a) => new(Vector512.Abs(a.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Sqrt(V512 a) => new(Vector512.Sqrt(a.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Round(V512 a) => new(Vector512.Round(a.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Scale(V512 a, V512 n) => new(Avx512F.Scale(a.lanes, n.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Where(V512 a, V512 b, V512 more, V512 other) =>
        new(Vector512.ConditionalSelect(Vector512.GreaterThan(a.lanes, b.lanes), more.lanes, other.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(V512 first, V512 second, V512 third, V512 fourth) =>
        Vectors.Sum(first.lanes.GetLower() + first.lanes.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(V512 a) => V256.Largest(new(Avx.Max(a.lanes.GetUpper(), a.lanes.GetLower())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddTo(double* sums)
    {
        var (lower, upper) = Vector512.Widen(lanes);
        (Vector512.Load(sums) + lower).Store(sums);
        (Vector512.Load(sums + Count / 2) + upper).Store(sums + Count / 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreBytes(byte* to) =>
        Avx512F.ConvertToVector128Byte(Avx512F.ConvertToVector512Int32(lanes)).Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreSignedBytes(sbyte* to) =>
        Avx512F.ConvertToVector128SByte(Avx512F.ConvertToVector512Int32(lanes)).Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 LoadHalf(ushort* from) =>
        new((Avx512F.ConvertToVector512UInt32(Vector256.Load(from)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreHalf(ushort* to) => Avx512F.ConvertToVector256UInt16(lanes.AsUInt32() >> 16).Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 ToHalf(V512 a)
    {
        var bits = a.lanes.AsUInt32();
        var rounded = bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512.Create(1u));
        return new((rounded & Vector512.Create(0xFFFF0000u)).AsSingle());
    }
}
