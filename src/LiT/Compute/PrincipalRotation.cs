using static TorchSharp.torch;

namespace LiT.Compute;

/// <summary>
/// The rotation after which the first numbers of rows of unit length say the most of their cosines: the principal
/// directions of the rows as they are, the mean not taken away, the largest first. No other choice of as many numbers
/// keeps the products of the rows as well (Eckart and Young 1936), and all of them together keep every cosine as it is.
/// </summary>
internal static class PrincipalRotation
{
    /// <param name="rows">Rows that stand for all; fewer than their length leave the last directions to chance.</param>
    /// <returns>An orthogonal matrix, float32, [E, E]; row i is the direction that becomes number i. The same for any
    /// number of threads.</returns>
    public static Tensor Of(Embeddings rows)
    {
        Tensor? rotation = null;
        // On one thread: libtorch cuts sums where its threads are.
        Parts.Run(1, _ =>
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            var x = rows.ToUnit().ToTensor().to(ScalarType.Float64);
            var (_, vectors) = linalg.eigh(x.t().matmul(x)); // columns, the smallest first
            var directions = vectors.flip(1).t();
            // The sign of a direction is chance: its largest number becomes positive.
            var largest = directions.gather(1, directions.abs().argmax(1, keepdim: true));
            rotation = (directions * largest.sign()).to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
        });
        return rotation!;
    }
}
