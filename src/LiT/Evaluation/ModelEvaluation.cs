using System.Diagnostics;
using LiT.Towers;

namespace LiT.Evaluation;

/// <summary>What an evaluation of a model reads besides the pictures.</summary>
public sealed record EvaluationOptions
{
    /// <summary>How the pictures are read.</summary>
    public ImageSetOptions Images { get; init; } = new();

    /// <summary>The classes, or null for the distinct labels.</summary>
    public ClassNames? Classes { get; init; }

    /// <summary>Prompt templates.</summary>
    public IReadOnlyList<string> Templates { get; init; } = PromptTemplates.Default;

    /// <summary>Whether all aliases of a class speak, or the first.</summary>
    public bool AllAliases { get; init; }

    /// <summary>Seed of the bootstrap.</summary>
    public int Seed { get; init; }
}

/// <summary>A zero-shot classification as it is reported (field names as in the JSON).</summary>
public sealed record ClassificationReport
{
    /// <summary>The data.</summary>
    public required string Dataset { get; init; }

    /// <summary>Pictures scored.</summary>
    public required int N { get; init; }

    /// <summary>Number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>Number of templates.</summary>
    public required int Templates { get; init; }

    /// <summary>Share whose best class is the label.</summary>
    public required double Top1 { get; init; }

    /// <summary>Share with the label among the five best.</summary>
    public required double Top5 { get; init; }

    /// <summary>Bootstrap interval of top-1.</summary>
    public required double[] Interval95 { get; init; }

    /// <summary>Mean of the classes' own top-1.</summary>
    public required double MeanPerClass { get; init; }

    /// <summary>1 / classes.</summary>
    public required double Chance { get; init; }

    /// <summary>Each class in index order.</summary>
    public required IReadOnlyList<ClassAccuracy> PerClass { get; init; }

    /// <summary>Counts, [label][answer].</summary>
    public required int[][] Confusion { get; init; }

    /// <summary>Samples that the data hold.</summary>
    public required int Found { get; init; }

    /// <summary>Samples without a readable picture.</summary>
    public required int Skipped { get; init; }

    /// <summary>Pictures without a label that is a class; not scored.</summary>
    public required int Unlabelled { get; init; }

    /// <summary>The templates' texts.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>Fingerprint of the locked tower.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Seed of the bootstrap.</summary>
    public required int Seed { get; init; }

    /// <summary>Time taken.</summary>
    public required double Seconds { get; init; }
}

/// <summary>A retrieval evaluation as it is reported (field names as in the JSON).</summary>
public sealed record RetrievalReport(
    string Dataset, int Images, int Texts, Recall ImageToText, Recall TextToImage, BothWays<double> MedianRank, BothWays<int> Ties,
    BothWays<double> Chance, int Found, int Skipped, int WithoutText, string Fingerprint, double Seconds);

/// <summary>Runs a model on data and counts.</summary>
public static class ModelEvaluation
{
    /// <summary>Zero-shot classification of labelled pictures.</summary>
    /// <returns>The report, and each picture's best class with the set that it was scored on.</returns>
    /// <exception cref="LitException">The data cannot be used with this model; the message says why.</exception>
    public static (ClassificationReport Report, ImageSet Set, ClassificationScore Score, Labels Labels) Classify(
        LitModel model, string path, EvaluationOptions options, Compute compute, IProgress<ProgressStep>? progress = null, CancellationToken cancel = default)
    {
        var clock = Stopwatch.StartNew();
        var set = ImageSet.Load(path, model.Description.Image.Expected, () => model.Image, options.Images, compute, progress, cancel);
        var labels = Labels.Match(set.Samples, path, options.Classes);
        var names = labels.Classes.Names;
        var prompts = PromptTemplates.Fill(names, options.Templates, options.AllAliases);
        var texts = model.EmbedTexts([.. prompts.Select(prompt => prompt.Text)], progress, cancel);
        var classes = ZeroShot.ClassEmbeddings(texts, [.. prompts.Select(prompt => prompt.Class)], names.Count);
        var score = ZeroShot.Score(model.ProjectImages(set.Representations), classes, [.. labels.Of.Select(label => label is { } one ? new[] { one } : [])], names, options.Seed);
        return (new ClassificationReport
        {
            Dataset = path,
            N = score.N,
            Classes = names.Count,
            Templates = options.Templates.Count,
            Top1 = score.Top1,
            Top5 = score.Top5,
            Interval95 = score.Interval95,
            MeanPerClass = score.MeanPerClass,
            Chance = 1.0 / names.Count,
            PerClass = score.PerClass,
            Confusion = score.Confusion,
            Found = set.Found,
            Skipped = set.Skipped.Count,
            Unlabelled = labels.Unmatched,
            Prompts = options.Templates,
            Fingerprint = model.Description.Image.Fingerprint,
            Seed = options.Seed,
            Seconds = clock.Elapsed.TotalSeconds,
        }, set, score, labels);
    }

    /// <summary>Retrieval both ways between pictures and their captions; pictures without a caption are left out and counted.</summary>
    /// <exception cref="LitException">The data cannot be used with this model; the message says why.</exception>
    public static RetrievalReport Retrieve(
        LitModel model, string path, EvaluationOptions options, Compute compute, IProgress<ProgressStep>? progress = null, CancellationToken cancel = default)
    {
        var clock = Stopwatch.StartNew();
        var set = ImageSet.Load(path, model.Description.Image.Expected, () => model.Image, options.Images, compute, progress, cancel);
        var rows = Enumerable.Range(0, set.Samples.Count).Where(row => set.Samples[row].Captions.Count > 0).ToList();
        if (rows.Count == 0)
            throw new LitException($"{path}: none of its {set.Samples.Count} pictures has a caption. Give data with captions (.txt, a text column, --caption-column).");
        var captions = rows.SelectMany((row, image) => set.Samples[row].Captions.Select(caption => (Caption: caption, Image: image))).ToList();
        var ztxt = model.EmbedTexts([.. captions.Select(pair => pair.Caption)], progress, cancel);
        var zimg = model.ProjectImages(set.Representations.Select(rows));
        var score = Retrieval.Score(zimg, ztxt, [.. captions.Select(pair => pair.Image)]);
        return new(path, score.Images, score.Texts, score.ImageToText, score.TextToImage, score.MedianRank, score.Ties,
            new(captions.Count / (double)rows.Count / captions.Count, 1.0 / rows.Count),
            set.Found, set.Skipped.Count, set.Samples.Count - rows.Count, model.Description.Image.Fingerprint, clock.Elapsed.TotalSeconds);
    }
}
