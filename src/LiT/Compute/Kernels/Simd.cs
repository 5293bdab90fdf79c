using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LiT.Compute.Kernels;

/// <summary>What the project's own kernels share: vectors of sixteen floats.</summary>
internal static class Simd
{
    /// <summary>Whether this processor has vectors of 512 bits; without them libtorch's own operations are used.</summary>
    public static bool IsAvailable => Avx512F.IsSupported && Vector512.IsHardwareAccelerated;

    // The polynomial is 2^f for f in [-1/2, 1/2], relative error below 1e-7.
    /// <summary>2^z for z in [-126, 126]; below it 2^-126, above it 2^126.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp2(Vector512<float> z)
    {
        z = Avx512F.Min(Vector512.Create(126f), Avx512F.Max(Vector512.Create(-126f), z)); // in this order NaN stays NaN
        var whole = Avx512F.RoundScale(z, 0);
        var f = z - whole;
        var power = Vector512.Create(1.535336188e-4f);
        power = Vector512.FusedMultiplyAdd(power, f, Vector512.Create(1.339887440e-3f));
        power = Vector512.FusedMultiplyAdd(power, f, Vector512.Create(9.618437357e-3f));
        power = Vector512.FusedMultiplyAdd(power, f, Vector512.Create(5.550332548e-2f));
        power = Vector512.FusedMultiplyAdd(power, f, Vector512.Create(2.402264791e-1f));
        power = Vector512.FusedMultiplyAdd(power, f, Vector512.Create(6.931472028e-1f));
        power = Vector512.FusedMultiplyAdd(power, f, Vector512.Create(1f));
        return Avx512F.Scale(power, whole);
    }
}
