using System.Numerics;

namespace LiT.Search;

/// <summary>A bit for every picture of a collection.</summary>
internal sealed class Bits(long count)
{
    private readonly ulong[] words = new ulong[(count + 63) / 64];

    public long Count => count;

    /// <summary>How many are set.</summary>
    public long Set => words.Sum(word => (long)BitOperations.PopCount(word));

    public bool this[long picture]
    {
        get => (words[picture >> 6] >> (int)(picture & 63) & 1) != 0;
        set
        {
            if (value)
                words[picture >> 6] |= 1UL << (int)(picture & 63);
            else
                words[picture >> 6] &= ~(1UL << (int)(picture & 63));
        }
    }

    /// <summary>Sets one.</summary>
    public void Add(int picture) => words[picture >> 6] |= 1UL << (picture & 63);

    /// <summary>All set.</summary>
    public static Bits All(long count)
    {
        Bits all = new(count);
        for (var i = 0L; i < count >> 6; i++)
            all.words[i] = ulong.MaxValue;
        if ((count & 63) != 0)
            all.words[^1] = (1UL << (int)(count & 63)) - 1;
        return all;
    }

    /// <summary>Those for which something holds.</summary>
    public static Bits Where(long count, Func<long, bool> holds)
    {
        Bits bits = new(count);
        Compute.Parts.For(count, 1 << 16, (from, end) =>
        {
            for (var word = from >> 6; word < (end + 63) >> 6; word++)
            {
                var set = 0UL;
                for (var i = word << 6; i < Math.Min(end, (word + 1) << 6); i++)
                    set |= (holds(i) ? 1UL : 0) << (int)(i & 63);
                bits.words[word] = set;
            }
        });
        return bits;
    }

    /// <summary>Those of some numbers.</summary>
    public static Bits Of(long count, IEnumerable<long> pictures)
    {
        Bits bits = new(count);
        foreach (var picture in pictures)
            bits[picture] = true;
        return bits;
    }

    /// <summary>How many are set before a number.</summary>
    public long Before(long picture)
    {
        var set = (long)BitOperations.PopCount(words[picture >> 6] & ((1UL << (int)(picture & 63)) - 1));
        for (var word = 0L; word < picture >> 6; word++)
            set += BitOperations.PopCount(words[word]);
        return set;
    }

    public Bits And(Bits other) => With(other, (a, b) => a & b);

    public Bits Or(Bits other) => With(other, (a, b) => a | b);

    /// <summary>Those that are not set.</summary>
    public Bits Not() => All(count).With(this, (a, b) => a & ~b);

    /// <summary>The set ones of a segment between two rows of it.</summary>
    /// <param name="first">The segment's first picture.</param>
    /// <param name="from">The first row.</param>
    /// <param name="end">The row behind the last.</param>
    public int[] In(long first, int from, int end)
    {
        List<int> rows = [];
        for (var picture = first + from; picture < first + end; )
        {
            var word = words[picture >> 6] >> (int)(picture & 63);
            if (word == 0)
            {
                picture = (picture | 63) + 1;
                continue;
            }
            picture += BitOperations.TrailingZeroCount(word);
            if (picture < first + end)
                rows.Add((int)(picture - first));
            picture++;
        }
        return [.. rows];
    }

    private Bits With(Bits other, Func<ulong, ulong, ulong> operation)
    {
        Bits both = new(count);
        for (var i = 0; i < words.Length; i++)
            both.words[i] = operation(words[i], other.words[i]);
        return both;
    }
}
