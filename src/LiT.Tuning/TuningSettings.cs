using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;

namespace LiT;

/// <summary>
/// What somebody decides of a tuning run. Everything is optional: what is null is decided by the recipe, where there is
/// one, and else from the data (<see cref="TuningPlan"/> says what, and why). Plain data; safe to share between
/// threads.
/// </summary>
public sealed record TuningSettings
{
    /// <summary>Which towers are locked (LiT, arXiv 2111.07991, section 3); null for the recipe's, or Lu.</summary>
    public LockSetting? Lock { get; init; }

    /// <summary>A text tower from scratch (<c>text:width=256,depth=4,heads=4</c>), or a file to start from.</summary>
    public string? TextTower { get; init; }

    /// <summary>
    /// A store of texts of a locked text tower, whose texts are the captions: both sides are stored then, heads alone
    /// are tuned, and the lock is LL. Null where texts go through the text tower.
    /// </summary>
    public string? Texts { get; init; }

    /// <summary>
    /// A second store of the same pictures, by a stronger image tower: how like its rows are softens the targets of the
    /// loss. Null for none.
    /// </summary>
    public string? TeacherStore { get; init; }

    /// <summary>The image tower, a file or a published name; a store names its own.</summary>
    public string? ImageTower { get; init; }

    /// <summary>A tokenizer's files; null makes a vocabulary from the captions.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>Pieces of a vocabulary that is made from the captions.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>Ids in a row of text.</summary>
    public int? TokenLength { get; init; }

    /// <summary>Data to validate on: a store, or any form of data.</summary>
    public string? Validation { get; init; }

    /// <summary>
    /// Share of the pictures, from 0 to below 1, that is not tuned on but validated on; null for 0.02, from 250 to
    /// 1,000 pictures, where there are 5,000 or more and no <see cref="Validation"/>.
    /// </summary>
    public double? HoldOut { get; init; }

    /// <summary>A recipe: the name of one that comes with the library, a file, or a run's <c>config.json</c>.</summary>
    public string? Recipe { get; init; }

    /// <summary>Seed of everything random. The same seed on the same machine gives the same bits.</summary>
    public int Seed { get; init; }

    /// <summary>The contrastive loss.</summary>
    public ContrastiveLossKind? Loss { get; init; }

    /// <summary>What the sigmoid loss is divided by; null for the batch.</summary>
    public LossOver? LossOver { get; init; }

    /// <summary>Pairs in a step, all of them each other's negatives; at least 2.</summary>
    public int? Batch { get; init; }

    /// <summary>Texts through the tower at once; changes time and memory, not the result.</summary>
    public int? MicroBatch { get; init; }

    /// <summary>Pictures through the image tower at once, where it reads pictures at every step.</summary>
    public int? ImageMicroBatch { get; init; }

    /// <summary>Passes over the pictures, in place of <see cref="Steps"/>.</summary>
    public double? Epochs { get; init; }

    /// <summary>Updates in all.</summary>
    public long? Steps { get; init; }

    /// <summary>Highest learning rate.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The update rule.</summary>
    public OptimizerKind? Optimizer { get; init; }

    /// <summary>How the learning rate falls.</summary>
    public LearningRateShape? Schedule { get; init; }

    /// <summary>Steps over which the learning rate rises from zero.</summary>
    public long? WarmupSteps { get; init; }

    /// <summary>Steps at the end over which the learning rate falls to zero on top of its schedule.</summary>
    public long? CooldownSteps { get; init; }

    /// <summary>Steps until the reciprocal square root schedule has fallen to 1/sqrt(2).</summary>
    public double? Timescale { get; init; }

    /// <summary>Decay of kernels, times the schedule and not times the learning rate.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>Largest norm of the whole gradient.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>Whether equal captions of a batch are positives of each other.</summary>
    public PositivePairs? Positives { get; init; }

    /// <summary>Share of captions, 0 to 1, that get words which no caption uses.</summary>
    public double? CaptionNoise { get; init; }

    /// <summary>
    /// Share of pairs, 0 to 1, that take, in each epoch anew, a caption of one of the ten pictures that look most alike
    /// to the locked tower.
    /// </summary>
    public double? LookAlikes { get; init; }

    /// <summary>
    /// Share of the captions of several sentences, 0 to 1, of which a step shows one sentence, drawn in each epoch
    /// anew; null for 0.
    /// </summary>
    public double? Sentences { get; init; }

    /// <summary>Share of the others of them, 0 to 1, that lose their first sentence; null for 0.</summary>
    public double? DropFirst { get; init; }

    /// <summary>
    /// Captions of each picture in a batch, positives of each other; the batch is divided by it. Null for 1.
    /// </summary>
    public int? CaptionsAtOnce { get; init; }

    /// <summary>
    /// Widths below the common size whose first numbers alone are to tell pictures and texts apart, too, so that stores
    /// and models can be cut to them (Matryoshka, arXiv 2205.13147); null for the whole width alone.
    /// </summary>
    public IReadOnlyList<int>? Nested { get; init; }

    /// <summary>
    /// Weight of what keeps the neighbours of locked towers' rows through their heads (STRUCTURE, arXiv 2506.16895);
    /// null for 1 where fewer than 1,000 pairs are tuned on with the softmax loss between two locked towers with a head
    /// behind the image's, else 0.
    /// </summary>
    public double? Structure { get; init; }

    /// <summary>How many steps from neighbour to neighbour are looked at for it, 1 to 16; null for 1.</summary>
    public int? StructureLevels { get; init; }

    /// <summary>Share of the loss, 0 to 1, that <see cref="TeacherStore"/> gives targets of; null for 0.5.</summary>
    public double? TeacherWeight { get; init; }

    /// <summary>What the teacher's cosines are divided by before they become targets; null for 0.1.</summary>
    public double? TeacherTemperature { get; init; }

    /// <summary>Parts of the batch that see only their own negatives; 1 is the global batch.</summary>
    public int? LocalParts { get; init; }

    /// <summary>What cosines are multiplied by at the start.</summary>
    public double? Temperature { get; init; }

    /// <summary>The temperature never falls below this.</summary>
    public double? LowestTemperature { get; init; }

    /// <summary>The temperature never rises above this.</summary>
    public double? HighestTemperature { get; init; }

    /// <summary>Learning rate of temperature and bias, times the run's.</summary>
    public double? TemperatureRate { get; init; }

    /// <summary>The sigmoid loss's bias at the start.</summary>
    public double? Bias { get; init; }

    /// <summary>Decay of a moving average of the weights that becomes the result; 0 keeps none.</summary>
    public double? AverageDecay { get; init; }

    /// <summary>Steps between two checkpoints.</summary>
    public long? CheckpointEvery { get; init; }

    /// <summary>Steps between two validations.</summary>
    public long? ValidateEvery { get; init; }

    /// <summary>
    /// Validation number whose best weights become the result, such as <c>textToImageR1</c>, or <c>none</c> for the
    /// last weights; null for the first of <c>top1</c>, <c>sameLabel</c> and <c>meanRecall</c> that there is.
    /// </summary>
    public string? KeepBest { get; init; }

    /// <summary>Whether towers compute in bfloat16 on weights that stay float32.</summary>
    public bool Bfloat16 { get; init; }

    internal IReadOnlyList<ParameterRule>? LearningRateRules { get; init; }

    internal IReadOnlyList<ParameterRule>? WeightDecayRules { get; init; }

    internal IReadOnlyList<UnlockRule>? UnlockRules { get; init; }
}
