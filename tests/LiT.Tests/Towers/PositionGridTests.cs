using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

public class PositionGridTests
{
    private static Tensor Table(long rows, long columns)
    {
        using var random = new Generator(2, CPU);
        return randn([rows * columns, 3], float64, generator: random);
    }

    private static double Largest(Tensor t) => t.abs().max().item<double>();

    [Theory]
    [InlineData(PositionResampling.BilinearAligned)]
    [InlineData(PositionResampling.Bicubic)]
    [InlineData(PositionResampling.BicubicOffset)]
    [InlineData(PositionResampling.BicubicAntialias)]
    internal void What_a_place_takes_from_the_old_ones_sums_to_one(PositionResampling rule)
    {
        foreach (var (from, to) in new[] { (5L, 8L), (8L, 5L), (14L, 24L), (37L, 16L), (1L, 4L), (4L, 1L), (7L, 7L) })
        {
            var weights = PositionGrid.Weights(from, to, rule);
            for (var i = 0; i < to; i++)
                Assert.Equal(1, Enumerable.Range(0, (int)from).Sum(j => weights[i, j]), 12);
        }
    }

    [Fact]
    public void Aligned_corners_stay_where_they_are_and_the_middle_is_the_mean()
    {
        var weights = PositionGrid.Weights(2, 3, PositionResampling.BilinearAligned);
        Assert.Equal(
            new double[,]
            {
                { 1, 0 },
                { 0.5, 0.5 },
                { 0, 1 },
            },
            weights
        );
    }

    [Theory]
    [InlineData(5, 5, 8, 8)]
    [InlineData(5, 5, 4, 7)]
    [InlineData(6, 4, 3, 9)]
    [InlineData(7, 7, 7, 3)]
    public void Each_rule_is_what_torch_does_with_the_same_settings(
        long rows,
        long columns,
        long toRows,
        long toColumns
    )
    {
        using var scope = NewDisposeScope();
        var table = Table(rows, columns);
        var grid = table.view(1, rows, columns, 3).permute(0, 3, 1, 2);
        Tensor Torch(InterpolationMode mode, bool? aligned = false, bool antialias = false, double offset = 0) =>
            nn
                .functional.interpolate(
                    grid,
                    size: offset > 0 ? null : [toRows, toColumns],
                    scale_factor: offset > 0 ? [(toRows + offset) / rows, (toColumns + offset) / columns] : null,
                    mode: mode,
                    align_corners: aligned,
                    antialias: antialias
                )
                .permute(0, 2, 3, 1)
                .reshape(toRows * toColumns, 3);
        Tensor Ours(PositionResampling rule) =>
            PositionGrid.Resampled(table, (rows, columns), (toRows, toColumns), rule);

        Assert.True(
            Largest(Ours(PositionResampling.BilinearAligned) - Torch(InterpolationMode.Bilinear, aligned: true)) < 1e-10
        );
        Assert.True(Largest(Ours(PositionResampling.Bicubic) - Torch(InterpolationMode.Bicubic)) < 1e-10);
        Assert.True(
            Largest(Ours(PositionResampling.BicubicOffset) - Torch(InterpolationMode.Bicubic, offset: 0.1)) < 1e-10
        );
        Assert.True(
            Largest(Ours(PositionResampling.BicubicAntialias) - Torch(InterpolationMode.Bicubic, antialias: true))
                < 1e-10
        );
    }

    [Fact]
    public void The_trained_grid_is_left_alone_and_gradients_reach_the_table_through_another()
    {
        using var scope = NewDisposeScope();
        var table = Table(3, 3).requires_grad_();
        Assert.Equal(
            0,
            Largest((PositionGrid.Resampled(table, (3, 3), (3, 3), PositionResampling.BicubicOffset) - table).detach())
        );
        PositionGrid.Resampled(table, (3, 3), (5, 4), PositionResampling.BilinearAligned).sum().backward();
        Assert.Equal(20 * 3, table.grad!.sum().item<double>(), 9);
    }

    [Fact]
    public void Fixed_positions_are_sines_and_cosines_of_column_then_row()
    {
        using var scope = NewDisposeScope();
        var table = PositionGrid.SinCos2d(2, 3, 8, ScalarType.Float64, CPU);
        Assert.Equal([6, 8], table.shape);
        var (x, y) = (2.0, 1.0); // the last patch: row 1, column 2
        double[] expected =
        [
            Math.Sin(x),
            Math.Sin(x / 10_000),
            Math.Cos(x),
            Math.Cos(x / 10_000),
            Math.Sin(y),
            Math.Sin(y / 10_000),
            Math.Cos(y),
            Math.Cos(y / 10_000),
        ];
        Assert.Equal(expected, table[5].data<double>().ToArray(), (a, b) => Math.Abs(a - b) < 1e-12);
    }
}
