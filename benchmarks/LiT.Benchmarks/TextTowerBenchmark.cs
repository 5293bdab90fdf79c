using System.Globalization;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// Tuning a 12-layer, 512-wide text tower on stored representations of a ViT-B/16, captions of 10 ids on average of at most
/// 16: pairs a second, and the share of the machine's float32 matrix products that this is, counting real ids only. Beside
/// it the usual way on the same machine: the locked ViT-B/16 at every step and 77 positions for every caption.
/// </summary>
internal static class TextTowerBenchmark
{
    private const int Width = 768, Usual = 64, UsualPositions = 77, Side = 2048;
    internal const double ProductOperations = 2.0 * Side * Side * Side;

    public static int Run(string[] options)
    {
        var batch = Number(options, 0, 256);
        var steps = Number(options, 1, 8);
        var spec = options.Length > 2 ? options[2] : "text:width=512,depth=12,heads=8";
        using var towers = TuningData.Towers(spec, Width);
        var pairs = TuningData.Pairs(Math.Max(4096, batch), Width);
        var operations = 6.0 * pairs.MeanLength * TuningData.MatrixWeights(towers.Text) + 6.0 * towers.Text.Width * Width;
        // In turns, since a machine is not as fast at one moment as at another.
        List<Spent> products = [Product()], usual = [], images = [];
        var taken = TuningData.Tune(towers, pairs, new() { Batch = batch, MicroBatch = batch, Steps = steps }, () =>
        {
            products.Add(Product());
            if (options.Length > 3 || products.Count is not (4 or 7)) return;
            var (whole, image) = UsualWay();
            usual.Add(whole);
            images.Add(image);
        });
        var (step, product) = (Spent.Median(taken.Skip(1)), Spent.Median(products));
        var share = TuningData.Median(taken.Index().Skip(1).Select(one => Work(batch * operations, products[one.Index], products[one.Index + 1]) / one.Item.Seconds));
        Console.WriteLine(FormattableString.Invariant($"float32 matrix products, 2048 x 2048 x 2048: {ProductOperations / product.Seconds / 1e9:F0} GFLOP/s, {get_num_threads()} threads; {ProductOperations / product.Processor / 1e9:F0} a second of processor"));
        Console.WriteLine(FormattableString.Invariant($"{spec}, batch {batch}, {pairs.MeanLength:F1} ids of 16, {operations / 1e9:F2} GFLOP a pair: {batch / step.Seconds:F1} pairs/s, {100 * share:F0}% of the matrix products; in processor time {batch / step.Processor:F1} a second, {100 * batch * operations / step.Processor * product.Processor / ProductOperations:F0}%"));
        if (usual.Count == 0) return 0;
        var (slow, once) = (Spent.Median(usual), Spent.Median(images));
        Console.WriteLine(FormattableString.Invariant($"the usual way, batch {Usual}, locked ViT-B/16 at every step, {UsualPositions} positions: {Usual / slow.Seconds:F1} pairs/s; stored and packed is {batch / step.Seconds * slow.Seconds / Usual:F1} x, in processor time {batch / step.Processor * slow.Processor / Usual:F1} x"));
        Console.WriteLine(FormattableString.Invariant($"ten epochs, embedding each picture once at {Usual / once.Seconds:F1} pictures/s: {Epochs(slow.Seconds, once.Seconds, step.Seconds):F1} x, in processor time {Epochs(slow.Processor, once.Processor, step.Processor):F1} x"));
        return 0;

        // The time of a picture and a pair each way: ten times the usual, or once the picture and ten times the stored.
        double Epochs(double slow, double once, double stored) => 10 * slow / Usual / (once / Usual + 10 * stored / batch);
    }

    /// <summary>Seconds that products alone would need for the operations, at the better of two measurements.</summary>
    private static double Work(double operations, Spent before, Spent after) => operations / ProductOperations * Math.Min(before.Seconds, after.Seconds);

    /// <summary>
    /// One step of the usual way: forward of the image tower, forward and backward of padded text. And the forward of the
    /// image tower alone.
    /// </summary>
    private static (Spent Whole, Spent Image) UsualWay()
    {
        using var image = VitConfig.Named("B/16").Create(1);
        image.Lock();
        using var text = TextTowerLoader.Create("text:width=512,depth=12,heads=8,pad=none", 49_408, UsualPositions, seed: 1);
        text.train();
        using var pixels = randn(Usual, 3, 224, 224);
        using var ids = randint(1, 49_408, [Usual, UsualPositions], int64);
        Spent whole = default, pictures = default;
        for (var turn = 0; turn < 2; turn++)                       // the first is a warm-up
        {
            using var scope = NewDisposeScope();
            using (no_grad()) pictures = Spent.Of(() => image.call(pixels));
            whole = pictures + Spent.Of(() => text.call(ids).square().sum().backward());
            foreach (var parameter in text.parameters()) parameter.grad = null;
        }
        return (whole, pictures);
    }

    /// <summary>The best of three large matrix products.</summary>
    internal static Spent Product()
    {
        using var a = rand(Side, Side);
        using var b = rand(Side, Side);
        using var c = zeros(Side, Side);
        var turns = Enumerable.Range(0, 3).Select(_ => Spent.Of(() => { using (NewDisposeScope()) c.addmm_(a, b, beta: 0, alpha: 1); })).ToList();
        return new(turns.Min(turn => turn.Seconds), turns.Min(turn => turn.Processor));
    }

    internal static int Number(string[] options, int at, int otherwise) =>
        options.Length > at ? int.Parse(options[at], CultureInfo.InvariantCulture) : otherwise;
}
