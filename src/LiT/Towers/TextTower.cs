using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// The paper's g without its head: token ids in, the tower's representation of each text out.
/// </summary>
internal abstract class TextTower(string name) : Tower(name)
{
    /// <summary>Rows of the token embedding: ids must be below it.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The longest row of ids that the tower takes, or null where any length goes (T5).</summary>
    public abstract int? MaxLength { get; }

    /// <summary>Whether padding is masked, so that dropping it from a row changes nothing in the result.</summary>
    public abstract bool MasksPadding { get; }

    /// <summary>
    /// Sizes and choices, kept beside the weights; null for a tower of the caller's own, which a bundle cannot hold.
    /// </summary>
    public virtual TextTowerConfig? Config => null;

    /// <summary>Where it can be cut; null where weights are used in several places.</summary>
    internal virtual TextStages? Stages => null;

    /// <param name="ids">Token ids, int64, [B, L], on the host or where the tower is.</param>
    /// <returns>One representation a text, not of unit length, [B, Width].</returns>
    public abstract override Tensor forward(Tensor ids);

    /// <summary>Which of the ids are tokens, and how they lie.</summary>
    internal virtual TokenRows Rows(Tensor ids) => throw new NotSupportedException($"{GetName()} pools by itself.");

    /// <summary>Every token's state, [B, L, D]; what stands at masked padding means nothing.</summary>
    internal virtual Tensor Hidden(TokenRows rows) => throw new NotSupportedException($"{GetName()} pools by itself.");

    // Texts come in rows of every length: what is laid out for one is not for the next.
    private protected override bool FoldsWhenLocked => false;

    private protected void CheckLength(Tensor ids)
    {
        if (MaxLength is { } longest && ids.shape[1] > longest)
            throw new LitException(
                $"Rows of {ids.shape[1]} ids: this text tower has {longest} positions. Give at most "
                    + $"{longest} ids a text."
            );
    }
}
