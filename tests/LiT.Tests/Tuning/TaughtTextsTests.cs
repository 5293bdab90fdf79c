using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>What a teacher's rows add to a loss and its gradient.</summary>
public class TaughtTextsTests
{
    [Fact]
    public void A_taught_text_is_drawn_to_its_row_by_the_gradient_of_one_minus_their_cosine_and_others_are_left_alone()
    {
        using var scope = NewDisposeScope();
        TaughtTexts taught = new(new([1, 0, 0, 0, 0, 0, 0.6f, 0, 0.8f], 3), weight: 2);
        var texts = nn.functional.normalize(rand(4, 3, generator: new Generator(7))).requires_grad_();
        int[] captions = [0, 1, 2, 0];
        var before = Nothing(4, 3);

        var result = taught.Added(before, texts.detach(), captions, batch: 8);

        var rows = tensor(
            new[,]
            {
                { 1f, 0, 0 },
                { 0, 0, 0 },
                { 0.6f, 0, 0.8f },
                { 1, 0, 0 },
            }
        );
        var plain = 2 * (3 - (texts * rows).sum()) / 8;
        plain.backward();
        Assert.Equal(plain.item<float>() + 0.5, result.Loss.item<double>(), 6);
        Assert.True((result.TextGradient - texts.grad! - before.TextGradient).abs().max().item<float>() < 1e-7);
        Assert.Equal(2, taught.Count);
    }

    [Fact]
    public void A_caption_of_several_pictures_learns_the_mean_of_their_rows_and_the_pairs_stay_as_they_are_drawn()
    {
        using var run = new TinyRun();
        var pairs = run.Pairs();
        float[][] directions =
        [
            [1, 0, 0, 0, 0, 0],
            [0, 1, 0, 0, 0, 0],
        ];

        var taught = pairs.TaughtBy(image => image < 2 ? directions[image] : ReadOnlyMemory<float>.Empty, 6, 1);

        Assert.Null(pairs.Taught);
        Assert.InRange(taught.Taught!.Count, 1, pairs.DistinctRows);
        Assert.Equal(pairs.DistinctRows, pairs.TaughtBy(_ => directions[0], 6, 1).Taught!.Count);
        for (var step = 0; step < 4; step++)
            Assert.Equal(pairs.Draw(step, 16).Rows, taught.Draw(step, 16).Rows);
    }

    private static LossResult Nothing(int pairs, int size)
    {
        var none = zeros([], ScalarType.Float64);
        return new(none + 0.5, zeros(pairs, float64), null, ones(pairs, size), none, none, none, none);
    }
}
