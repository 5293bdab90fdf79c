using System.Globalization;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;

namespace LiT.Tuning.Runs;

/// <summary>What a run does when the user says nothing, and why, in a line of words for each choice.</summary>
/// <param name="Options">The choices.</param>
/// <param name="Reasons">One line each.</param>
internal sealed record TuningDefaults(TuningOptions Options, IReadOnlyList<TuningReason> Reasons)
{
    private const double GentleRate = 1e-4,
        HeadsRate = 1e-3,
        LionsShare = 0.1;
    private const long PixelsAtOnce = 1_000_000;
    private const int SmallData = 50_000,
        FewPictures = 5_000,
        FewPairs = 1_000;
    private const double SmallDatasTemperature = 20,
        LongRun = 16,
        CaptionsThatRepeat = 3,
        LastingLookAlikes = 0.5,
        LastingDecay = 0.995,
        UsualSentences = 0.5,
        UsualStructure = 1;

    /// <summary>
    /// All options of a run, and why: what is given, else what the recipe says, else what suits the data. Nothing else
    /// decides a default.
    /// </summary>
    /// <param name="given">What a user decided.</param>
    /// <param name="recipe">What stands behind it, or null.</param>
    /// <param name="setting">Which towers are locked.</param>
    /// <param name="pairs">The data.</param>
    /// <param name="languages">How many languages the captions are in.</param>
    /// <exception cref="UsageException">A temperature outside its bounds.</exception>
    public static TuningDefaults Resolve(
        TuningSettings given,
        TuneRecipe? recipe,
        LockSetting setting,
        TuningPairs pairs,
        int languages = 1
    )
    {
        var batch = given.Batch ?? (recipe?.Decides("batch") == true ? recipe.Over(new()).Batch : null);
        var usual = UsualOptions.For(
            pairs,
            batch,
            setting.Text == TowerStart.FromScratch,
            setting.Image != TowerStart.Locked,
            languages
        );
        var chosen = recipe?.Over(usual.Options) ?? usual.Options;
        if (batch is not null)
            chosen = chosen with { Batch = batch.Value };
        var steps = given.Steps ?? StepsOf(given.Epochs ?? recipe?.Epochs, pairs, chosen.Batch) ?? chosen.Steps;
        List<TuningReason> reasons = [];
        if (recipe is not null)
            reasons.Add(
                new(
                    nameof(TuningSettings.Recipe),
                    $"recipe {recipe.Name ?? "from a file"}{(recipe.Words is null ? "" : $": {recipe.Words}")}"
                )
            );
        reasons.AddRange(usual.Reasons.Where(reason => !IsDecided(reason.Setting, given, recipe)));
        chosen = WithGiven(chosen, given) with
        {
            Steps = steps,
            WarmupSteps = given.WarmupSteps
                ?? (
                    recipe?.Decides("warmupSteps") == true
                        ? Math.Max(0, Math.Min(chosen.WarmupSteps, steps - 1))
                        : Warmup(steps)
                ),
            ImageMicroBatch = given.ImageMicroBatch ?? chosen.ImageMicroBatch ?? ImagesAtOnce(pairs),
            ValidateEvery = given.ValidateEvery
                ?? (chosen.ValidateEvery > 0 ? chosen.ValidateEvery : Often(steps, pairs.Count / chosen.Batch)),
            Optimizer = WithGiven(chosen.Optimizer, given, setting, reasons),
        };
        if (setting.Text == TowerStart.FromScratch && pairs.Count < SmallData)
            chosen = Held(chosen, given, recipe, reasons);
        if (setting == LockSetting.LL)
            chosen = HeadsAlone(chosen, given, recipe, reasons);
        if (
            setting is { Image: TowerStart.Locked, Text: not TowerStart.Unlocked }
            && IsLongForItsCaptions(pairs, chosen)
        )
        {
            if (setting.Text == TowerStart.Locked)
                chosen = Held(chosen, given, recipe, reasons);
            chosen = Lasting(chosen, given, recipe, reasons);
        }
        CheckTemperature(given, chosen);
        return new(chosen, reasons);
    }

    private static void CheckTemperature(TuningSettings given, TuningOptions chosen)
    {
        if (
            given.Temperature is { } start
            && !(start >= chosen.LowestTemperature && start <= chosen.HighestTemperature)
        )
            throw new UsageException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"`Temperature` {start}: give a number between its bounds, "
                        + $"{chosen.LowestTemperature:G} and {chosen.HighestTemperature:G}, or other "
                        + $"`LowestTemperature, HighestTemperature`."
                )
            );
    }

    /// <summary>
    /// Small data is learned by heart, and a temperature that rises and rises is how: docs/tuning.md has what a bound
    /// gains on three data sets. That of the sigmoid loss, which means something else, was not tried.
    /// </summary>
    private static TuningOptions Held(
        TuningOptions chosen,
        TuningSettings given,
        TuneRecipe? recipe,
        List<TuningReason> reasons
    )
    {
        if (
            IsDecided(nameof(TuningSettings.HighestTemperature), given, recipe)
            || chosen.Loss != ContrastiveLossKind.Softmax
            || Math.Max(chosen.Temperature, chosen.LowestTemperature) > SmallDatasTemperature
        )
            return chosen;
        reasons.Add(
            new(
                nameof(TuningSettings.HighestTemperature),
                FormattableString.Invariant(
                    $"the temperature rises to {SmallDatasTemperature} at most: small data is learned by heart else"
                )
            )
        );
        return chosen with { HighestTemperature = SmallDatasTemperature };
    }

    /// <summary>Stored pictures of which many have one caption, gone over for longer than that bears.</summary>
    private static bool IsLongForItsCaptions(TuningPairs pairs, TuningOptions chosen) =>
        pairs.Pictures.Shape.Count == 1
        && pairs.Count is >= FewPictures and <= LookAlikes.MostPictures
        && pairs.Captions >= CaptionsThatRepeat * pairs.DistinctRows
        && chosen.Steps * (double)chosen.Batch / pairs.Count >= LongRun;

    /// <summary>
    /// Captions that say the same of other pictures are told apart for longer and longer: docs/results.md has what
    /// borrowing them, and averaging the weights, keeps of a model.
    /// </summary>
    private static TuningOptions Lasting(
        TuningOptions chosen,
        TuningSettings given,
        TuneRecipe? recipe,
        List<TuningReason> reasons
    )
    {
        const string Why = "the run is long, and many pictures have the same captions";
        if (!IsDecided(nameof(TuningSettings.LookAlikes), given, recipe))
        {
            chosen = chosen with { LookAlikes = LastingLookAlikes };
            reasons.Add(
                new(
                    nameof(TuningSettings.LookAlikes),
                    FormattableString.Invariant(
                        $"look-alikes {LastingLookAlikes}: {Why}; half the pairs take one of a look-alike"
                    )
                )
            );
        }
        if (!IsDecided(nameof(TuningSettings.AverageDecay), given, recipe))
        {
            chosen = chosen with { AverageDecay = LastingDecay };
            reasons.Add(
                new(
                    nameof(TuningSettings.AverageDecay),
                    FormattableString.Invariant($"averaged weights {LastingDecay}: {Why}")
                )
            );
        }
        return chosen;
    }

    /// <summary>
    /// Steps between validations: a tenth of the run, or an epoch where that is less, as the best weights of a run that
    /// is far too long lie near its beginning; a hundred validations at most.
    /// </summary>
    private static long Often(long steps, int epoch) => Math.Max(1, Math.Min(steps / 10, Math.Max(epoch, steps / 100)));

    private static long? StepsOf(double? epochs, TuningPairs pairs, int batch) =>
        epochs is { } passes ? Math.Max(1, (long)Math.Ceiling(passes * pairs.Count / batch)) : null;

    /// <summary>Whether a user or a recipe decides what there would be a reason for.</summary>
    private static bool IsDecided(string member, TuningSettings given, TuneRecipe? recipe) =>
        member switch
        {
            nameof(TuningSettings.Batch) => given.Batch is not null || recipe?.Decides("batch") == true,
            nameof(TuningSettings.Steps) => given.Steps is not null
                || (given.Epochs ?? recipe?.Epochs) is not null
                || recipe?.Decides("steps") == true,
            nameof(TuningSettings.LearningRate) => given.LearningRate is not null
                || recipe?.Decides("optimizer.learningRate") == true,
            nameof(TuningSettings.Positives) => given.Positives is not null || recipe?.Decides("positives") == true,
            nameof(TuningSettings.CaptionNoise) => given.CaptionNoise is not null
                || recipe?.Decides("captionNoise") == true,
            nameof(TuningSettings.HighestTemperature) => given.HighestTemperature is not null
                || recipe?.Decides("highestTemperature") == true,
            nameof(TuningSettings.Sentences) => given.Sentences is not null || recipe?.Decides("sentences") == true,
            nameof(TuningSettings.DropFirst) => given.DropFirst is not null || recipe?.Decides("dropFirst") == true,
            nameof(TuningSettings.Structure) => given.Structure is not null || recipe?.Decides("structure") == true,
            nameof(TuningSettings.LookAlikes) => given.LookAlikes is not null || recipe?.Decides("lookAlikes") == true,
            nameof(TuningSettings.AverageDecay) => given.AverageDecay is not null
                || recipe?.Decides("averageDecay") == true,
            _ => false,
        };

    private static TuningOptions WithGiven(TuningOptions chosen, TuningSettings given) =>
        chosen with
        {
            MicroBatch = given.MicroBatch ?? chosen.MicroBatch,
            Loss = given.Loss ?? chosen.Loss,
            LossOver = given.LossOver ?? chosen.LossOver,
            Schedule = given.Schedule ?? chosen.Schedule,
            LocalParts = given.LocalParts ?? chosen.LocalParts,
            CooldownSteps = given.CooldownSteps ?? chosen.CooldownSteps,
            Timescale = given.Timescale ?? chosen.Timescale,
            Temperature = given.Temperature ?? chosen.Temperature,
            LowestTemperature = given.LowestTemperature ?? chosen.LowestTemperature,
            HighestTemperature = given.HighestTemperature ?? chosen.HighestTemperature,
            TemperatureRate = given.TemperatureRate ?? chosen.TemperatureRate,
            Bias = given.Bias ?? chosen.Bias,
            Positives = given.Positives ?? chosen.Positives,
            CaptionNoise = given.CaptionNoise ?? chosen.CaptionNoise,
            LookAlikes = given.LookAlikes ?? chosen.LookAlikes,
            Sentences = given.Sentences ?? chosen.Sentences,
            DropFirst = given.DropFirst ?? chosen.DropFirst,
            CaptionsAtOnce = given.CaptionsAtOnce ?? chosen.CaptionsAtOnce,
            Nested = given.Nested ?? chosen.Nested,
            Structure = given.Structure ?? chosen.Structure,
            StructureLevels = given.StructureLevels ?? chosen.StructureLevels,
            TeacherWeight = given.TeacherWeight ?? chosen.TeacherWeight,
            TeacherTemperature = given.TeacherTemperature ?? chosen.TeacherTemperature,
            AverageDecay = (given.AverageDecay ?? chosen.AverageDecay) is { } decay and not 0 ? decay : null,
            CheckpointEvery = given.CheckpointEvery ?? chosen.CheckpointEvery,
            KeepBest = given.KeepBest ?? chosen.KeepBest,
            Bfloat16 = given.Bfloat16,
            Seed = given.Seed,
        };

    private static OptimizerOptions WithGiven(
        OptimizerOptions chosen,
        TuningSettings given,
        LockSetting setting,
        List<TuningReason> reasons
    )
    {
        var rate = given.LearningRate ?? chosen.LearningRate;
        return chosen with
        {
            Kind = given.Optimizer ?? chosen.Kind,
            LearningRate = rate,
            LearningRateRules = given.LearningRateRules
                ?? (chosen.LearningRateRules.Count > 0 ? chosen.LearningRateRules : ImageRate(setting, rate, reasons)),
            WeightDecayRules = given.WeightDecayRules ?? chosen.WeightDecayRules,
            UnlockRules = given.UnlockRules ?? chosen.UnlockRules,
            WeightDecay = given.WeightDecay ?? chosen.WeightDecay,
            ClipNorm = given.ClipNorm ?? chosen.ClipNorm,
        };
    }

    /// <summary>A pre-trained image tower takes small steps.</summary>
    private static IReadOnlyList<ParameterRule> ImageRate(LockSetting setting, double rate, List<TuningReason> reasons)
    {
        if (setting.Image != TowerStart.Unlocked || rate <= GentleRate)
            return [];
        reasons.Add(
            new(
                nameof(TuningSettings.LearningRateRules),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the image tower is pre-trained and takes steps of {GentleRate:G}, whatever "
                        + $"`LearningRate` is; `LearningRateRules` '^image\\.=1' gives it the whole"
                )
            )
        );
        return [new(@"^image\.", GentleRate / rate)];
    }

    /// <summary>
    /// Pictures at once: as many as keep the activations of a usual tower within a few hundred megabytes; null for
    /// stored ones.
    /// </summary>
    private static int? ImagesAtOnce(TuningPairs pairs) =>
        pairs.Pictures.Shape is [_, var height, var width]
            ? (int)Math.Clamp(PixelsAtOnce / (height * width), 8, 256)
            : null;

    /// <summary>The same where both sides are stored: a text is one number.</summary>
    /// <param name="given">What a user decided.</param>
    /// <param name="recipe">What stands behind it, or null.</param>
    public TuningDefaults ForStoredTexts(TuningSettings given, TuneRecipe? recipe) =>
        given.MicroBatch is not null || recipe?.Decides("microBatch") == true
            ? this
            : this with
            {
                Options = Options with { MicroBatch = StoredTexts.AtOnce(Options.Batch) },
            };

    /// <summary>
    /// The same where most captions are of several sentences: docs/few-pairs.md has what one of them, shown of every
    /// second caption, gains for questions that are short.
    /// </summary>
    /// <param name="given">What a user decided.</param>
    /// <param name="recipe">What stands behind it, or null.</param>
    /// <param name="captions">Some of the captions.</param>
    public TuningDefaults ForCaptions(TuningSettings given, TuneRecipe? recipe, IEnumerable<string> captions)
    {
        if (
            IsDecided(nameof(TuningSettings.Sentences), given, recipe)
            || IsDecided(nameof(TuningSettings.DropFirst), given, recipe)
        )
            return this;
        var (all, several) = (0, 0);
        foreach (var caption in captions)
        {
            all++;
            several += CaptionDraws.Forms(caption).Count > 1 ? 1 : 0;
        }
        if (several * 2 < all || several == 0)
            return this;
        return new(
            Options with
            {
                Sentences = UsualSentences,
            },
            [
                .. Reasons,
                new(
                    nameof(TuningSettings.Sentences),
                    FormattableString.Invariant(
                        $"sentences {UsualSentences}: {100.0 * several / all:F0}% of the captions are of several "
                    ) + "sentences, and every second shows one of them, since questions are short"
                ),
            ]
        );
    }

    /// <summary>
    /// The same for heads between two locked towers on few pairs, which leave much of a head undecided:
    /// docs/few-pairs.md has what keeping the towers' neighbours gains on 500, and that on some thousand it costs. The
    /// sigmoid loss, which is of another size, was not tried.
    /// </summary>
    /// <param name="given">What a user decided.</param>
    /// <param name="recipe">What stands behind it, or null.</param>
    /// <param name="pairs">How many.</param>
    public TuningDefaults ForHeadsOfFewPairs(TuningSettings given, TuneRecipe? recipe, int pairs) =>
        pairs >= FewPairs
        || Options.Loss != ContrastiveLossKind.Softmax
        || IsDecided(nameof(TuningSettings.Structure), given, recipe)
            ? this
            : new(
                Options with
                {
                    Structure = UsualStructure,
                },
                [
                    .. Reasons,
                    new(
                        nameof(TuningSettings.Structure),
                        FormattableString.Invariant($"structure {UsualStructure}: {pairs} pairs leave much of a head ")
                            + "undecided, and the neighbours of the locked towers' rows are kept"
                    ),
                ]
            );

    /// <summary>Where both towers are locked nothing can be forgotten.</summary>
    private static TuningOptions HeadsAlone(
        TuningOptions chosen,
        TuningSettings given,
        TuneRecipe? recipe,
        List<TuningReason> reasons
    )
    {
        if (IsDecided(nameof(TuningSettings.LearningRate), given, recipe))
            return chosen;
        var rate = chosen.Optimizer.Kind == OptimizerKind.Lion ? LionsShare * HeadsRate : HeadsRate;
        TuningReason reason = new(
            nameof(OptimizerOptions.LearningRate),
            string.Create(
                CultureInfo.InvariantCulture,
                $"learning rate {rate:G}: heads alone are tuned, and they start from scratch"
            )
        );
        reasons[reasons.FindIndex(one => one.Setting == reason.Setting)] = reason;
        return chosen with { Optimizer = chosen.Optimizer with { LearningRate = rate } };
    }

    /// <summary>Warm-up for a run of so many steps: a twentieth of it.</summary>
    public static long Warmup(long steps) => Math.Min(Math.Max(1, steps / 20), steps - 1);
}
