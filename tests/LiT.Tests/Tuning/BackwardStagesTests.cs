using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>
/// The way back through a text tower may be cut, so that gradients travel early: what is told, and when, changes no bit
/// of them.
/// </summary>
public sealed class BackwardStagesTests
{
    [Theory]
    [InlineData("text:width=16,depth=1,heads=2", 1, 3)]
    [InlineData("text:width=16,depth=2,heads=2,dropout=0.2", 2, 2)]
    [InlineData("text:width=16,depth=7,heads=2,pool=map", 4, 5)]
    [InlineData("text:width=16,depth=5,heads=2,pool=mean", 4, 1)]
    [InlineData("bert:tiny", 2, 4)]
    public void Gradients_that_are_told_by_stages_are_those_of_one_piece(string spec, int stages, int parts)
    {
        using var scope = NewDisposeScope();
        using TextTower tower = TextTowerLoader.Create(spec, 50, 6, 3, 0);
        var head = Head.Create(tower.Width, 4, 5);
        using TwoTowers towers = new(null, null, tower, head, Math.Log(10), null);
        towers.train();
        TuningTowers tuning = new(towers, LockSetting.Parse("Lu"), new());
        foreach (var lanes in new[] { 1, 2, 3 }.Where(lanes => lanes <= parts))
        {
            var (whole, _) = Gradients(tuning, parts, lanes, null);
            using BackwardStages cuts = new(tower);
            var (apart, told) = Gradients(tuning, parts, lanes, cuts);
            Assert.Equal(stages, told.Count);
            Assert.Equal(tuning.NamedNow("text").Select(one => one.Name).Order(), told.SelectMany(one => one).Order());
            Assert.All(told, stage => Assert.NotEmpty(stage));
            Assert.Contains(told[0], name => name.StartsWith("textHead.", StringComparison.Ordinal));
            Assert.Contains("text.tokens.weight", told[^1]);
            foreach (var (name, gradient) in whole)
                Assert.True(gradient.equal(apart[name]).all().item<bool>(), $"{name}, {lanes} lanes");
        }
    }

    [Fact]
    public void Towers_whose_blocks_share_weights_are_not_cut()
    {
        foreach (
            var config in (TextTowerConfig[])
                [new BertConfig(16, 3, 2, 16, 50) { RelativeBuckets = 8 }, new T5Config(16, 3, 2, 8, 16, 50)]
        )
        {
            using var tower = config.Build();
            using BackwardStages cuts = new(tower);
            Assert.Single(cuts.Apart([]));
        }
    }

    [Fact]
    public void Where_the_first_blocks_are_held_the_way_back_ends_above_them()
    {
        using var scope = NewDisposeScope();
        using var tower = TextTowerLoader.Create("text:width=16,depth=4,heads=2", 50, 6, 3, 0);
        using TwoTowers towers = new(null, null, tower, Head.Create(16, 4, 5), Math.Log(10), null);
        ParameterRule held = new("^text\\.(tokens|positions|encoder\\.blocks\\.[012]\\.)", 0);
        TuningTowers tuning = new(towers, LockSetting.Parse("Lu"), new() { LearningRateRules = [held] });
        var (whole, _) = Gradients(tuning, 2, 2, null);
        using BackwardStages cuts = new(tower);
        var (apart, told) = Gradients(tuning, 2, 2, cuts);
        Assert.NotEmpty(told[0]);
        Assert.All(told.Skip(1), Assert.Empty);
        Assert.Equal(whole.Keys, apart.Keys);
        foreach (var (name, gradient) in whole)
            Assert.True(gradient.equal(apart[name]).all().item<bool>(), name);
    }

    private static (Dictionary<string, Tensor> Gradients, List<List<string>> Told) Gradients(
        TuningTowers tuning,
        int parts,
        int lanes,
        BackwardStages? cuts
    )
    {
        var named = tuning.NamedNow("text").ToList();
        foreach (var one in named)
            one.Tensor.grad = null;
        using EmbeddedSide side = new(
            part => tuning.Towers.EmbedTexts(Ids(part)),
            parts,
            lanes,
            [.. named.Select(one => one.Tensor)],
            seed: 7,
            stages: cuts is null ? null : (cuts, cuts.Apart(named))
        );
        var z = side.Embed();
        List<List<string>> told = [];
        using Generator random = new(3);
        side.Backward(randn(z.shape, generator: random), some => told.Add([
                .. some.Select(tensor => named.Single(one => ReferenceEquals(one.Tensor, tensor)))
                    .Select(one =>
                    {
                        Assert.NotNull(one.Tensor.grad); // whole by now
                        return one.Name;
                    }),
            ]));
        return (
            named
                .Where(one => one.Tensor.grad is not null)
                .ToDictionary(one => one.Name, one => one.Tensor.grad!.clone()),
            told
        );
    }

    private static Tensor Ids(int part)
    {
        Random chance = new(part);
        return tensor(
            [.. Enumerable.Range(0, 4 * 6).Select(i => i % 6 > 3 + part % 3 ? 0L : chance.NextInt64(1, 50))],
            4,
            6
        );
    }
}
