using System.CommandLine;
using System.Globalization;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;

namespace LiT.Cli;

/// <summary>The options of a tuning run that have a default chosen from the data.</summary>
internal sealed class TuneChoices
{
    private readonly Option<ContrastiveLossKind?> loss = new("--loss") { Description = "The contrastive loss." };
    private readonly Option<LossOver?> lossOver = new("--loss-over")
    {
        Description = "What the sigmoid loss is divided by: the batch (SigLIP), or all pairs of it, B x B (SAIL).",
    };
    private readonly Option<int?> batch = new("--batch")
    {
        Description = "Pairs in a step, all of them each other's negatives.",
    };
    private readonly Option<int?> microBatch = new("--micro-batch")
    {
        Description = "Texts through the tower at once; changes time and memory, not the result.",
    };
    private readonly Option<double?> epochs = new("--epochs") { Description = "Passes over the pictures." };
    private readonly Option<long?> steps = new("--steps") { Description = "Updates in all, in place of --epochs." };
    private readonly Option<double?> lr = new("--lr") { Description = "Highest learning rate." };
    private readonly Option<OptimizerKind?> optimizer = new("--optimizer") { Description = "The update rule." };
    private readonly Option<LearningRateShape?> schedule = new("--schedule")
    {
        Description = "How the learning rate falls.",
    };
    private readonly Option<long?> warmup = new("--warmup")
    {
        Description = "Steps over which the learning rate rises.",
    };
    private readonly Option<double?> weightDecay = new("--weight-decay")
    {
        Description = "Decay of kernels, times the schedule and not times the learning rate.",
    };
    private readonly Option<double?> clip = new("--clip") { Description = "Largest norm of the whole gradient." };
    private readonly Option<PositivePairs?> positives = new("--positives")
    {
        Description =
            "Shared: equal captions in a batch are positives of each other. Own: the paper's plain "
            + "form, where they are negatives.",
    };
    private readonly Option<double?> captionNoise = new("--caption-noise")
    {
        Description =
            "Share of captions that get words no caption uses, so that unknown words of a prompt are passed over.",
    };

    private readonly Option<double?> lookAlikes = new("--look-alikes")
    {
        Description =
            "Share of pairs that take, each epoch anew, a caption of one of the ten pictures that look most alike to "
            + "the locked tower, so that captions are not learned by heart. Default: 0.5 in runs of 16 epochs and "
            + "more over stored pictures of which many have the same caption, else 0.",
    };

    private readonly Option<double?> sentences = new("--sentences")
    {
        Description =
            "Share of the captions of several sentences of which a step shows one sentence, drawn each epoch anew.",
    };
    private readonly Option<double?> dropFirst = new("--drop-first")
    {
        Description = "Share of the other captions of several sentences that lose their first one.",
    };
    private readonly Option<int?> captionsAtOnce = new("--captions-at-once")
    {
        Description =
            "Captions of each picture in a batch, long and short ones, as positives of each other; the batch then has "
            + "as many times fewer pictures.",
    };
    private readonly Option<string?> nested = new("--nested")
    {
        Description =
            "Widths below the common size, as in 64,128, whose first numbers alone are to tell pictures and texts "
            + "apart, too: 'lit models convert --width' cuts the model to one, and 'lit embed' its store.",
    };
    private readonly Option<double?> structure = new("--structure")
    {
        Description =
            "Weight of what keeps the neighbours of locked towers' rows through the heads behind them, for few pairs; "
            + "10 in its paper. Default: 1 where both towers are locked and pairs are fewer than 1,000, else 0.",
    };
    private readonly Option<int?> structureLevels = new("--structure-levels")
    {
        Description = "How many steps from neighbour to neighbour --structure looks at. Default: 1.",
    };
    private readonly Option<double?> teacherWeight = new("--teacher-weight")
    {
        Description = "Share of the loss that --teacher gives the targets of. Default: 0.5.",
    };
    private readonly Option<double?> teacherTemperature = new("--teacher-temperature")
    {
        Description = "What the teacher's cosines are divided by before they become targets. Default: 0.1.",
    };
    private readonly Option<int?> localParts = new("--local-parts")
    {
        Description =
            "Parts of the batch that see only their own negatives (the paper's local loss); 1 is the global batch.",
    };

    private readonly Option<int?> imageMicroBatch = new("--image-micro-batch")
    {
        Description = "Pictures through the image tower at once, where it reads pictures at every step.",
    };
    private readonly Option<long?> cooldown = new("--cooldown")
    {
        Description = "Steps at the end over which the learning rate falls to zero on top of its schedule.",
    };
    private readonly Option<double?> timescale = new("--timescale")
    {
        Description = "Steps until the rsqrt schedule has fallen to 1/sqrt(2).",
    };
    private readonly Option<double?> temperature = new("--temperature")
    {
        Description = "What cosines are multiplied by at the start; it is learned as a logarithm.",
    };
    private readonly Option<string?> temperatureBounds = new("--temperature-bounds")
    {
        Description =
            "Lowest and highest temperature, as in 1,100. Default: 1,20 for a text tower from scratch on fewer than "
            + "50,000 pairs with the softmax loss, else 1,200.",
    };
    private readonly Option<double?> temperatureRate = new("--temperature-rate")
    {
        Description = "Learning rate of temperature and bias, times --lr.",
    };
    private readonly Option<double?> bias = new("--bias") { Description = "The sigmoid loss's bias at the start." };
    private readonly Option<string[]> lrMultipliers = new("--lr-mult")
    {
        Description =
            "PATTERN=NUMBER: the learning rate of parameters whose names match, times this; 0 locks "
            + "them. Of several the first that matches counts.",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string[]> decayMultipliers = new("--wd-mult")
    {
        Description = "PATTERN=NUMBER, likewise for the weight decay.",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<string[]> unlockAfter = new("--unlock-after")
    {
        Description =
            "Steps before pre-trained towers begin to move, or PATTERN=STEPS for parameters whose names match.",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<double?> ema = new("--ema")
    {
        Description =
            "Decay of a moving average of the weights that becomes the result; 0 keeps none. Default: 0.995 where "
            + "--look-alikes is 0.5 by itself, else none.",
    };
    private readonly Option<long?> checkpointEvery = new("--checkpoint-every")
    {
        Description = "Steps between checkpoints.",
    };
    private readonly Option<long?> validateEvery = new("--val-every") { Description = "Steps between validations." };
    private readonly Option<string?> keepBest = new("--keep-best")
    {
        Description =
            "Validation number whose best weights become the result, such as textToImageR1, or none for the last "
            + "weights. Default: top1, sameLabel or meanRecall, the first that the validation has.",
    };

    // An interrupted run goes on by itself; the option says so in the words people know.
    private readonly Option<bool> resume = new("--resume")
    {
        Description = "Go on with an interrupted run in --out, which happens in any case.",
    };

    public void AddTo(Command command)
    {
        foreach (
            var option in (Option[])
                [
                    loss,
                    lossOver,
                    batch,
                    microBatch,
                    epochs,
                    steps,
                    lr,
                    optimizer,
                    schedule,
                    warmup,
                    weightDecay,
                    clip,
                    positives,
                    captionNoise,
                    lookAlikes,
                    sentences,
                    dropFirst,
                    captionsAtOnce,
                    .. Besides,
                    localParts,
                    imageMicroBatch,
                    cooldown,
                    timescale,
                    temperature,
                    temperatureBounds,
                    temperatureRate,
                    bias,
                    lrMultipliers,
                    decayMultipliers,
                    unlockAfter,
                    ema,
                    checkpointEvery,
                    validateEvery,
                    keepBest,
                    resume,
                ]
        )
            command.Options.Add(option);
        CheckRanges();
        command.Validators.Add(result =>
        {
            if (result.GetResult(epochs) is not null && result.GetResult(steps) is not null)
                result.AddError("--epochs and --steps say the same thing twice. Give one of them.");
        });
    }

    /// <summary>What the loss is besides that of the pairs at their whole width.</summary>
    private Option[] Besides => [nested, structure, structureLevels, teacherWeight, teacherTemperature];

    private void CheckRanges()
    {
        Limits.AboveZero(epochs, lr, clip, timescale, temperature, teacherTemperature);
        Limits.Positive(
            batch,
            microBatch,
            imageMicroBatch,
            steps,
            localParts,
            checkpointEvery,
            validateEvery,
            captionsAtOnce,
            structureLevels
        );
        Limits.NotNegative(warmup, cooldown, temperatureRate, structure);
        Limits.Share(captionNoise, lookAlikes, sentences, dropFirst, teacherWeight);
    }

    /// <summary>What the user decided; options that cannot be are refused before any data is read.</summary>
    /// <exception cref="UsageException">Which, and what to give instead.</exception>
    public TuningSettings SettingsOf(Asked parsed, LockSetting setting)
    {
        _ = parsed.GetValue(resume);
        var bounds = Bounds(parsed.GetValue(temperatureBounds));
        return new()
        {
            Seed = CommonOptions.SeedOf(parsed),
            Bfloat16 = CommonOptions.ComputeOf(parsed).Type == TorchSharp.torch.ScalarType.BFloat16,
            Loss = parsed.GetValue(loss),
            LossOver = parsed.GetValue(lossOver),
            Batch = parsed.GetValue(batch),
            MicroBatch = parsed.GetValue(microBatch),
            ImageMicroBatch = parsed.GetValue(imageMicroBatch),
            Epochs = parsed.GetValue(epochs),
            Steps = parsed.GetValue(steps),
            LearningRate = parsed.GetValue(lr),
            Optimizer = parsed.GetValue(optimizer),
            Schedule = parsed.GetValue(schedule),
            WarmupSteps = parsed.GetValue(warmup),
            CooldownSteps = parsed.GetValue(cooldown),
            Timescale = parsed.GetValue(timescale),
            WeightDecay = parsed.GetValue(weightDecay),
            ClipNorm = parsed.GetValue(clip),
            Positives = parsed.GetValue(positives),
            CaptionNoise = parsed.GetValue(captionNoise),
            LookAlikes = parsed.GetValue(lookAlikes),
            Sentences = parsed.GetValue(sentences),
            DropFirst = parsed.GetValue(dropFirst),
            CaptionsAtOnce = parsed.GetValue(captionsAtOnce),
            Nested = parsed.GetValue(nested) is { } widths ? Widths(widths) : null,
            Structure = parsed.GetValue(structure),
            StructureLevels = parsed.GetValue(structureLevels),
            TeacherWeight = parsed.GetValue(teacherWeight),
            TeacherTemperature = parsed.GetValue(teacherTemperature),
            LocalParts = parsed.GetValue(localParts),
            Temperature = parsed.GetValue(temperature),
            LowestTemperature = bounds?.Lowest,
            HighestTemperature = bounds?.Highest,
            TemperatureRate = parsed.GetValue(temperatureRate),
            Bias = parsed.GetValue(bias),
            AverageDecay = parsed.GetValue(ema),
            CheckpointEvery = parsed.GetValue(checkpointEvery),
            ValidateEvery = parsed.GetValue(validateEvery),
            KeepBest = parsed.GetValue(keepBest),
            LearningRateRules = Given(lrMultipliers, ParameterRules.Multipliers),
            WeightDecayRules = Given(decayMultipliers, ParameterRules.Multipliers),
            UnlockRules = Given(unlockAfter, (name, texts) => ParameterRules.Unlocks(name, texts, setting)),
        };

        IReadOnlyList<T>? Given<T>(Option<string[]> option, Func<string, string[], IReadOnlyList<T>> read) =>
            parsed.GetValue(option) is { Length: > 0 } texts ? read(option.Name, texts) : null;
    }

    private static IReadOnlyList<int> Widths(string text) =>
        [
            .. text.Split(',')
                .Select(one =>
                    int.TryParse(one, NumberStyles.None, CultureInfo.InvariantCulture, out var width) && width > 0
                        ? width
                        : throw new UsageException($"--nested {text}: give widths with commas between, as in 64,128.")
                ),
        ];

    private static (double Lowest, double Highest)? Bounds(string? text)
    {
        if (text is null)
            return null;
        if (
            text.Split(',') is [var low, var high]
            && double.TryParse(low, NumberStyles.Float, CultureInfo.InvariantCulture, out var lowest)
            && double.TryParse(high, NumberStyles.Float, CultureInfo.InvariantCulture, out var highest)
            && lowest > 0
            && lowest <= highest
            && double.IsFinite(highest)
        )
            return (lowest, highest);
        throw new UsageException(
            $"--temperature-bounds {text}: give two numbers above 0, the lower first, as in 1,100."
        );
    }
}
