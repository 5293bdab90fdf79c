namespace LiT.Classification;

/// <summary>The upper tail of a distribution: how large a share of it lies at or above a value.</summary>
/// <param name="Values">Rising.</param>
/// <param name="Shares">The share at or above each of them, falling, the last one above 0.</param>
internal sealed record TailShares(float[] Values, float[] Shares)
{
    /// <summary>Points of a sample whose shares lie evenly in the logarithm, from 1 to 1/n: dense where the tail is thin.</summary>
    public static TailShares Of(List<float> sorted, int points = 2000)
    {
        var n = sorted.Count;
        var ranks = Enumerable
            .Range(0, points)
            .Select(k => (int)Math.Round(Math.Pow(n, 1 - k / (points - 1.0))))
            .Distinct()
            .ToList();
        return new([.. ranks.Select(rank => sorted[n - rank])], [.. ranks.Select(rank => rank / (float)n)]);
    }

    /// <summary>The share at or above <paramref name="value"/>; beyond the sample, that of its largest value, since nothing more is known.</summary>
    public double Above(double value)
    {
        var (low, high) = (0, Values.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Values[middle] >= value)
                high = middle;
            else
                low = middle + 1;
        }
        return Shares[Math.Min(low, Shares.Length - 1)];
    }
}
