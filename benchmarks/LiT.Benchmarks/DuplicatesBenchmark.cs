using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using LiT.Compute;
using LiT.Data;
using LiT.Duplicates;
using LiT.Stores;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// A leak audit of stores of random directions, with one test picture in a thousand planted among the training
/// pictures; beside it the products alone, as float32 matrix products of torch on a part of the same sizes.
/// </summary>
internal static class DuplicatesBenchmark
{
    private const int Planted = 1000;

    public static int Run(string[] sizes, Results results)
    {
        var train = Size(sizes, 0, 100_000);
        var test = Size(sizes, 1, 50_000);
        var width = Size(sizes, 2, 768);
        var folder = Directory.CreateTempSubdirectory("lit-duplicates-").FullName;
        try
        {
            var (made, _) = Timed(() =>
            {
                Write(Path.Combine(folder, "test"), test, width, 1, 0);
                Write(Path.Combine(folder, "train"), train, width, 2, test / Planted);
            });
            Console.WriteLine(FormattableString.Invariant($"both stores made in {made:F0} s"));
            using var trainStore = EmbeddingStore.Open(Path.Combine(folder, "train"));
            using var testStore = EmbeddingStore.Open(Path.Combine(folder, "test"));
            var operations = 2.0 * train * test * width;
            LeakReport? report = null;
            var (seconds, processor) = Timed(() => report = LeakAudit.Run(trainStore, testStore, 0.95));
            var (torchSpeed, torchOfProcessor) = Products(width);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"leak audit, {train:N0} x {test:N0} embeddings of {width}, "
                        + $"{Environment.ProcessorCount} threads, instruction set "
                        + $"{Processor.NameOf(Processor.Isa)}, {report!.Leaks.Count} of {test / Planted} "
                        + $"planted pictures found"
                )
            );
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {seconds, 8:F1} s on the clock, {processor, 8:F1} s of processor: "
                        + $"{operations / processor / 1e9:F0} G operations in a second of processor; peak memory "
                        + $"of the process {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB"
                )
            );
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {operations / torchSpeed, 8:F1} s on the clock, "
                        + $"{operations / torchOfProcessor, 8:F1} s of processor: the float32 products alone at "
                        + $"torch's speed ({torchOfProcessor / 1e9:F0} G in a second of processor), measured on "
                        + $"8,192 x 8,192"
                )
            );
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  1,000,000 x 50,000 of 768 need "
                        + $"{2.0 * 1e6 * 5e4 * 768 / (operations / processor):F0} s of processor at this speed"
                )
            );
            var what = $"leak audit {train:N0} x {test:N0} x {width}";
            results.Time(
                what,
                "LiT",
                new(seconds, processor),
                ("the float32 products alone", new(operations / torchSpeed, operations / torchOfProcessor))
            );
            results.Number(what, "LiT, peak memory", "MiB", Process.GetCurrentProcess().PeakWorkingSet64 >> 20);
            return report!.Leaks.Count == test / Planted ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int Size(string[] sizes, int at, int otherwise) =>
        sizes.Length > at ? int.Parse(sizes[at], CultureInfo.InvariantCulture) : otherwise;

    private static (double ASecond, double ASecondOfProcessor) Products(int width)
    {
        const int rows = 8192;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (a, b) = (randn(rows, width), randn(rows, width).t());
        a.matmul(b).Dispose();
        var (seconds, processor) = Timed(() =>
        {
            for (var i = 0; i < 5; i++)
                a.matmul(b).Dispose();
        });
        return (5 * 2.0 * rows * rows * width / seconds, 5 * 2.0 * rows * rows * width / processor);
    }

    /// <summary>
    /// Seconds on the clock, and of the processors: what other programs do hardly changes the second.
    /// </summary>
    private static (double Seconds, double Processor) Timed(Action action)
    {
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        action();
        var seconds = watch.Elapsed.TotalSeconds;
        process.Refresh();
        return (seconds, (process.TotalProcessorTime - before).TotalSeconds);
    }

    /// <summary>
    /// Random directions; the first <paramref name="planted"/> are the test set's first, a little changed.
    /// </summary>
    private static void Write(string folder, int rows, int width, int seed, int planted)
    {
        using var writer = EmbeddingStoreWriter.Open(
            folder,
            new StoreDescription
            {
                Fingerprint = "random",
                Tower = "random",
                EmbeddingSize = width,
                Source = "random",
                RowsPerShard = 20_000,
            }
        );
        var random = new Random(seed);
        var first = new Random(1);
        var row = new float[width];
        writer.Write(
            Enumerable
                .Range(0, rows)
                .Select(i =>
                {
                    for (var k = 0; k < width; k++)
                        row[k] =
                            i < planted
                                ? (float)(first.NextDouble() - 0.5 + 0.05 * random.NextDouble())
                                : (float)(random.NextDouble() - 0.5);
                    return (
                        new Sample($"{i}", $"{i}"),
                        new EmbeddedPicture(0, 0, SHA256.HashData(BitConverter.GetBytes(seed * 1_000_000_000L + i))),
                        row
                    );
                })
        );
    }
}
