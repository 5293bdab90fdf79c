namespace LiT.Tuning.Contrastive;

/// <summary>Numbers that depend on nothing but what they are drawn for, on every machine.</summary>
internal static class Draw
{
    /// <summary>A random-looking number for a seed and a place (SplitMix64's finaliser, folded).</summary>
    internal static ulong Mixed(ulong seed, params ReadOnlySpan<ulong> place)
    {
        var z = Finished(seed + 0x9E3779B97F4A7C15);
        foreach (var coordinate in place)
            z = Finished(z ^ (coordinate + 0x9E3779B97F4A7C15));
        return z;
    }

    private static ulong Finished(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
