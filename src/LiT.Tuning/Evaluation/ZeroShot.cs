using LiT.Compute;
using LiT.Images;

namespace LiT.Evaluation;

/// <summary>How one class fared.</summary>
/// <param name="Class">Its name.</param>
/// <param name="N">Images that carry the label.</param>
/// <param name="Top1">Share of them whose first answer is (one of) their label(s); null where there are none.</param>
internal sealed record ClassAccuracy(string Class, int N, double? Top1)
{
    /// <summary>Share of them with a label among the five best; null where there are none.</summary>
    public double? Top5 { get; init; }

    /// <summary>Images of any label whose first answer is this class.</summary>
    public int Answered { get; init; }
}

/// <summary>How the images fare when one template alone makes the classes.</summary>
/// <param name="Template">The template as it was given.</param>
/// <param name="Top1">Share of right first answers.</param>
/// <param name="N">Images asked: a seeded sample where classes, images and templates are many.</param>
internal sealed record TemplateAccuracy(string Template, double Top1, int N);

/// <summary>What was taken for what, and how often.</summary>
/// <param name="Label">The right class (the first of several).</param>
/// <param name="Answer">The class that was answered.</param>
/// <param name="Count">Images.</param>
internal sealed record Mistake(string Label, string Answer, int Count);

/// <summary>One image's answer; classes are indices.</summary>
/// <param name="Row">The image's row.</param>
/// <param name="Labels">The right classes; none where the image was not scored.</param>
/// <param name="Best">The five (or all) most similar classes, best first.</param>
/// <param name="Similarities">Their similarities.</param>
/// <param name="LabelRank">Rank of the best label, from 0; null without a label.</param>
/// <param name="LabelSimilarity">Similarity of that label.</param>
/// <param name="Probability">Softmax probability of the best class at the model's temperature; null where none is known.</param>
internal sealed record ImageAnswer(
    int Row,
    int[] Labels,
    int[] Best,
    float[] Similarities,
    int? LabelRank,
    float? LabelSimilarity,
    double? Probability
)
{
    /// <summary>Whether the first answer is a label.</summary>
    public bool Right => LabelRank == 0 || Labels.Contains(Best[0]);
}

/// <summary>The numbers of one zero-shot classification.</summary>
/// <param name="N">Images counted.</param>
/// <param name="Top1">Share whose best class is (one of) the label(s).</param>
/// <param name="Top5">Share with a label among the five best classes.</param>
/// <param name="MeanPerClass">Mean of the classes' own top-1, over classes that have images.</param>
/// <param name="Interval95">Bootstrap interval of <paramref name="Top1"/> over images.</param>
/// <param name="PerClass">One entry a class, in index order.</param>
/// <param name="Confusion">Counts, [label][answer], by the first label of each image; empty over 1,000 classes (<see cref="Confusions"/> has them all).</param>
/// <param name="Predictions">The best class of each image, in the order of the images.</param>
internal sealed record ClassificationScore(
    int N,
    double Top1,
    double Top5,
    double MeanPerClass,
    double[] Interval95,
    IReadOnlyList<ClassAccuracy> PerClass,
    int[][] Confusion,
    int[] Predictions
)
{
    /// <summary>Bootstrap interval of top-5 over images.</summary>
    public required double[] Top5Interval95 { get; init; }

    /// <summary>Bootstrap interval of the mean per class over images.</summary>
    public required double[] MeanPerClassInterval95 { get; init; }

    /// <summary>Each image's answer, in the order of the images.</summary>
    public required IReadOnlyList<ImageAnswer> Answers { get; init; }

    /// <summary>Images by (first label, answer), only pairs that occur.</summary>
    public required IReadOnlyDictionary<(int Label, int Answer), int> Confusions { get; init; }

    /// <summary>What was wrongly taken for what, most frequent first (equal counts in order of the classes).</summary>
    public IReadOnlyList<Mistake> Mistakes(int most) =>
        [
            .. Confusions
                .Where(entry => entry.Key.Label != entry.Key.Answer)
                .OrderByDescending(entry => entry.Value)
                .ThenBy(entry => entry.Key.Label)
                .ThenBy(entry => entry.Key.Answer)
                .Take(most)
                .Select(entry => new Mistake(
                    PerClass[entry.Key.Label].Class,
                    PerClass[entry.Key.Answer].Class,
                    entry.Value
                )),
        ];
}

/// <summary>
/// Zero-shot classification as the paper's evaluation does it (big_vision discriminative_classifier.py): a class is
/// the normalised mean of its prompts' normalised embeddings; an image's class is the most similar one.
/// </summary>
internal static class ZeroShot
{
    private const double Epsilon = 1e-8;
    private const int MostBest = 5,
        MostInTable = 1000;
    private const long TemplateProducts = 200_000_000; // images x classes x templates: about a second at 768 numbers

    /// <param name="prompts">Embeddings of unit length, one a prompt.</param>
    /// <param name="classOf">The class of each prompt.</param>
    /// <param name="classes">Number of classes.</param>
    /// <returns>One embedding a class: mean / (1e-8 + length of the mean).</returns>
    /// <exception cref="LitException">A class has no prompt.</exception>
    public static Embeddings ClassEmbeddings(Embeddings prompts, IReadOnlyList<int> classOf, int classes) =>
        ClassEmbeddings(prompts, classOf, classes, Enumerable.Range(0, prompts.Count));

    private static Embeddings ClassEmbeddings(
        Embeddings prompts,
        IReadOnlyList<int> classOf,
        int classes,
        IEnumerable<int> rows
    )
    {
        var chosen = rows.ToArray();
        var size = prompts.Size;
        var means = new double[classes * (long)size];
        var counts = new int[classes];
        foreach (var i in chosen)
            counts[classOf[i]]++;
        foreach (var i in chosen)
        {
            var row = prompts[i];
            var mean = means.AsSpan(classOf[i] * size, size);
            var count = counts[classOf[i]];
            for (var j = 0; j < row.Length; j++)
                mean[j] += (double)row[j] / count;
        }
        var values = new float[classes * size];
        for (var c = 0; c < classes; c++)
        {
            if (counts[c] == 0)
                throw new LitException($"Class {c} has no prompt. Give every class a name and at least one template.");
            var mean = means.AsSpan(c * size, size);
            var squares = 0.0;
            foreach (var value in mean)
                squares += value * value;
            var length = Epsilon + Math.Sqrt(squares);
            for (var j = 0; j < size; j++)
                values[c * size + j] = (float)(mean[j] / length);
        }
        return new(values, prompts.Size);
    }

    /// <param name="images">Embeddings of unit length.</param>
    /// <param name="classes">What <see cref="ClassEmbeddings(Embeddings, IReadOnlyList{int}, int)"/> gives.</param>
    /// <param name="labels">The right classes of each image: one, or several of which any counts (ImageNet-ReaL).
    /// Images without a label are left out.</param>
    /// <param name="names">The classes' names.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="temperature">exp(t), for the probabilities of the answers; null leaves them out.</param>
    /// <exception cref="LitException">No image has a label.</exception>
    public static ClassificationScore Score(
        Embeddings images,
        Embeddings classes,
        IReadOnlyList<int[]> labels,
        IReadOnlyList<string> names,
        int seed = 0,
        double? temperature = null
    )
    {
        var answers = new ImageAnswer[images.Count];
        Similarity.EachRow(images, classes, (row, scores) =>
            answers[row] = Answer(row, scores, labels[row], temperature)
        );
        var scored = answers.Where(answer => answer.Labels.Length > 0).ToArray();
        if (scored.Length == 0)
            throw new LitException(
                "No image has a label that is one of the classes, so there is nothing to score. Compare the data's labels with the class names."
            );

        var confusions = new Dictionary<(int Label, int Answer), int>();
        var (own, right, near, given) = (
            new int[names.Count],
            new int[names.Count],
            new int[names.Count],
            new int[names.Count]
        );
        foreach (var answer in scored)
        {
            var label = answer.Labels[0];
            confusions[(label, answer.Best[0])] = confusions.GetValueOrDefault((label, answer.Best[0])) + 1;
            own[label]++;
            given[answer.Best[0]]++;
            if (answer.Right)
                right[label]++;
            if (answer.LabelRank < MostBest)
                near[label]++;
        }
        var perClass = names
            .Select(
                (name, c) =>
                {
                    var n = own[c];
                    return new ClassAccuracy(name, n, n == 0 ? null : (double)right[c] / n)
                    {
                        Top5 = n == 0 ? null : (double)near[c] / n,
                        Answered = given[c],
                    };
                }
            )
            .ToList();
        var confusion = names.Count > MostInTable ? [] : names.Select(_ => new int[names.Count]).ToArray();
        if (confusion.Length > 0)
            foreach (var (pair, count) in confusions)
                confusion[pair.Label][pair.Answer] = count;
        bool[] hits = [.. scored.Select(answer => answer.Right)],
            inTop5 = [.. scored.Select(answer => answer.LabelRank < MostBest)];
        int[] of = [.. scored.Select(answer => answer.Labels[0])];
        return new(
            scored.Length,
            hits.Count(hit => hit) / (double)hits.Length,
            inTop5.Count(hit => hit) / (double)hits.Length,
            perClass.Average(c => c.Top1)!.Value,
            Bootstrap.Interval95(hits, seed),
            perClass,
            confusion,
            [.. answers.Select(answer => answer.Best[0])]
        )
        {
            Top5Interval95 = Bootstrap.Interval95(inTop5, seed),
            MeanPerClassInterval95 = Bootstrap.MeanPerClass95(hits, of, names.Count, seed),
            Answers = answers,
            Confusions = confusions,
        };
    }

    /// <summary>The best class of each image; of equally similar ones the lowest index.</summary>
    /// <param name="images">Embeddings of unit length.</param>
    /// <param name="classes">What <see cref="ClassEmbeddings(Embeddings, IReadOnlyList{int}, int)"/> gives.</param>
    public static int[] Best(Embeddings images, Embeddings classes)
    {
        var best = new int[images.Count];
        Similarity.EachRow(images, classes, (row, scores) => best[row] = Similarity.ArgMax(scores));
        return best;
    }

    /// <summary>Top-1 with each template alone: which phrasings help.</summary>
    /// <param name="images">Embeddings of unit length.</param>
    /// <param name="labels">As for the score.</param>
    /// <param name="prompts">Embeddings of unit length, one a prompt.</param>
    /// <param name="classOf">The class of each prompt.</param>
    /// <param name="templateOf">The template of each prompt.</param>
    /// <param name="templates">The templates.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="seed">Of the sample of images, where all of them would take long.</param>
    public static IReadOnlyList<TemplateAccuracy> PerTemplate(
        Embeddings images,
        IReadOnlyList<int[]> labels,
        Embeddings prompts,
        IReadOnlyList<int> classOf,
        IReadOnlyList<int> templateOf,
        IReadOnlyList<string> templates,
        int classes,
        int seed = 0
    )
    {
        var scored = Enumerable.Range(0, images.Count).Where(row => labels[row].Length > 0).ToArray();
        var most = (int)Math.Clamp(TemplateProducts / ((long)classes * templates.Count), 1, scored.Length);
        if (most < scored.Length)
        {
            var random = Chance.For(seed, 3, scored.Length);
            for (var i = 0; i < most; i++)
            {
                var other = i + random.Below(scored.Length - i);
                (scored[i], scored[other]) = (scored[other], scored[i]);
            }
            scored = [.. scored[..most].Order()];
        }
        var some = images.Select(scored);
        var ofTemplate = Enumerable.Range(0, prompts.Count).ToLookup(row => templateOf[row]);
        return
        [
            .. templates.Select(
                (template, t) =>
                {
                    var one = ClassEmbeddings(prompts, classOf, classes, ofTemplate[t]);
                    var right = 0;
                    Similarity.EachRow(some, one, (row, scores) =>
                    {
                        if (labels[scored[row]].Contains(Similarity.ArgMax(scores)))
                            right++;
                    });
                    return new TemplateAccuracy(template, right / (double)scored.Length, scored.Length);
                }
            ),
        ];
    }

    private static ImageAnswer Answer(int row, ReadOnlySpan<float> scores, int[] labels, double? temperature)
    {
        var best = new int[Math.Min(MostBest, scores.Length)];
        Similarity.Best(scores, best);
        var similarities = new float[best.Length];
        for (var i = 0; i < best.Length; i++)
            similarities[i] = scores[best[i]];
        int? rank = null;
        float? own = null;
        foreach (var label in labels)
        {
            var candidate = Similarity.RankOf(scores, label);
            if (candidate >= rank)
                continue;
            (rank, own) = (candidate, scores[label]);
        }
        return new(
            row,
            labels,
            best,
            similarities,
            rank,
            own,
            temperature is { } t ? Probability(scores, best[0], t) : null
        );
    }

    private static double Probability(ReadOnlySpan<float> scores, int best, double temperature)
    {
        var sum = 0.0;
        foreach (var score in scores)
            sum += Math.Exp(temperature * ((double)score - scores[best]));
        return 1 / sum;
    }
}
