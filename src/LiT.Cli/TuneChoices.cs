using System.CommandLine;
using LiT.Tuning;

namespace LiT.Cli;

/// <summary>The options of a tuning run that have a default chosen from the data.</summary>
internal sealed class TuneChoices
{
    private readonly Option<ContrastiveLossKind?> loss = new("--loss") { Description = "The contrastive loss." };
    private readonly Option<int?> batch = new("--batch") { Description = "Pairs in a step, all of them each other's negatives." };
    private readonly Option<int?> microBatch = new("--micro-batch") { Description = "Texts through the tower at once; changes time and memory, not the result." };
    private readonly Option<double?> epochs = new("--epochs") { Description = "Passes over the pictures." };
    private readonly Option<long?> steps = new("--steps") { Description = "Updates in all, in place of --epochs." };
    private readonly Option<double?> lr = new("--lr") { Description = "Highest learning rate." };
    private readonly Option<OptimizerKind?> optimizer = new("--optimizer") { Description = "The update rule." };
    private readonly Option<LearningRateShape?> schedule = new("--schedule") { Description = "How the learning rate falls." };
    private readonly Option<long?> warmup = new("--warmup") { Description = "Steps over which the learning rate rises." };
    private readonly Option<double?> weightDecay = new("--weight-decay") { Description = "Decay of kernels, times the schedule and not times the learning rate." };
    private readonly Option<double?> clip = new("--clip") { Description = "Largest norm of the whole gradient." };
    private readonly Option<PositivePairs?> positives = new("--positives")
    {
        Description = "Shared: equal captions in a batch are positives of each other. Own: the paper's plain form, where they are negatives.",
    };
    private readonly Option<double?> captionNoise = new("--caption-noise")
    {
        Description = "Share of captions that get words no caption uses, so that unknown words of a prompt are passed over.",
    };

    private readonly Option<double?> ema = new("--ema") { Description = "Decay of a moving average of the weights that becomes the result." };
    private readonly Option<long?> checkpointEvery = new("--checkpoint-every") { Description = "Steps between checkpoints." };
    private readonly Option<long?> validateEvery = new("--val-every") { Description = "Steps between validations." };
    private readonly Option<string?> keepBest = new("--keep-best") { Description = "Validation number whose best weights become the result, such as textToImageR1." };

    // An interrupted run goes on by itself; the option says so in the words people know.
    private readonly Option<bool> resume = new("--resume") { Description = "Go on with an interrupted run in --out, which happens in any case." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
            { loss, batch, microBatch, epochs, steps, lr, optimizer, schedule, warmup, weightDecay, clip, positives, captionNoise, ema, checkpointEvery, validateEvery, keepBest, resume })
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetResult(epochs) is not null && result.GetResult(steps) is not null) result.AddError("--epochs and --steps say the same thing twice. Give one of them.");
        });
    }

    /// <summary>The defaults for these pairs, with what the user gave in their place; says what was chosen and why.</summary>
    public TuningOptions Choose(ParseResult parsed, TuningPairs pairs, bool fromScratch, Action<string> say)
    {
        var size = parsed.GetValue(batch);
        var defaults = TuningDefaults.For(pairs, size, fromScratch);
        bool Given(Option option) => parsed.GetResult(option) is { Implicit: false };
        HashSet<string> given = [.. new Option[] { batch, steps, lr, positives, captionNoise }.Where(Given).Select(option => option.Name), .. Given(epochs) ? [steps.Name] : Array.Empty<string>()];
        foreach (var reason in defaults.Reasons.Where(reason => !given.Contains(reason.Option))) say(reason.Words);
        var chosen = defaults.Options;
        var length = parsed.GetValue(steps)
            ?? (parsed.GetValue(epochs) is { } passes ? Math.Max(1, (long)Math.Ceiling(passes * pairs.Count / chosen.Batch)) : chosen.Steps);
        return chosen with
        {
            Steps = length,
            WarmupSteps = parsed.GetValue(warmup) ?? Math.Min(chosen.WarmupSteps, length - 1),
            MicroBatch = parsed.GetValue(microBatch) ?? chosen.MicroBatch,
            Loss = parsed.GetValue(loss) ?? chosen.Loss,
            Schedule = parsed.GetValue(schedule) ?? chosen.Schedule,
            Positives = parsed.GetValue(positives) ?? chosen.Positives,
            CaptionNoise = parsed.GetValue(captionNoise) ?? chosen.CaptionNoise,
            AverageDecay = parsed.GetValue(ema) ?? chosen.AverageDecay,
            CheckpointEvery = parsed.GetValue(checkpointEvery) ?? chosen.CheckpointEvery,
            ValidateEvery = parsed.GetValue(validateEvery) ?? Math.Max(1, length / 10),
            KeepBest = parsed.GetValue(keepBest),
            Seed = CommonOptions.SeedOf(parsed),
            Optimizer = chosen.Optimizer with
            {
                Kind = parsed.GetValue(optimizer) ?? chosen.Optimizer.Kind,
                LearningRate = parsed.GetValue(lr) ?? chosen.Optimizer.LearningRate,
                WeightDecay = parsed.GetValue(weightDecay) ?? chosen.Optimizer.WeightDecay,
                ClipNorm = parsed.GetValue(clip) ?? chosen.Optimizer.ClipNorm,
            },
        };
    }
}
