using System.Diagnostics;
using System.Globalization;
using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// Who multiplies: libtorch's own product beside oneDNN's on one thread, for dense layers of text towers, forwards and
/// for both gradients. Rows change from call to call, as tokens do from batch to batch.
/// </summary>
internal static class ProductBenchmark
{
    private const int Turns = 5;

    private static readonly (int Rows, int Inputs, int Outputs)[] Shapes =
    [
        (300, 128, 128),
        (300, 128, 384),
        (300, 128, 512),
        (300, 512, 128),
        (600, 128, 512),
        (600, 512, 128),
        (1200, 128, 512),
        (1200, 512, 128),
        (300, 256, 1024),
        (300, 1024, 256),
        (160, 512, 2048),
        (160, 2048, 512),
        (80, 768, 3072),
        (80, 3072, 768),
    ];

    private static readonly string[] Ways =
    [
        "forward, libtorch",
        "forward, oneDNN",
        "input gradient, libtorch",
        "input gradient, oneDNN",
        "weight gradient, libtorch",
        "weight gradient, oneDNN",
    ];

    public static int Run(Results results)
    {
        using var threads = Parts.Use(1);
        using var unrecorded = no_grad();
        Console.WriteLine(
            "GFLOP/s on one thread   forward: libtorch, oneDNN   dX: libtorch, oneDNN   dW: libtorch, oneDNN"
        );
        foreach (var shape in Shapes)
        {
            using var scope = NewDisposeScope();
            var measured = Measure(shape);
            Console.WriteLine(
                $"{shape.Rows, 6} x {shape.Inputs, 4} x {shape.Outputs, 4} "
                    + string.Concat(
                        measured.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one, 10:F1}"))
                    )
            );
            foreach (var (way, speed) in Ways.Zip(measured))
                results.Rate(
                    $"{shape.Rows} x {shape.Inputs} x {shape.Outputs}",
                    way,
                    "GFLOP/s",
                    speed,
                    new Spent(1, 1)
                );
        }
        return 0;
    }

    private static double[] Measure((int Rows, int Inputs, int Outputs) shape)
    {
        var (rows, inputs, outputs) = shape;
        var (most, random) = (rows + rows / 4, new Random(1));
        var (x, dy) = (randn(most + 16, inputs), randn(most + 16, outputs));
        var (weight, bias) = (randn(outputs, inputs), randn(outputs));
        int[] counts = [.. Enumerable.Range(0, 40).Select(_ => random.Next(rows * 3 / 4, most))];
        Func<Tensor, Tensor, Tensor>[] ways =
        [
            (own, _) => nn.functional.linear(own, weight, bias),
            (own, _) => OneDnn.Linear(own, weight, bias),
            (_, gradient) => gradient.mm(weight),
            (_, gradient) => OneDnn.Linear(gradient, weight.t(), null),
            (own, gradient) => gradient.t().mm(own),
            (own, gradient) => OneDnn.Linear(gradient.t(), own.t(), null),
        ];
        var best = new double[ways.Length];
        for (var turn = 0; turn <= Turns; turn++)
        for (var way = 0; way < ways.Length; way++)
        {
            var (work, watch) = (0.0, Stopwatch.StartNew());
            foreach (var count in counts)
            {
                using var scope = NewDisposeScope();
                var filled = way % 2 == 1 ? (count + 15) / 16 * 16 : count;
                ways[way](x.narrow(0, 0, filled), dy.narrow(0, 0, filled));
                work += 2.0 * count * inputs * outputs;
            }
            if (turn > 0)
                best[way] = Math.Max(best[way], work / watch.Elapsed.TotalSeconds / 1e9);
        }
        return best;
    }
}
