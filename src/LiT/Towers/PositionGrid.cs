using System.Text.Json.Serialization;
using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// How a table of learned positions is made to fit another number of patches. Each family does it in its own way.
/// </summary>
[JsonConverter(typeof(JsonStringEnumConverter<PositionResampling>))]
internal enum PositionResampling
{
    /// <summary>
    /// Linear, corner on corner, never antialiased: scipy.ndimage.zoom of order 1 (vit_jax checkpoint.py, big_vision
    /// vit.py). A grid of as many patches, whatever its shape, takes the table as it is.
    /// </summary>
    BilinearAligned,

    /// <summary>
    /// Cubic (a = -0.75), half-pixel centres, never antialiased: Hugging Face ViT's interpolate_pos_encoding.
    /// </summary>
    Bicubic,

    /// <summary>The same with the scale (n + 0.1) / m in place of n / m: DINO, and DINOv2 without registers.</summary>
    BicubicOffset,

    /// <summary>Cubic (a = -0.5), antialiased, weights summing to one at the border: DINOv2 with registers.</summary>
    BicubicAntialias,
}

/// <summary>
/// Learned positions on a grid of patches, resampled by two small matrices, and the fixed sine-cosine ones.
/// </summary>
internal static class PositionGrid
{
    /// <summary>
    /// A table of one grid for another, both row by row, [R C, D] → [R' C', D]; the table itself where the grids are
    /// the same.
    /// </summary>
    public static Tensor Resampled(
        Tensor table,
        (long Rows, long Columns) from,
        (long Rows, long Columns) to,
        PositionResampling rule
    )
    {
        if (
            from == to
            || (rule == PositionResampling.BilinearAligned && from.Rows * from.Columns == to.Rows * to.Columns)
        )
            return table.alias();
        using var scope = NewDisposeScope();
        var D = table.shape[1];
        var rows = tensor(Weights(from.Rows, to.Rows, rule)).to(table.dtype).to(table.device); // [R', R]
        var columns = tensor(Weights(from.Columns, to.Columns, rule)).to(table.dtype).to(table.device); // [C', C]
        var x = rows.matmul(table.reshape(from.Rows, from.Columns * D)); // [R', C D]
        x = columns.matmul(x.view(to.Rows, from.Columns, D)); // [R', C', D]
        return x.view(to.Rows * to.Columns, D).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The same for a table whose first row is the class token's, which no grid moves, [1, 1 + R C, D] → [1 + R' C',
    /// D].
    /// </summary>
    public static Tensor BehindClass(
        Tensor posembed,
        (long Rows, long Columns) from,
        (long Rows, long Columns) to,
        PositionResampling rule
    )
    {
        var table = posembed.squeeze(0);
        return cat([table[..1], Resampled(table[1..], from, to, rule)]);
    }

    /// <summary>What each of the new places takes from each of the old, [to, from]; every row sums to one.</summary>
    internal static double[,] Weights(long from, long to, PositionResampling rule)
    {
        var weights = new double[to, from];
        for (var i = 0; i < to; i++)
        {
            switch (rule)
            {
                case PositionResampling.BilinearAligned:
                    var place = to == 1 ? 0 : i * (from - 1.0) / (to - 1.0);
                    var left = (long)Math.Min(Math.Floor(place), Math.Max(from - 2, 0));
                    weights[i, left] += 1 - (place - left);
                    weights[i, Math.Min(left + 1, from - 1)] += place - left;
                    break;
                case PositionResampling.BicubicAntialias:
                    Antialiased(weights, i, from, (double)from / to);
                    break;
                default:
                    var scale = rule == PositionResampling.BicubicOffset ? from / (to + 0.1) : (double)from / to;
                    var centre = (i + 0.5) * scale - 0.5;
                    for (var tap = (long)Math.Floor(centre) - 1; tap <= (long)Math.Floor(centre) + 2; tap++)
                        weights[i, Math.Clamp(tap, 0, from - 1)] += Cubic(centre - tap, -0.75);
                    break;
            }
        }
        return weights;
    }

    // torch's antialiased interpolation (aten UpSampleKernel.cpp): the kernel widens when shrinking and is cut at the
    // border.
    private static void Antialiased(double[,] weights, int i, long from, double scale)
    {
        var (stretch, centre) = (Math.Max(scale, 1), (i + 0.5) * scale);
        var first = Math.Max((long)(centre - 2 * stretch + 0.5), 0);
        var end = Math.Min((long)(centre + 2 * stretch + 0.5), from);
        var sum = 0.0;
        for (var tap = first; tap < end; tap++)
            sum += weights[i, tap] = Cubic((tap - centre + 0.5) / stretch, -0.5);
        for (var tap = first; tap < end; tap++)
            weights[i, tap] /= sum;
    }

    // Keys 1981, with his a.
    private static double Cubic(double x, double a)
    {
        x = Math.Abs(x);
        return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1
            : x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
            : 0;
    }

    /// <summary>
    /// Fixed positions as in MoCo v3 (big_vision: models/vit.py, posemb_sincos_2d): channels sin x, cos x, sin y, cos y
    /// with x the column, frequencies 10000^(-i/(D/4-1)), [rows · columns, D].
    /// </summary>
    /// <param name="rows">Rows of patches.</param>
    /// <param name="columns">Patches in a row.</param>
    /// <param name="D">Their width, a multiple of 4.</param>
    /// <param name="beside">A weight of the tower: the positions are of its type, where it is.</param>
    public static Tensor SinCos2d(long rows, long columns, long D, Tensor beside)
    {
        using var scope = NewDisposeScope();
        Tensor Numbers(long count) => Scalars.Numbers(count, ScalarType.Float64, CPU);
        var omega = pow(10_000.0, Numbers(D / 4).neg().Over(D / 4 - 1.0)); // [D/4]
        var x = Numbers(columns).outer(omega).unsqueeze(0).expand(rows, -1, -1); // [R, C, D/4]
        var y = Numbers(rows).outer(omega).unsqueeze(1).expand(-1, columns, -1);
        return cat([x.sin(), x.cos(), y.sin(), y.cos()], 2)
            .view(rows * columns, D)
            .to(beside.dtype)
            .to(beside.device)
            .MoveToOuterDisposeScope();
    }
}
