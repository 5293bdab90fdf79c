using LiT.Compute.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Compute.Locked;

/// <summary>
/// A dense layer's weight as signed bytes with a scale for each output, for products with <see cref="ByteRows"/>.
/// Inputs that are large beside their weights are made smaller and the weights larger by the same factor (SmoothQuant,
/// Xiao et al. 2023, arXiv 2211.10438, with α = 1/2), so that an outlier among the inputs does not cost the others
/// their digits.
/// </summary>
internal sealed class ByteWeights : IDisposable
{
    private readonly Tensor factors;
    private readonly PairProduct? own;
    private readonly Tensor? packed,
        scales,
        zeros; // for oneDNN's product

    /// <param name="weight">[N, K].</param>
    /// <param name="largestInputs">The largest size of each input that was seen, [K].</param>
    public ByteWeights(Tensor weight, Tensor largestInputs)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var W = weight.detach().to(ScalarType.Float32).contiguous();
        // Powers of two: they are exact, and do not hang on the last digit of what was seen.
        static Tensor Log2(Tensor sizes) => sizes.With(1e-5f, (x, least) => x.clamp_min(least)).log2();
        var smoothing = (Log2(largestInputs) - Log2(WeightCodes.LargestOfColumns(W))).Over(2).round();
        smoothing = smoothing - smoothing.median();
        smoothing = smoothing.With(-8, (x, least) => x.clamp_min(least)).With(8, (x, most) => x.clamp_max(most));
        factors = smoothing.neg().exp2().contiguous().DetachFromDisposeScope();
        var (codes, perRow) = WeightCodes.Of(W, smoothing.exp2().contiguous());
        if (OneDnn.MultipliesBytes)
        {
            scales = perRow.DetachFromDisposeScope();
            packed = OneDnn.PackCodes(codes).DetachFromDisposeScope();
            zeros = torch.zeros(scales.shape[0], ScalarType.Int32).DetachFromDisposeScope();
        }
        else
            own = new PairProduct(codes, perRow);
    }

    /// <summary>What each input is multiplied by before it becomes a byte, [K].</summary>
    public Tensor Factors => factors;

    /// <summary>Sums for every row and output, without the rows' scales and the bias: [R, K] bytes → [R, N].</summary>
    public Tensor Sums(ByteRows rows) => own?.Sums(rows.Codes) ?? OneDnn.Codes(rows.Codes, packed!, scales!, zeros!);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in (Tensor?[])[packed, scales, zeros, factors])
            tensor?.Dispose();
        own?.Dispose();
    }
}
