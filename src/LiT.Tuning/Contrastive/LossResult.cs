using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// What the loss says of a batch of B pairs. All are tensors, so that nothing waits for a GPU until it is read.
/// They belong to the dispose scope of the caller.
/// </summary>
/// <param name="Loss">Mean over the pairs in nats, float64, a scalar.</param>
/// <param name="PerPair">The loss of each pair, float64, [B].</param>
/// <param name="ImageGradient">dLoss/dzimg, [B, E], or null where it was not wanted.</param>
/// <param name="TextGradient">dLoss/dztxt, [B, E].</param>
/// <param name="LogTemperatureGradient">dLoss/dt with logits = exp(t) · zimg · ztxt, float64, a scalar.</param>
/// <param name="BiasGradient">dLoss/db, float64, a scalar; zero for the softmax loss.</param>
/// <param name="ImageToText">Share of images whose best text in the batch is a positive, float64, a scalar.</param>
/// <param name="TextToImage">Share of texts whose best image in the batch is a positive, float64, a scalar.</param>
internal sealed record LossResult(
    Tensor Loss,
    Tensor PerPair,
    Tensor? ImageGradient,
    Tensor TextGradient,
    Tensor LogTemperatureGradient,
    Tensor BiasGradient,
    Tensor ImageToText,
    Tensor TextToImage
)
{
    /// <summary>The same with every mean counted by a part's share of the pairs; each pair's own loss stays.</summary>
    internal LossResult Weighted(double share) =>
        new(
            Loss.Times(share),
            PerPair,
            ImageGradient?.TimesInPlace(share),
            TextGradient.TimesInPlace(share),
            LogTemperatureGradient.Times(share),
            BiasGradient.Times(share),
            ImageToText.Times(share),
            TextToImage.Times(share)
        );

    /// <summary>The same loss with gradients of so much less.</summary>
    internal LossResult DividingGradients(double by) =>
        this with
        {
            ImageGradient = ImageGradient?.TimesInPlace(1 / by),
            TextGradient = TextGradient.TimesInPlace(1 / by),
            LogTemperatureGradient = LogTemperatureGradient.Times(1 / by),
            BiasGradient = BiasGradient.Times(1 / by),
        };

    /// <summary>Two weighted parts, one after the other.</summary>
    internal LossResult Join(LossResult next) =>
        new(
            Loss.Plus(next.Loss),
            cat([PerPair, next.PerPair]),
            ImageGradient is null ? null : cat([ImageGradient, next.ImageGradient!]),
            cat([TextGradient, next.TextGradient]),
            LogTemperatureGradient.Plus(next.LogTemperatureGradient),
            BiasGradient.Plus(next.BiasGradient),
            ImageToText.Plus(next.ImageToText),
            TextToImage.Plus(next.TextToImage)
        );

    /// <summary>The same where only some rows of a longer batch counted; the other rows are zero.</summary>
    internal LossResult SpreadOver(int size, Tensor rows)
    {
        return this with
        {
            PerPair = Spread(PerPair),
            ImageGradient = ImageGradient is null ? null : Spread(ImageGradient),
            TextGradient = Spread(TextGradient),
        };

        Tensor Spread(Tensor of)
        {
            long[] shape = [size, .. of.shape[1..]];
            return zeros(shape, of.dtype, of.device).index_copy_(0, rows, of);
        }
    }

    internal LossResult MoveToOuterDisposeScope()
    {
        foreach (
            var tensor in new[]
            {
                Loss,
                PerPair,
                ImageGradient,
                TextGradient,
                LogTemperatureGradient,
                BiasGradient,
                ImageToText,
                TextToImage,
            }
        )
            tensor?.MoveToOuterDisposeScope();
        return this;
    }
}
