using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>Which contrastive loss is tuned.</summary>
public enum ContrastiveLossKind
{
    /// <summary>Cross-entropy over the batch, both directions averaged (LiT, section 3; CLIP, figure 3).</summary>
    Softmax,

    /// <summary>A yes or no for every image with every text, with a learned bias (SigLIP, arXiv 2303.15343).</summary>
    Sigmoid,

    /// <summary>
    /// 1 - cosine of each pair, without negatives: a text is to give its own row, which another text tower made
    /// (Multilingual-CLIP, LREC 2022). With pictures it teaches a tower to tell them apart badly.
    /// </summary>
    Cosine,
}

/// <summary>What the sum of the sigmoid loss over all pairs of an image and a text is divided by.</summary>
public enum LossOver
{
    /// <summary>The batch, B, as SigLIP has it (arXiv 2303.15343).</summary>
    Batch,

    /// <summary>
    /// All pairs of an image and a text, B², as SAIL has it (arXiv 2412.04616): gradients are B times smaller. The loss
    /// that is told stays that of a picture.
    /// </summary>
    Pairs,
}

/// <summary>Which texts of a batch belong to an image.</summary>
public enum PositivePairs
{
    /// <summary>Only its own (the paper's form): a second picture with the same caption counts as a negative.</summary>
    Own,

    /// <summary>
    /// Its own, every text equal to it, and every text of the same image; the target is uniform over them.
    /// </summary>
    Shared,
}

/// <summary>How the loss is computed.</summary>
internal sealed record ContrastiveLossOptions
{
    /// <summary>Which loss.</summary>
    public ContrastiveLossKind Kind { get; init; } = ContrastiveLossKind.Softmax;

    /// <summary>
    /// Parts that use only their own negatives; 1 is the global batch (LiT, section 5.4 compares the two).
    /// </summary>
    public int LocalParts { get; init; } = 1;

    /// <summary>Side of a block of logits. The result does not depend on it beyond rounding.</summary>
    public int BlockSize { get; init; } = 1024;

    /// <summary>Bytes of logits that may be kept for the backward pass; the others are computed again.</summary>
    public long KeptBytes { get; init; } = 224L << 20;

    /// <summary>
    /// Images that come at once where processes share a batch, of all together; null for the usual number.
    /// </summary>
    public int? PieceRows { get; init; }

    /// <summary>Whether the gradient for the image side is wanted; a locked tower without a head needs none.</summary>
    public bool ImageGradient { get; init; } = true;
}

/// <summary>
/// The contrastive losses with their gradients written out. The B x B matrix of logits is never held: it is walked in
/// blocks, with a running maximum so that no temperature overflows, and computed again for the backward pass.
/// </summary>
internal static class ContrastiveLoss
{
    /// <summary>Loss, gradients and accuracies of a batch of B pairs.</summary>
    /// <param name="zimg">Image embeddings of unit length, [B, E].</param>
    /// <param name="ztxt">Text embeddings of unit length, [B, E]; row i belongs to image i.</param>
    /// <param name="logTemperature">t, one element; logits are exp(t) · zimg · ztxt.</param>
    /// <param name="bias">b, one element, added to the logits of the sigmoid loss; null for the softmax loss.</param>
    /// <param name="positives">Which pairs belong together beyond the diagonal, or null for the paper's plain
    /// form.</param>
    /// <param name="mask">Which pairs count, [B], or null for all; the others are neither positive nor
    /// negative.</param>
    /// <param name="options">Which loss and how.</param>
    public static LossResult Compute(
        Tensor zimg,
        Tensor ztxt,
        Tensor logTemperature,
        Tensor? bias = null,
        Positives? positives = null,
        bool[]? mask = null,
        ContrastiveLossOptions? options = null
    )
    {
        options ??= new();
        var size = zimg.shape[0];
        if (ztxt.shape[0] != size || ztxt.shape[1] != zimg.shape[1])
            throw new ArgumentException(
                $"Image embeddings are [{size}, {zimg.shape[1]}] and text embeddings "
                    + $"[{ztxt.shape[0]}, {ztxt.shape[1]}]: one text an image is expected, of equal length."
            );
        positives ??= Positives.Own((int)size);
        if (positives.Size != size || (mask?.Length ?? size) != size)
            throw new ArgumentException($"The positives or the mask are not of {size} pairs, as the batch is.");
        if (options.LocalParts < 1 || options.LocalParts > size || options.BlockSize < 1)
            throw new ArgumentException(
                $"A batch of {size} cannot be computed in {options.LocalParts} parts, blocks of {options.BlockSize}."
            );

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var scale = logTemperature.to_type(zimg.dtype).exp().reshape(1);
        var offset = (bias ?? zeros(1, zimg.dtype, zimg.device)).to_type(zimg.dtype).reshape(1);
        LossResult? whole = null;
        for (var part = 0; part < options.LocalParts; part++)
        {
            var (from, to) = (size * part / options.LocalParts, size * (part + 1) / options.LocalParts);
            var own = Masked(
                zimg.narrow(0, from, to - from),
                ztxt.narrow(0, from, to - from),
                scale,
                offset,
                positives.Slice((int)from, (int)to),
                mask?[(int)from..(int)to],
                options
            );
            if (options.LocalParts > 1)
                own = own.Weighted((to - from) / (double)size);
            whole = whole is null ? own : whole.Join(own);
        }
        return whole!.MoveToOuterDisposeScope();
    }

    /// <summary>The loss of the pairs that count, spread over all.</summary>
    private static LossResult Masked(
        Tensor zimg,
        Tensor ztxt,
        Tensor scale,
        Tensor bias,
        Positives positives,
        bool[]? mask,
        ContrastiveLossOptions options
    )
    {
        if (mask is null)
            return Blocks(zimg, ztxt, positives, zimg.shape[0]);
        var kept = Enumerable.Range(0, mask.Length).Where(pair => mask[pair]).ToArray();
        if (kept.Length == 0)
            throw new ArgumentException("The mask leaves no pair.", nameof(mask));
        var rows = tensor(kept.Select(pair => (long)pair).ToArray(), device: zimg.device);
        return Blocks(
                zimg.index_select(0, rows),
                ztxt.index_select(0, rows),
                positives.Select(kept),
                kept.Length + 1e-8
            )
            .SpreadOver(mask.Length, rows);

        LossResult Blocks(Tensor z, Tensor t, Positives own, double denominator) =>
            options.Kind switch
            {
                ContrastiveLossKind.Softmax => SoftmaxBlocks.Compute(z, t, scale, own, denominator, options),
                ContrastiveLossKind.Sigmoid => SigmoidBlocks.Compute(z, t, scale, bias, own, denominator, options),
                _ => CosinePairs.Compute(z, t, scale, own, denominator, options),
            };
    }
}
