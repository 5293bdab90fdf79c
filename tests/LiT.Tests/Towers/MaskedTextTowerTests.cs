using LiT.Compute;
using LiT.Towers;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

public class MaskedTextTowerTests
{
    public static IEnumerable<ITheoryDataRow> Masked =>
        (TheoryData<TextTowerConfig>)
            [
                new BertConfig(32, 2, 4, 48, 10),
                new T5Config(24, 2, 4, 5, 48, 10),
                new T5Config(24, 2, 4, 5, 48, 10) { Gated = true, Activation = Activation.GeluTanh },
            ];

    [Theory]
    [MemberData(nameof(Masked))]
    internal void Packed_and_padded_rows_give_the_same_states_and_gradients(TextTowerConfig config)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(2, CPU);
        var tower = config.Create(random);
        var ids = tensor(
            new long[,]
            {
                { 5, 9, 7, 0, 0, 0, 0 },
                { 5, 0, 8, 3, 0, 2, 0 },
                { 4, 0, 0, 0, 0, 0, 0 },
                { 0, 0, 0, 0, 0, 0, 0 },
            }
        );
        var weights = randn(4, 6, tower.Width, generator: new Generator(5));
        weights = weights * (ids.narrow(1, 0, 6).ne(0)).unsqueeze(2);

        var (packed, packedGradients) = Run(pack: true);
        var (padded, paddedGradients) = Run(pack: false);

        Assert.True(Difference(packed, padded) < 1e-5, $"states differ by {Difference(packed, padded)}");
        Assert.All(packedGradients, entry =>
            Assert.True(Difference(entry.Value, paddedGradients[entry.Key]) < 2e-5, entry.Key)
        );

        (Tensor, Dictionary<string, Tensor>) Run(bool pack)
        {
            tower.zero_grad();
            var rows = TokenRows.Masked(ids, 0, pack);
            var weighted = (tower is Bert bert ? bert.Hidden(rows) : ((T5Encoder)tower).Hidden(rows)) * weights;
            weighted.sum().backward();
            return (
                weighted.detach(),
                tower.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!.clone())
            );
        }
    }

    public static IEnumerable<ITheoryDataRow> SortedRows =>
        (TheoryData<TextTowerConfig>)
            [
                new BertConfig(32, 2, 4, 48, 10),
                new BertConfig(32, 2, 4, 48, 10) { Pooling = TextPooling.Mean },
                new TextTransformerConfig(32, 2, 4, 48, 10, 7) { MaskPadding = 0, Pooling = TextPooling.Mean },
                new TextTransformerConfig(32, 2, 4, 48, 10, 7) { MaskPadding = 0, Pooling = TextPooling.Last },
                new TextTransformerConfig(32, 2, 4, 48, 10, 7) { MaskPadding = 0, Pooling = TextPooling.Map },
            ];

    [Theory]
    [MemberData(nameof(SortedRows))]
    internal void Rows_sorted_by_length_attend_without_padding_and_give_what_any_other_order_gives(
        TextTowerConfig config
    )
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(2, CPU);
        var tower = config.Create(random);
        var lengths = new[] { 1, 1, 1, 1, 3, 3, 3, 3, 3, 4, 4, 4, 4, 7, 7, 7, 7 };
        var ids = zeros(lengths.Length, 7, int64);
        for (var row = 0; row < lengths.Length; row++)
        for (var place = 0; place < lengths[row]; place++)
            ids[row, place] = 1 + (5 * row + 3 * place) % 9;
        var rows = TokenRows.Masked(ids, 0);
        Assert.NotNull(rows.ByLength(zeros(lengths.Sum(), 4), null, (part, _) => part.flatten(0, 1)));
        var mixed = tensor(
            Enumerable.Range(0, lengths.Length).Select(row => (long)(7 * row % lengths.Length)).ToArray()
        );
        Assert.Null(
            TokenRows.Masked(ids.index_select(0, mixed), 0).ByLength(zeros(lengths.Sum(), 4), null, (part, _) => part)
        );
        var weights = randn(lengths.Length, tower.Width, generator: new Generator(5));

        var (sorted, sortedGradients) = Run(ids, weights);
        var (other, otherGradients) = Run(ids.index_select(0, mixed), weights.index_select(0, mixed));

        Assert.True(Difference(sorted.index_select(0, mixed), other) < 1e-5);
        Assert.All(sortedGradients, entry =>
            Assert.True(Difference(entry.Value, otherGradients[entry.Key]) < 2e-5, entry.Key)
        );

        (Tensor, Dictionary<string, Tensor>) Run(Tensor texts, Tensor weighted)
        {
            tower.zero_grad();
            var z = tower.call(texts);
            (z * weighted).sum().backward();
            return (
                z.detach(),
                tower
                    .named_parameters()
                    .Where(p => p.parameter.grad is not null)
                    .ToDictionary(p => p.name, p => p.parameter.grad!.clone())
            );
        }
    }

    [Theory]
    [MemberData(nameof(Masked))]
    internal void A_text_is_the_same_alone_and_beside_longer_ones(TextTowerConfig config)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(2, CPU);
        var tower = config.Create(random);
        Assert.True(tower.MasksPadding);
        var together = tower.call(
            tensor(
                new long[,]
                {
                    { 5, 9, 7, 0, 0, 0 },
                    { 5, 2, 8, 3, 1, 2 },
                }
            )
        );
        var alone = tower.call(
            tensor(
                new long[,]
                {
                    { 5, 9, 7 },
                }
            )
        );
        Assert.True(Difference(alone[0], together[0]) < 1e-5);
    }

    [Theory]
    [MemberData(nameof(Masked))]
    internal void Nothing_that_a_forward_pass_makes_stays_alive_but_its_result(TextTowerConfig config)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(2, CPU);
        var tower = config.Create(random);
        var ids = tensor(
            new long[,]
            {
                { 5, 9, 7, 0, 0, 0 },
                { 5, 2, 8, 3, 1, 2 },
            }
        );
        var before = scope.DisposablesCount;
        tower.call(ids);
        Assert.Equal(before + 1, scope.DisposablesCount);
    }

    [Theory]
    [MemberData(nameof(Masked))]
    internal void A_tower_moves_to_another_type_and_back(TextTowerConfig config)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(2, CPU);
        var tower = config.Create(random);
        var ids = tensor(
            new long[,]
            {
                { 5, 9, 7, 0, 0, 0 },
                { 5, 2, 8, 3, 1, 2 },
            }
        );
        var expected = tower.call(ids);
        Assert.Equal(float64, tower.to(float64).call(ids).dtype);
        Assert.True(Difference(tower.to(float32).call(ids), expected) < 1e-6);
    }

    private static float Difference(Tensor a, Tensor b) =>
        (a - b).abs().max().item<float>() / MathF.Max(1, b.abs().max().item<float>());
}
