using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using LiT.Tuning.Runs;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

public class TuningRunTests
{
    [Fact]
    public void Words_find_their_pictures()
    {
        using var run = new TinyRun();
        var (_, outcome) = run.Run();
        Assert.Equal(20, outcome.Steps);
        Assert.Null(outcome.ResumedAt);
        Assert.True(run.Lines[^1].Loss < run.Lines[0].Loss - 0.3, $"{run.Lines[0].Loss} to {run.Lines[^1].Loss}");
        Assert.True(outcome.Last.I2tAccuracy > 0.9);
        Assert.Equal(Enumerable.Range(1, 20).Select(step => (long)step), run.Lines.Select(line => line.Step));
        Assert.Equal(
            run.Lines.Select(line => line.ToJson()),
            File.ReadAllLines(Path.Combine(run.Folder.Path, "metrics.jsonl"))
        );
    }

    private static TuningOptions Small => TinyRun.Small;

    internal static IEnumerable<MetricsLine> Timeless(TinyRun run) =>
        MetricsLine
            .ReadAll(Path.Combine(run.Folder.Path, "metrics.jsonl"))
            .Select(line => line with { Seconds = 0, PairsPerSecond = 0 });

    [Fact]
    public void Stopping_leaves_a_checkpoint_of_that_very_step()
    {
        using var whole = new TinyRun();
        using var stopped = new TinyRun();
        var (expected, _) = whole.Run();
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => stopped.Run(cancel.Token, line =>
            {
                if (line.Step == 7)
                    cancel.Cancel();
            }));
        Assert.Equal(["step-5", "step-7"], Checkpoints(stopped));
        var (got, outcome) = stopped.Run();
        Assert.Equal(7, outcome.ResumedAt);
        TinyRun.AssertSameBits(expected, got);
    }

    [Fact]
    public void The_last_two_checkpoints_stay_and_a_finished_run_has_nothing_left_to_do()
    {
        using var run = new TinyRun();
        var (expected, first) = run.Run();
        Assert.Equal(["step-15", "step-20"], Checkpoints(run));
        var lines = run.Lines.Count;
        var (got, again) = run.Run();
        TinyRun.AssertSameBits(expected, got);
        Assert.Equal(lines, run.Lines.Count);
        Assert.Equal(first.Last, again.Last);
    }

    private static IEnumerable<string> Checkpoints(TinyRun run) =>
        Directory
            .GetDirectories(Path.Combine(run.Folder.Path, "checkpoints"))
            .Select(path => Path.GetFileName(path)!)
            .OrderBy(name => name.Length)
            .ThenBy(name => name, StringComparer.Ordinal);

    [Theory]
    [InlineData("weights.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("state.json")]
    public void A_checkpoint_cut_short_is_noticed_and_the_one_before_it_taken(string file)
    {
        using var whole = new TinyRun();
        using var damaged = new TinyRun();
        var (expected, _) = whole.Run();
        damaged.Run();
        var path = Path.Combine(damaged.Folder.Path, "checkpoints", "step-20", file);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^9]);
        var (got, outcome) = damaged.Run();
        Assert.Equal(15, outcome.ResumedAt);
        Assert.Contains("step-20: this checkpoint is damaged", Assert.Single(damaged.Warnings));
        TinyRun.AssertSameBits(expected, got);
        Assert.Equal(Timeless(whole), Timeless(damaged));
    }

    [Fact]
    public void A_kill_while_a_checkpoint_is_written_leaves_the_ones_before_it()
    {
        using var run = new TinyRun();
        run.Run();
        var checkpoints = Path.Combine(run.Folder.Path, "checkpoints");
        Directory.Move(Path.Combine(checkpoints, "step-20"), Path.Combine(checkpoints, ".step-20.unfinished"));
        var (_, outcome) = run.Run();
        Assert.Equal(15, outcome.ResumedAt);
        Assert.Equal(["step-15", "step-20"], Checkpoints(run));
    }

    [Fact]
    public void Going_on_with_other_options_or_data_is_refused_by_name()
    {
        using var run = new TinyRun();
        run.Run();
        var faster = new TinyRun
        {
            Folder = run.Folder,
            Options = run.Options with { Optimizer = run.Options.Optimizer with { ClipNorm = 3 } },
        };
        Assert.Contains("optimizer", Assert.Throws<LitException>(() => faster.Run()).Message);
        var other = new TinyRun { Folder = run.Folder, Pictures = () => new TinyRun.Directions(41) };
        Assert.Contains("other data", Assert.Throws<LitException>(() => other.Run()).Message);
        var rarer = new TinyRun
        {
            Folder = run.Folder,
            Options = run.Options with { CheckpointEvery = 7, LogEvery = 2 },
        };
        Assert.Equal(20, rarer.Run().Outcome.Steps);
    }

    [Fact]
    public void Two_runs_in_one_folder_are_kept_apart()
    {
        using var run = new TinyRun();
        LitException? refused = null;
        run.Run(onLine: line =>
        {
            if (line.Step == 1)
                refused = Assert.Throws<LitException>(() => new TinyRun { Folder = run.Folder }.Run());
        });
        Assert.Contains("another run", refused!.Message);
    }

    [Fact]
    public void What_is_locked_has_no_gradient_and_keeps_every_bit()
    {
        using var run = new TinyRun { Lock = LiT.Towers.LockSetting.LL, ImageHead = 4 };
        var before = run.Towers();
        var (after, _) = run.Run();
        foreach (var (name, parameter) in after.named_parameters())
        {
            var moved = !parameter.equal(TinyRun.Weights(before)[name]).all().item<bool>();
            Assert.Equal(!name.StartsWith("text.", StringComparison.Ordinal), moved);
        }
    }

    [Fact]
    public void A_rule_locks_single_parameters_and_the_fingerprint_guards_them()
    {
        using var run = new TinyRun
        {
            Options = Small with { Optimizer = new() { LearningRateRules = [new(@"^text\.tokens", 0)] } },
        };
        var before = run.Towers();
        var tuning = new TuningTowers(before, tuneImage: false, tuneText: true, run.Options.Optimizer);
        var locked = tuning.LockedFingerprint();
        Assert.DoesNotContain(tuning.Parameters, parameter =>
            parameter.Name.StartsWith("text.tokens", StringComparison.Ordinal)
        );
        var (after, _) = run.Run();
        Assert.Equal(locked, new TuningTowers(after, false, true, run.Options.Optimizer).LockedFingerprint());
        using (no_grad())
            before.Text.parameters().First().add_(1e-7);
        Assert.NotEqual(locked, tuning.LockedFingerprint());
    }

    [Fact]
    public void Nothing_to_tune_is_said()
    {
        using var run = new TinyRun
        {
            Options = Small with { Optimizer = new() { LearningRateRules = [new(".", 0)] } },
        };
        Assert.Contains("Nothing is left to tune", Assert.ThrowsAny<UsageException>(() => run.Run()).Message);
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_the_run_and_says_where()
    {
        using var run = new TinyRun { Pictures = () => new Poisoned() };
        var told = Assert.Throws<LitException>(() => run.Run());
        Assert.Matches(@"step \d+: the (loss|gradient) \(NaN\) is no finite number.*`LearningRate`", told.Message);
        Assert.DoesNotContain('\n', told.Message);
    }

    private sealed class Poisoned : ITuningImages
    {
        private readonly TinyRun.Directions directions = new(40);

        public int Count => directions.Count;

        public IReadOnlyList<long> Shape => directions.Shape;

        public void Read(int image, long epoch, Span<float> destination)
        {
            directions.Read(image, epoch, destination);
            if (image == 13)
                destination[0] = float.NaN;
        }
    }

    [Fact]
    public void Texts_that_all_fall_together_stop_the_run()
    {
        using var run = new TinyRun
        {
            Options = Small with
            {
                Steps = 600,
                LogEvery = 50,
                Optimizer = new() { LearningRate = 1e-12 },
            },
        };
        // A tower whose tokens are all alike gives every text the same embedding.
        var towers = run.Towers();
        using (no_grad())
            foreach (var (name, parameter) in towers.named_parameters())
                if (name is "text.tokens.weight" or "text.positions.weight" or "textHead.linear.bias")
                    parameter.fill_(0.1);
        var tuner = new ContrastiveTuner(
            new(towers, false, true, run.Options.Optimizer),
            run.Pairs(),
            run.Options,
            CPU
        );
        Assert.Contains(
            "all texts have the same embedding",
            Assert.Throws<LitException>(() => tuner.Run(run.Folder.Path)).Message
        );
    }

    [Fact]
    public void Validation_comes_in_steps_and_at_the_end_and_the_best_weights_are_kept()
    {
        using var run = new TinyRun
        {
            Options = Small with { ValidateEvery = 4, KeepBest = "score" },
            Validation = new Scores(step => step == 8 ? 1 : 0.5),
        };
        var (towers, outcome) = run.Run();
        Assert.Equal([4, 8, 12, 16, 20], run.Lines.Where(line => line.Val is not null).Select(line => line.Step));
        Assert.Equal(8, outcome.ResultStep);
        using var eight = new TinyRun { Options = run.Options, Validation = new Scores(_ => 0) };
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => eight.Run(cancel.Token, line =>
            {
                if (line.Step == 8)
                    cancel.Cancel();
            }));
        using var weights = LiT.Checkpoints.Checkpoint.Open(
            Path.Combine(eight.Folder.Path, "checkpoints", "step-8", "weights.safetensors")
        );
        foreach (var (name, tensor) in TinyRun.Weights(towers))
            Assert.True(tensor.equal(weights.Read(name)).all().item<bool>(), name);
    }

    [Theory]
    [InlineData(null, 8)]
    [InlineData("other", 20)]
    [InlineData("none", 20)]
    public void The_best_weights_are_kept_by_the_validations_own_number_unless_another_is_named(string? by, long step)
    {
        using var run = new TinyRun
        {
            Options = Small with { ValidateEvery = 4, KeepBest = by },
            Validation = new Scores(step => step == 8 ? 1 : 0.5) { BestBy = "score" },
        };
        Assert.Equal(step, run.Run().Outcome.ResultStep);
    }

    [Theory]
    [InlineData(null, 100, 20)] // a deviation between 0.55 and 0.5 is 0.07 among 100, 0.007 among 10,000
    [InlineData(null, 10_000, 8)]
    [InlineData("score", 100, 8)]
    public void The_last_weights_are_the_result_where_the_best_are_better_by_chance_unless_the_best_are_asked_for(
        string? by,
        int questions,
        long step
    )
    {
        using var run = new TinyRun
        {
            Options = Small with { ValidateEvery = 4, KeepBest = by },
            Validation = new Scores(step => step == 8 ? 0.55 : 0.5) { BestBy = "score", Questions = questions },
        };
        Assert.Equal(step, run.Run().Outcome.ResultStep);
    }

    [Fact]
    public void A_validation_number_that_is_not_there_is_refused_by_name()
    {
        using var run = new TinyRun { Options = Small with { KeepBest = "top1" }, Validation = new Scores(_ => 0) };
        Assert.Contains("score", Assert.ThrowsAny<UsageException>(() => run.Run()).Message);
    }

    private sealed class Scores(Func<long, double> of) : IValidation
    {
        public string? BestBy { get; init; }

        public int? Questions { get; init; }

        public IReadOnlyDictionary<string, Guessing> Guessing =>
            Questions is { } count
                ? new Dictionary<string, Guessing> { ["score"] = new(0.1, count) }
                : new Dictionary<string, Guessing>();

        public IReadOnlyDictionary<string, double> Validate(long step) =>
            new Dictionary<string, double> { ["score"] = of(step), ["other"] = step };
    }

    [Fact]
    public void The_temperature_stays_within_its_bounds()
    {
        using var run = new TinyRun
        {
            Options = Small with { LowestTemperature = 9.5, HighestTemperature = 10.5, TemperatureRate = 100 },
        };
        run.Run();
        Assert.All(run.Lines, line => Assert.InRange(line.Temperature, 9.49, 10.51));
        Assert.Contains(run.Lines, line => line.Temperature is > 10.49 or < 9.51);
    }

    [Fact]
    public void The_sigmoid_loss_learns_its_bias()
    {
        using var run = new TinyRun { Options = Small with { Loss = ContrastiveLossKind.Sigmoid } };
        var (_, outcome) = run.Run();
        Assert.NotNull(outcome.Bias);
        Assert.NotEqual(-10, outcome.Bias!.Value);
        Assert.True(run.Lines[^1].Loss < run.Lines[0].Loss);
    }

    [Theory]
    [InlineData(41, "there are 40 images")]
    [InlineData(1, "at least 2")]
    public void A_batch_that_cannot_be_is_refused(int batch, string says)
    {
        using var run = new TinyRun { Options = Small with { Batch = batch } };
        Assert.Contains(says, Assert.ThrowsAny<UsageException>(() => run.Run()).Message);
    }

    [Fact]
    public void Update_rules_that_teach_nothing_or_unteach_are_refused()
    {
        void Refused(OptimizerOptions optimizer, string says) =>
            Assert.Contains(
                says,
                Assert.ThrowsAny<UsageException>(() => (Small with { Optimizer = optimizer }).Check(images: 40)).Message
            );
        Refused(Small.Optimizer with { LearningRate = double.PositiveInfinity }, "`LearningRate`");
        Refused(Small.Optimizer with { WeightDecay = -0.1 }, "`WeightDecay`");
        Refused(Small.Optimizer with { WeightDecay = 1 }, "`WeightDecay`");
        Refused(Small.Optimizer with { ClipNorm = 0 }, "`ClipNorm`");
    }
}
