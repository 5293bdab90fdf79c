namespace LiT.Drawings;

/// <summary>Reproducible chance: xoshiro256** (Blackman and Vigna 2018), seeded through SplitMix64.</summary>
internal sealed class Dice
{
    private ulong a,
        b,
        c,
        d;

    public Dice(ulong seed) => Reseed(seed);

    /// <summary>Starts the sequence that belongs to a seed; different seeds start in different states.</summary>
    public void Reseed(ulong seed)
    {
        a = SplitMix64.Mixed(seed);
        b = SplitMix64.Next(ref seed);
        c = SplitMix64.Next(ref seed);
        d = SplitMix64.Next(ref seed);
    }

    public ulong Bits()
    {
        var result = ulong.RotateLeft(b * 5, 7) * 9;
        var t = b << 17;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= t;
        d = ulong.RotateLeft(d, 45);
        return result;
    }

    /// <summary>Uniform in [low, high).</summary>
    public float Between(float low, float high) => low + (high - low) * ((Bits() >> 40) * (1f / (1 << 24)));

    /// <summary>
    /// Uniform among 0 … count - 1 (the multiply-shift of Lemire 2019; the bias of 2^-32 is of no matter here).
    /// </summary>
    public int Below(int count) => (int)(((Bits() >> 32) * (ulong)count) >> 32);

    public bool Chance(float probability) => Between(0, 1) < probability;

    public T Pick<T>(IReadOnlyList<T> from) => from[Below(from.Count)];
}
