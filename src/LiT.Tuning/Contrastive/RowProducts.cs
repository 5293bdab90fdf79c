using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>Products of rows with rows, summed in float64 without a second matrix of their size.</summary>
internal static class RowProducts
{
    private const long RowsAtOnce = 1024;

    /// <summary>The product of each row of a with that row of b, float64, [B].</summary>
    internal static Tensor Of(Tensor a, Tensor b)
    {
        var products = zeros(a.shape[0], ScalarType.Float64, a.device);
        for (var from = 0L; from < a.shape[0]; from += RowsAtOnce)
        {
            using var scope = NewDisposeScope();
            var rows = new Rows(from, Math.Min(RowsAtOnce, a.shape[0] - from));
            rows.Of(products).copy_((rows.Of(a) * rows.Of(b)).sum([1], type: ScalarType.Float64));
        }
        return products;
    }
}
