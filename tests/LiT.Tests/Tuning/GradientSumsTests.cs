using LiT.Compute;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>Gradients of a table and of a matrix, in parts, beside autograd's of everything at once.</summary>
public sealed class GradientSumsTests
{
    /// <summary>
    /// Whole numbers, so that sums are exact: few rows of a large table stay rows to the end, many of a small one do
    /// not, and a part reads the table whole as well.
    /// </summary>
    [Theory]
    [InlineData(50, 1, 1, 7, false)]
    [InlineData(50, 3, 1, 7, false)]
    [InlineData(9, 3, 1, 7, false)]
    [InlineData(50, 3, 4, 7, false)]
    [InlineData(9, 2, 5, 7, false)]
    [InlineData(50, 3, 2, 7, true)]
    public void Rows_that_were_read_add_up_to_the_gradient_of_the_whole_table(
        int count,
        int lanes,
        int partsOfLane,
        int idsOfPart,
        bool wholeToo
    )
    {
        using var scope = NewDisposeScope();
        var random = new Random(3);
        var table = Layers.Table(count, 4);
        using (no_grad())
            table.weight!.copy_(randint(-3, 4, [count, 4]));
        var parts = lanes * partsOfLane;
        Tensor[] ids = [.. Enumerable.Range(0, parts).Select(_ => Ids())],
            weights = [.. Enumerable.Range(0, parts).Select(_ => randint(-3, 4, [idsOfPart, 4]).to(float32))];
        var untouched = nn.Parameter(zeros(2, 2));
        foreach (var part in Enumerable.Range(0, parts))
            Read(part, table.call(ids[part])).backward();
        var expected = table.weight!.grad!.clone();
        table.weight.grad = null;

        GradientSums sums = new([table.weight, untouched], lanes);
        for (var part = 0; part < parts; part++)
        {
            using var sparse = TableRows.Sparse();
            var read = Read(part, TableRows.Of(table, ids[part]));
            sums.Add(part % lanes, autograd.grad([read], [table.weight, untouched], allow_unused: true));
            if (part + lanes >= parts)
                sums.Done(part % lanes);
        }
        sums.Give();

        Assert.False(table.weight.grad!.is_sparse);
        Assert.True(table.weight.grad.Equals(expected));
        Assert.True(expected.abs().sum().item<float>() > 0);
        Assert.Null(untouched.grad);

        Tensor Ids() => tensor(Enumerable.Range(0, idsOfPart).Select(_ => random.NextInt64(count)).ToArray());

        Tensor Read(int part, Tensor rows)
        {
            var sum = (rows * weights[part]).sum();
            return wholeToo && part == 1 ? sum + (table.weight * 2).sum() : sum;
        }
    }

    [Fact]
    public void Without_being_asked_a_table_gives_its_whole_gradient()
    {
        using var scope = NewDisposeScope();
        var table = Layers.Table(5, 4);
        TableRows.Of(table, tensor(new[] { 1L, 3L, 1L })).sum().backward();
        Assert.False(table.weight!.grad!.is_sparse);
        Assert.Equal([0f, 2f, 0f, 1f, 0f], table.weight.grad.select(1, 0).data<float>().ToArray());
    }
}
