namespace LiT.Evaluation;

/// <summary>Intervals by resampling what was measured (Efron 1979), seeded.</summary>
public static class Bootstrap
{
    private const int Resamples = 1000;

    /// <summary>The 2.5% and 97.5% points of the share of hits over resampled sets of the same size.</summary>
    public static double[] Interval95(IReadOnlyList<bool> hits, int seed)
    {
        var random = new Random(seed);
        var shares = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
        {
            var sum = 0;
            for (var j = 0; j < hits.Count; j++) if (hits[random.Next(hits.Count)]) sum++;
            shares[i] = sum / (double)hits.Count;
        }
        Array.Sort(shares);
        return [shares[(int)(0.025 * Resamples)], shares[(int)(0.975 * Resamples) - 1]];
    }
}
