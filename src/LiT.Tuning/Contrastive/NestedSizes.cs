using LiT.Compute;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// A loss at several widths at once (Matryoshka representations, Kusupati et al. 2022, arXiv 2205.13147, equation 1,
/// with equal weights): the mean over the whole width and over each smaller one, where both sides are cut to their
/// first numbers and brought to unit length again. Plain data; safe for several threads.
/// </summary>
/// <param name="sizes">Widths below that of the embeddings.</param>
/// <param name="rotation">
/// What both sides are turned by before they are cut, [E, E], orthogonal, so that the first numbers of a locked side
/// say the most; null cuts them as they are. The whole width is compared as it is, which a rotation changes nothing of.
/// </param>
internal sealed class NestedSizes(IReadOnlyList<int> sizes, Tensor? rotation)
{
    private const double Epsilon = TwoTowers.Epsilon;

    /// <summary>The mean of the losses, with gradients for the embeddings of the whole width.</summary>
    /// <param name="zimg">Embeddings of this process's images, of unit length, [n, E].</param>
    /// <param name="ztxt">Embeddings of this process's texts, of unit length, [n, E].</param>
    /// <param name="loss">The loss of embeddings of unit length and of any width.</param>
    /// <returns>Accuracies and the losses of pairs are those of the whole width.</returns>
    public LossResult Mean(Tensor zimg, Tensor ztxt, Func<Tensor, Tensor, LossResult> loss)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var share = 1.0 / (sizes.Count + 1);
        var whole = loss(zimg, ztxt);
        var mean = whole.Weighted(share) with { ImageToText = whole.ImageToText, TextToImage = whole.TextToImage };
        foreach (var size in sizes)
        {
            using var inside = NewDisposeScope();
            var (images, texts) = (Cut(zimg, size), Cut(ztxt, size));
            var part = loss(images.Unit, texts.Unit);
            mean.Loss.PlusInPlace(part.Loss, share);
            mean.LogTemperatureGradient.PlusInPlace(part.LogTemperatureGradient, share);
            mean.BiasGradient.PlusInPlace(part.BiasGradient, share);
            Add(mean.TextGradient, texts, part.TextGradient, share);
            if (part.ImageGradient is not null)
                Add(mean.ImageGradient!, images, part.ImageGradient, share);
        }
        return mean.MoveToOuterDisposeScope();
    }

    /// <summary>The first numbers of rows, turned where there is a rotation, and their lengths.</summary>
    private Shortened Cut(Tensor z, int size)
    {
        var x = empty([z.shape[0], size], z.dtype, z.device);
        if (rotation is null)
            x.copy_(z.narrow(1, 0, size));
        else
            Products.Write(x, z, rotation.narrow(0, 0, size));
        Shortened? cut = null;
        // On one thread: libtorch cuts sums where its threads are.
        Parts.Run(1, _ =>
        {
            var length = x.norm(1, keepdim: true);
            cut = new(x / length.Plus(Epsilon), length);
        });
        return cut!;
    }

    /// <summary>Adds to the gradient of whole rows what the gradient of their cut ones says.</summary>
    private void Add(Tensor whole, Shortened cut, Tensor gradient, double share)
    {
        Tensor? ofCut = null;
        Parts.Run(1, _ =>
        {
            // Of x / (|x| + e): g / (|x| + e) - u (g · u) / |x|.
            var along = cut.Unit.mul(
                (gradient * cut.Unit).sum([1], keepdim: true)
                    / cut.Length.With(Epsilon, (length, least) => length.clamp_min(least))
            );
            ofCut = (gradient / cut.Length.Plus(Epsilon)).sub_(along).TimesInPlace(share);
            if (rotation is null)
                whole.narrow(1, 0, ofCut.shape[1]).PlusInPlace(ofCut);
        });
        if (rotation is not null)
            Products.Add(whole, ofCut!, rotation.narrow(0, 0, ofCut!.shape[1]));
    }

    /// <param name="Unit">Of unit length, [n, size].</param>
    /// <param name="Length">What the rows had, [n, 1].</param>
    private sealed record Shortened(Tensor Unit, Tensor Length);
}
