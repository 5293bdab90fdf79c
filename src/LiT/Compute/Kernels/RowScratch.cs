using System.Runtime.CompilerServices;

namespace LiT.Compute.Kernels;

/// <summary>Room for what kernels lay out anew, kept for the next call of the same thread.</summary>
internal static unsafe class RowScratch
{
    /// <summary>So many numbers filled up to a multiple of sixteen.</summary>
    public static int Filled(int count) => (count + Vectors.Lanes - 1) / Vectors.Lanes * Vectors.Lanes;

    /// <summary>Room for so many numbers, at the beginning of a cache line. It is pinned and holds anything.</summary>
    public static float* Room(ref float[]? kept, int needed)
    {
        if (kept is null || kept.Length < needed + Vectors.Lanes)
            kept = GC.AllocateUninitializedArray<float>(Math.Max(1 << 15, needed + Vectors.Lanes), pinned: true);
        return (float*)(((nint)Unsafe.AsPointer(ref kept[0]) + 63) & ~63);
    }
}
