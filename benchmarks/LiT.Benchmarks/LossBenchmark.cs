using System.Globalization;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// The softmax contrastive loss, forward and backward, in turns: in blocks with the gradients written out, with and
/// without the gradient of the images (a locked tower without a head needs none), as TorchSharp's autograd does it on
/// the whole B x B matrix, and the matrix products alone that none can do without (logits, and a gradient for each
/// side).
/// </summary>
internal static class LossBenchmark
{
    public static int Run(string[] sizes, Results results)
    {
        var batch = sizes.Length > 0 ? int.Parse(sizes[0], CultureInfo.InvariantCulture) : 4096;
        var width = sizes.Length > 1 ? int.Parse(sizes[1], CultureInfo.InvariantCulture) : 768;
        var rounds = sizes.Length > 2 ? int.Parse(sizes[2], CultureInfo.InvariantCulture) : 5;
        manual_seed(0);
        using var zimg = Unit(batch, width);
        using var ztxt = Unit(batch, width);
        using var logTemperature = tensor(MathF.Log(10));
        using var own = arange(batch);
        double blocksLoss = 0,
            autogradLoss = 0;
        Action[] ways =
        [
            () => Blocks(true),
            () => Blocks(false),
            () => Autograd(true),
            () => Autograd(false),
            Products,
        ];
        if (sizes is [_, _, _, var some])
            ways = ways[..(some == "blocks" ? 2 : 4)]; // the blocks' memory alone, or all but the products

        var (seconds, extra) = (ways.Select(_ => new List<Spent>()).ToArray(), new long[ways.Length]);
        for (var round = rounds == 1 ? 1 : 0; round <= rounds; round++) // the first of several is a warm-up
        for (var way = 0; way < ways.Length; way++)
        {
            var (before, watch) = (PeakMemory.Now, Spent.Start());
            var peak = PeakMemory.Of(() =>
            {
                using (NewDisposeScope())
                    ways[way]();
            });
            var spent = watch.Stop();
            if (round == 0)
                continue;
            seconds[way].Add(spent);
            extra[way] = Math.Max(extra[way], peak - before);
        }
        var median = seconds.Select(Spent.Median).ToArray();
        Console.WriteLine(
            $"softmax contrastive loss, forward and backward, batch {batch}, width {width}, "
                + $"{get_num_threads()} threads, median of {rounds}"
        );
        Keep();
        Row(0, "blocks", blocksLoss);
        Row(1, "blocks, images locked", blocksLoss);
        if (ways.Length == 2)
            return 0;
        Row(2, "autograd on the whole matrix", autogradLoss);
        Row(3, "autograd, images locked", autogradLoss);
        if (ways.Length > 4)
            Row(4, "the three matrix products alone", null);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"blocks are {median[2].Seconds / median[0].Seconds:F2} x as fast as autograd, "
                    + $"{median[3].Seconds / median[1].Seconds:F2} x with locked images"
                    + $"{OfProducts(spent => spent.Seconds)}"
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"in processor time {median[2].Processor / median[0].Processor:F2} x, "
                    + $"{median[3].Processor / median[1].Processor:F2} x with locked images"
                    + $"{OfProducts(spent => spent.Processor)}"
            )
        );
        return 0;

        void Keep()
        {
            var what = $"softmax loss {batch} x {width}";
            results.Time(what, "LiT", median[0], Beside(2));
            results.Time(what, "LiT, images locked", median[1], Beside(3));
            results.Number(what, "LiT, memory beyond the inputs", "GB", extra[0] / 1e9);
            if (ways.Length == 2)
                return;
            results.Time(what, "autograd", median[2]);
            results.Time(what, "autograd, images locked", median[3]);
            if (ways.Length > 4)
                results.Time(what, "the three matrix products alone", median[4]);
            results.Number(what, "autograd, memory beyond the inputs", "GB", extra[2] / 1e9);
        }

        string OfProducts(Func<Spent, double> of) =>
            ways.Length > 4
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $", at {100 * of(median[4]) / of(median[0]):F0}% of the matrix products"
                )
                : "";

        (string, Spent)[] Beside(int way) =>
            way < ways.Length ? [(way == 2 ? "autograd" : "autograd, images locked", median[way])] : [];

        void Row(int way, string words, double? loss) =>
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {words, -32} {median[way].Seconds, 8:F3} s   {median[way].Processor, 8:F3} s of "
                        + $"processors   {extra[way] / 1e9, 6:F2} GB extra   "
                        + $"{(loss is { } value ? $"loss {value:F6}" : "")}"
                )
            );

        void Blocks(bool images) =>
            blocksLoss = ContrastiveLoss
                .Compute(zimg, ztxt, logTemperature, options: new() { ImageGradient = images })
                .Loss.item<double>();

        void Autograd(bool images)
        {
            var (image, text, t) = (
                zimg.detach().requires_grad_(images),
                ztxt.detach().requires_grad_(),
                logTemperature.detach().requires_grad_()
            );
            var logits = image.matmul(text.t()).mul(t.exp());
            var loss = nn
                .functional.cross_entropy(logits, own)
                .add(nn.functional.cross_entropy(logits.t(), own))
                .div(2);
            loss.backward();
            autogradLoss = loss.item<float>();
        }

        void Products()
        {
            using var noGradient = no_grad();
            var logits = zimg.matmul(ztxt.t());
            logits.matmul(ztxt);
            logits.t().matmul(zimg);
        }
    }

    private static Tensor Unit(long rows, long width) => nn.functional.normalize(randn(rows, width), dim: 1);
}
