using System.Globalization;
using LiT.Bundles;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// A tower of bytes against the same tower in float32, in turns, and how far their representations of real pictures are
/// apart.
/// </summary>
internal static class Int8Benchmark
{
    public static int Run(string[] args, Results results)
    {
        var (spec, data) = (args[0], args[1]);
        var count = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 64;
        if (args.Length > 3)
            set_num_threads(int.Parse(args[3], CultureInfo.InvariantCulture));
        using var exact = ImageTowerLoader.Load(spec);
        using var bytes = ImageTowerLoader.Load(ImageTowerLoader.With(spec, "int8"));
        var pictures = PreparedPictures
            .InOrder(
                Samples.Open(data).ReadAll(),
                new Preparation(exact.Preprocessing, long.MaxValue, Ahead: 16),
                CancellationToken.None
            )
            .Select(one => one.Picture)
            .OfType<PreparedPicture>()
            .Select(picture => picture.Pixels)
            .Take(count)
            .ToList();
        var (width, compute) = (exact.Tower.Width, ComputeDevice.Cpu with { Threads = get_num_threads() });
        var (one, other) = (new float[pictures.Count * width], new float[pictures.Count * width]);

        var median = Rounds.MedianSpent(
            3,
            () => ImageBatch.Represent(exact, pictures, compute, one),
            () => ImageBatch.Represent(bytes, pictures, compute, other)
        );
        results.Rate($"{spec} forward", "float32", "pictures/s", pictures.Count, median[0]);
        results.Rate($"{spec} forward", "int8", "pictures/s", pictures.Count, median[1], ("float32", median[0]));
        var cosines = Enumerable
            .Range(0, pictures.Count)
            .Select(i =>
                (double)
                    System.Numerics.Tensors.TensorPrimitives.CosineSimilarity(
                        one.AsSpan(i * width, width),
                        other.AsSpan(i * width, width)
                    )
            )
            .Order()
            .ToList();
        Console.WriteLine(
            FormattableString.Invariant(
                $"{spec}, {pictures.Count} pictures of {data}, {get_num_threads()} threads, median of 3 turns"
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  float32 {pictures.Count / median[0].Seconds:F2} pictures/s, int8 "
                    + $"{pictures.Count / median[1].Seconds:F2}: {median[0].Seconds / median[1].Seconds:F2} x; in "
                    + $"processor time {median[0].Processor / median[1].Processor:F2} x"
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  cosine of the two: mean {cosines.Average():F5}, 1st percentile "
                    + $"{cosines[cosines.Count / 100]:F5}, least {cosines[0]:F5}"
            )
        );
        results.Number($"{spec}, cosine of int8 to float32", "mean", "", cosines.Average());
        results.Number($"{spec}, cosine of int8 to float32", "least", "", cosines[0]);
        return 0;
    }
}
