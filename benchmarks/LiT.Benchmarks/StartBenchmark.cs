using System.Diagnostics;
using System.Globalization;

namespace LiT.Benchmarks;

/// <summary>
/// Seconds from the command to the first line of metrics, tuning on a store with everything chosen by default.
/// </summary>
internal static class StartBenchmark
{
    /// <summary>Arguments: the store; the built program, where it is not beside this one.</summary>
    public static int Run(string[] options, Results results)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var program =
            options.Length > 1 ? options[1] : Path.Combine(here.Parent!.Parent!.FullName, "LiT.Cli", here.Name, "lit");
        List<double> seconds = [];
        for (var turn = 0; turn < 4; turn++)
        {
            var folder = Directory.CreateTempSubdirectory("lit-bench-");
            var (run, metrics) = (
                Path.Combine(folder.FullName, "run"),
                Path.Combine(folder.FullName, "run", "metrics.jsonl")
            );
            var watch = Stopwatch.StartNew();
            using var process = Process.Start(
                new ProcessStartInfo(program, ["tune", "--data", options[0], "--out", run])
                {
                    RedirectStandardError = true,
                    RedirectStandardOutput = true,
                }
            )!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            while (!process.HasExited && !(File.Exists(metrics) && new FileInfo(metrics).Length > 0))
                Thread.Sleep(2);
            if (turn > 0)
                seconds.Add(watch.Elapsed.TotalSeconds);
            process.Kill();
            process.WaitForExit();
            folder.Delete(recursive: true);
        }
        results.Number("from the command to the first metrics", "median of 3", "s", TuningData.Median(seconds));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{options[0]}: {TuningData.Median(seconds):F2} s from the command to the first step's "
                    + $"metrics, median of 3"
            )
        );
        return 0;
    }
}
