using System.Text.Json;
using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Files;
using LiT.Stores;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;

namespace LiT.Studies;

/// <summary>What a study is done on and with.</summary>
internal sealed record StudyRequest
{
    /// <summary>Pictures with captions, or a store; settings with an unlocked image tower need the pictures.</summary>
    public required string Data { get; init; }

    /// <summary>How pictures are read.</summary>
    public SampleOptions Samples { get; init; } = new();

    /// <summary>The pre-trained image tower.</summary>
    public string? ImageTower { get; init; }

    /// <summary>An image tower from scratch for settings that begin with u.</summary>
    public string? ImageScratch { get; init; }

    /// <summary>A pre-trained text tower for settings that end with U or L.</summary>
    public string? TextInit { get; init; }

    /// <summary>Pictures to score every run on.</summary>
    public required string Test { get; init; }

    /// <summary>Classes and prompts of the test.</summary>
    public EvaluationOptions Evaluation { get; init; } = new();

    /// <summary>The study's folder.</summary>
    public required string Out { get; init; }

    /// <summary>At most so many pictures are tuned on, spread evenly; null for all.</summary>
    public int? Pictures { get; init; }

    /// <summary>Whether checkpoints stay when a run is done.</summary>
    public bool KeepCheckpoints { get; init; }

    /// <summary>Where to compute.</summary>
    public required ComputeDevice Compute { get; init; }

    /// <summary>Told the folder of every run that was tuned.</summary>
    public Action<string>? Tuned { get; init; }

    /// <summary>
    /// How a failed run's message is put in the results: as it is, or in the words that the study's user knows.
    /// </summary>
    public Func<string, string> InWords { get; init; } = message => message;

    /// <summary>Told what there is so far, after every run.</summary>
    public Action<IReadOnlyList<StudyRow>>? Written { get; init; }
}

/// <summary>
/// A study: every cell with every seed is tuned and scored on the same test data. The pictures are embedded once for
/// all settings with a locked image tower. Run again, finished runs are not done again and an interrupted one goes on.
/// </summary>
internal static class StudyRun
{
    private const string ResultFile = "result.json",
        PlanFile = "study.json";

    /// <param name="request">On what and with what.</param>
    /// <param name="plan">What is compared.</param>
    /// <param name="say">Told what is done.</param>
    /// <param name="progress">Told how far each run is.</param>
    /// <param name="cancel">Stops; the same call goes on.</param>
    /// <exception cref="LitException">The study cannot be done at all; a run that fails by itself is named in the
    /// results.</exception>
    public static StudyResults Run(
        StudyRequest request,
        StudyPlan plan,
        Action<string> say,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        var cells = plan.Cells();
        if (plan.Seeds.Count == 0 || plan.Seeds.Distinct().Count() != plan.Seeds.Count)
            throw SettingException.Of<StudyPlan>(s => s.Seeds, null, "give at least one, each once");
        CheckFolder(request.Out);
        Directory.CreateDirectory(request.Out);
        AtomicFile.WriteAllText(
            Path.Combine(request.Out, PlanFile),
            JsonSerializer.Serialize(
                new
                {
                    data = request.Data,
                    test = request.Test,
                    imageTower = request.ImageTower,
                    imageScratch = request.ImageScratch,
                    textInit = request.TextInit,
                    pictures = request.Pictures,
                    seeds = plan.Seeds,
                    cells = cells.Select(cell => new { cell.Name, cell.Recipe }),
                },
                TuningOptions.Json
            ) + "\n"
        );
        var stores = new StudyStores(request, say, progress, cancel);
        List<StudyRow> rows = [];
        foreach (var (cell, number) in cells.Select((cell, number) => (cell, number)))
        {
            List<StudyRunResult> runs = [];
            foreach (var seed in plan.Seeds)
            {
                cancel.ThrowIfCancellationRequested();
                var folder = Path.Combine(request.Out, "runs", $"{StudyPlan.Folder(cell.Name)}-seed{seed}");
                var result = Read(folder);
                if (result is null)
                {
                    say($"cell {number + 1} of {cells.Count}, {cell.Name}, seed {seed}");
                    try
                    {
                        result = One(request, cell, seed, folder, stores, say, progress, cancel);
                    }
                    catch (LitException trouble)
                    {
                        var failure = request.InWords(trouble.Message);
                        say($"{cell.Name}, seed {seed} failed: {failure}");
                        result = new(cell.Name, seed, new Dictionary<string, double>(), null, 0, 0, 0, 0, [])
                        {
                            Failure = failure,
                        };
                    }
                }
                runs.Add(result);
            }
            rows.Add(new(cell.Name, cell.Choices, runs));
            Write(request, rows); // what there is so far can be looked at
        }
        if (rows.All(row => row.Metrics.Count == 0))
            throw new LitException(
                $"{request.Out}: no run of the study came to an end; the first: {rows[0].Runs[0].Failure}"
            );
        return new(rows, Path.Combine(request.Out, "report.html"), Path.Combine(request.Out, "results.csv"));
    }

    private static StudyRunResult One(
        StudyRequest request,
        StudyCell cell,
        int seed,
        string folder,
        StudyStores stores,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var recipe = cell.Recipe;
        var setting = recipe.Lock ?? LockSetting.Parse("Lu");
        var scratch = setting.Text == TowerStart.FromScratch;
        var pixels = setting.Image != TowerStart.Locked || recipe.FromPixels == true;
        TuneRequest tune = new()
        {
            Settings = new() { Seed = seed },
            Recipe = recipe,
            Data = pixels ? request.Data : stores.Data,
            Samples = request.Samples,
            ImageTower =
                setting.Image == TowerStart.FromScratch
                    ? request.ImageScratch
                        ?? throw SettingException.Of<TuneRequest>(
                            s => s.Lock,
                            setting,
                            "wants an image tower from scratch",
                            "Name one with `ImageScratch`, for example vit:Ti/16"
                        )
                    : recipe.ImageTower ?? request.ImageTower,
            TextTower = scratch ? recipe.TextTower : null,
            TextInit = scratch
                ? null
                : recipe.TextInit
                    ?? request.TextInit
                    ?? throw SettingException.Of<TuneRequest>(
                        s => s.Lock,
                        setting,
                        "wants a pre-trained text tower",
                        "Name its file with `TextInit`"
                    ),
            Tokenizer = scratch ? recipe.Tokenizer : null,
            VocabularySize = recipe.VocabularySize ?? 8000,
            TokenLength = recipe.TokenLength,
            TeacherStore = recipe.TeacherStore,
            Out = folder,
            Lock = setting,
            ImageHead = HeadSpec.Parse(recipe.ImageHead ?? "none", "imageHead"),
            TextHead = HeadSpec.Parse(recipe.TextHead ?? "linear", "textHead"),
            FromPixels = recipe.FromPixels == true,
            Augmentation = recipe.Augmentation,
            Pictures = request.Pictures ?? recipe.Pictures,
            Validation = recipe.Validation,
            ValidationClasses = recipe.ValidationClasses is { } names ? new ClassNames(names) : null,
            ValidationTemplates = recipe.ValidationTemplates ?? PromptTemplates.Default,
            HoldOut = recipe.HoldOut,
            Seed = seed,
            Compute = request.Compute,
        };
        List<string> words = [];
        var tuned = TuneRun.Run(tune, TuningWords.To(words.Add, progress), cancel);
        request.Tuned?.Invoke(folder);
        StudyRunResult result = Scored(
            request,
            cell.Name,
            seed,
            tuned,
            setting.Image == TowerStart.Locked ? stores.Test : request.Test,
            progress,
            cancel
        );
        AtomicFile.WriteAllText(
            Path.Combine(folder, ResultFile),
            JsonSerializer.Serialize(result, TuningOptions.Json) + "\n"
        );
        if (!request.KeepCheckpoints)
            Directory.Delete(Path.Combine(folder, "checkpoints"), recursive: true);
        say(
            $"{cell.Name}, seed {seed}: "
                + string.Join(
                    ", ",
                    result
                        .Metrics.Take(3)
                        .Select(one => FormattableString.Invariant($"{one.Key} {100 * one.Value:F1}%"))
                )
                + " "
                + $"after {result.Seconds:F0} s"
        );
        return result;
    }

    private static StudyRunResult Scored(
        StudyRequest request,
        string cell,
        int seed,
        TuneResult tuned,
        string test,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        using var model = LitModel.Load(tuned.Model, request.Compute);
        // A store that the study made holds the wanted column as its labels already.
        var evaluation =
            test == request.Test
                ? request.Evaluation
                : request.Evaluation with
                {
                    Images = request.Evaluation.Images with
                    {
                        Samples = request.Samples with { LabelColumn = null, KeepOwnCaptions = true },
                    },
                };
        Dictionary<string, double> metrics = [];
        IReadOnlyList<double>? interval = null;
        LitException? labels = null;
        try
        {
            var report = ModelEvaluation.Classify(model, test, evaluation, request.Compute, progress, cancel).Report;
            (metrics["top1"], metrics["top5"], interval) = (report.Top1, report.Top5, report.Interval95);
        }
        catch (LitException trouble) when (request.Evaluation.Classes is null)
        {
            labels = trouble;
        } // data without labels are scored by their captions
        try
        {
            var report = ModelEvaluation.Retrieve(model, test, evaluation, request.Compute, progress, cancel).Report;
            foreach (
                var (name, recall) in new[] { ("imageToText", report.ImageToText), ("textToImage", report.TextToImage) }
            )
                (metrics[name + "R1"], metrics[name + "R5"], metrics[name + "R10"]) = (
                    recall.R1,
                    recall.R5,
                    recall.R10
                );
        }
        catch (LitException) when (labels is null) { }
        var last = tuned.Outcome.Last;
        return new(
            cell,
            seed,
            metrics,
            interval,
            tuned.Outcome.Steps,
            last.Loss,
            tuned.Outcome.Temperature,
            last.Seconds,
            [.. tuned.Findings.Select(finding => finding.Name)]
        );
    }

    private static StudyRunResult? Read(string folder)
    {
        var path = Path.Combine(folder, ResultFile);
        if (!File.Exists(path))
            return null;
        try
        {
            return JsonSerializer.Deserialize<StudyRunResult>(File.ReadAllText(path), TuningOptions.Json);
        }
        catch (JsonException damage)
        {
            throw new LitException(
                path,
                $"damaged ({JsonTrouble.Words(damage)})",
                "Remove the run's folder; the study does it again",
                damage
            );
        }
    }

    private static void Write(StudyRequest request, IReadOnlyList<StudyRow> rows)
    {
        AtomicFile.WriteAllText(Path.Combine(request.Out, "results.csv"), StudyResults.ToCsv(rows));
        request.Written?.Invoke(rows);
    }

    private static void CheckFolder(string folder)
    {
        if (File.Exists(folder))
            throw new LitException(folder, "is a file, where a study needs a folder", "Choose another name");
        if (
            !Directory.Exists(folder)
            || File.Exists(Path.Combine(folder, PlanFile))
            || !Directory.EnumerateFileSystemEntries(folder).Any()
        )
            return;
        throw new LitException(folder, "holds files that are no study", "Choose a new or empty folder");
    }
}

/// <summary>The data embedded once for all settings with a locked image tower, when the first asks.</summary>
internal sealed class StudyStores(
    StudyRequest request,
    Action<string> say,
    IProgress<ProgressStep>? progress,
    CancellationToken cancel
)
{
    private string? data,
        test;

    /// <summary>What is tuned on.</summary>
    internal string Data => data ??= Store(request.Data, "train");

    /// <summary>What is scored on.</summary>
    internal string Test => test ??= Store(request.Test, "test");

    private string Store(string source, string name)
    {
        if (EmbeddingStore.IsStore(source))
            return source;
        var spec = request.ImageTower
            ?? throw new UsageException(
                source,
                "pictures have to be embedded first",
                "Name the pre-trained tower with `ImageTower`, or give embedding stores"
            );
        var folder = Path.Combine(request.Out, "stores", name);
        using var tower = ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = request.Compute });
        foreach (var remark in tower.Remarks)
            say(remark);
        say($"embedding {source} once with {spec}");
        EmbedRun.Run(
            tower,
            spec,
            Samples.Open(source, request.Samples with { KeepOwnCaptions = source != request.Data }),
            folder,
            new EmbedOptions(),
            request.Compute,
            progress,
            cancel
        );
        return folder;
    }
}
