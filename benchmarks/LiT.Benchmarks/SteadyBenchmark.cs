using System.Globalization;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>Resident memory and live tensors over a long run of small steps.</summary>
internal static class SteadyBenchmark
{
    public static int Run(string[] options, Results results)
    {
        var steps = TextTowerBenchmark.Number(options, 0, 10_000);
        using var towers = TuningData.Towers("text:width=32,depth=1,heads=2", 64);
        var pairs = TuningData.Pairs(4096, 64);
        var folder = Directory.CreateTempSubdirectory("lit-bench-");
        try
        {
            TuningOptions tuning = new()
            {
                Batch = 64,
                MicroBatch = 64,
                Steps = steps,
                LogEvery = steps / 10,
                CheckpointEvery = steps / 2,
            };
            new ContrastiveTuner(new(towers, LiT.Towers.LockSetting.Parse("Lu"), tuning.Optimizer), pairs, tuning, CPU)
            {
                OnLine = line =>
                {
                    GC.Collect();
                    results.Number($"step {line.Step}", "resident memory", "MB", PeakMemory.Now / 1e6);
                    results.Number($"step {line.Step}", "live tensors", "", Tensor.TotalCount);
                    Console.WriteLine(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"step {line.Step, 6}: {PeakMemory.Now / 1e6, 7:F1} MB resident, "
                                + $"{Tensor.TotalCount} live tensors, {line.Seconds:F1} s"
                        )
                    );
                },
            }.Run(folder.FullName);
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
