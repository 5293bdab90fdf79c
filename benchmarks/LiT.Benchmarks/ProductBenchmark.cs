using System.Diagnostics;
using System.Globalization;
using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// Who multiplies: libtorch's own product beside oneDNN's on one thread, for dense layers of text towers, forwards and
/// for both gradients, whose rows change from call to call, as tokens do from batch to batch; and for products whose
/// rows stay: of the loss, and of locked image towers, whose weights oneDNN lays out once.
/// </summary>
internal static class ProductBenchmark
{
    private const int Turns = 3;

    // What is multiplied in one turn of one way, about.
    private const double Operations = 2e9;

    private static readonly (int Rows, int Inputs, int Outputs, bool Stay)[] Shapes =
    [
        (300, 128, 128, false),
        (300, 128, 384, false),
        (300, 128, 512, false),
        (300, 512, 128, false),
        (1200, 128, 512, false),
        (300, 256, 1024, false),
        (300, 1024, 256, false),
        (320, 512, 512, false),
        (320, 512, 2048, false),
        (320, 2048, 512, false),
        (320, 768, 3072, false),
        (320, 3072, 768, false),
        (128, 768, 1024, true),
        (1024, 1024, 768, true),
        (400, 768, 3072, true),
        (1576, 768, 3072, true),
        (1576, 3072, 768, true),
        (1576, 768, 2304, true),
        (1576, 768, 768, true),
        (400, 3072, 768, true),
        (400, 768, 2304, true),
        (400, 768, 768, true),
    ];

    private static readonly string[] Ways =
    [
        "forward, libtorch",
        "forward, oneDNN",
        "input gradient, libtorch",
        "input gradient, oneDNN",
        "weight gradient, libtorch",
        "weight gradient, oneDNN",
        "forward, oneDNN, packed",
    ];

    public static int Run(string[] options, Results results)
    {
        using var threads = Parts.Use(1);
        using var unrecorded = no_grad();
        Console.WriteLine(
            "GFLOP/s on one thread   forward: libtorch, oneDNN   dX: libtorch, oneDNN   dW: libtorch, oneDNN"
                + "   packed: oneDNN"
        );
        foreach (var shape in Shapes.Where(one => one.Stay || options is not ["stay"]))
        {
            using var scope = NewDisposeScope();
            var measured = Measure(shape);
            Console.WriteLine(
                $"{Name(shape), -28} "
                    + string.Concat(
                        measured.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one, 10:F1}"))
                    )
            );
            foreach (var (way, speed) in Ways.Zip(measured))
                results.Rate(Name(shape), way, "GFLOP/s", speed, new Spent(1, 1));
        }
        return 0;
    }

    private static string Name((int Rows, int Inputs, int Outputs, bool Stay) shape) =>
        $"{(shape.Stay ? "" : "about ")}{shape.Rows} x {shape.Inputs} x {shape.Outputs}";

    private static double[] Measure((int Rows, int Inputs, int Outputs, bool Stay) shape)
    {
        var (rows, inputs, outputs, stay) = shape;
        var (most, random) = (rows + rows / 4, new Random(1));
        var (x, dy) = (randn(most + 16, inputs), randn(most + 16, outputs));
        var (weight, bias) = (randn(outputs, inputs), randn(outputs));
        var packed = OneDnn.Pack(weight);
        var calls = Math.Clamp((int)(Operations / (2.0 * rows * inputs * outputs)), 3, 40);
        int[] counts = [.. Enumerable.Range(0, calls).Select(_ => stay ? rows : random.Next(rows * 3 / 4, most))];
        Func<Tensor, Tensor, Tensor>[] ways =
        [
            (own, _) => nn.functional.linear(own, weight, bias),
            (own, _) => OneDnn.Linear(own, weight, bias),
            (_, gradient) => gradient.mm(weight),
            (_, gradient) => OneDnn.Linear(gradient, weight.t(), null),
            (own, gradient) => gradient.t().mm(own),
            (own, gradient) => OneDnn.Linear(gradient.t(), own.t(), null),
            (own, _) => OneDnn.Linear(own, packed, bias),
        ];
        var best = new double[ways.Length];
        for (var turn = 0; turn <= Turns; turn++)
        for (var way = 0; way < ways.Length; way++)
        {
            var (work, watch) = (0.0, Stopwatch.StartNew());
            foreach (var count in counts)
            {
                using var scope = NewDisposeScope();
                var filled = Ways[way].Contains("oneDNN", StringComparison.Ordinal) ? (count + 15) / 16 * 16 : count;
                ways[way](x.narrow(0, 0, filled), dy.narrow(0, 0, filled));
                work += 2.0 * count * inputs * outputs;
            }
            if (turn > 0)
                best[way] = Math.Max(best[way], work / watch.Elapsed.TotalSeconds / 1e9);
        }
        return best;
    }
}
