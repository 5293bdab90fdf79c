using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

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

    /// <summary>Whether <see cref="Lock"/> made the tower a constant.</summary>
    public bool Locked { get; private set; }

    /// <summary>Makes the tower a constant: evaluation mode for good, no gradients. <see cref="Unlock"/> takes it back.</summary>
    public void Lock()
    {
        Locked = true;
        eval();
        foreach (var parameter in parameters())
            parameter.requires_grad_(false);
    }

    /// <summary>Makes the tower one that can be trained: gradients for every weight. The mode stays evaluation.</summary>
    public void Unlock()
    {
        Locked = false;
        foreach (var parameter in parameters())
            parameter.requires_grad_(true);
    }

    /// <summary>Training mode or evaluation mode; a locked tower stays in evaluation, whatever its parents are told.</summary>
    public override void train(bool train = true) => base.train(train && !Locked);

    /// <param name="ids">Token ids, int64, [B, L], on the host or where the tower is.</param>
    /// <returns>One representation a text, not of unit length, [B, Width].</returns>
    public abstract override Tensor forward(Tensor ids);

    private protected void CheckLength(Tensor ids)
    {
        if (MaxLength is { } longest && ids.shape[1] > longest)
            throw new LitException(
                $"Rows of {ids.shape[1]} ids: this text tower has {longest} positions. Give at most {longest} ids a text."
            );
    }
}
