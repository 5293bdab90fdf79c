namespace LiT.Images;

/// <summary>
/// A small source of random numbers (SplitMix64; Steele, Lea and Flood 2014) that gives the same numbers for the same seed
/// on every machine and version, and that can be had for any sample of any epoch without running through those before.
/// </summary>
internal struct Chance(ulong seed)
{
    private ulong state = seed;

    /// <summary>The source that belongs to one sample of one epoch of a run.</summary>
    public static Chance For(long seed, long epoch, long sample)
    {
        var mix = new Chance((ulong)seed);
        mix = new Chance(mix.Next() ^ (ulong)epoch);
        return new Chance(mix.Next() ^ (ulong)sample);
    }

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }

    /// <summary>From 0 up to but not including <paramref name="count"/>.</summary>
    public int Below(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    /// <summary>From <paramref name="low"/> to <paramref name="high"/>.</summary>
    public double Between(double low, double high) => low + (high - low) * ((Next() >> 11) * (1.0 / (1UL << 53)));

    /// <summary>True in this part of the cases.</summary>
    public bool Happens(double probability) => Between(0, 1) < probability;
}
