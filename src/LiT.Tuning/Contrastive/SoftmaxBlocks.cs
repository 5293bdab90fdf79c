using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// Cross-entropy over the rows and over the columns of the logits, averaged. With target q uniform over positives,
/// the loss of row i is logsumexp(l_i) - q_i · l_i, and its gradient softmax(l_i) - q_i: only the first halves need
/// the logits in blocks, the second are sums over groups.
/// </summary>
internal static class SoftmaxBlocks
{
    internal static LossResult Compute(
        Tensor z,
        Tensor t,
        Tensor scale,
        Positives positives,
        double denominator,
        ContrastiveLossOptions options
    )
    {
        var blocks = new LogitBlocks(z, t, scale, options.BlockSize, options.KeptBytes);
        blocks.Visit(blocks.AddToSums);
        var logSums = blocks.LogSums;

        var (gradientZ, gradientT) = (options.ImageGradient ? zeros_like(z) : null, zeros_like(t));
        blocks.Visit(
            (rows, columns, logits) =>
            {
                var shares = blocks.Shares(rows, columns, logits);
                if (gradientZ is not null)
                    Products.Add(rows.Of(gradientZ), shares, columns.Of(t));
                Products.Add(columns.Of(gradientT), shares.t(), rows.Of(blocks.ScaledImages));
            }
        );
        blocks.Forget();
        LossResult? result = null;
        Parts.Run(1, _ =>
            result = WithTargets(blocks, logSums, (gradientZ, gradientT), (t, scale), positives, denominator)
        );
        return result!;
    }

    // On one thread: libtorch cuts sums and the ends of vectors where its threads are.
    private static LossResult WithTargets(
        LogitBlocks blocks,
        Tensor logSums,
        (Tensor? Z, Tensor T) gradients,
        (Tensor T, Tensor Scale) from,
        Positives positives,
        double denominator
    )
    {
        var ((gradientZ, gradientT), (t, scale)) = (gradients, from);
        gradientZ?.mul_(scale);
        // The targets' half: one [B, E] matrix at a time beside the gradients, so that the whole stays as small as the
        // blocks.
        var relation = positives.On(t.device);
        var positivesOf = relation.Sum(ones(blocks.Size, t.dtype, t.device));
        var share = positivesOf.reciprocal().unsqueeze(1);
        var target = zeros(blocks.Size, ScalarType.Float64, t.device);
        Take(gradientT, blocks.ScaledImages, t, null);
        Take(gradientZ, t, blocks.ScaledImages, scale);
        var perPair = (logSums - target / positivesOf).TimesInPlace(0.5);
        gradientT.TimesInPlace(0.5 / denominator);
        gradientZ?.TimesInPlace(0.5 / denominator);
        // Sum over i, j of G_ij · l_ij, without another walk: G · z is the gradient of the texts.
        var gradientLogTemperature = RowProducts.Of(t, gradientT).sum();
        var (imageToText, textToImage) = blocks.Accuracies(relation);
        return new(
            perPair.sum().Times(1 / denominator),
            perPair,
            gradientZ,
            gradientT,
            gradientLogTemperature,
            zeros([], ScalarType.Float64, t.device),
            imageToText,
            textToImage
        );

        void Take(Tensor? gradient, Tensor others, Tensor own, Tensor? times)
        {
            using var scope = NewDisposeScope();
            var ofOthers = relation.Sum(others);
            target.PlusInPlace(RowProducts.Of(own, ofOthers));
            if (gradient is null)
                return;
            Subtract(ofOthers.mul_(share));
            ofOthers.Dispose();
            Subtract(relation.Sum(others * share));

            void Subtract(Tensor part) => gradient.sub_(times is null ? part : part.mul_(times));
        }
    }
}
