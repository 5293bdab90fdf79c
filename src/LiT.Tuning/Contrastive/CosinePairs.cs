using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// 1 - zimg_i · ztxt_i, half the squared distance of unit vectors: each text is to give its own row and nothing else
/// (Multilingual-CLIP, LREC 2022). The logits are looked at for the accuracies alone, and move no temperature.
/// </summary>
internal static class CosinePairs
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
        blocks.Forget();
        LossResult? result = null;
        Parts.Run(1, _ =>
        {
            var perPair = RowProducts.Of(z, t).TimesInPlace(-1).PlusInPlace(1.0);
            var (imageToText, textToImage) = blocks.Accuracies(positives.On(t.device));
            var none = zeros([], ScalarType.Float64, t.device);
            result = new(
                perPair.sum().Times(1 / denominator),
                perPair,
                options.ImageGradient ? t.Times(-1 / denominator) : null,
                z.Times(-1 / denominator),
                none,
                none.clone(),
                imageToText,
                textToImage
            );
        });
        return result!;
    }
}
