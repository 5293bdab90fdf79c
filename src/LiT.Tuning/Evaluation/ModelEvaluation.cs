using System.Diagnostics;
using System.Globalization;
using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Images;

namespace LiT.Evaluation;

/// <summary>What an evaluation of a model reads besides the pictures.</summary>
internal sealed record EvaluationOptions
{
    /// <summary>How the pictures are read.</summary>
    public ImageSetOptions Images { get; init; } = new();

    /// <summary>The classes, or null for the distinct labels.</summary>
    public ClassNames? Classes { get; init; }

    /// <summary>Where the classes come from, for the record.</summary>
    public string ClassesFrom { get; init; } = "the data's labels";

    /// <summary>Prompt templates.</summary>
    public IReadOnlyList<string> Templates { get; init; } = PromptTemplates.Default;

    /// <summary>Where the templates come from, for the record.</summary>
    public string TemplatesFrom { get; init; } = "default";

    /// <summary>Whether all aliases of a class speak, or the first.</summary>
    public bool AllAliases { get; init; }

    /// <summary>The named test set: its label subset, several labels, metric; null for any other data.</summary>
    public TestSet? TestSet { get; init; }

    /// <summary>Whose captions count, for data with several languages.</summary>
    public string? Language { get; init; }

    /// <summary>
    /// One of <see cref="EvaluationCrop.Names"/>; what pictures in files, and the store, are made with.
    /// </summary>
    public string Crop { get; init; } = EvaluationCrop.Model;

    /// <summary>The store that the text tower was tuned on, for the leak audit; null leaves the audit out.</summary>
    public string? TrainingStore { get; init; }

    /// <summary>
    /// A folder that keeps embedded prompts, so that an interrupted evaluation goes on; null keeps none.
    /// </summary>
    public string? TextCache { get; init; }

    /// <summary>Seed of the bootstrap.</summary>
    public int Seed { get; init; }
}

/// <summary>A classification with all that it was made from, for whoever wants to draw or ask more.</summary>
/// <param name="Report">The numbers.</param>
/// <param name="Set">The pictures; their rows as long as whoever loaded them keeps them open.</param>
/// <param name="Score">The numbers with each picture's answer.</param>
/// <param name="Labels">The classes and each picture's labels.</param>
internal sealed record ClassificationRun(
    ClassificationReport Report,
    ImageSet Set,
    ClassificationScore Score,
    Labels Labels
)
{
    /// <summary>zimg, unit length, a row a picture.</summary>
    public required Embeddings Images { get; init; }

    /// <summary>The class embeddings that the pictures were compared with.</summary>
    public required Embeddings Classes { get; init; }
}

/// <summary>A retrieval evaluation with all that it was made from.</summary>
/// <param name="Report">The numbers.</param>
/// <param name="Score">The numbers with each query's rank.</param>
/// <param name="Images">zimg, a row an image.</param>
/// <param name="Texts">ztxt, a row a text.</param>
/// <param name="ImageKeys">The images' keys.</param>
/// <param name="TextLines">The texts.</param>
/// <param name="Pairs">Which belong together.</param>
internal sealed record RetrievalRun(
    RetrievalReport Report,
    RetrievalScore Score,
    Embeddings Images,
    Embeddings Texts,
    IReadOnlyList<string> ImageKeys,
    IReadOnlyList<string> TextLines,
    IReadOnlyCollection<(int Image, int Text)> Pairs
);

/// <summary>Runs a model on data and counts.</summary>
internal static class ModelEvaluation
{
    /// <summary>Zero-shot classification of labelled pictures.</summary>
    /// <exception cref="LitException">The data cannot be used with this model; the message says why.</exception>
    public static ClassificationRun Classify(
        LitModel model,
        string path,
        EvaluationOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        var clock = Stopwatch.StartNew();
        using var set = Load(model, path, options, compute, progress, cancel);
        var run = Classify(model, set, options, compute, progress, cancel);
        return run with { Report = run.Report with { Seconds = clock.Elapsed.TotalSeconds } };
    }

    /// <summary>The pictures of a path as the model's image tower represents them, for several evaluations.</summary>
    /// <returns>Disposed of by the caller; answers stay usable, rows do not.</returns>
    /// <exception cref="LitException">The data cannot be used with this model; the message says why.</exception>
    public static ImageSet Load(
        LitModel model,
        string path,
        EvaluationOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        if (options.Crop == EvaluationCrop.Model)
            return ImageSet.Load(
                path,
                model.Description.Image.Expected,
                () => model.Image,
                options.Images,
                compute,
                progress,
                cancel
            );
        var cropped = model.Image.With(EvaluationCrop.Apply(model.Image.Preprocessing, options.Crop));
        return ImageSet.Load(
            path,
            new(cropped.Fingerprint, $"{model.Description.Image.Tower} with the crop {options.Crop}"),
            () => cropped,
            options.Images,
            compute,
            progress,
            cancel
        );
    }

    /// <summary>Zero-shot classification of pictures that are loaded.</summary>
    /// <exception cref="LitException">Labels that do not fit the classes; the message says why.</exception>
    public static ClassificationRun Classify(
        LitModel model,
        ImageSet set,
        EvaluationOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        var clock = Stopwatch.StartNew();
        var labels = Labels.Match(set.Samples, set.Path, Subset(set, options), options.TestSet?.Several ?? false);
        var prompts = PromptTemplates.Fill(labels.Classes.Names, options.Templates, options.AllAliases);
        var texts = model.EmbedPrompts(prompts, progress, cancel, options.TextCache);
        var run = Scored(
            set,
            set.Each(model.ProjectImages),
            labels,
            prompts,
            texts,
            options,
            model.Description.Temperature,
            compute
        );
        return run with
        {
            Report = run.Report with
            {
                Fingerprint = model.Description.Image.Fingerprint,
                Metric = options.TestSet?.Metric == TestSetMetric.MeanPerClass ? "meanPerClass" : "top1",
                Protocol = run.Report.Protocol with
                {
                    Preprocessing = Cropped(model, options),
                    TestSet = options.TestSet?.Name,
                    Language = options.Language,
                    TextTower = options.Language is null ? null : LanguageEvaluation.Spoken(model),
                },
                Hashes = run.Report.Hashes with { TextTower = model.TextFingerprint },
                Warnings =
                [
                    .. run.Report.Warnings,
                    .. ClassPrompts.Oddities(labels.Classes.Names, prompts, model.Tokenizer, model.Taught),
                    .. ClassPrompts.Unseen(labels.Classes.Names, prompts, model.UnseenWords),
                    .. LanguageEvaluation.Remarks(model, options.Language),
                    .. PretrainingOverlap.Overlaps(model, options.TestSet, labels.Classes),
                    .. SubsetOdd(labels, options),
                ],
                Seconds = clock.Elapsed.TotalSeconds,
            },
        };
    }

    /// <summary>
    /// Retrieval both ways between pictures and their captions; pictures without a caption are left out and counted.
    /// </summary>
    /// <exception cref="LitException">The data cannot be used with this model; the message says why.</exception>
    public static RetrievalRun Retrieve(
        LitModel model,
        string path,
        EvaluationOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        var clock = Stopwatch.StartNew();
        using var set = Load(model, path, options, compute, progress, cancel);
        var run = Retrieve(model, set, options, compute, progress, cancel);
        return run with { Report = run.Report with { Seconds = clock.Elapsed.TotalSeconds } };
    }

    /// <summary>Retrieval both ways between pictures that are loaded and their captions.</summary>
    /// <exception cref="LitException">There are no captions; the message says what to do.</exception>
    public static RetrievalRun Retrieve(
        LitModel model,
        ImageSet set,
        EvaluationOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        var clock = Stopwatch.StartNew();
        var path = set.Path;
        IReadOnlyList<string>[] own = [.. set.Samples.Select(sample => CaptionLanguages.Of(sample, options.Language))];
        var rows = Enumerable.Range(0, own.Length).Where(row => own[row].Count > 0).ToList();
        if (rows.Count == 0 && options.Language is { } language)
            throw LanguageEvaluation.Without(set, language);
        if (rows.Count == 0)
            throw new LitException(
                path,
                $"none of its {set.Samples.Count} pictures has a caption",
                "Give data with captions (.txt, a text column, `CaptionColumn`)"
            );
        var captions = rows.SelectMany((row, image) => own[row].Select(caption => (Caption: caption, Image: image)))
            .ToList();
        var ztxt = model.EmbedTexts([.. captions.Select(pair => pair.Caption)], progress, cancel, options.TextCache);
        var zimg = set.Each(model.ProjectImages, rows);
        var run = Scored(
            path,
            zimg,
            ztxt,
            [.. rows.Select(row => set.Samples[row].Key)],
            [.. captions.Select(pair => pair.Caption)],
            [.. captions.Select((pair, text) => (pair.Image, text))],
            options.Seed,
            model.Description.Temperature,
            compute
        );
        return run with
        {
            Report = run.Report with
            {
                Found = set.Found,
                Skipped = set.Skipped.Count + set.LeftOutBefore,
                WithoutText = set.Samples.Count - rows.Count,
                Warnings =
                [
                    .. run.Report.Warnings,
                    .. UnknownWords.Remarks(model, [.. captions.Select(pair => pair.Caption)], "captions", Guessed),
                    .. LanguageEvaluation.Remarks(model, options.Language),
                    .. Remarks(set, options),
                ],
                Fingerprint = model.Description.Image.Fingerprint,
                Protocol = run.Report.Protocol with
                {
                    Preprocessing = Cropped(model, options),
                    TestSet = options.TestSet?.Name,
                    Language = options.Language,
                    TextTower = options.Language is null ? null : LanguageEvaluation.Spoken(model),
                },
                Hashes = run.Report.Hashes with { TextTower = model.TextFingerprint, Embeddings = null },
                Seconds = clock.Elapsed.TotalSeconds,
            },
        };
    }

    /// <summary>Scores embeddings, wherever they come from.</summary>
    /// <param name="set">The pictures.</param>
    /// <param name="zimg">Their embeddings, unit length.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="prompts">The prompts with their classes; every class has as many for each template.</param>
    /// <param name="ztxt">Their embeddings, unit length.</param>
    /// <param name="options">Templates and seed.</param>
    /// <param name="temperature">exp(t), or null.</param>
    /// <param name="compute">For the record.</param>
    internal static ClassificationRun Scored(
        ImageSet set,
        Embeddings zimg,
        Labels labels,
        IReadOnlyList<Prompt> prompts,
        Embeddings ztxt,
        EvaluationOptions options,
        double? temperature,
        ComputeDevice compute
    )
    {
        var clock = Stopwatch.StartNew();
        var names = labels.Classes.Names;
        int[] classOf = [.. prompts.Select(prompt => prompt.Class)];
        var classes = ZeroShot.ClassEmbeddings(ztxt, classOf, names.Count);
        var score = ZeroShot.Score(zimg, classes, labels.All, names, options.Seed, temperature);
        var templates = options.Templates;
        var perTemplate =
            templates.Count == 0
                ? null
                : ZeroShot.PerTemplate(
                    zimg,
                    labels.All,
                    ztxt,
                    classOf,
                    [.. prompts.Select((_, i) => i % templates.Count)],
                    templates,
                    names.Count,
                    options.Seed
                );
        return new(
            new ClassificationReport
            {
                Dataset = set.Path,
                N = score.N,
                Classes = names.Count,
                Templates = templates.Count,
                Top1 = score.Top1,
                Top5 = score.Top5,
                Interval95 = score.Interval95,
                Top5Interval95 = score.Top5Interval95,
                MeanPerClass = score.MeanPerClass,
                MeanPerClassInterval95 = score.MeanPerClassInterval95,
                Chance = 1.0 / names.Count,
                PerClass = score.PerClass,
                Confusion = names.Count <= MostInReport ? score.Confusion : null,
                Mistakes = score.Mistakes(MostMistakes),
                PerTemplate = perTemplate,
                Found = set.Found,
                Skipped = set.Skipped.Count + set.LeftOutBefore,
                Unlabelled = labels.Unmatched,
                Prompts = templates,
                Protocol = new(
                    options.ClassesFrom,
                    options.TemplatesFrom,
                    options.AllAliases ? "all" : "first",
                    labels.All.Any(own => own.Length > 1) ? "any of several" : "one",
                    null
                ),
                Temperature = temperature,
                Hashes = new(
                    EvaluationRecord.OfPrompts(prompts),
                    EvaluationRecord.OfPictures(set.Samples, labels.All),
                    null,
                    null
                ),
                Versions = EvaluationRecord.Versions(compute),
                Warnings = [.. labels.Oddities(), .. Remarks(set, options)],
                Seed = options.Seed,
                Seconds = clock.Elapsed.TotalSeconds,
            },
            set,
            score,
            labels
        )
        {
            Images = zimg,
            Classes = classes,
        };
    }

    /// <summary>Scores embeddings of pictures and texts, wherever they come from.</summary>
    internal static RetrievalRun Scored(
        string dataset,
        Embeddings zimg,
        Embeddings ztxt,
        IReadOnlyList<string> keys,
        IReadOnlyList<string> texts,
        IReadOnlyCollection<(int Image, int Text)> pairs,
        int seed,
        double? temperature,
        ComputeDevice compute
    )
    {
        var clock = Stopwatch.StartNew();
        var score = Retrieval.Score(zimg, ztxt, pairs);
        var withText = pairs.Select(pair => pair.Image).Distinct().Count();
        var firstImage = pairs
            .GroupBy(pair => pair.Text)
            .ToDictionary(group => group.Key, group => group.Min(pair => pair.Image));
        return new(
            new RetrievalReport(
                dataset,
                score.Images,
                score.Texts,
                score.ImageToText,
                score.TextToImage,
                score.MedianRank,
                score.Ties,
                new(pairs.Count / (double)withText / texts.Count, pairs.Count / (double)firstImage.Count / keys.Count),
                keys.Count,
                0,
                keys.Count - withText,
                null,
                0
            )
            {
                Intervals95 = new(
                    Intervals(score.Ranks.ImageToText, row => row, seed),
                    Intervals(score.Ranks.TextToImage, row => firstImage[row], seed)
                ),
                TieBounds = score.Ties is { ImageToText: 0, TextToImage: 0 } ? null : score.TieBounds,
                Protocol = new("", "", "", "any of several", null),
                Temperature = temperature,
                Hashes = new(
                    EvaluationRecord.OfTexts(texts),
                    EvaluationRecord.OfTexts(keys.Concat(pairs.Select(pair => $"{pair.Image} {pair.Text}"))),
                    null,
                    EvaluationRecord.OfNumbers(zimg)
                ),
                Versions = EvaluationRecord.Versions(compute),
                Warnings = [.. Oddities(score, keys.Count - withText, texts.Count - firstImage.Count)],
                Seed = seed,
                Seconds = clock.Elapsed.TotalSeconds,
            },
            score,
            zimg,
            ztxt,
            keys,
            texts,
            pairs
        );
    }

    /// <summary>The classes, or those of them that occur where the set asks for that.</summary>
    private static ClassNames? Subset(ImageSet set, EvaluationOptions options)
    {
        if (options.TestSet?.Subset is null || options.Classes is not { Ids: { } ids } classes)
            return options.Classes;
        var present = set.Samples.Select(sample => sample.Label).OfType<string>().ToHashSet(StringComparer.Ordinal);
        int[] kept = [.. Enumerable.Range(0, ids.Count).Where(c => present.Contains(ids[c]))];
        return kept.Length == 0 ? classes : new([.. kept.Select(c => classes.Names[c])], [.. kept.Select(c => ids[c])]);
    }

    private static IEnumerable<string> SubsetOdd(Labels labels, EvaluationOptions options)
    {
        if (options.TestSet is { Subset: { } expected } set && labels.Classes.Names.Count != expected)
            yield return $"{labels.Classes.Names.Count} classes occur, where {set.Name} has {expected}: the number is "
                + "not comparable with published ones. Unpack the whole set.";
    }

    private static string Cropped(LitModel model, EvaluationOptions options) =>
        EvaluationCrop.Apply(model.Description.Image.Preprocessing, options.Crop).PreprocessingDescription
        + (options.Images.AverageViews ? ", mean of the store's views" : "");

    private const int MostInReport = 100,
        MostMistakes = 50;

    private static RecallIntervals Intervals(int[] ranks, Func<int, int> group, int seed)
    {
        int[] rows = [.. Enumerable.Range(0, ranks.Length).Where(row => ranks[row] >= 0)];
        var groups = rows.Select(group).ToArray();
        var compact = groups
            .Distinct()
            .Order()
            .Select((value, i) => (value, i))
            .ToDictionary(pair => pair.value, pair => pair.i);
        int[] groupOf = [.. groups.Select(value => compact[value])];
        double[] Within(int k) => Bootstrap.Interval95([.. rows.Select(row => ranks[row] < k)], groupOf, seed);
        return new(Within(1), Within(5), Within(10));
    }

    private const string Guessed = "what is scored on them is what the text tower makes of such words.";

    private static IEnumerable<string> Remarks(ImageSet set, EvaluationOptions options) =>
        options.TestSet is { } named && PublishedCount.Difference(named, set.Samples) is { } remark
            ? [.. set.Remarks, remark]
            : set.Remarks;

    private static IEnumerable<string> Oddities(RetrievalScore score, int aloneImages, int aloneTexts)
    {
        var (toText, toImage) = (score.Ties.ImageToText, score.Ties.TextToImage);
        if (score.TieBounds.ImageToText is var text && text.Lowest != text.Highest)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{toText} images have another text exactly as near as their own: recall@1 lies between "
                    + $"{100 * text.Lowest.R1:F1}% and {100 * text.Highest.R1:F1}% by how ties are broken (equal "
                    + $"captions of several images do that)."
            );
        if (score.TieBounds.TextToImage is var image && image.Lowest != image.Highest)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{toImage} texts have another image exactly as near as their own: recall@1 lies between "
                    + $"{100 * image.Lowest.R1:F1}% and {100 * image.Highest.R1:F1}% by how ties are broken "
                    + $"(pictures that are twice in the data do that)."
            );
        if (aloneImages > 0)
            yield return $"{aloneImages} images belong to no text; they only stand among the candidates.";
        if (aloneTexts > 0)
            yield return $"{aloneTexts} texts belong to no image; they only stand among the candidates.";
    }
}
