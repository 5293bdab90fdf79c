using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tuning;

/// <summary>
/// Cross-entropy over the rows and over the columns of the logits, averaged. With target q uniform over positives,
/// the loss of row i is logsumexp(l_i) - q_i · l_i, and its gradient softmax(l_i) - q_i: only the first halves need
/// the logits in blocks, the second are sums over groups.
/// </summary>
internal static class SoftmaxBlocks
{
    internal static LossResult Compute(Tensor z, Tensor t, Tensor scale, Positives positives, double denominator, ContrastiveLossOptions options)
    {
        var blocks = new LogitBlocks(z, t, scale, options.BlockSize, options.KeptBytes);
        blocks.Visit(blocks.AddToSums);
        var logSums = blocks.LogSums;

        var (gradientZ, gradientT) = (options.ImageGradient ? zeros_like(z) : null, zeros_like(t));
        blocks.Visit((rows, columns, logits) =>
        {
            var shares = blocks.Shares(rows, columns, logits);
            if (gradientZ is not null) rows.Of(gradientZ).addmm_(shares, columns.Of(t), beta: 1, alpha: 1);
            columns.Of(gradientT).addmm_(shares.t(), rows.Of(blocks.ScaledImages), beta: 1, alpha: 1);
        });
        gradientZ?.mul_(scale);

        var relation = positives.On(z.device);
        var positivesOf = relation.Sum(ones(blocks.Size, z.dtype, z.device));
        var (share, z2) = (positivesOf.reciprocal().unsqueeze(1), blocks.ScaledImages);
        var (ownT, ownZ) = (relation.Sum(t), relation.Sum(z2));
        var target = (z2 * ownT).PlusInPlace(t * ownZ).to_type(ScalarType.Float64).sum([1]) / positivesOf;
        var perPair = (logSums - target).TimesInPlace(0.5);

        gradientT.sub_(ownZ.mul_(share)).sub_(relation.Sum(z2 * share)).TimesInPlace(0.5 / denominator);
        gradientZ?.sub_(ownT.mul_(share).PlusInPlace(relation.Sum(t * share)).mul_(scale)).TimesInPlace(0.5 / denominator);
        // Sum over i, j of G_ij · l_ij, without another walk: G · z is the gradient of the texts.
        var gradientLogTemperature = (t * gradientT).to_type(ScalarType.Float64).sum();
        var (imageToText, textToImage) = blocks.Accuracies(relation);
        return new(perPair.sum().Times(1 / denominator), perPair, gradientZ, gradientT, gradientLogTemperature,
            zeros([], ScalarType.Float64, z.device), imageToText, textToImage);
    }
}
