using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LiT.Compute.Kernels;

/// <summary>Eight numbers: AVX2 with FMA.</summary>
internal readonly unsafe struct V256(Vector256<float> lanes) : IVec<V256>
{
    private readonly Vector256<float> lanes = lanes;

    public static int Count => 8;

    public static int Registers => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Load(float* from) => new(Vector256.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Create(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* to) => lanes.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 operator +(V256 a, V256 b) => new(a.lanes + b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 operator -(V256 a, V256 b) => new(a.lanes - b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 operator *(V256 a, V256 b) => new(a.lanes * b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 operator /(V256 a, V256 b) => new(a.lanes / b.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Fma(V256 a, V256 b, V256 c) => new(Vector256.FusedMultiplyAdd(a.lanes, b.lanes, c.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 FmaExact(V256 a, V256 b, V256 c) => Fma(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Min(V256 a, V256 b) => new(Avx.Min(a.lanes, b.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Max(V256 a, V256 b) => new(Avx.Max(a.lanes, b.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Abs(V256 a) => new(Vector256.Abs(a.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Sqrt(V256 a) => new(Vector256.Sqrt(a.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Round(V256 a) => new(Vector256.Round(a.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Scale(V256 a, V256 n) =>
        new(a.lanes * ((Vector256.ConvertToInt32Native(n.lanes) + Vector256.Create(127)) << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Where(V256 a, V256 b, V256 more, V256 other) =>
        new(Vector256.ConditionalSelect(Vector256.GreaterThan(a.lanes, b.lanes), more.lanes, other.lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(V256 first, V256 second, V256 third, V256 fourth) =>
        Vectors.Sum(first.lanes + second.lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(V256 a) => V128.Largest(new(Sse.Max(a.lanes.GetUpper(), a.lanes.GetLower())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddTo(double* sums)
    {
        var (lower, upper) = Vector256.Widen(lanes);
        (Vector256.Load(sums) + lower).Store(sums);
        (Vector256.Load(sums + Count / 2) + upper).Store(sums + Count / 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreBytes(byte* to)
    {
        var words = Vector256.ConvertToInt32Native(lanes);
        var shorts = Sse2.PackSignedSaturate(words.GetLower(), words.GetUpper());
        Sse2.PackUnsignedSaturate(shorts, shorts).GetLower().Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreSignedBytes(sbyte* to)
    {
        var words = Vector256.ConvertToInt32Native(lanes);
        var shorts = Sse2.PackSignedSaturate(words.GetLower(), words.GetUpper());
        Sse2.PackSignedSaturate(shorts, shorts).GetLower().Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 LoadHalf(ushort* from) => new((Avx2.ConvertToVector256Int32(from).AsUInt32() << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreHalf(ushort* to)
    {
        var halves = lanes.AsUInt32() >> 16;
        Vector128.Narrow(halves.GetLower(), halves.GetUpper()).Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 ToHalf(V256 a)
    {
        var bits = a.lanes.AsUInt32();
        var rounded = bits + Vector256.Create(0x7FFFu) + ((bits >> 16) & Vector256.Create(1u));
        return new((rounded & Vector256.Create(0xFFFF0000u)).AsSingle());
    }
}
