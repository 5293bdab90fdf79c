namespace LiT.Images;

/// <summary>
/// A small source of random numbers (SplitMix64) that gives the same numbers for the same
/// seed on every machine and version, and that can be had for any sample of any epoch without running through those
/// before.
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
    public ulong Next() => SplitMix64.Next(ref state);

    /// <summary>From 0 up to but not including <paramref name="count"/>.</summary>
    public int Below(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    /// <summary>From <paramref name="low"/> to <paramref name="high"/>.</summary>
    public double Between(double low, double high) => low + (high - low) * ((Next() >> 11) * (1.0 / (1UL << 53)));

    /// <summary>True in this part of the cases.</summary>
    public bool Happens(double probability) => Between(0, 1) < probability;
}
