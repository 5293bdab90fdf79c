using LiT.Images;

namespace LiT.Evaluation;

/// <summary>Intervals by resampling what was measured (Efron 1979), seeded: the same seed gives the same interval on every machine.</summary>
internal static class Bootstrap
{
    private const int Resamples = 1000;

    /// <summary>The 2.5% and 97.5% points of the share of hits over resampled sets of the same size.</summary>
    public static double[] Interval95(IReadOnlyList<bool> hits, int seed)
    {
        var random = Chance.For(seed, 0, hits.Count);
        var flat = hits.ToArray();
        return Points(() =>
        {
            var sum = 0;
            for (var j = 0; j < flat.Length; j++)
                if (flat[random.Below(flat.Length)])
                    sum++;
            return sum / (double)flat.Length;
        });
    }

    /// <summary>
    /// The same where hits come in groups that belong together (the captions of one image): whole groups are drawn, so
    /// that what is alike is not counted as independent.
    /// </summary>
    /// <param name="hits">Hits.</param>
    /// <param name="groupOf">The group of each, from 0; every group below the highest has one at least.</param>
    /// <param name="seed">Of the draws.</param>
    public static double[] Interval95(IReadOnlyList<bool> hits, IReadOnlyList<int> groupOf, int seed)
    {
        var groups = groupOf.Max() + 1;
        var (right, sizes) = (new int[groups], new int[groups]);
        for (var i = 0; i < hits.Count; i++)
        {
            sizes[groupOf[i]]++;
            if (hits[i])
                right[groupOf[i]]++;
        }
        var random = Chance.For(seed, 1, hits.Count);
        return Points(() =>
        {
            long sum = 0,
                all = 0;
            for (var j = 0; j < groups; j++)
            {
                var group = random.Below(groups);
                sum += right[group];
                all += sizes[group];
            }
            return sum / (double)Math.Max(1, all);
        });
    }

    /// <summary>The 2.5% and 97.5% points of the mean of the classes' own shares; a class that a draw misses does not weigh in it.</summary>
    /// <param name="hits">Hits.</param>
    /// <param name="classOf">The class of each.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="seed">Of the draws.</param>
    public static double[] MeanPerClass95(IReadOnlyList<bool> hits, IReadOnlyList<int> classOf, int classes, int seed)
    {
        var (flat, of) = (hits.ToArray(), classOf.ToArray());
        var random = Chance.For(seed, 2, hits.Count);
        var (right, sizes) = (new int[classes], new int[classes]);
        return Points(() =>
        {
            Array.Clear(right);
            Array.Clear(sizes);
            for (var j = 0; j < flat.Length; j++)
            {
                var i = random.Below(flat.Length);
                sizes[of[i]]++;
                if (flat[i])
                    right[of[i]]++;
            }
            var (sum, seen) = (0.0, 0);
            for (var c = 0; c < classes; c++)
            {
                if (sizes[c] == 0)
                    continue;
                sum += right[c] / (double)sizes[c];
                seen++;
            }
            return sum / seen;
        });
    }

    private static double[] Points(Func<double> draw)
    {
        var values = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
            values[i] = draw();
        Array.Sort(values);
        return [values[(int)(0.025 * Resamples)], values[(int)(0.975 * Resamples) - 1]];
    }
}
