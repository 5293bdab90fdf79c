using LiT.Compute;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace LiT.Studies;

/// <summary>
/// How alike two towers see the same things, from what they give for n of them: nothing is tuned. Rows of both belong
/// to each other; their lengths may differ.
/// </summary>
internal static class TowerFit
{
    /// <summary>
    /// Mutual nearest neighbours (Huh et al. 2024, arXiv 2405.07987): the share of a thing's k nearest by cosine that
    /// both towers agree on, over all things. Of equally near ones the first count.
    /// </summary>
    /// <param name="one">[n, D].</param>
    /// <param name="other">[n, E].</param>
    /// <param name="k">Neighbours, 1 to n - 1.</param>
    /// <returns>0 to 1; k / (n - 1) is what chance gives.</returns>
    public static double MutualNeighbours(Embeddings one, Embeddings other, int k)
    {
        Check(one, other);
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(k, one.Count);
        var (mine, theirs, common) = (Nearest(one, k), Nearest(other, k), 0L);
        for (var i = 0; i < one.Count; i++)
            common += mine[i].Intersect(theirs[i]).Count();
        return common / ((double)k * one.Count);
    }

    /// <summary>
    /// Linear centred kernel alignment (Kornblith et al. 2019, arXiv 1905.00414, equation 4): |YᵀX|² / (|XᵀX| |YᵀY|) of
    /// centred columns, in Frobenius norms. Turning and scaling either side changes nothing.
    /// </summary>
    /// <param name="one">[n, D].</param>
    /// <param name="other">[n, E].</param>
    /// <returns>0 to 1; 0 where one side is the same for all.</returns>
    public static double Cka(Embeddings one, Embeddings other)
    {
        Check(one, other);
        var result = 0.0;
        // On one thread: libtorch cuts sums where its threads are.
        Parts.Run(1, _ =>
        {
            using var scope = NewDisposeScope();
            var (x, y) = (Centred(one), Centred(other));
            double Product(Tensor a, Tensor b) => a.t().mm(b).Squared().sum().item<double>();
            var (xy, xx, yy) = (Product(y, x), Product(x, x), Product(y, y));
            result = xx > 0 && yy > 0 ? xy / Math.Sqrt(xx * yy) : 0;
        });
        return result;
    }

    private static Tensor Centred(Embeddings rows)
    {
        var x = rows.ToTensor().to(ScalarType.Float64);
        return x - x.mean([0]);
    }

    private static int[][] Nearest(Embeddings rows, int k)
    {
        var (unit, nearest) = (rows.ToUnit(), new int[rows.Count][]);
        Parts.For(rows.Count, 64, (from, to) =>
        {
            var near = new (float Cosine, int Row)[k];
            for (var i = (int)from; i < to; i++)
            {
                var found = 0;
                for (var row = 0; row < unit.Count; row++)
                {
                    if (row == i)
                        continue;
                    var cosine = TensorPrimitives.Dot(unit[i], unit[row]);
                    if (found == k && !(cosine > near[k - 1].Cosine))
                        continue;
                    var at = found < k ? found++ : k - 1;
                    for (; at > 0 && cosine > near[at - 1].Cosine; at--)
                        near[at] = near[at - 1];
                    near[at] = (cosine, row);
                }
                nearest[i] = [.. near.Select(one => one.Row)];
            }
        });
        return nearest;
    }

    private static void Check(Embeddings one, Embeddings other)
    {
        if (one.Count != other.Count || one.Count < 2)
            throw new ArgumentException(
                $"{one.Count} rows and {other.Count}: as many of both are needed, at least two.",
                nameof(other)
            );
    }
}
