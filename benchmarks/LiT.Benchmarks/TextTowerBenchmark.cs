using System.Globalization;
using LiT.Compute;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// Tuning a 12-layer, 512-wide text tower on stored representations of a ViT-B/16, captions of 10 ids on average of at
/// most 16: pairs a second, and the share of the machine's float32 matrix products that this is, counting real ids
/// only, by libtorch's own product and by oneDNN's. Beside it the usual way on the same machine, in plain modules: the
/// locked ViT-B/16 at every step and 77 positions for every caption.
/// </summary>
internal static class TextTowerBenchmark
{
    private const int Width = 768,
        Usual = 64,
        UsualPositions = 77,
        Side = 2048;
    internal const double ProductOperations = 2.0 * Side * Side * Side;

    public static int Run(string[] options, Results results)
    {
        var batch = Number(options, 0, 256);
        var steps = Number(options, 1, 8);
        var spec = options.Length > 2 ? options[2] : "text:width=512,depth=12,heads=8";
        using var towers = TuningData.Towers(spec, Width);
        var pairs = TuningData.Pairs(Math.Max(4096, batch), Width);
        var operations =
            6.0 * pairs.MeanLength * TuningData.MatrixWeights(towers.Text) + 6.0 * towers.Text.Width * Width;
        // In turns, since a machine is not as fast at one moment as at another.
        List<Spent> products = [Product()],
            fast = [FastProduct()],
            usual = [],
            images = [];
        var taken = TuningData.Tune(
            towers,
            pairs,
            new()
            {
                Batch = batch,
                MicroBatch = batch,
                Steps = steps,
            },
            () =>
            {
                products.Add(Product());
                fast.Add(FastProduct());
                if (options.Length > 3 || products.Count is not (4 or 7))
                    return;
                usual.Add(UsualWay());
                images.Add(Embedding());
            }
        );
        var step = Spent.Median(taken.Skip(1));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{spec}, batch {batch}, {pairs.MeanLength:F1} ids of 16, {operations / 1e9:F2} GFLOP a "
                    + $"pair, {get_num_threads()} threads: {batch / step.Seconds:F1} pairs/s; in processor time "
                    + $"{batch / step.Processor:F1} a second"
            )
        );
        results.Rate($"{spec}, batch {batch}", "LiT", "pairs/s", batch, step);
        Share("libtorch's own", products);
        Share("oneDNN's", fast);
        if (usual.Count == 0)
            return 0;
        var (slow, once) = (Spent.Median(usual), Spent.Median(images));
        var pair = new Spent(step.Seconds / batch, step.Processor / batch);
        var usualPair = new Spent(slow.Seconds / Usual, slow.Processor / Usual);
        results.Rate("the same", "LiT", "pairs/s", 1, pair, ("the usual way in plain modules", usualPair));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"the usual way in plain modules, batch {Usual}, locked ViT-B/16 at every step, "
                    + $"{UsualPositions} positions: {Usual / slow.Seconds:F1} pairs/s; stored and packed is "
                    + $"{batch / step.Seconds * slow.Seconds / Usual:F1} x, in processor time "
                    + $"{batch / step.Processor * slow.Processor / Usual:F1} x"
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"ten epochs, embedding each picture once at {Usual / once.Seconds:F1} pictures/s: "
                    + $"{Epochs(slow.Seconds, once.Seconds, step.Seconds):F1} x, in processor time "
                    + $"{Epochs(slow.Processor, once.Processor, step.Processor):F1} x"
            )
        );
        return 0;

        void Share(string whose, List<Spent> products)
        {
            var product = Spent.Median(products);
            var share = TuningData.Median(
                taken
                    .Index()
                    .Skip(1)
                    .Select(one =>
                        Work(batch * operations, products[one.Index], products[one.Index + 1]) / one.Item.Seconds
                    )
            );
            var work = 100 * batch * operations / step.Processor * product.Processor / ProductOperations;
            results.Number($"{spec}, batch {batch}", $"share of {whose} product", "%", 100 * share, work);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {100 * share:F0}% of {whose} float32 product of 2048 x 2048 matrices "
                        + $"({ProductOperations / product.Seconds / 1e9:F0} GFLOP/s); in processor time "
                        + $"{work:F0}% "
                        + $"({ProductOperations / product.Processor / 1e9:F0} GFLOP in a second)"
                )
            );
        }

        // The time of a picture and a pair each way: ten times the usual, or once the picture and ten times the stored.
        double Epochs(double slow, double once, double stored) =>
            10 * slow / Usual / (once / Usual + 10 * stored / batch);
    }

    /// <summary>Seconds that products alone would need for the operations, at the better of two measurements.</summary>
    private static double Work(double operations, Spent before, Spent after) =>
        operations / ProductOperations * Math.Min(before.Seconds, after.Seconds);

    /// <summary>One step of the usual way: forward of the image tower, forward and backward of padded text.</summary>
    private static Spent UsualWay()
    {
        using var image = PlainTowers.Of(VitConfig.Named("B/16").Create(1));
        using PlainText text = new(49_408, UsualPositions, 512, 12, 2048, 8);
        using var pixels = randn(Usual, 3, 224, 224);
        using var ids = randint(1, 49_408, [Usual, UsualPositions], int64);
        Spent whole = default;
        for (var turn = 0; turn < 2; turn++) // the first is a warm-up
        {
            using var scope = NewDisposeScope();
            whole =
                Spent.Of(() =>
                {
                    using (no_grad())
                        image.call(pixels);
                }) + Spent.Of(() => text.call(ids).square().sum().backward());
            foreach (var parameter in text.parameters())
                parameter.grad = null;
        }
        return whole;
    }

    /// <summary>
    /// As many pictures embedded once, as <c>lit embed</c> does it: in parts that each run on one thread.
    /// </summary>
    private static Spent Embedding()
    {
        const int Part = 8;
        using var image = VitConfig.Named("B/16").Create(1);
        image.Lock();
        using var pixels = randn(Usual, 3, 224, 224);
        Spent pictures = default;
        for (var turn = 0; turn < 2; turn++)
            pictures = Spent.Of(() => Parts.Run(Usual / Part, part =>
                {
                    using var scope = NewDisposeScope();
                    using var unrecorded = no_grad();
                    image.call(pixels.narrow(0, part * Part, Part));
                }));
        return pictures;
    }

    /// <summary>The best of three large matrix products of oneDNN.</summary>
    private static Spent FastProduct()
    {
        if (!OneDnn.IsAvailable)
            return Product();
        using var a = rand(Side, Side);
        using var b = rand(Side, Side);
        return Best(() => OneDnn.Linear(a, b, null));
    }

    /// <summary>The best of three large matrix products.</summary>
    internal static Spent Product()
    {
        using var a = rand(Side, Side);
        using var b = rand(Side, Side);
        using var c = zeros(Side, Side);
        return Best(() => c.addmm_(a, b, beta: 0, alpha: 1));
    }

    private static Spent Best(Action run)
    {
        var turns = Enumerable
            .Range(0, 3)
            .Select(_ =>
                Spent.Of(() =>
                {
                    using (NewDisposeScope())
                        run();
                })
            )
            .ToList();
        return new(turns.Min(turn => turn.Seconds), turns.Min(turn => turn.Processor));
    }

    internal static int Number(string[] options, int at, int otherwise) =>
        options.Length > at ? int.Parse(options[at], CultureInfo.InvariantCulture) : otherwise;
}
