namespace LiT;

/// <summary>SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine and version of .NET.</summary>
internal static class SplitMix64
{
    /// <summary>What the state moves by: 2^64 over the golden ratio, odd.</summary>
    public const ulong Step = 0x9E3779B97F4A7C15;

    /// <summary>The next 64 random bits.</summary>
    public static ulong Next(ref ulong state) => Mixed(state += Step);

    /// <summary>The finaliser: a bijection of the 64-bit numbers, so that unequal stays unequal.</summary>
    public static ulong Mixed(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
