using System.Globalization;
using LiT.Tuning;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// The softmax contrastive loss, forward and backward, three ways in turns: in blocks with the gradients written out, as
/// TorchSharp's autograd does it on the whole B x B matrix, and the matrix products alone that either cannot do without
/// (logits, and a gradient for each side).
/// </summary>
internal static class LossBenchmark
{
    public static int Run(string[] sizes)
    {
        var batch = sizes.Length > 0 ? int.Parse(sizes[0], CultureInfo.InvariantCulture) : 4096;
        var width = sizes.Length > 1 ? int.Parse(sizes[1], CultureInfo.InvariantCulture) : 768;
        manual_seed(0);
        using var zimg = Unit(batch, width);
        using var ztxt = Unit(batch, width);
        using var logTemperature = tensor(MathF.Log(10));
        using var own = arange(batch);
        double blocksLoss = 0, autogradLoss = 0;

        var median = Rounds.Median(5,
            () => blocksLoss = ContrastiveLoss.Compute(zimg, ztxt, logTemperature).Loss.item<double>(),
            () =>
            {
                var (image, text, t) = (zimg.detach().requires_grad_(), ztxt.detach().requires_grad_(), logTemperature.detach().requires_grad_());
                var logits = image.matmul(text.t()).mul(t.exp());
                var loss = nn.functional.cross_entropy(logits, own).add(nn.functional.cross_entropy(logits.t(), own)).div(2);
                loss.backward();
                autogradLoss = loss.item<float>();
            },
            () =>
            {
                using var noGradient = no_grad();
                var logits = zimg.matmul(ztxt.t());
                logits.matmul(ztxt);
                logits.t().matmul(zimg);
            });

        Console.WriteLine($"softmax contrastive loss, forward and backward, batch {batch}, width {width}, {get_num_threads()} threads, median of 5");
        Row("blocks, gradients written out", median[0], blocksLoss);
        Row("autograd on the whole matrix", median[1], autogradLoss);
        Row("the three matrix products alone", median[2], null);
        Console.WriteLine(FormattableString.Invariant($"blocks are {median[1] / median[0]:F2} x as fast as autograd, at {100 * median[2] / median[0]:F0}% of the matrix products"));
        return 0;
    }

    private static void Row(string way, double seconds, double? loss) =>
        Console.WriteLine(FormattableString.Invariant($"  {way,-32} {seconds,8:F3} s   {(loss is { } value ? $"loss {value:F6}" : "")}"));

    private static Tensor Unit(long rows, long width) => nn.functional.normalize(randn(rows, width), dim: 1);
}
