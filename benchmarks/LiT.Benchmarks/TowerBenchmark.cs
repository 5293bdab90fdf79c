using System.Globalization;
using LiT.Bundles;
using LiT.Compute;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// The forward of every image tower, locked, against its matrix products alone and against the plain TorchSharp modules
/// as one writes them first, in turns. Random weights; 224 pixels.
/// </summary>
internal static class TowerBenchmark
{
    private const int Part = ImageBatch.Part,
        Rounds = 3;

    private static readonly string[] Known =
    [
        "vit:B/16",
        "vit:B/32",
        "resnet:50",
        "bit:R50x1",
        "mixer:B/16",
        "dino:vitb16",
        "dino:vitb14",
    ];

    public static int Run(string[] args, Results results)
    {
        var threads = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1;
        set_num_threads(threads);
        Console.WriteLine(
            $"pictures/s, {threads} threads, parts of {Part} pictures, median of {Rounds} turns; in "
                + "brackets the share of the matrix products alone"
        );
        Console.WriteLine(
            $"{"tower", -14} {"a second", -12} {"products", 9} {"libtorch", 9} {"LiT", 16} {"plain modules", 18}"
        );
        foreach (var spec in args.Length > 1 ? args[1..] : Known)
            One(spec, threads, results);
        return 0;
    }

    private static void One(string spec, int threads, Results results)
    {
        using var unrecorded = no_grad();
        using var scope = NewDisposeScope();
        using var locked = ImageTowerLoader.Load(spec, new ImageTowerOptions { ImageSize = 224 });
        var products = MatrixProducts.Of(locked.Tower.Config!);
        using ProductLimit limit = new(products, Part),
            mkl = new(products, Part, oneDnn: false);
        using var plain = PlainTowers.Of(locked.Tower);
        var pixels = randn(Part, 3, 224, 224);
        var parts = threads;
        var median = Benchmarks.Rounds.MedianSpent(
            Rounds,
            () => limit.Run(parts),
            () => mkl.Run(parts),
            () => Parts.Run(parts, _ =>
                {
                    using var none = no_grad();
                    using var inner = NewDisposeScope();
                    locked.Tower.call(pixels);
                }),
            () =>
            {
                for (var part = 0; part < parts; part++)
                    using (NewDisposeScope())
                        plain.call(pixels);
            }
        );
        Keep(results, spec, parts * Part, median);
        foreach (
            var (clock, seconds) in new[]
            {
                ("on the clock", median.Select(spent => spent.Seconds)),
                ("of processor", median.Select(spent => spent.Processor)),
            }
        )
        {
            var speed = seconds.Select(time => parts * Part / time).ToArray();
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{spec, -14} {clock} {speed[0], 9:F2} {speed[1], 9:F2} {speed[2], 9:F2} "
                        + $"({speed[2] / speed[0], 4:P0}) {speed[3], 9:F2} ({speed[3] / speed[0], 4:P0})   LiT is "
                        + $"{speed[2] / speed[3]:F2} x plain"
                )
            );
        }
    }

    private static void Keep(Results results, string spec, int pictures, Spent[] median)
    {
        var (products, libtorch, lit, plain) = (median[0], median[1], median[2], median[3]);
        results.Rate($"{spec} forward", "matrix products alone", "pictures/s", pictures, products);
        results.Rate($"{spec} forward", "libtorch's products alone", "pictures/s", pictures, libtorch);
        results.Rate(
            $"{spec} forward",
            "LiT",
            "pictures/s",
            pictures,
            lit,
            ("matrix products alone", products),
            ("plain modules", plain)
        );
        results.Rate($"{spec} forward", "plain modules", "pictures/s", pictures, plain);
    }
}
