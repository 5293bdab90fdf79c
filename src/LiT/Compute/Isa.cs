namespace LiT.Compute;

/// <summary>An instruction set that the library's own kernels are compiled for.</summary>
internal enum Isa
{
    /// <summary>Vectors of 128 bits, in whatever instructions the processor has for them.</summary>
    Portable,

    /// <summary>64-bit ARM: 128 bits.</summary>
    Arm,

    /// <summary>AVX2 with FMA: 256 bits.</summary>
    Avx2,

    /// <summary>AVX-512 (F, BW, DQ, VL): 512 bits.</summary>
    Avx512,
}
