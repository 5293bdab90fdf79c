using System.Globalization;

namespace LiT.Benchmarks;

/// <summary>
/// What exactness costs: a step over a large batch with gradient caching against as many pairs in plain micro-batches,
/// each its own loss (what a machine without room does), and the memory of a step.
/// </summary>
internal static class ExactStepBenchmark
{
    /// <summary>
    /// Arguments: text tower, batch, micro-batch, the common size, and "memory" to do one step of the whole batch
    /// alone.
    /// </summary>
    public static int Run(string[] options, Results results)
    {
        var spec = options.Length > 0 ? options[0] : "bert:base";
        var batch = TextTowerBenchmark.Number(options, 1, 1024);
        var micro = TextTowerBenchmark.Number(options, 2, 64);
        var width = TextTowerBenchmark.Number(options, 3, 768);
        var alone = options.Length > 4;
        var pairs = TuningData.Pairs(batch, width);
        using var towers = TuningData.Towers(spec, width);
        var before = PeakMemory.Now;
        Spent exact = default;
        var peak = PeakMemory.Of(() => exact = Steps(batch, batch, alone ? 1 : 2));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{spec}, {pairs.MeanLength:F1} ids of 16: exact step at batch {batch}, micro-batch "
                    + $"{micro}, {width} numbers: {exact.Seconds:F2} s ({exact.Processor:F2} s of processors), "
                    + $"{batch / exact.Seconds:F1} pairs/s, peak {peak / 1e9:F2} GB ({before / 1e9:F2} GB before)"
            )
        );
        var what = $"{spec}, {batch} in micro-batches of {micro}";
        results.Number(what, "exact step, peak memory", "GB", peak / 1e9);
        if (alone)
            results.Time(what, "exact step", exact);
        if (alone)
            return 0;
        // Plain training updates after every micro-batch; its updates beyond the one that both need are not the price
        // of exactness.
        var update = OptimizerBenchmark.Update(towers, new());
        var (wall, work) = ((batch / micro - 1) * update.Seconds, (batch / micro - 1) * update.Processor);
        var plain = Steps(micro, batch, 2);
        results.Time(
            what,
            "plain micro-batches, their further updates not counted",
            new(plain.Seconds - wall, plain.Processor - work),
            ("exact step", exact)
        );
        results.Time(what, "plain micro-batches", plain, ("exact step", exact));
        results.Time(what, "exact step", exact);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"plain steps of {micro} over as many pairs: {plain.Seconds:F2} s ({plain.Processor:F2} s "
                    + $"of processors), of which {wall:F2} s ({work:F2} s) are further updates"
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"the exact step takes {exact.Seconds / (plain.Seconds - wall):F2} x as long without these "
                    + $"updates ({exact.Processor / (plain.Processor - work):F2} x in processor time), "
                    + $"{exact.Seconds / plain.Seconds:F2} x with them"
            )
        );
        return 0;

        // The pairs of a batch in steps of some size; the better of the rounds.
        Spent Steps(int size, int of, int rounds)
        {
            var steps = TuningData.Tune(
                towers,
                pairs,
                new()
                {
                    Batch = size,
                    MicroBatch = micro,
                    Steps = of / size * rounds,
                }
            );
            var sums = steps.Chunk(of / size).Select(round => round.Aggregate((a, b) => a + b)).ToList();
            return new(sums.Min(round => round.Seconds), sums.Min(round => round.Processor));
        }
    }
}
