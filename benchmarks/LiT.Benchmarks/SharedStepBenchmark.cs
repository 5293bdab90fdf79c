using System.Globalization;
using LiT.Mpi;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// Steps of a batch that the processes of a job share: <c>mpirun -n 2 LiT.Benchmarks shared …</c> beside the same
/// without a launcher. The first process tells; where others are waited for is told apart from where bytes travel.
/// </summary>
internal static class SharedStepBenchmark
{
    /// <summary>
    /// Arguments: text tower, batch, steps (one alone is not warmed up), the common size, threads of each process, and
    /// how many processes there are; texts at once; the most ids of a caption (what travels does not depend on them).
    /// </summary>
    public static int Run(string[] options, Results results)
    {
        var spec = options.Length > 0 ? options[0] : "text:width=128,depth=2,heads=2";
        var batch = TextTowerBenchmark.Number(options, 1, 4096);
        var steps = TextTowerBenchmark.Number(options, 2, 4);
        var width = TextTowerBenchmark.Number(options, 3, 768);
        set_num_threads(TextTowerBenchmark.Number(options, 4, 1));
        using var group = MpiGroup.Join();
        if (group.Processes != TextTowerBenchmark.Number(options, 5, group.Processes))
            throw new LitException($"There are {group.Processes} processes; start as many as the last argument says.");
        var pairs = TuningData.Pairs(batch, width, ids: TextTowerBenchmark.Number(options, 7, 16));
        using var towers = TuningData.Towers(spec, width);
        TuningOptions tuning = new() { Batch = batch, MicroBatch = TextTowerBenchmark.Number(options, 6, 1024) };
        using TuningStep step = new(
            new(towers, LockSetting.Parse("Lu"), tuning.Optimizer),
            pairs,
            tuning,
            CPU,
            group.Exchange
        );
        if (steps > 1)
            step.Run(0, 1); // what is made once, which is nothing beside a step that is so long that one is enough
        var (waited, moved) = Spent(group);
        var watch = LiT.Benchmarks.Spent.Start();
        var peak = PeakMemory.Of(() =>
        {
            for (var number = 1; number <= steps; number++)
                step.Run(number, 1);
            group.Exchange.Any(false, patient: true);
        });
        var took = watch.Stop();
        var (waitedNow, movedNow) = Spent(group);
        if (group.Place > 0)
            return 0; // one file a job: who has no figure writes none
        var what = $"{spec}, batch {batch}, {width} numbers";
        var way = $"{group.Processes} x {get_num_threads()} threads";
        var (waiting, moving) = ((waitedNow - waited) / took.Seconds, (movedNow - moved) / took.Seconds);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{what}: {way}: {batch * steps / took.Seconds:F1} pairs/s, {took.Seconds / steps:F2} s a step, "
                    + $"{100 * moving:F2}% of it ({(movedNow - moved) / steps:F3} s) bytes on their way, "
                    + $"{100 * waiting:F2}% waiting for others, peak {peak / 1e9:F2} GB"
            )
        );
        results.Rate(what, way, "pairs/s", (double)batch * steps, took);
        results.Number(what, $"{way}, bytes on their way", "share", moving);
        results.Number(what, $"{way}, bytes on their way", "s a step", (movedNow - moved) / steps);
        results.Number(what, $"{way}, waiting for others", "share", waiting);
        results.Number(what, $"{way}, peak memory of a process", "GB", peak / 1e9);
        return 0;
    }

    private static (double Waited, double Moved) Spent(MpiGroup group) =>
        group.Exchange is MpiExchange exchange ? (exchange.Waited.TotalSeconds, exchange.Moved.TotalSeconds) : (0, 0);
}
