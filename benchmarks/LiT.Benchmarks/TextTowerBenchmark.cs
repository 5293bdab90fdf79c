using System.Diagnostics;
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
    private const int Width = 768, Usual = 64, UsualPositions = 77;

    public static int Run(string[] options)
    {
        var batch = Number(options, 0, 256);
        var steps = Number(options, 1, 8);
        var spec = options.Length > 2 ? options[2] : "text:width=512,depth=12,heads=8";
        using var towers = TuningData.Towers(spec, Width);
        var pairs = TuningData.Pairs(Math.Max(4096, batch), Width);
        var operations = 6.0 * pairs.MeanLength * TuningData.MatrixWeights(towers.Text) + 6.0 * towers.Text.Width * Width;
        // In turns, since a machine is not as fast at one moment as at another.
        List<double> limits = [Limit()], usual = [], images = [];
        var seconds = TuningData.Tune(towers, pairs, new() { Batch = batch, MicroBatch = batch, Steps = steps }, () =>
        {
            limits.Add(Limit());
            if (options.Length > 3 || limits.Count is not (4 or 7)) return;
            var (pairs, image) = UsualWay();
            usual.Add(pairs);
            images.Add(image);
        });
        var rate = batch / TuningData.Median(seconds.Skip(1));
        var share = TuningData.Median(seconds.Select((second, step) => batch * operations / second / Math.Max(limits[step], limits[step + 1])).Skip(1));
        Console.WriteLine(FormattableString.Invariant($"float32 matrix products, 2048 x 2048 x 2048: {TuningData.Median(limits) / 1e9:F0} GFLOP/s, {get_num_threads()} threads"));
        Console.WriteLine(FormattableString.Invariant($"{spec}, batch {batch}, {pairs.MeanLength:F1} ids of 16: {rate:F1} pairs/s, {operations / 1e9:F2} GFLOP a pair, {100 * share:F0}% of the matrix products"));
        if (usual.Count == 0) return 0;
        var (slow, once) = (usual.Max(), images.Max());
        Console.WriteLine(FormattableString.Invariant($"the usual way, batch {Usual}, locked ViT-B/16 at every step, {UsualPositions} positions: {slow:F1} pairs/s; stored and packed is {rate / slow:F1} x"));
        Console.WriteLine(FormattableString.Invariant($"ten epochs, embedding each picture once at {once:F1} pictures/s: {10 / slow / (1 / once + 10 / rate):F1} x"));
        return 0;
    }

    /// <summary>
    /// One step of the usual way, in pairs a second: forward of the image tower, forward and backward of padded text. And the
    /// pictures a second of the image tower alone.
    /// </summary>
    private static (double Pairs, double Pictures) UsualWay()
    {
        using var image = VitConfig.Named("B/16").Create(1);
        image.Lock();
        using var text = TextTowerLoader.Create("text:width=512,depth=12,heads=8,pad=none", 49_408, UsualPositions, seed: 1);
        text.train();
        using var pixels = randn(Usual, 3, 224, 224);
        using var ids = randint(1, 49_408, [Usual, UsualPositions], int64);
        var watch = Stopwatch.StartNew();
        var pictures = 0.0;
        for (var turn = 0; turn < 2; turn++)
        {
            watch.Restart();                                      // the first is a warm-up
            using var scope = NewDisposeScope();
            using (no_grad()) image.call(pixels);
            pictures = Usual / watch.Elapsed.TotalSeconds;
            text.call(ids).square().sum().backward();
            foreach (var parameter in text.parameters()) parameter.grad = null;
        }
        return (Usual / watch.Elapsed.TotalSeconds, pictures);
    }

    /// <summary>The most float32 operations a second of matrix products alone.</summary>
    internal static double Limit()
    {
        const int Side = 2048;
        using var a = rand(Side, Side);
        using var b = rand(Side, Side);
        using var c = zeros(Side, Side);
        var best = double.PositiveInfinity;
        for (var turn = 0; turn < 3; turn++)
        {
            var watch = Stopwatch.StartNew();
            using (NewDisposeScope()) c.addmm_(a, b, beta: 0, alpha: 1);
            best = Math.Min(best, watch.Elapsed.TotalSeconds);
        }
        return 2.0 * Side * Side * Side / best;
    }

    internal static int Number(string[] options, int at, int otherwise) =>
        options.Length > at ? int.Parse(options[at], CultureInfo.InvariantCulture) : otherwise;
}
