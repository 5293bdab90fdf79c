namespace LiT.Curation;

/// <summary>
/// A distribution of whole numbers: exact count, mean, least and most; quantiles from bins of at most 2% width.
/// </summary>
internal sealed class Tally
{
    private readonly SortedDictionary<int, long> bins = [];
    private double sum;
    private long least = long.MaxValue,
        most = long.MinValue;

    public long Count { get; private set; }

    public void Add(long value)
    {
        Count++;
        sum += value;
        (least, most) = (Math.Min(least, value), Math.Max(most, value));
        var bin = BinOf(value);
        bins[bin] = bins.GetValueOrDefault(bin) + 1;
    }

    public Distribution? Result =>
        Count == 0 ? null : new(Count, sum / Count, least, Quantile(0.05), Quantile(0.5), Quantile(0.95), most);

    /// <summary>Counts between edges: below the first, from each to the next, from the last on.</summary>
    public IEnumerable<(string Range, long Count)> Between(params long[] edges)
    {
        for (var i = 0; i <= edges.Length; i++)
        {
            var (from, to) = (i == 0 ? long.MinValue : edges[i - 1], i == edges.Length ? long.MaxValue : edges[i]);
            var range =
                i == 0 ? $"< {to:N0}"
                : i == edges.Length ? $"≥ {from:N0}"
                : to == from + 1 ? $"{from:N0}"
                : $"{from:N0}–{to - 1:N0}";
            yield return (
                range,
                bins.Where(bin => ValueOf(bin.Key) >= from && ValueOf(bin.Key) < to).Sum(bin => bin.Value)
            );
        }
    }

    private long Quantile(double share)
    {
        var rank = (long)Math.Ceiling(share * Count);
        foreach (var (bin, count) in bins)
            if ((rank -= count) <= 0)
                return Math.Clamp(ValueOf(bin), least, most);
        return most;
    }

    // Exact up to 1,024, then 64 bins for each doubling.
    private static int BinOf(long value)
    {
        if (value < 1024)
            return (int)Math.Max(value, 0);
        var shift = 63 - System.Numerics.BitOperations.LeadingZeroCount((ulong)value) - 6;
        return 1024 + (shift - 4) * 64 + (int)((value >> shift) - 64);
    }

    private static long ValueOf(int bin) => bin < 1024 ? bin : (64L + (bin - 1024) % 64) << (4 + (bin - 1024) / 64);
}

/// <summary>A distribution in numbers; quantiles of values above 1,024 are right to 2%.</summary>
internal sealed record Distribution(
    long Count,
    double Mean,
    long Least,
    long Percent5,
    long Median,
    long Percent95,
    long Most
);
