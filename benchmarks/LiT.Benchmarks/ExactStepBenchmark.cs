namespace LiT.Benchmarks;

/// <summary>
/// What exactness costs: a step over a large batch with gradient caching against as many pairs in plain micro-batches, each
/// its own loss (what a machine without room does), and the memory of a step.
/// </summary>
internal static class ExactStepBenchmark
{
    /// <summary>Arguments: text tower, batch, micro-batch, the common size, and "memory" to do one step of the whole batch alone.</summary>
    public static int Run(string[] options)
    {
        var spec = options.Length > 0 ? options[0] : "bert:base";
        var batch = TextTowerBenchmark.Number(options, 1, 1024);
        var micro = TextTowerBenchmark.Number(options, 2, 64);
        var width = TextTowerBenchmark.Number(options, 3, 768);
        var alone = options.Length > 4;
        var pairs = TuningData.Pairs(batch, width);
        using var towers = TuningData.Towers(spec, width);
        var before = PeakMemory.Now;
        var exact = 0.0;
        var peak = PeakMemory.Of(() => exact = Seconds(batch, batch, alone ? 1 : 2));
        Console.WriteLine(FormattableString.Invariant($"{spec}, {pairs.MeanLength:F1} ids of 16: exact step at batch {batch}, micro-batch {micro}, {width} numbers: {exact:F2} s, {batch / exact:F1} pairs/s, peak {peak / 1e9:F2} GB ({before / 1e9:F2} GB before)"));
        if (alone) return 0;
        // Plain training updates after every micro-batch; its updates beyond the one that both need are not the price of exactness.
        var updates = (batch / micro - 1) * OptimizerBenchmark.Seconds(towers, new());
        var plain = Seconds(micro, batch, 2);
        Console.WriteLine(FormattableString.Invariant($"plain steps of {micro} over as many pairs: {plain:F2} s, of which {updates:F2} s are further updates; the exact step takes {exact / (plain - updates):F2} x as long without them, {exact / plain:F2} x with them"));
        return 0;

        // The pairs of a batch in steps of some size.
        double Seconds(int size, int of, int rounds)
        {
            var seconds = TuningData.Tune(towers, pairs, new() { Batch = size, MicroBatch = micro, Steps = of / size * rounds });
            return seconds.Chunk(of / size).Min(step => step.Sum());
        }
    }
}
