namespace LiT.Reports;

/// <summary>One axis of a chart: from where to where, and the round numbers on it.</summary>
internal sealed record Axis(double Low, double High, IReadOnlyList<double> Ticks, double Step)
{
    /// <summary>An axis that holds all finite values and ends on round numbers.</summary>
    /// <param name="values">What is shown; may be empty.</param>
    /// <param name="wanted">About how many ticks.</param>
    /// <param name="low">Where it starts, when that is fixed.</param>
    /// <param name="high">Where it ends, when that is fixed.</param>
    /// <param name="round">Whether the ends are moved outwards to ticks.</param>
    public static Axis For(
        IEnumerable<double> values,
        int wanted = 5,
        double? low = null,
        double? high = null,
        bool round = true
    )
    {
        var (least, most) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values.Where(double.IsFinite))
            (least, most) = (Math.Min(least, value), Math.Max(most, value));
        if (least > most)
            (least, most) = (low ?? 0, high ?? (low ?? 0) + 1);
        (least, most) = (Math.Min(low ?? least, least), Math.Max(high ?? most, most));
        if (!(most - least > Math.Max(Math.Abs(most), Math.Abs(least)) * 1e-12))
        {
            var room = most == 0 ? 1 : Math.Abs(most) * 0.1;
            (least, most) = (low is null ? least - room : least, most + room);
        }
        var step = RoundStep((most - least) / wanted);
        if (round && low is null)
            least = Math.Floor(least / step + 1e-9) * step;
        if (round && high is null)
            most = Math.Ceiling(most / step - 1e-9) * step;
        var ticks = new List<double>();
        for (var k = Math.Ceiling(least / step - 1e-9); k * step <= most + step * 1e-9 && ticks.Count < 50; k++)
            ticks.Add(k * step);
        return new Axis(least, most, ticks, step);
    }

    /// <summary>0 at the low end, 1 at the high end.</summary>
    public double Place(double value) => (value - Low) / (High - Low);

    /// <summary>The 1, 2 or 5 times a power of ten that is nearest above.</summary>
    private static double RoundStep(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var share = rough / power;
        return power
            * (
                share <= 1.0001 ? 1
                : share <= 2.0001 ? 2
                : share <= 5.0001 ? 5
                : 10
            );
    }
}
