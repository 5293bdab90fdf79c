using System.Diagnostics;
using LiT.Bundles;
using LiT.Compute;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>What a machine can do and what a tower makes of it.</summary>
/// <param name="Limit">Pictures/s of the matrix products alone.</param>
/// <param name="LibtorchLimit">Pictures/s of the same products by libtorch's own dense product.</param>
/// <param name="GigaFlops">What the first is in 10⁹ multiplications and additions a second.</param>
/// <param name="Tower">Pictures/s of the tower's forward.</param>
/// <param name="Threads">Threads that all of them had.</param>
internal sealed record TowerSpeed(double Limit, double LibtorchLimit, double GigaFlops, double Tower, int Threads)
{
    /// <summary>The tower's part of the limit.</summary>
    public double Share => Tower / Limit;
}

/// <summary>
/// Measures a tower's forward and its matrix products alone in turns, so that what else the machine does meets both.
/// </summary>
internal static class TowerBench
{
    /// <param name="tower">On the CPU, of one of the project's architectures.</param>
    /// <param name="turns">Turns that are counted; the median of each way is given. One before them is not
    /// counted.</param>
    /// <param name="cancel">Stops between two turns.</param>
    /// <exception cref="LitException">The products of this architecture are not known.</exception>
    public static TowerSpeed Measure(LockedTower tower, int turns = 5, CancellationToken cancel = default)
    {
        var products = MatrixProducts.Of(
            tower.Tower.Config
                ?? throw new LitException(
                    tower.Architecture,
                    "its matrix products are not known, so there is no limit to measure against",
                    "Give a tower of one of the project's own architectures"
                ),
            tower.Preprocessing.Width
        );
        using ProductLimit limit = new(products, ImageBatch.Part),
            libtorch = new(products, ImageBatch.Part, oneDnn: false);
        using var pixels = randn(ImageBatch.Part, 3, tower.Preprocessing.Height, tower.Preprocessing.Width);
        var parts = get_num_threads();
        Action[] ways = [() => limit.Run(parts), () => libtorch.Run(parts), () => Parts.Run(parts, _ =>
                {
                    using var unrecorded = no_grad();
                    using var scope = NewDisposeScope();
                    tower.Tower.call(pixels);
                })];
        var seconds = ways.Select(_ => new List<double>()).ToArray();
        for (var turn = 0; turn <= turns; turn++)
        for (var way = 0; way < ways.Length; way++)
        {
            cancel.ThrowIfCancellationRequested();
            var watch = Stopwatch.StartNew();
            ways[way]();
            if (turn > 0)
                seconds[way].Add(watch.Elapsed.TotalSeconds);
        }
        var speed = seconds
            .Select(times => parts * ImageBatch.Part / times.Order().ElementAt(times.Count / 2))
            .ToArray();
        return new(speed[0], speed[1], speed[0] * products.Sum(product => product.Flops) / 1e9, speed[2], parts);
    }
}
