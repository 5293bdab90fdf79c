using System.CommandLine;
using LiT.Evaluation;
using LiT.Reports;

namespace LiT.Cli.Commands;

/// <summary>lit eval: how good a model is, and what its tower could do.</summary>
internal static class EvalCommand
{
    public static Command Build() => new("eval", "Measure a model: zero-shot classification, retrieval, and what the tower itself could do.")
    {
        Classification(), RetrievalBothWays(), EvalTowerCommand.Heads(), EvalTowerCommand.Probe(), EvalAbsentCommand.Build(), EvalCompareCommand.Build(),
    };

    private static Command Classification()
    {
        EvaluationInput input = new();
        Command command = new("classification", "Zero-shot classification of labelled pictures.");
        input.AddTo(command, withClasses: true);
        command.SetAction((parsed, cancel) =>
        {
            var run = Classified(input, parsed, cancel);
            var report = run.Report;
            if (report.Skipped > 0) Terminal.Warn($"{report.Skipped} of {report.Found} samples have no readable picture and were skipped.");
            if (report.Unlabelled > 0) Terminal.Warn($"{report.Unlabelled} pictures carry no label that is one of the classes; they were not scored.");
            foreach (var warning in report.Warnings) Terminal.Warn(warning);
            if (input.PredictionsOf(parsed) is { } path) PredictionFile.Write(path, run);
            if (input.ReportOf(parsed, report.Dataset) is { } folder) ClassificationPage.Write(run, folder, cancel);
            if (CommonOptions.IsJson(parsed))
            {
                Terminal.Write(report);
                return Task.FromResult(ExitCode.Done);
            }
            Terminal.Table(["", "value"],
            [
                ["pictures", $"{report.N}"], ["classes", $"{report.Classes}"], ["templates", $"{report.Templates}"],
                ["top-1", Percent(report.Top1)], ["top-1, 95% interval", $"{Percent(report.Interval95[0])} to {Percent(report.Interval95[1])}"],
                ["top-5", Percent(report.Top5)], ["mean per class", Percent(report.MeanPerClass)], ["chance", Percent(report.Chance)],
            ], $"Zero-shot classification of {report.Dataset}");
            var worst = report.PerClass.Select((c, i) => (c, i)).Where(entry => entry.c.Top1 is not null).OrderBy(entry => entry.c.Top1).Take(10);
            Terminal.Table(["class", "pictures", "top-1", "most often taken for"],
                worst.Select(entry => new[] { entry.c.Class, $"{entry.c.N}", Percent(entry.c.Top1!.Value), MostTakenFor(run.Score, entry.i) }), "Hardest classes");
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command RetrievalBothWays()
    {
        EvaluationInput input = new();
        Command command = new("retrieval", "Retrieval both ways between pictures and their captions.");
        input.AddTo(command, withClasses: false);
        command.SetAction((parsed, cancel) =>
        {
            var run = Retrieved(input, parsed, cancel);
            var report = run.Report;
            if (report.Skipped > 0) Terminal.Warn($"{report.Skipped} of {report.Found} samples have no readable picture and were skipped.");
            if (report.WithoutText > 0 && !input.IsGiven(parsed)) Terminal.Warn($"{report.WithoutText} pictures have no caption and were left out.");
            foreach (var warning in report.Warnings) Terminal.Warn(warning);
            if (input.PredictionsOf(parsed) is { } path) PredictionFile.Write(path, run);
            if (input.ReportOf(parsed, report.Dataset) is { } folder) RetrievalPage.Write(run, folder, cancel);
            if (CommonOptions.IsJson(parsed)) Terminal.Write(report);
            else
                Terminal.Table(["", "recall@1", "recall@5", "recall@10", "median rank", "chance of recall@1"], RetrievalRows(report),
                    $"Retrieval on {report.Dataset}: {report.Images} pictures, {report.Texts} texts");
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static ClassificationRun Classified(EvaluationInput input, ParseResult parsed, CancellationToken cancel)
    {
        var compute = CommonOptions.ComputeOf(parsed);
        if (input.IsGiven(parsed)) return GivenEmbeddings.Classify(input.GivenOf(parsed), Terminal.Say);
        var options = input.OptionsOf(parsed);
        using var model = LitModel.Load(input.ModelOf(parsed), compute);
        using ProgressLine progress = new();
        return ModelEvaluation.Classify(model, input.Data.PathOf(parsed), options, compute, progress, cancel);
    }

    private static RetrievalRun Retrieved(EvaluationInput input, ParseResult parsed, CancellationToken cancel)
    {
        var compute = CommonOptions.ComputeOf(parsed);
        if (input.IsGiven(parsed)) return GivenEmbeddings.Retrieve(input.GivenOf(parsed), Terminal.Say);
        using var model = LitModel.Load(input.ModelOf(parsed), compute);
        using ProgressLine progress = new();
        return ModelEvaluation.Retrieve(model, input.Data.PathOf(parsed), input.OptionsOf(parsed), compute, progress, cancel);
    }

    internal static string Percent(double share) => FormattableString.Invariant($"{100 * share:F1}%");

    internal static IEnumerable<string[]> RetrievalRows(RetrievalReport report) =>
    [
        Row("image to text", report.ImageToText, report.MedianRank.ImageToText, report.Chance.ImageToText),
        Row("text to image", report.TextToImage, report.MedianRank.TextToImage, report.Chance.TextToImage),
    ];

    private static string[] Row(string name, Recall recall, double rank, double chance) =>
        [name, Percent(recall.R1), Percent(recall.R5), Percent(recall.R10), FormattableString.Invariant($"{rank:0.#}"), FormattableString.Invariant($"{100 * chance:F2}%")];

    private static string MostTakenFor(ClassificationScore score, int label)
    {
        var wrong = score.Confusions.Where(entry => entry.Key.Label == label && entry.Key.Answer != label)
            .OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key.Answer).Take(1).ToList();
        return wrong.Count > 0 ? $"{score.PerClass[wrong[0].Key.Answer].Class} ({wrong[0].Value})" : "";
    }
}
