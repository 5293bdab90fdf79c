using LiT.Compute;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

public class TextTransformerTests
{
    private const string Small = "text:width=32,depth=2,heads=4,mlp=48";

    // Rows of lengths 3, 6, 1 and 0; the second has padding in its middle.
    private static Tensor Ids() =>
        tensor(
            new long[,]
            {
                { 5, 9, 7, 0, 0, 0, 0, 0, 0, 0 },
                { 5, 0, 8, 3, 0, 2, 0, 0, 0, 0 },
                { 4, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
                { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
            }
        );

    public static TheoryData<string> Poolings => ["first", "last", "mean", "max", "map"];

    [Theory]
    [MemberData(nameof(Poolings))]
    public void Packed_and_padded_rows_give_the_same_representations_and_gradients(string pool)
    {
        using var scope = NewDisposeScope();
        var tower = (TextTransformer)
            TextTowerLoader.Create($"{Small},pool={pool}", vocabularySize: 10, tokenLength: 12, seed: 3);
        var weights = randn(4, 32, generator: new Generator(5));

        var (packed, packedGradients) = Run(pack: true);
        var (padded, paddedGradients) = Run(pack: false);

        Assert.True(Difference(packed, padded) < 2e-6, $"representations differ by {Difference(packed, padded)}");
        foreach (var (name, gradient) in packedGradients)
            Assert.True(
                Difference(gradient, paddedGradients[name]) < 1e-5,
                $"{name} differs by {Difference(gradient, paddedGradients[name])}"
            );

        (Tensor, Dictionary<string, Tensor>) Run(bool pack)
        {
            tower.zero_grad();
            var representation = tower.Pooled(Ids(), pack);
            (representation * weights).sum().backward();
            return (
                representation.detach(),
                tower.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!.clone())
            );
        }
    }

    [Theory]
    [MemberData(nameof(Poolings))]
    public void Where_padding_is_masked_a_text_is_the_same_alone_and_beside_longer_ones(string pool)
    {
        using var scope = NewDisposeScope();
        var tower = TextTowerLoader.Create($"{Small},pool={pool}", 10, 12, seed: 3);
        var together = tower.call(Ids());
        var alone = tower.call(
            tensor(
                new long[,]
                {
                    { 5, 9, 7 },
                }
            )
        );
        Assert.True(Difference(alone[0], together[0]) < 2e-6);
    }

    [Fact]
    public void Where_padding_is_not_masked_it_changes_the_representation()
    {
        using var scope = NewDisposeScope();
        var tower = TextTowerLoader.Create($"{Small},pad=none,pool=first", 10, 12, seed: 3);
        Assert.False(tower.MasksPadding);
        var longer = tower.call(
            tensor(
                new long[,]
                {
                    { 5, 9, 7, 0 },
                }
            )
        );
        var shorter = tower.call(
            tensor(
                new long[,]
                {
                    { 5, 9, 7 },
                }
            )
        );
        Assert.True(Difference(longer, shorter) > 1e-2);
    }

    [Fact]
    public void The_last_token_is_the_last_that_is_not_padding()
    {
        using var scope = NewDisposeScope();
        var rows = TokenRows.Masked(Ids(), 0);
        var places = arange(24, int64).view(4, 6, 1).to(float32); // the longest text has 6 places
        Assert.Equal([2f, 11f, 12f, 18f], rows.Pool(places, TextPooling.Last).data<float>().ToArray());
        Assert.Equal(
            [1f, (6 + 8 + 9 + 11) / 4f, 12f, 18f],
            rows.Pool(places, TextPooling.Mean).data<float>().ToArray()
        );
    }

    [Fact]
    public void The_same_seed_gives_the_same_tower_whatever_was_drawn_before()
    {
        using var scope = NewDisposeScope();
        var first = TextTowerLoader.Create(Small, 10, 12, seed: 7).state_dict();
        randn(3);
        var second = TextTowerLoader.Create(Small, 10, 12, seed: 7).state_dict();
        var third = TextTowerLoader.Create(Small, 10, 12, seed: 8).state_dict();
        Assert.All(first, weight => Assert.True(weight.Value.Equals(second[weight.Key])));
        Assert.False(first["tokens.weight"].Equals(third["tokens.weight"]));
    }

    [Fact]
    public void A_tower_from_scratch_is_filled_as_big_vision_fills_it()
    {
        using var scope = NewDisposeScope();
        var weights = TextTowerLoader.Create("text:width=256,depth=1,heads=4", 500, 16, seed: 0).state_dict();
        Assert.Equal(1 / 16f, Deviation("tokens.weight"), 0.002f);
        Assert.Equal(1 / 16f, Deviation("positions.weight"), 0.004f);
        Assert.Equal(
            MathF.Sqrt(6f / 512),
            weights["encoder.blocks.0.attn.qkv.weight"].abs().max().item<float>(),
            0.001f
        );
        Assert.Equal(
            MathF.Sqrt(6f / 1280),
            weights["encoder.blocks.0.mlp.fc1.weight"].abs().max().item<float>(),
            0.001f
        );
        Assert.Equal(1e-6f, Deviation("encoder.blocks.0.mlp.fc1.bias"), 2e-7f);
        Assert.Equal(0f, weights["encoder.blocks.0.attn.qkv.bias"].abs().max().item<float>());
        Assert.All(
            weights.Keys.Where(k =>
                k.Contains("norm", StringComparison.Ordinal) && k.EndsWith("weight", StringComparison.Ordinal)
            ),
            name => Assert.True(weights[name].eq(1).all().item<bool>())
        );

        float Deviation(string name) => weights[name].std().item<float>();
    }

    [Fact]
    public void Dropout_works_in_training_and_not_in_evaluation()
    {
        using var scope = NewDisposeScope();
        var tower = TextTowerLoader.Create($"{Small},dropout=0.5", 10, 12, seed: 3);
        Assert.True(Difference(tower.call(Ids()), tower.call(Ids())) > 1e-3);
        tower.eval();
        Assert.True(tower.call(Ids()).Equals(tower.call(Ids())));
    }

    [Fact]
    public void A_row_longer_than_the_positions_is_refused_with_both_numbers()
    {
        using var scope = NewDisposeScope();
        var tower = TextTowerLoader.Create(Small, 10, tokenLength: 4, seed: 0);
        Assert.Contains(
            "Rows of 5 ids: this text tower has 4 positions",
            Assert.Throws<LitException>(() => tower.call(ones(1, 5, int64))).Message
        );
    }

    [Fact]
    public void Nothing_that_a_forward_pass_makes_stays_alive_but_its_result()
    {
        using var scope = NewDisposeScope();
        var tower = TextTowerLoader.Create(Small, 10, 12, seed: 0);
        var ids = Ids();
        var before = scope.DisposablesCount;
        tower.call(ids);
        Assert.Equal(before + 1, scope.DisposablesCount);
    }

    [Fact]
    public void A_tower_outlives_the_scope_in_which_it_was_made()
    {
        TextTower tower;
        using (NewDisposeScope())
            tower = TextTowerLoader.Create($"{Small},pool=map", 10, 12, seed: 0);
        using var scope = NewDisposeScope();
        Assert.Equal([4, 32], tower.call(Ids()).shape);
    }

    private static float Difference(Tensor a, Tensor b) =>
        (a - b).abs().max().item<float>() / MathF.Max(1, b.abs().max().item<float>());
}
