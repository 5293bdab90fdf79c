using System.CommandLine;
using LiT.Evaluation;

namespace LiT.Cli.Commands;

/// <summary>lit eval: how good a model is, and what its tower could do.</summary>
internal static class EvalCommand
{
    public static Command Build() => new("eval", "Measure a model: zero-shot classification, retrieval, and what the tower itself could do.")
    {
        Classification(), RetrievalBothWays(), EvalTowerCommand.Heads(), EvalTowerCommand.Probe(),
    };

    private static Command Classification()
    {
        EvaluationInput input = new();
        Command command = new("classification", "Zero-shot classification of labelled pictures.");
        input.AddTo(command, withClasses: true);
        command.SetAction((parsed, cancel) =>
        {
            var options = input.OptionsOf(parsed);
            var compute = CommonOptions.ComputeOf(parsed);
            using var model = LitModel.Load(input.ModelOf(parsed), compute);
            ClassificationReport report;
            using (ProgressLine progress = new())
                report = ModelEvaluation.Classify(model, input.Data.PathOf(parsed), options, compute, progress, cancel).Report;
            if (report.Skipped > 0) Terminal.Warn($"{report.Skipped} of {report.Found} samples have no readable picture and were skipped.");
            if (report.Unlabelled > 0) Terminal.Warn($"{report.Unlabelled} pictures carry no label that is one of the classes; they were not scored.");
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
                worst.Select(entry => new[] { entry.c.Class, $"{entry.c.N}", Percent(entry.c.Top1!.Value), MostTakenFor(report, entry.i) }), "Hardest classes");
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
            var compute = CommonOptions.ComputeOf(parsed);
            using var model = LitModel.Load(input.ModelOf(parsed), compute);
            RetrievalReport report;
            using (ProgressLine progress = new())
                report = ModelEvaluation.Retrieve(model, input.Data.PathOf(parsed), input.OptionsOf(parsed), compute, progress, cancel);
            if (report.Skipped > 0) Terminal.Warn($"{report.Skipped} of {report.Found} samples have no readable picture and were skipped.");
            if (report.WithoutText > 0) Terminal.Warn($"{report.WithoutText} pictures have no caption and were left out.");
            if (CommonOptions.IsJson(parsed)) Terminal.Write(report);
            else
                Terminal.Table(["", "recall@1", "recall@5", "recall@10", "median rank", "chance of recall@1"], RetrievalRows(report),
                    $"Retrieval on {report.Dataset}: {report.Images} pictures, {report.Texts} texts");
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    internal static string Percent(double share) => FormattableString.Invariant($"{100 * share:F1}%");

    internal static IEnumerable<string[]> RetrievalRows(RetrievalReport report) =>
    [
        Row("image to text", report.ImageToText, report.MedianRank.ImageToText, report.Chance.ImageToText),
        Row("text to image", report.TextToImage, report.MedianRank.TextToImage, report.Chance.TextToImage),
    ];

    private static string[] Row(string name, Recall recall, double rank, double chance) =>
        [name, Percent(recall.R1), Percent(recall.R5), Percent(recall.R10), FormattableString.Invariant($"{rank:0.#}"), FormattableString.Invariant($"{100 * chance:F2}%")];

    private static string MostTakenFor(ClassificationReport report, int label)
    {
        var wrong = report.Confusion[label].Select((count, answer) => (count, answer)).Where(entry => entry.answer != label).MaxBy(entry => entry.count);
        return wrong.count > 0 ? $"{report.PerClass[wrong.answer].Class} ({wrong.count})" : "";
    }
}
