using System.Globalization;
using LiT.Compute;

namespace LiT.Benchmarks;

/// <summary>
/// Tuning the default small text tower (128 wide, 2 blocks, batch 256) on stored representations, with one thread and
/// with two in turns: pairs a second.
/// </summary>
internal static class SmallTowerBenchmark
{
    private const int Width = 256,
        Batch = 256,
        Rounds = 4;

    public static int Run(string[] options, Results results)
    {
        var steps = TextTowerBenchmark.Number(options, 0, 40);
        var spec = options.Length > 1 ? options[1] : "text:width=128,depth=2,heads=4";
        using var towers = TuningData.Towers(spec, Width);
        var pairs = TuningData.Pairs(4096, Width);
        List<Spent>[] taken =
        [
            [],
            [],
        ];
        for (var round = 0; round < Rounds; round++)
        for (var threads = 1; threads <= 2; threads++)
        {
            using var own = Parts.Use(threads);
            var all = TuningData.Tune(
                towers,
                pairs,
                new()
                {
                    Batch = Batch,
                    MicroBatch = Batch,
                    Steps = steps,
                }
            );
            taken[threads - 1].AddRange(all.Skip(steps / 4));
        }
        var (one, two) = (Spent.Median(taken[0]), Spent.Median(taken[1]));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{spec}, batch {Batch}, {pairs.MeanLength:F1} ids of 16: one thread {Batch / one.Seconds:F0} pairs/s "
                    + $"({1000 * one.Seconds:F1} ms a step, {1000 * one.Processor:F1} of processor), two "
                    + $"{Batch / two.Seconds:F0} ({1000 * two.Seconds:F1} and {1000 * two.Processor:F1} ms): "
                    + $"{one.Seconds / two.Seconds:F2} x"
            )
        );
        results.Rate(spec, "one thread", "pairs/s", Batch, one);
        results.Rate(spec, "two threads", "pairs/s", Batch, two, ("one thread", one));
        return 0;
    }
}
