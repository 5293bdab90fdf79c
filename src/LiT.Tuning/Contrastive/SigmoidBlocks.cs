using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// The sigmoid loss: -log sigmoid(s · (l + b)) over all pairs of an image and a text, s = 1 for positives and -1 for
/// the rest, summed and divided by n, not n². As softplus(-l) = softplus(l) - l, the positives are sums over groups
/// here too, and one walk over the blocks gives loss and gradients.
/// </summary>
internal static class SigmoidBlocks
{
    internal static LossResult Compute(
        Tensor z,
        Tensor t,
        Tensor scale,
        Tensor bias,
        Positives positives,
        double denominator,
        ContrastiveLossOptions options
    )
    {
        var blocks = new LogitBlocks(z, t, scale, options.BlockSize, room: 0);
        var perPair = zeros(blocks.Size, ScalarType.Float64, z.device);
        var gradientBias = zeros([], ScalarType.Float64, z.device);
        var (gradientZ, gradientT) = (options.ImageGradient ? zeros_like(z) : null, zeros_like(t));
        blocks.Visit(
            (rows, columns, logits) =>
            {
                var yes = blocks.Sigmoids(rows, columns, logits, bias, perPair, gradientBias);
                if (gradientZ is not null)
                    Products.Add(rows.Of(gradientZ), yes, columns.Of(t));
                Products.Add(columns.Of(gradientT), yes.t(), rows.Of(blocks.ScaledImages));
            }
        );
        blocks.Forget();
        LossResult? result = null;
        Parts.Run(1, _ =>
            result = WithPositives(
                blocks,
                (perPair, gradientBias),
                (gradientZ, gradientT),
                (t, scale, bias),
                positives,
                denominator
            )
        );
        return result!;
    }

    // On one thread: libtorch cuts sums and the ends of vectors where its threads are.
    private static LossResult WithPositives(
        LogitBlocks blocks,
        (Tensor PerPair, Tensor Bias) sums,
        (Tensor? Z, Tensor T) gradients,
        (Tensor T, Tensor Scale, Tensor Bias) from,
        Positives positives,
        double denominator
    )
    {
        var ((perPair, gradientBias), (gradientZ, gradientT), (t, scale, bias)) = (sums, gradients, from);
        gradientZ?.mul_(scale);
        var relation = positives.On(t.device);
        var positivesOf = relation.Sum(ones(blocks.Size, ScalarType.Float64, t.device));
        var ownT = relation.Sum(t);
        perPair.sub_(RowProducts.Of(blocks.ScaledImages, ownT)).sub_(positivesOf * bias);
        gradientBias.sub_(positivesOf.sum()).TimesInPlace(1 / denominator);
        gradientT.sub_(relation.Sum(blocks.ScaledImages)).TimesInPlace(1 / denominator);
        gradientZ?.sub_(ownT.mul_(scale)).TimesInPlace(1 / denominator);
        var gradientLogTemperature = RowProducts.Of(t, gradientT).sum();
        var (imageToText, textToImage) = blocks.Accuracies(relation);
        return new(
            perPair.sum().Times(1 / denominator),
            perPair,
            gradientZ,
            gradientT,
            gradientLogTemperature,
            gradientBias,
            imageToText,
            textToImage
        );
    }
}
