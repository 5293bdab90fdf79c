using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using LiT.Images;
using LiT.Stores;
using LiT.Towers;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>Whether the image tower goes into the bundle or is named only.</summary>
internal enum BundleTower
{
    /// <summary>Into the bundle when it has at most 25 million weights.</summary>
    Auto,

    /// <summary>Into the bundle.</summary>
    Always,

    /// <summary>Named only.</summary>
    Never,
}

/// <summary>What a user asks of a tuning run. What is null is chosen from the data.</summary>
internal sealed record TuneRequest
{
    /// <summary>A store, or pictures with captions that are embedded first.</summary>
    public required string Data { get; init; }

    /// <summary>What is decided of the run's options.</summary>
    public TuningSettings Settings { get; init; } = new();

    /// <summary>What decides the options that <see cref="Settings"/> leaves open, before the data do.</summary>
    public TuneRecipe? Recipe { get; init; }

    /// <summary>How pictures with captions are read.</summary>
    public SampleOptions Samples { get; init; } = new();

    /// <summary>
    /// The image tower: a file, or from scratch (vit:Ti/16) where the setting says so; a store names its own.
    /// </summary>
    public string? ImageTower { get; init; }

    /// <summary>
    /// Whether a locked tower reads the pictures at every step, with <see cref="Augmentation"/>, and no store is made.
    /// </summary>
    public bool FromPixels { get; init; }

    /// <summary>
    /// Random changes of pictures that are read at every step; null takes random crops and mirror images for a tower
    /// that is tuned.
    /// </summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>A text tower from scratch (text:width=256,depth=4,heads=4), or a file to start from.</summary>
    public string? TextTower { get; init; }

    /// <summary>
    /// A file (or bundle, or run) that the text tower starts from where the lock setting wants a pre-trained one.
    /// </summary>
    public string? TextInit { get; init; }

    /// <summary>
    /// A text store of the locked text tower, where both sides are stored and only heads are tuned; its texts are the
    /// captions.
    /// </summary>
    public string? Texts { get; init; }

    /// <summary>A tokenizer's files; by default a vocabulary is made from the captions.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>Pieces of a vocabulary that is made from the captions.</summary>
    public int VocabularySize { get; init; } = 8000;

    /// <summary>
    /// Ids in a row of text, or null for 16 with a tokenizer that is given, as the paper has it, and 24 with a
    /// vocabulary made from the captions: words of a prompt that it lacks fall into many pieces, and should not push
    /// out the rest.
    /// </summary>
    public int? TokenLength { get; init; }

    /// <summary>The run's folder.</summary>
    public required string Out { get; init; }

    /// <summary>Which towers are locked.</summary>
    public LockSetting Lock { get; init; } = LockSetting.Parse("Lu");

    /// <summary>
    /// The head on the image side; none reads the representation as it is, and its size is the common one.
    /// </summary>
    public HeadSpec ImageHead { get; init; } = HeadSpec.None;

    /// <summary>A bundle whose image head this run begins with; null for a fresh one.</summary>
    internal string? ImageHeadOf { get; init; }

    /// <summary>The head on the text side, to the common size.</summary>
    public HeadSpec TextHead { get; init; } = new(null);

    /// <summary>What the texts are to give beside what their pictures ask; null for nothing.</summary>
    internal TextTeacher? Teacher { get; init; }

    /// <summary>A second store of the same pictures, by a stronger image tower, that softens targets.</summary>
    public string? TeacherStore { get; init; }

    /// <summary>Whether pictures go through the image tower at every step.</summary>
    internal bool ReadsPixels => FromPixels || Lock.Image != TowerStart.Locked;

    /// <summary>
    /// Whether every caption goes through the text tower once, before the first step: both towers are locked, and
    /// captions are shown whole.
    /// </summary>
    internal bool EmbedsTexts =>
        Texts is null
        && Lock == LockSetting.LL
        && !FromPixels
        && Teacher is null
        && Pictures is null
        && Settings is { CaptionNoise: null or 0, Sentences: null or 0, DropFirst: null or 0 }
        && !(
            Recipe is { } recipe
            && (recipe.Decides("captionNoise") || recipe.Decides("sentences") || recipe.Decides("dropFirst"))
        );

    /// <summary>Data to validate on, or null.</summary>
    public string? Validation { get; init; }

    /// <summary>Class names of labelled validation data; null takes the distinct labels where they are words.</summary>
    public ClassNames? ValidationClasses { get; init; }

    /// <summary>Prompt templates of the validation.</summary>
    public IReadOnlyList<string> ValidationTemplates { get; init; } = PromptTemplates.Default;

    /// <summary>
    /// Share of the pictures that is not tuned on but validated on; 0 for none, null for what the data allow
    /// (<see cref="HeldOut.Usual"/>).
    /// </summary>
    public double? HoldOut { get; init; }

    /// <summary>At most so many pictures are tuned on, spread evenly over all; null for all of them.</summary>
    public int? Pictures { get; init; }

    /// <summary>What the training doctor does with what it finds.</summary>
    public DoctorMode Doctor { get; init; }

    /// <summary>Whether the image tower goes into the bundle.</summary>
    public BundleTower BundleTower { get; init; }

    /// <summary>Seed of everything random.</summary>
    public int Seed { get; init; }

    /// <summary>Where to compute.</summary>
    public required ComputeDevice Compute { get; init; }

    /// <summary>
    /// The processes that share each batch. All run the same request on the same data and see one folder; the first
    /// of them writes there.
    /// </summary>
    public IBatchExchange Exchange { get; init; } = new WholeBatch();

    /// <summary>Whether this process writes, validates and examines for all.</summary>
    internal bool IsFirst => Exchange.Place == 0;

    /// <summary>The request that settings make.</summary>
    /// <param name="data">A store, or pictures with captions.</param>
    /// <param name="settings">What is decided.</param>
    public static TuneRequest Of(string data, TuningSettings settings)
    {
        var recipe = settings.Recipe is { } name ? TuneRecipe.Read(name) : null;
        TuneRecipe given = new()
        {
            ImageTower = settings.ImageTower,
            TextTower = settings.TextTower,
            Texts = settings.Texts,
            TeacherStore = settings.TeacherStore,
            Tokenizer = settings.Tokenizer,
            VocabularySize = settings.VocabularySize,
            TokenLength = settings.TokenLength,
            Lock = settings.Lock,
            Validation = settings.Validation,
            HoldOut = settings.HoldOut,
        };
        return Of(
            given.Before(recipe),
            data,
            ComputeDevice.Choose("auto", settings.Bfloat16 ? "bfloat16" : "float32", 0)
        ) with
        {
            Settings = settings,
            Recipe = recipe,
            Seed = settings.Seed,
        };
    }

    /// <summary>The request that a recipe makes; its options are left to who gives the settings.</summary>
    public static TuneRequest Of(TuneRecipe recipe, string data, ComputeDevice compute) =>
        new()
        {
            Data = data,
            ImageTower = recipe.ImageTower,
            TextTower = recipe.TextTower,
            TextInit = recipe.TextInit,
            Texts = recipe.Texts,
            TeacherStore = recipe.TeacherStore,
            Tokenizer = recipe.Tokenizer,
            VocabularySize = recipe.VocabularySize ?? 8000,
            TokenLength = recipe.TokenLength,
            Out = "",
            Lock = recipe.Lock ?? UsualLock(recipe),
            ImageHead = HeadSpec.Parse(recipe.ImageHead ?? UsualImageHead(recipe), "`ImageHead`"),
            TextHead = HeadSpec.Parse(recipe.TextHead ?? "linear", "`TextHead`"),
            FromPixels = recipe.FromPixels == true,
            Augmentation = recipe.Augmentation,
            Validation = recipe.Validation,
            ValidationClasses = recipe.ValidationClasses is { } names ? new ClassNames(names) : null,
            ValidationTemplates = recipe.ValidationTemplates ?? PromptTemplates.Default,
            HoldOut = recipe.HoldOut,
            Pictures = recipe.Pictures,
            Compute = compute,
        };

    /// <summary>
    /// The paper's none, or one layer where both towers are locked and the text tower never met such pictures:
    /// docs/few-pairs.md has what it gains.
    /// </summary>
    private static string UsualImageHead(TuneRecipe recipe) =>
        (recipe.Lock ?? UsualLock(recipe)) == LockSetting.LL
        && (recipe.TextInit ?? recipe.TextTower ?? TowerOf(recipe.Texts)) is { } tower
        && LitModel.TextFileOf(tower) is null
            ? "linear"
            : "none";

    private static string? TowerOf(string? texts) => texts is null ? null : TextStoreFile.Read(texts)?.Tower;

    /// <summary>LL where the texts' rows are stored, and what else is usual.</summary>
    private static LockSetting UsualLock(TuneRecipe recipe) =>
        recipe.Texts is not null ? LockSetting.LL : UsualLock(recipe.TextTower, recipe.TextInit);

    /// <summary>The paper's Lu, or LU where the text tower comes with weights; LL where it can only be
    /// locked.</summary>
    internal static LockSetting UsualLock(string? tower, string? init) =>
        (init ?? tower) is not { } named || (init is null && TextTowerSpec.Is(named)) ? LockSetting.Lu
        : TextTowerLoader.IsForeign(named) ? LockSetting.LL
        : LockSetting.LU;
}
