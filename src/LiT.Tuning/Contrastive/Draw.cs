namespace LiT.Tuning.Contrastive;

/// <summary>Numbers that depend on nothing but what they are drawn for, on every machine.</summary>
internal static class Draw
{
    /// <summary>A random-looking number for a seed and a place (SplitMix64's finaliser, folded).</summary>
    internal static ulong Mixed(ulong seed, params ReadOnlySpan<ulong> place)
    {
        var z = SplitMix64.Mixed(seed + SplitMix64.Step);
        foreach (var coordinate in place)
            z = SplitMix64.Mixed(z ^ (coordinate + SplitMix64.Step));
        return z;
    }

    /// <summary>The number between 0 and 1, below 1, that the upper 53 bits of such a number say.</summary>
    internal static double Share(ulong random) => (random >> 11) * (1.0 / (1UL << 53));
}
