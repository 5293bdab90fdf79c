using System.Diagnostics;
using System.Globalization;
using LiT.Checkpoints;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// Opening a checkpoint of the size and the names of LiT-L16L, in every container: the seconds, and the most memory
/// that the process had, as a multiple of the file. Each figure is a process of its own; the files lie in the page
/// cache.
/// </summary>
internal static class OpenBenchmark
{
    private static readonly (string Way, string What)[] Ways =
    [
        ("open", "names, types and shapes"),
        ("read", "every tensor, every byte touched"),
        ("model", "both towers, ready to embed"),
    ];

    public static int Run(string[] arguments, Results results)
    {
        if (arguments is ["one", var way, var path])
            return One(way, path);
        var folder = arguments is [var given] ? given : Path.GetTempPath();
        Console.WriteLine(
            $"A checkpoint of LiT-L16L's names and sizes, random numbers, {Environment.ProcessorCount} "
                + "processors, median of 3 processes"
        );
        foreach (var container in new[] { "npz", "deflated npz", "safetensors" })
        {
            var file = Path.Combine(folder, $"lit-open-benchmark.{container.Split(' ')[^1]}");
            try
            {
                RandomL16L.Write(file, deflated: container.StartsWith("deflated", StringComparison.Ordinal));
                foreach (var (name, what) in Ways)
                {
                    if (container == "safetensors" && name == "model")
                        continue; // no such model is published in it
                    var runs = Enumerable
                        .Range(0, 3)
                        .Select(_ => Child(name, file))
                        .OrderBy(run => run.Seconds)
                        .ToList();
                    var size = (double)new FileInfo(file).Length;
                    results.Number($"{container}, {what}", "median of 3 processes", "s", runs[1].Seconds);
                    results.Number($"{container}, {what}", "memory", "x its size", runs.Max(run => run.Peak) / size);
                    Console.WriteLine(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"  {container, -13} {size / 1e9:F2} GB  {name, -6} {runs[1].Seconds, 7:F3} s  "
                                + $"{runs.Max(run => run.Peak) / size:F2} x its size in memory  ({what})"
                        )
                    );
                }
            }
            finally
            {
                File.Delete(file);
            }
        }
        return 0;
    }

    private static (double Seconds, double Peak) Child(string way, string path)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, ["open", "one", way, path])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var said = process.StandardOutput.ReadToEnd().Split(' ');
        process.WaitForExit();
        return process.ExitCode == 0
            ? (double.Parse(said[0], CultureInfo.InvariantCulture), double.Parse(said[1], CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"{way} of {path} failed.");
    }

    private static int One(string way, string path)
    {
        using (var warm = zeros(1)) { } // torch itself is loaded before the clock starts
        var clock = Stopwatch.StartNew();
        switch (way)
        {
            case "open":
                using (Checkpoint.Open(path)) { }
                break;
            case "read":
                using (var checkpoint = Checkpoint.Open(path))
                    foreach (var name in checkpoint.Tensors.Keys)
                    {
                        using var scope = NewDisposeScope();
                        _ = checkpoint.Read(name).sum();
                    }
                break;
            default:
                using (TwoTowersLoader.Load(path)) { }
                break;
        }
        var seconds = clock.Elapsed.TotalSeconds;
        using var self = Process.GetCurrentProcess();
        Console.WriteLine(FormattableString.Invariant($"{seconds:F4} {self.PeakWorkingSet64}"));
        return 0;
    }
}
