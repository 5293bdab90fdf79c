using System.CommandLine;
using LiT.Reports;

namespace LiT.Cli.Commands;

/// <summary>lit eval compare: several classifications side by side.</summary>
internal static class EvalCompareCommand
{
    public static Command Build()
    {
        Argument<string[]> results = new("result")
        {
            Description =
                "Folders that 'lit eval classification --report' wrote, or files with what it printed with --json.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string?> report = new("--report")
        {
            Description = "A folder to write a page into (report.html), with a table as .csv and a figure as .png.",
        };
        Command command = new(
            "compare",
            "Set several classifications side by side, and say whether they can be compared at all."
        )
        {
            results,
            report,
        };
        command.Does(
            (parsed, _) =>
            {
                var (rows, reports) = ComparisonPage.Read(parsed.GetRequiredValue(results));
                if (parsed.GetValue(report) is { } folder)
                    ComparisonPage.Write(new(folder, "", null, new()), rows, reports);
                if (rows.Any(row => !row.SamePictures))
                    Terminal.Warn(
                        "not all of the results are of the same pictures and labels; their scores cannot be set against each other."
                    );
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(rows);
                else
                    Terminal.Table(
                        [
                            "result",
                            "pictures",
                            "top-1",
                            "95% interval",
                            "mean per class",
                            "pictures and labels",
                            "prompts",
                            "image tower",
                        ],
                        rows.Select(row =>
                            new[]
                            {
                                row.Name,
                                $"{row.N}",
                                EvalCommand.Percent(row.Top1),
                                $"{EvalCommand.Percent(row.Interval95[0])} to {EvalCommand.Percent(row.Interval95[1])}",
                                EvalCommand.Percent(row.MeanPerClass),
                                row.SamePictures ? "same" : "other",
                                row.SamePrompts ? "same" : "other",
                                row.SameTower ? "same" : "other",
                            }
                        )
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
