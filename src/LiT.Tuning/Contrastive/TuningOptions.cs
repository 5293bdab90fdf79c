using System.Linq.Expressions;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LiT.Tuning.Optimizers;

namespace LiT.Tuning.Contrastive;

/// <summary>All that decides a run besides its data and its towers. Plain data, kept as JSON beside the run.</summary>
internal sealed record TuningOptions
{
    /// <summary>Pairs in a step, all of them each other's negatives.</summary>
    public int Batch { get; init; } = 1024;

    /// <summary>
    /// Texts (or pictures) that go through a tower at once. A larger batch is embedded without a graph first and
    /// replayed part by part (gradient caching), which changes nothing but time and memory.
    /// </summary>
    public int MicroBatch { get; init; } = 1024;

    /// <summary>
    /// Pictures that go through an image tower at once, where they come as pixels; null takes <see cref="MicroBatch"/>.
    /// </summary>
    public int? ImageMicroBatch { get; init; }

    internal int ImagesAtOnce => ImageMicroBatch ?? MicroBatch;

    /// <summary>Updates in all.</summary>
    public long Steps { get; init; } = 1000;

    /// <summary>Which loss, over what, computed how.</summary>
    public ContrastiveLossKind Loss { get; init; } = ContrastiveLossKind.Softmax;

    /// <summary>What the sigmoid loss is divided by.</summary>
    public LossOver LossOver { get; init; } = LossOver.Batch;

    /// <summary>Whether equal captions and captions of the same image are positives of each other.</summary>
    public PositivePairs Positives { get; init; } = PositivePairs.Shared;

    /// <summary>Parts of the batch that use only their own negatives; 1 is the global batch.</summary>
    public int LocalParts { get; init; } = 1;

    /// <summary>The update rule.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>How the learning rate falls after its warm-up.</summary>
    public LearningRateShape Schedule { get; init; } = LearningRateShape.Cosine;

    /// <summary>Steps over which the learning rate rises from zero.</summary>
    public long WarmupSteps { get; init; }

    /// <summary>Steps at the end over which it falls to zero on top of the schedule.</summary>
    public long CooldownSteps { get; init; }

    /// <summary>Steps until a reciprocal square root has fallen to 1/sqrt(2).</summary>
    public double Timescale { get; init; } = 10_000;

    /// <summary>What cosines are multiplied by at the start, the paper's 10; brought between the bounds.</summary>
    public double Temperature { get; init; } = 10;

    /// <summary>The sigmoid loss's bias at the start; SigLIP's -10 (arXiv 2303.15343, section 3.2).</summary>
    public double Bias { get; init; } = -10;

    /// <summary>The temperature never falls below this.</summary>
    public double LowestTemperature { get; init; } = 1;

    /// <summary>The temperature never rises above this; the authors' published models ended near 120.</summary>
    public double HighestTemperature { get; init; } = 200;

    /// <summary>Learning rate of log temperature and bias, times the run's.</summary>
    public double TemperatureRate { get; init; } = 1;

    /// <summary>
    /// Share of captions into which ids that no caption uses are put, so that the tower learns to pass over words it
    /// has not met. For towers from scratch on few captions.
    /// </summary>
    public double CaptionNoise { get; init; }

    /// <summary>
    /// Share of pairs that take, in each epoch anew, a caption of one of the ten pictures that look most alike to the
    /// locked tower. Against learning by heart which words stand at which picture. For stored rows.
    /// </summary>
    public double LookAlikes { get; init; }

    /// <summary>
    /// Share of the captions of several sentences, 0 to 1, of which a step shows one sentence, drawn in each epoch
    /// anew.
    /// </summary>
    public double Sentences { get; init; }

    /// <summary>
    /// Share of the others of them, 0 to 1, that lose their first sentence, so that the rest is read as well.
    /// </summary>
    public double DropFirst { get; init; }

    /// <summary>
    /// Captions of each picture in a batch, which are positives of each other; the batch holds as many pictures fewer.
    /// </summary>
    public int CaptionsAtOnce { get; init; } = 1;

    /// <summary>
    /// Widths below the common size whose first numbers alone are to tell pictures and texts apart, too (Kusupati et
    /// al. 2022, arXiv 2205.13147); none for the whole width alone.
    /// </summary>
    public IReadOnlyList<int> Nested { get; init; } = [];

    /// <summary>
    /// Weight of what keeps the neighbours of locked towers' rows through their heads (arXiv 2506.16895); 0 for none.
    /// </summary>
    public double Structure { get; init; }

    /// <summary>How many steps from neighbour to neighbour are looked at for it.</summary>
    public int StructureLevels { get; init; } = 1;

    /// <summary>
    /// Share of the loss, 0 to 1, that a teacher's likeness of the pictures gives the targets of, where there is one.
    /// </summary>
    public double TeacherWeight { get; init; } = 0.5;

    /// <summary>What the teacher's cosines are divided by before the softmax that makes targets of them.</summary>
    public double TeacherTemperature { get; init; } = 0.1;

    /// <summary>What a step shows of captions.</summary>
    internal CaptionDraws CaptionDraws => new(Sentences, DropFirst, CaptionsAtOnce);

    /// <summary>
    /// Towers compute in bfloat16 on weights that stay float32; losses, gradients of weights and updates are float32.
    /// </summary>
    public bool Bfloat16 { get; init; }

    /// <summary>
    /// Keeps a moving average of the weights with this decay and makes it the result; null keeps none.
    /// </summary>
    public double? AverageDecay { get; init; }

    /// <summary>Decides the order of the data, the captions drawn, dropout and augmentation.</summary>
    public long Seed { get; init; }

    /// <summary>Steps between lines of metrics.jsonl; the last step always has one.</summary>
    public long LogEvery { get; init; } = 1;

    /// <summary>Steps between checkpoints; the last step always has one.</summary>
    public long CheckpointEvery { get; init; } = 100;

    /// <summary>Steps between validations, and one at the end; 0 for none but the end's.</summary>
    public long ValidateEvery { get; init; }

    /// <summary>
    /// The validation number whose best weights are the result, as in "top1"; null for the one that the validation
    /// itself names, <see cref="LastWeights"/> for the last weights.
    /// </summary>
    public string? KeepBest { get; init; }

    /// <summary>What <see cref="KeepBest"/> is where the last weights are wanted.</summary>
    internal const string LastWeights = "none";

    /// <summary>How options are written: member names in camel case, choices in words.</summary>
    public static JsonSerializerOptions Json { get; } =
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            Converters = { new JsonStringEnumConverter() },
            WriteIndented = true,
        };

    /// <summary>The schedule of this run.</summary>
    public LearningRate LearningRate() =>
        new(Schedule, Steps)
        {
            WarmupSteps = WarmupSteps,
            CooldownSteps = CooldownSteps,
            Timescale = Timescale,
        };

    /// <summary>
    /// The first option that would make another run of it, in words, or null: how often something is written down,
    /// validated or cut into parts may change.
    /// </summary>
    internal string? FirstDifference(TuningOptions other)
    {
        var (mine, theirs) = (Decisive(this), Decisive(other));
        return mine.Where(option => !JsonNode.DeepEquals(option.Value, theirs[option.Key]))
            .Select(option =>
                $"{option.Key} ({option.Value?.ToJsonString() ?? "none"}, now "
                + $"{theirs[option.Key]?.ToJsonString() ?? "none"})"
            )
            .FirstOrDefault();

        static JsonObject Decisive(TuningOptions options) =>
            (JsonObject)
                JsonSerializer.SerializeToNode(
                    options with
                    {
                        LogEvery = 1,
                        CheckpointEvery = 1,
                        ValidateEvery = 0,
                        KeepBest = null,
                    },
                    Json
                )!;
    }

    /// <summary>Options in which something cannot be.</summary>
    /// <param name="images">Images that the data has.</param>
    /// <exception cref="UsageException">Which option, and what to give instead.</exception>
    public void Check(int images)
    {
        Need(Batch >= 2, of => of.Batch, Batch, "a pair needs others to be told from", "Give at least 2");
        Need(
            Batch <= images,
            of => of.Batch,
            Batch,
            $"there are {images:N0} images with captions",
            $"Give at most {images}"
        );
        Need(MicroBatch >= 1, of => of.MicroBatch, MicroBatch, null, "give at least 1");
        Need(ImagesAtOnce >= 1, of => of.ImageMicroBatch, ImageMicroBatch, null, "give at least 1");
        Need(Steps >= 1, of => of.Steps, Steps, null, "give at least 1");
        Need(
            LocalParts >= 1 && LocalParts <= Batch,
            of => of.LocalParts,
            LocalParts,
            null,
            $"give 1 to {Batch}, the pairs of a batch"
        );
        Need(
            LossOver == LossOver.Batch || Loss == ContrastiveLossKind.Sigmoid,
            of => of.LossOver,
            "pairs",
            $"the {Loss.ToString().ToLowerInvariant()} loss is a mean over the batch",
            "Leave the option out, or give `Loss` sigmoid"
        );
        var rate = Optimizer.LearningRate;
        Need(
            rate is > 0 and < double.PositiveInfinity,
            of => of.Optimizer.LearningRate,
            rate,
            null,
            "give a number above 0"
        );
        Need(
            Optimizer.WeightDecay is >= 0 and < 1,
            of => of.Optimizer.WeightDecay,
            Optimizer.WeightDecay,
            null,
            "give a number from 0 to below 1; every step takes this share of a weight away"
        );
        Need(
            Optimizer.ClipNorm is null or > 0,
            of => of.Optimizer.ClipNorm,
            Optimizer.ClipNorm,
            null,
            "give a length above 0"
        );
        Need(
            WarmupSteps >= 0 && WarmupSteps < Steps,
            of => of.WarmupSteps,
            WarmupSteps,
            null,
            $"give 0 to {Steps - 1}, fewer than the run's {Steps} steps"
        );
        Need(
            CooldownSteps >= 0 && CooldownSteps <= Steps,
            of => of.CooldownSteps,
            CooldownSteps,
            null,
            $"give 0 to {Steps}"
        );
        if (!(LowestTemperature > 0 && LowestTemperature <= HighestTemperature))
            throw new SettingException(
                $"{nameof(LowestTemperature)}, {nameof(HighestTemperature)}",
                FormattableString.Invariant($"{LowestTemperature},{HighestTemperature}"),
                null,
                "give two numbers above 0, the lower first"
            );
        Need(
            Temperature > 0 && double.IsFinite(Temperature),
            of => of.Temperature,
            Temperature,
            null,
            "give a number above 0"
        );
        Need(double.IsFinite(Bias), of => of.Bias, Bias, null, "give a number, such as -10");
        Need(Timescale > 0, of => of.Timescale, Timescale, null, "give a number above 0");
        CheckCaptions();
        CheckBesides();
        Need(
            AverageDecay is null or (> 0 and < 1),
            of => of.AverageDecay,
            AverageDecay,
            null,
            "give a decay between 0 and 1, for example 0.999"
        );
        if (LogEvery < 1 || CheckpointEvery < 1 || ValidateEvery < 0)
            throw new UsageException("Give at least 1 step between metrics lines and between checkpoints.");
    }

    private void CheckCaptions()
    {
        Need(CaptionNoise is >= 0 and <= 1, of => of.CaptionNoise, CaptionNoise, null, "give a share from 0 to 1");
        Need(LookAlikes is >= 0 and <= 1, of => of.LookAlikes, LookAlikes, null, "give a share from 0 to 1");
        Need(Sentences is >= 0 and <= 1, of => of.Sentences, Sentences, null, "give a share from 0 to 1");
        Need(DropFirst is >= 0 and <= 1, of => of.DropFirst, DropFirst, null, "give a share from 0 to 1");
        Need(
            CaptionsAtOnce >= 1 && Batch % CaptionsAtOnce == 0 && Batch > CaptionsAtOnce,
            of => of.CaptionsAtOnce,
            CaptionsAtOnce,
            $"a batch has {Batch} pairs",
            "Give a number by which it can be divided and that is smaller"
        );
        Need(
            CaptionsAtOnce == 1 || Positives == PositivePairs.Shared,
            of => of.CaptionsAtOnce,
            CaptionsAtOnce,
            "captions of one picture would be each other's negatives",
            "Give `Positives` shared"
        );
    }

    private void CheckBesides()
    {
        Need(
            Nested.All(size => size >= 1) && Nested.Distinct().Count() == Nested.Count,
            of => of.Nested,
            string.Join(",", Nested),
            null,
            "give widths of at least 1, each once, as in 64,128"
        );
        Need(
            Structure >= 0 && double.IsFinite(Structure),
            of => of.Structure,
            Structure,
            null,
            "give a weight of 0 or more, such as 10"
        );
        Need(StructureLevels is >= 1 and <= 16, of => of.StructureLevels, StructureLevels, null, "give 1 to 16");
        Need(TeacherWeight is >= 0 and <= 1, of => of.TeacherWeight, TeacherWeight, null, "give a share from 0 to 1");
        Need(
            TeacherTemperature > 0 && double.IsFinite(TeacherTemperature),
            of => of.TeacherTemperature,
            TeacherTemperature,
            null,
            "give a number above 0"
        );
    }

    private static void Need(
        bool holds,
        Expression<Func<TuningOptions, object?>> setting,
        object? given,
        string? problem,
        string remedy
    )
    {
        if (!holds)
            throw SettingException.Of(setting, given, problem, remedy);
    }
}
