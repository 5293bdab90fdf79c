using System.CommandLine;
using LiT.Data;
using LiT.Duplicates;
using LiT.Evaluation;
using LiT.Reports;
using LiT.TestSets;

namespace LiT.Cli.Commands;

/// <summary>lit eval: how good a model is, and what its tower could do.</summary>
internal static class EvalCommand
{
    public static Command Build() =>
        new("eval", "Measure a model: zero-shot classification, retrieval, and what the tower itself could do.")
        {
            Classification(),
            RetrievalBothWays(),
            EvalTowerCommand.Heads(),
            EvalProbeCommand.Probe(),
            EvalProbeCommand.Nearest(),
            EvalProbeCommand.FewShot(),
            EvalTeachCommand.Build(),
            EvalAbsentCommand.Build(),
            EvalCompareCommand.Build(),
        };

    private static Command Classification()
    {
        EvaluationInput input = new();
        Command command = new("classification", "Zero-shot classification of labelled pictures.");
        input.AddTo(command, withClasses: true);
        command.Does(
            (parsed, cancel) =>
            {
                var runs = Classified(input, parsed, cancel);
                foreach (var run in runs)
                    Warn(run.Report);
                if (input.PredictionsOf(parsed) is { } path)
                    PredictionFile.Write(path, runs);
                foreach (var run in runs)
                    if (
                        input.ReportOf(
                            parsed,
                            run.Report.Dataset,
                            runs.Count > 1 ? run.Report.Protocol.Language : null
                        ) is
                        { } folder
                    )
                        ClassificationPage.Write(run, folder, cancel);
                var together = LanguageResults.Of(runs);
                if (runs.Count > 1 && input.ReportOf(parsed, runs[0].Report.Dataset, null) is { } over)
                    LanguagesPage.Write(together, over);
                if (CommonOptions.IsJson(parsed))
                    LanguageResults.Write(together);
                else
                {
                    foreach (var run in runs)
                        Print(run);
                    if (runs.Count > 1)
                        LanguageResults.Print(together);
                }
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static void Print(ClassificationRun run)
    {
        var report = run.Report;
        List<string[]> rows =
        [
            ["pictures", $"{report.N}"],
            ["classes", $"{report.Classes}"],
            ["templates", $"{report.Templates}, {report.Protocol.Templates}"],
            ["top-1", Percent(report.Top1)],
            ["top-1, 95% interval", $"{Percent(report.Interval95[0])} to {Percent(report.Interval95[1])}"],
            ["top-5", Percent(report.Top5)],
            [
                report.Metric == "meanPerClass" ? "mean per class (published for this set)" : "mean per class",
                Percent(report.MeanPerClass),
            ],
            ["chance", Percent(report.Chance)],
        ];
        if (report.Leaks is { } leaks)
            rows.Add([
                $"near-duplicates in {leaks.Training}",
                leaks.Top1Without is { } without
                    ? $"{leaks.Pictures} of {leaks.Of} ({leaks.SameBytes} the same bytes); top-1 without them "
                        + $"{Percent(without)}"
                    : $"{leaks.Pictures} of {leaks.Of} ({leaks.SameBytes} the same bytes)",
            ]);
        Terminal.Table(
            ["", "value"],
            rows,
            "Zero-shot classification of "
                + $"{report.Dataset}{(report.Protocol.Language is { } language ? $", {language}" : "")}"
        );
        var worst = report
            .PerClass.Select((c, i) => (c, i))
            .Where(entry => entry.c.Top1 is not null)
            .OrderBy(entry => entry.c.Top1)
            .Take(10);
        Terminal.Table(
            ["class", "pictures", "top-1", "most often taken for"],
            worst.Select(entry =>
                new[] { entry.c.Class, $"{entry.c.N}", Percent(entry.c.Top1!.Value), MostTakenFor(run.Score, entry.i) }
            ),
            "Hardest classes"
        );
        if (report.PerTemplate is { Count: > 1 } templates)
            Terminal.Table(
                ["template alone", "top-1"],
                templates
                    .OrderByDescending(one => one.Top1)
                    .Take(5)
                    .Concat(templates.OrderBy(one => one.Top1).Take(3).Reverse())
                    .Distinct()
                    .Select(one => new[] { one.Template, Percent(one.Top1) }),
                $"Templates, best and worst, on {templates[0].N} pictures"
            );
    }

    private static void Warn(ClassificationReport report)
    {
        var language = report.Protocol.Language is { } one ? $"{one}: " : "";
        if (report.Skipped > 0)
            Terminal.Warn(
                $"{language}{report.Skipped} of {report.Found} samples have no readable picture and were skipped."
            );
        if (report.Unlabelled > 0)
            Terminal.Warn(
                $"{language}{report.Unlabelled} pictures carry no label that is one of the classes; they "
                    + "were not scored."
            );
        foreach (var warning in report.Warnings)
            Terminal.Warn(language + warning);
    }

    private static Command RetrievalBothWays()
    {
        EvaluationInput input = new(takesCaptions: true);
        Option<bool> across = new("--across")
        {
            Description =
                "With several languages: ask in each for the captions of every other, too; no picture is asked.",
        };
        Command command = new("retrieval", "Retrieval both ways between pictures and their captions.");
        input.AddTo(command, withClasses: false);
        command.Options.Add(across);
        command.Validators.Add(result =>
        {
            if (result.GetValue(across) && !input.AsksForSeveral(result))
                result.AddError("--across: give --language with two languages or more (de,fr), or all.");
        });
        command.Does(
            (parsed, cancel) =>
            {
                var runs = Retrieved(input, parsed, parsed.GetValue(across), cancel);
                foreach (var report in runs.Select(run => run.Report))
                    Warn(report, input.IsGiven(parsed));
                if (input.PredictionsOf(parsed) is { } path)
                    PredictionFile.Write(path, runs);
                foreach (var run in runs)
                    if (
                        input.ReportOf(
                            parsed,
                            run.Report.Dataset,
                            runs.Count > 1 ? run.Report.Protocol.Language : null
                        ) is
                        { } folder
                    )
                        RetrievalPage.Write(run, folder, cancel);
                var together = LanguageResults.Of(runs, parsed.GetValue(across), cancel);
                if (runs.Count > 1 && input.ReportOf(parsed, runs[0].Report.Dataset, null) is { } over)
                    LanguagesPage.Write(together, over);
                if (CommonOptions.IsJson(parsed))
                    LanguageResults.Write(together);
                else if (runs.Count > 1)
                    LanguageResults.Print(together);
                else
                    Print(runs[0].Report);
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static void Print(RetrievalReport report) =>
        Terminal.Table(
            ["", "recall@1", "recall@5", "recall@10", "median rank", "chance of recall@1"],
            RetrievalRows(report),
            $"Retrieval on {report.Dataset}{(report.Protocol.Language is { } language ? $", {language}" : "")}: "
                + $"{report.Images} pictures, {report.Texts} texts"
        );

    private static void Warn(RetrievalReport report, bool given)
    {
        var language = report.Protocol.Language is { } one ? $"{one}: " : "";
        if (report.Skipped > 0)
            Terminal.Warn(
                $"{language}{report.Skipped} of {report.Found} samples have no readable picture and were skipped."
            );
        if (report.WithoutText > 0 && !given)
            Terminal.Warn($"{language}{report.WithoutText} pictures have no caption and were left out.");
        foreach (var warning in report.Warnings)
            Terminal.Warn(language + warning);
    }

    private static List<ClassificationRun> Classified(EvaluationInput input, Asked parsed, CancellationToken cancel)
    {
        var compute = CommonOptions.ComputeOf(parsed);
        if (input.IsGiven(parsed))
            return [GivenEmbeddings.Classify(input.GivenOf(parsed), Terminal.Say)];
        using var model = LitModel.Load(input.ModelOf(parsed), compute);
        var languages = input.LanguagesOf(parsed, () =>
            input.ClassesOf(parsed) is { } lists ? EvaluationSetup.LanguagesIn(lists) : []
        );
        // whatever is wrong with a list shows before anything is embedded
        var chosen = languages.Select(language => input.ChosenOf(parsed, language, model)).ToList();
        using ProgressLine progress = new();
        using var set = ModelEvaluation.Load(model, chosen[0].Data, chosen[0].Options, compute, progress, cancel);
        return [.. chosen.Select(one => Leaks.Audited(InLanguage(one.Options), one.Options, progress, cancel))];

        ClassificationRun InLanguage(EvaluationOptions options)
        {
            using var speaking = input.Speaking(parsed, options.Language, compute);
            return ModelEvaluation.Classify(speaking ?? model, set, options, compute, progress, cancel);
        }
    }

    private static List<RetrievalRun> Retrieved(
        EvaluationInput input,
        Asked parsed,
        bool across,
        CancellationToken cancel
    )
    {
        var compute = CommonOptions.ComputeOf(parsed);
        if (input.IsGiven(parsed))
            return [GivenEmbeddings.Retrieve(input.GivenOf(parsed), Terminal.Say)];
        using var model = LitModel.Load(input.ModelOf(parsed), compute);
        var (data, options) = input.ChosenOf(parsed, null, model);
        using ProgressLine progress = new();
        using var set = ModelEvaluation.Load(model, data, options, compute, progress, cancel);
        var languages = input.LanguagesOf(parsed, () => CaptionLanguages.In(set.Samples));
        LanguageEvaluation.Check(set, languages);
        if (across && languages is [var only])
            throw new LitException(
                data,
                $"only {only} has captions, and they ask for those of another language",
                "Give captions in two languages or more"
            );
        return [.. languages.Select(InLanguage)];

        RetrievalRun InLanguage(string? language)
        {
            using var speaking = input.Speaking(parsed, language, compute);
            var asked = options with { Language = language };
            return ModelEvaluation.Retrieve(speaking ?? model, set, asked, compute, progress, cancel);
        }
    }

    internal static string Percent(double share) => FormattableString.Invariant($"{100 * share:F1}%");

    internal static IEnumerable<string[]> RetrievalRows(RetrievalReport report) =>
        [
            Row("image to text", report.ImageToText, report.MedianRank.ImageToText, report.Chance.ImageToText),
            Row("text to image", report.TextToImage, report.MedianRank.TextToImage, report.Chance.TextToImage),
        ];

    private static string[] Row(string name, Recall recall, double rank, double chance) =>
        [
            name,
            Percent(recall.R1),
            Percent(recall.R5),
            Percent(recall.R10),
            FormattableString.Invariant($"{rank:0.#}"),
            FormattableString.Invariant($"{100 * chance:F2}%"),
        ];

    private static string MostTakenFor(ClassificationScore score, int label)
    {
        var wrong = score
            .Confusions.Where(entry => entry.Key.Label == label && entry.Key.Answer != label)
            .OrderByDescending(entry => entry.Value)
            .ThenBy(entry => entry.Key.Answer)
            .Take(1)
            .ToList();
        return wrong.Count > 0 ? $"{score.PerClass[wrong[0].Key.Answer].Class} ({wrong[0].Value})" : "";
    }
}
