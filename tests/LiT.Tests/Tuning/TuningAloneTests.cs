using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>
/// Tests of what the whole process shares, torch's random numbers and its count of tensors, run beside no other.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone in the process";
}

[Collection(Alone.Name)]
public class TuningAloneTests
{
    [Theory]
    [InlineData(3, false)]
    [InlineData(5, false)]
    [InlineData(12, false)]
    [InlineData(7, true)]
    [InlineData(19, true)]
    public void A_run_killed_at_any_step_and_begun_again_ends_with_the_same_bits(
        int killedAt,
        bool withHeadDropoutAndAverage
    )
    {
        TinyRun Fresh() =>
            withHeadDropoutAndAverage
                ? new()
                {
                    ImageHead = 5,
                    Dropout = 0.1,
                    Options = Varied,
                }
                : new();
        using var whole = Fresh();
        using var killed = Fresh();
        var (expected, outcome) = whole.Run();
        Assert.Throws<InvalidOperationException>(() =>
            killed.Run(onLine: line =>
            {
                if (line.Step == killedAt)
                    throw new InvalidOperationException("as if killed");
            })
        );
        var (got, resumed) = killed.Run();
        TinyRun.AssertSameBits(expected, got);
        // A line is told before the checkpoint of its step is written.
        var checkpoint = (killedAt - 1) / 5 * 5;
        Assert.Equal(checkpoint == 0 ? (long?)null : checkpoint, resumed.ResumedAt);
        Assert.Equal(outcome.Temperature, resumed.Temperature);
        Assert.Equal(TuningRunTests.Timeless(whole), TuningRunTests.Timeless(killed));
    }

    private static TuningOptions Varied =>
        new()
        {
            Batch = 16,
            MicroBatch = 4,
            Steps = 20,
            CheckpointEvery = 5,
            AverageDecay = 0.9,
            CaptionNoise = 0.5,
            Optimizer = new() { Kind = OptimizerKind.AdamW, LearningRate = 0.003 },
        };

    [Fact]
    public void Live_tensors_do_not_grow_over_two_thousand_steps()
    {
        using var run = new TinyRun
        {
            Options = TinyRun.Small with { Steps = 2000, LogEvery = 100, CheckpointEvery = 500 },
        };
        List<long> alive = [];
        GC.Collect(); // what earlier tests left behind goes now, not between two counts
        GC.WaitForPendingFinalizers();
        run.Run(onLine: _ => alive.Add(Tensor.TotalCount));
        Assert.Equal(20, alive.Count);
        Assert.True(alive[^1] <= alive[0] && alive.Max() - alive[0] < 20, string.Join(" ", alive));
    }

    [Fact]
    public void Dropout_is_replayed_as_it_was_when_the_batch_was_embedded()
    {
        using var scope = NewDisposeScope();
        using var run = new TinyRun { Dropout = 0.3 };
        using var towers = run.Towers();
        towers.train();
        var ids = TinyIds();
        // A side in two parts: what Backward replays must be what Embed embedded, or the gradient is of another
        // function.
        List<Tensor> embedded = [];
        using var side = new EmbeddedSide(
            part =>
            {
                var z = towers.EmbedTexts(ids);
                embedded.Add(z.detach().DetachFromDisposeScope());
                return z;
            },
            parts: 2,
            lanes: 1,
            tuned: [.. towers.parameters()],
            seed: 11
        );
        var all = side.Embed();
        side.Backward(ones_like(all));
        Assert.Equal(3, embedded.Count); // the last part keeps its graph, and the first is embedded again
        Assert.True(embedded[0].equal(embedded[2]).all().item<bool>());
        Assert.False(embedded[0].equal(embedded[1]).all().item<bool>());
    }

    private static Tensor TinyIds() => tensor(new long[] { 2, 3, 5, 4, 2, 8, 7, 0 }, 2, 4);
}
