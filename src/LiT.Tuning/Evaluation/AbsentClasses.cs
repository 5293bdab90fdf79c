using System.Diagnostics;
using LiT.Classification;
using LiT.Compute;
using LiT.Search;

namespace LiT.Evaluation;

/// <summary>What one cut-off does (field names as in the JSON).</summary>
/// <param name="ExpectedPrecision">The cut-off: what the background promises.</param>
/// <param name="Precision">What came: named pictures that show one of the labels, at the stated share of present
/// pictures.</param>
/// <param name="RecallKept">Pictures of present classes that are named.</param>
/// <param name="FalseAlarmRate">Pictures of absent classes that are named.</param>
/// <param name="Top1OfNamed">Named pictures of present classes whose name is right.</param>
internal sealed record CutOffOutcome(
    double ExpectedPrecision,
    double Precision,
    double RecallKept,
    double FalseAlarmRate,
    double Top1OfNamed
);

/// <summary>What one cut-off does in search, each class once a text to look for (field names as in the JSON).</summary>
/// <param name="ExpectedPrecision">The cut-off.</param>
/// <param name="Precision">Pictures found that are of the class, over all classes.</param>
/// <param name="RecallKept">Pictures of the class that are found, over all classes.</param>
/// <param name="FalseAlarmRate">Classes for which something is found when the collection has no picture of
/// them.</param>
/// <param name="FalselyFound">Pictures found for such a class, in the mean.</param>
internal sealed record SearchOutcome(
    double ExpectedPrecision,
    double Precision,
    double RecallKept,
    double FalseAlarmRate,
    double FalselyFound
);

/// <summary>How well a model knows that nothing matches (field names as in the JSON).</summary>
/// <param name="Dataset">The data.</param>
/// <param name="Collection">What the background was measured on.</param>
/// <param name="N">Pictures.</param>
/// <param name="Classes">Classes, each of them absent once.</param>
/// <param name="Folds">Parts that the classes were divided into; one after the other is absent.</param>
/// <param name="Present">The share of present pictures that precision is stated for.</param>
/// <param name="Separation">How often a picture of a present class scores above one of an absent class (area under the
/// ROC curve).</param>
/// <param name="CutOffs">Naming: cut-offs, from low to high.</param>
/// <param name="Search">Search: the same cut-offs.</param>
/// <param name="Seed">Seed of the folds.</param>
/// <param name="Seconds">Time taken.</param>
internal sealed record AbsentReport(
    string Dataset,
    string Collection,
    int N,
    int Classes,
    int Folds,
    double Present,
    double Separation,
    IReadOnlyList<CutOffOutcome> CutOffs,
    IReadOnlyList<SearchOutcome> Search,
    int Seed,
    double Seconds
)
{
    /// <summary>What is odd about the classes.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>
/// Measures "none of these": some of the classes are taken off the list of labels while their pictures stay, until each
/// class has been absent once.
/// </summary>
internal static class AbsentClasses
{
    private static readonly double[] CutOffs = [0.5, 0.8, 0.9, 0.95, 0.98];

    /// <param name="model">The model.</param>
    /// <param name="background">What its bundle says of a collection like this one.</param>
    /// <param name="path">Labelled pictures.</param>
    /// <param name="options">Classes, templates, seed.</param>
    /// <param name="present">Share of present pictures that precision is stated for.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="LitException">The data cannot be used, or have fewer than two classes.</exception>
    public static AbsentReport Measure(
        LitModel model,
        Background background,
        string path,
        EvaluationOptions options,
        double present,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        var clock = Stopwatch.StartNew();
        var run = ModelEvaluation.Classify(model, path, options, compute, progress, cancel);
        var classes = run.Classes;
        var count = run.Labels.Classes.Names.Count;
        if (count < 2)
            throw new LitException(
                path,
                "one class, and a class can only be absent where others are left",
                "Give data with two classes or more"
            );
        var rows = Enumerable.Range(0, run.Labels.All.Count).Where(row => run.Labels.All[row].Length > 0).ToList();
        var pictures = run.Images.Select(rows);
        int[] label = [.. rows.Select(row => run.Labels.All[row][0])];

        var folds = Math.Min(5, count);
        var foldOf = new int[count];
        LiT.Data.SeededOrder order = new(count, (ulong)options.Seed);
        for (var i = 0; i < count; i++)
            foldOf[order.Next()] = i % folds;
        List<(double Expected, bool Present, bool Right)> answers = new(rows.Count * folds);
        for (var fold = 0; fold < folds; fold++)
        {
            cancel.ThrowIfCancellationRequested();
            int[] kept = [.. Enumerable.Range(0, count).Where(c => foldOf[c] != fold)];
            var some = classes.Select(kept);
            var expected = new NamingCutOff(background, some, present).Precision(pictures);
            var best = ZeroShot.Best(pictures, some);
            for (var i = 0; i < label.Length; i++)
                answers.Add((expected[i], foldOf[label[i]] != fold, kept[best[i]] == label[i]));
        }
        return new(
            path,
            background.Collection,
            rows.Count,
            count,
            folds,
            present,
            Separation(answers),
            [.. CutOffs.Select(cutOff => Outcome(answers, cutOff, present))],
            Search(background, pictures, classes, label),
            options.Seed,
            clock.Elapsed.TotalSeconds
        )
        {
            Warnings = run.Report.Warnings,
        };
    }

    private static CutOffOutcome Outcome(
        List<(double Expected, bool Present, bool Right)> answers,
        double cutOff,
        double present
    )
    {
        var here = answers.Where(answer => answer.Present).ToList();
        var named = here.Where(answer => answer.Expected >= cutOff).ToList();
        var kept = named.Count / (double)here.Count;
        var alarms =
            answers.Count(answer => !answer.Present && answer.Expected >= cutOff)
            / (double)(answers.Count - here.Count);
        var all = present * kept + (1 - present) * alarms;
        return new(
            cutOff,
            all == 0 ? 1 : present * kept / all,
            kept,
            alarms,
            named.Count == 0 ? 0 : named.Count(answer => answer.Right) / (double)named.Count
        );
    }

    private static List<SearchOutcome> Search(
        Background background,
        Embeddings pictures,
        Embeddings classes,
        int[] label
    )
    {
        var (ofPictures, ofClasses) = (background.OfPictures(pictures), background.OfTexts(classes));
        var totals = CutOffs.Select(_ => new double[5]).ToArray(); // right, found, of the class, alarms, falsely found
        var asked = 0;
        Similarity.EachRow(classes, pictures, (c, similarities) =>
        {
            var scores = new double[similarities.Length];
            for (var i = 0; i < scores.Length; i++)
                scores[i] = ScoreScale.Standard(similarities[i], ofPictures[i], ofClasses[c]);
            int[] others = [.. Enumerable.Range(0, scores.Length).Where(i => label[i] != c)];
            if (others.Length == scores.Length)
                return;
            asked++;
            var expected = FindingCutOff.Precision(background, scores, scores.Length);
            var without = FindingCutOff.Precision(background, [.. others.Select(i => scores[i])], others.Length);
            for (var k = 0; k < CutOffs.Length; k++)
            {
                var falsely = without.Count(share => share >= CutOffs[k]);
                double[] counts =
                [
                    expected.Index().Count(one => one.Item >= CutOffs[k] && label[one.Index] == c),
                    expected.Count(share => share >= CutOffs[k]),
                    scores.Length - others.Length,
                    falsely > 0 ? 1 : 0,
                    falsely,
                ];
                for (var j = 0; j < counts.Length; j++)
                    totals[k][j] += counts[j];
            }
        });
        return
        [
            .. CutOffs.Zip(totals, (cutOff, t) =>
                new SearchOutcome(cutOff, t[1] == 0 ? 1 : t[0] / t[1], t[0] / t[2], t[3] / asked, t[4] / asked)
            ),
        ];
    }

    private static double Separation(List<(double Expected, bool Present, bool Right)> answers)
    {
        // Mann and Whitney's statistic, equal values counted half.
        double sum = 0;
        long before = 0,
            here = answers.Count(answer => answer.Present),
            absent = answers.Count - here;
        foreach (var equal in answers.GroupBy(answer => answer.Expected).OrderBy(group => group.Key))
        {
            long a = equal.Count(answer => !answer.Present),
                p = equal.Count() - a;
            sum += p * (before + a / 2.0);
            before += a;
        }
        return sum / (here * (double)absent);
    }
}
