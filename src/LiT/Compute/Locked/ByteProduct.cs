using LiT.Compute.Kernels;
using static TorchSharp.torch;

namespace LiT.Compute.Locked;

/// <summary>
/// By a constant weight of signed bytes. The first input, a typical one, shows how large each number becomes, and makes
/// the bytes.
/// </summary>
internal sealed class ByteProduct(PlainProduct plain, Tensor weight, Tensor? bias) : Product
{
    private readonly Lock one = new();
    private ByteWeights? bytes;

    /// <summary>Whether an input came and made the bytes.</summary>
    public bool IsMade => bytes is not null;

    public override Tensor Of(Tensor x)
    {
        if (Target.WantsGradient(x))
            return plain.Of(x);
        var made = bytes ?? Make(x);
        return Finished(ByteRows.Of(x, made.Factors), made).view([.. x.shape[..^1], weight.shape[0]]);
    }

    /// <summary>
    /// second(gelu(first(x))) in one pass over the activations; null where the two are not bytes yet, or a gradient is
    /// asked for.
    /// </summary>
    /// <param name="first">A product.</param>
    /// <param name="second">Another, of as many inputs as the first has outputs.</param>
    /// <param name="x">[.., inputs].</param>
    public static Tensor? WithGeluBetween(Product first, Product second, Tensor x)
    {
        if (
            first is not ByteProduct { bytes: { } before } one
            || second is not ByteProduct { bytes: { } after } other
            || Target.WantsGradient(x)
        )
            return null;
        var rows = ByteRows.Of(x, before.Factors);
        rows = rows.FinishWithGelu(before.Sums(rows), one.Bias, after.Factors);
        return other.Finished(rows, after).view([.. x.shape[..^1], other.Outputs]);
    }

    private Tensor? Bias => bias;

    private long Outputs => weight.shape[0];

    // Rows of bytes → [R, outputs].
    private Tensor Finished(ByteRows rows, ByteWeights made)
    {
        var sums = made.Sums(rows);
        rows.Finish(sums, bias);
        return sums;
    }

    private ByteWeights Make(Tensor x)
    {
        lock (one)
        {
            if (bytes is not null)
                return bytes;
            using var scope = NewDisposeScope();
            return bytes = new ByteWeights(weight, x.flatten(0, -2).abs().amax([0]));
        }
    }

    public override void Dispose()
    {
        lock (one)
        {
            bytes?.Dispose();
            bytes = null;
        }
    }
}
