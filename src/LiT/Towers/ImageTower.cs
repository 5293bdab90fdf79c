using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// The paper's f without its head: pixels in, the tower's own representation out. A new architecture is a subclass.
/// Call it in evaluation mode unless it is being trained.
/// </summary>
public abstract class ImageTower(string name) : Module<Tensor, Tensor>(name)
{
    /// <summary>The sizes that the tower was built from; null for a tower whose architecture is not the project's own.</summary>
    public virtual ImageTowerConfig? Config => null;

    /// <summary>Length of the representation.</summary>
    public abstract int Width { get; }

    /// <summary>
    /// Makes the tower a constant: evaluation mode, no gradients, and what follows from the weights alone (batch norms
    /// folded into convolutions, standardised kernels) is computed once. <see cref="Unlock"/> takes it back.
    /// </summary>
    public void Lock()
    {
        eval();
        foreach (var parameter in parameters()) parameter.requires_grad_(false);
        foreach (var part in modules().OfType<IFoldable>()) part.Folded = true;
    }

    /// <summary>Makes the tower one that can be trained: gradients for every weight. The mode stays evaluation.</summary>
    public void Unlock()
    {
        foreach (var part in modules().OfType<IFoldable>()) part.Folded = false;
        foreach (var parameter in parameters()) parameter.requires_grad_(true);
    }

    /// <summary>Fills the weights as the architecture's paper does.</summary>
    internal virtual void Initialise(Generator random) =>
        throw new NotSupportedException($"{GetName()} cannot be made from scratch.");

    /// <summary>Names of the supervised heads that came with the weights (linear classifiers on the representation).</summary>
    public virtual IReadOnlyList<string> HeadNames => [];

    /// <summary>Logits of a supervised head that came with the weights, [B, classes].</summary>
    /// <param name="head">One of <see cref="HeadNames"/>.</param>
    /// <param name="representation">What <see cref="Module{T, TResult}.forward"/> gave, [B, Width].</param>
    public virtual Tensor Logits(string head, Tensor representation) =>
        throw new ArgumentException($"This tower has no head '{head}'.", nameof(head));

    /// <param name="images">Preprocessed pixels, [B, 3, H, W].</param>
    /// <returns>One representation an image, not of unit length, [B, Width].</returns>
    public abstract override Tensor forward(Tensor images);
}

/// <summary>
/// The paper's g without its head: token ids in, the tower's representation of each text out.
/// </summary>
public abstract class TextTower(string name) : Module<Tensor, Tensor>(name)
{
    /// <summary>Length of the representation.</summary>
    public abstract int Width { get; }

    /// <summary>Rows of the token embedding: ids must be below it.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The longest row of ids that the tower takes, or null where any length goes (T5).</summary>
    public abstract int? MaxLength { get; }

    /// <summary>Whether padding is masked, so that dropping it from a row changes nothing in the result.</summary>
    public abstract bool MasksPadding { get; }

    /// <summary>Sizes and choices, kept beside the weights; null for a tower of the caller's own, which a bundle cannot hold.</summary>
    public virtual TextTowerConfig? Config => null;

    /// <param name="ids">Token ids, int64, [B, L].</param>
    /// <returns>One representation a text, not of unit length, [B, Width].</returns>
    public abstract override Tensor forward(Tensor ids);

    private protected void CheckLength(Tensor ids)
    {
        if (MaxLength is { } longest && ids.shape[1] > longest)
            throw new LitException($"Rows of {ids.shape[1]} ids: this text tower has {longest} positions. Give at most {longest} ids a text.");
    }
}
