using System.CommandLine;
using System.Globalization;
using LiT.Evaluation;

namespace LiT.Cli.Commands;

/// <summary>lit eval absent: how well a model knows that none of the labels fits.</summary>
internal static class EvalAbsentCommand
{
    public static Command Build()
    {
        EvaluationInput input = new();
        Option<double> present = CutOffOptions.Present();
        Command command = new(
            "absent",
            "False alarms and recall of \"none of these\": each class is taken off the list of labels once."
        )
        {
            present,
        };
        input.AddTo(command, withClasses: true, ofModelOnly: true);
        command.Does(
            (parsed, cancel) =>
            {
                var compute = CommonOptions.ComputeOf(parsed);
                using var model = LitModel.Load(input.ModelOf(parsed), compute);
                var (data, options) = input.ChosenOf(parsed, null, model);
                AbsentReport report;
                using (ProgressLine progress = new())
                    report = AbsentClasses.Measure(
                        model,
                        CutOffOptions.BackgroundOf(model),
                        data,
                        options,
                        parsed.GetValue(present),
                        compute,
                        progress,
                        cancel
                    );
                foreach (var warning in report.Warnings)
                    Terminal.Warn(warning);
                if (CommonOptions.IsJson(parsed))
                {
                    Terminal.Write(report);
                    return Task.FromResult(ExitCode.Done);
                }
                Terminal.Table(
                    ["expected precision", "precision", "recall kept", "false alarms", "right of the named"],
                    report.CutOffs.Select(row =>
                        new[]
                        {
                            row.ExpectedPrecision,
                            row.Precision,
                            row.RecallKept,
                            row.FalseAlarmRate,
                            row.Top1OfNamed,
                        }
                            .Select(EvalCommand.Percent)
                            .ToArray()
                    ),
                    $"None of these: {report.N} pictures of {report.Dataset}, {report.Classes} classes, a "
                        + $"{(report.Folds == 2 ? "half" : $"{report.Folds}th")} of them absent in turn"
                );
                Terminal.Table(
                    [
                        "expected precision",
                        "precision",
                        "recall kept",
                        "absent classes for which something is found",
                        "pictures found for such a class",
                    ],
                    report.Search.Select(row =>
                        (IReadOnlyList<string>)
                            [
                                EvalCommand.Percent(row.ExpectedPrecision),
                                EvalCommand.Percent(row.Precision),
                                EvalCommand.Percent(row.RecallKept),
                                EvalCommand.Percent(row.FalseAlarmRate),
                                FormattableString.Invariant($"{row.FalselyFound:F1}"),
                            ]
                    ),
                    "Nothing matches: each class looked for, with and without its pictures"
                );
                Terminal.Line(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"a picture of a present class scores above one of an absent class in "
                            + $"{100 * report.Separation:F1}% of cases; background: {report.Collection}"
                    )
                );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
