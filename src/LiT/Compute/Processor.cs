using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LiT.Compute;

/// <summary>
/// The processor as this process uses it: which instruction set the library's kernels take. Chosen once, the widest at
/// hand or the one that the variable LIT_ISA names. Safe for use from several threads.
/// </summary>
internal static class Processor
{
    /// <summary>The variable that forces an instruction set.</summary>
    public const string Variable = "LIT_ISA";

    private static readonly Lazy<Isa> Chosen = new(() => Named(Environment.GetEnvironmentVariable(Variable)));
    private static readonly AsyncLocal<Isa?> Forced = new();

    /// <summary>The instruction set that kernels are run with.</summary>
    /// <exception cref="UsageException">LIT_ISA names none, or one that this processor does not have.</exception>
    public static Isa Isa => Forced.Value ?? Chosen.Value;

    /// <summary>Every instruction set that this processor has, narrow ones first.</summary>
    public static IReadOnlyList<Isa> Available { get; } = [.. Enum.GetValues<Isa>().Where(Has)];

    /// <summary>
    /// Whether bytes are multiplied and added up in 32 bits by one instruction: AVX-512's VNNI, or AVX-VNNI of 256
    /// bits.
    /// </summary>
    public static bool HasVnni =>
        Isa switch
        {
            Isa.Avx512 => HasAvx512Vnni,
            Isa.Avx2 => AvxVnni.IsSupported,
            _ => false,
        };

    /// <summary>Whether the library's own kernels compute with a tensor: float32 on the CPU.</summary>
    internal static bool Computes(Tensor x) =>
        x.dtype == ScalarType.Float32 && x.device_type == TorchSharp.DeviceType.CPU;

    /// <summary>The same, and whether it lies in one piece, so that a kernel walks straight over its memory.</summary>
    internal static bool ComputesInPlace(Tensor x) => Computes(x) && x.is_contiguous();

    /// <summary>What LIT_ISA asks for: portable, arm, avx2 or avx512; the widest at hand where it is not set.</summary>
    internal static Isa Named(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return Available[^1];
        var names = string.Join(", ", Available.Select(NameOf));
        foreach (var isa in Enum.GetValues<Isa>())
            if (NameOf(isa) == name)
                return Has(isa)
                    ? isa
                    : throw new UsageException(
                        $"{Variable}={name}: this processor has only {names}. Give one of them."
                    );
        throw new UsageException($"{Variable}={name}: there is no such instruction set. Give one of {names}.");
    }

    /// <summary>The instruction set that is taken, as a person reads it.</summary>
    /// <exception cref="UsageException">LIT_ISA names none, or one that this processor does not have.</exception>
    public static string Description => NameOf(Isa) + (HasVnni ? " with VNNI" : "");

    /// <summary>As LIT_ISA spells it.</summary>
    public static string NameOf(Isa isa) => isa.ToString().ToLowerInvariant();

    /// <summary>Forces an instruction set, until disposed, for what the caller calls; for tests.</summary>
    internal static IDisposable Use(Isa isa)
    {
        if (!Has(isa))
            throw new PlatformNotSupportedException($"This processor has no {isa}.");
        var before = Forced.Value;
        Forced.Value = isa;
        return new Undo(() => Forced.Value = before);
    }

    /// <inheritdoc cref="Use(Isa)"/>
    /// <param name="name">As LIT_ISA spells it.</param>
    internal static IDisposable Use(string name) => Use(Named(name));

    private static bool Has(Isa isa) =>
        isa switch
        {
            Isa.Portable => true,
            Isa.Arm => AdvSimd.Arm64.IsSupported,
            Isa.Avx2 => Avx2.IsSupported && Fma.IsSupported && Vector256.IsHardwareAccelerated,
            Isa.Avx512 => Avx512BW.VL.IsSupported && Avx512DQ.VL.IsSupported && Vector512.IsHardwareAccelerated,
            _ => false,
        };

    // .NET 10 has a name for AVX-VNNI only; CPUID's leaf 7 tells of AVX-512's.
    private static bool HasAvx512Vnni { get; } =
        X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 0).Ecx & 1 << 11) != 0;

    private sealed class Undo(Action undo) : IDisposable
    {
        public void Dispose() => undo();
    }
}
