using System.CommandLine;
using LiT.Quickstart;

namespace LiT.Cli.Commands;

/// <summary>lit quickstart: the whole of LiT on the embedded data set, in about a minute.</summary>
internal static class QuickstartCommand
{
    public static Command Build()
    {
        Option<string> folder = new("--out")
        {
            Description = "Folder for data, stores, the model and report.html.",
            DefaultValueFactory = _ => "quickstart",
        };
        Option<int> pairs = new("--pairs")
        {
            Description = "Pictures with captions to tune on.",
            DefaultValueFactory = _ => new QuickstartSize().Pairs,
        };
        Option<long?> steps = new("--steps")
        {
            Description = "Updates of the text tower. Default: by the number of pairs, 600 or more.",
        };
        Command command = new(
            "quickstart",
            "The whole of LiT on an embedded data set: embed, tune, measure, report. No network."
        )
        {
            folder,
            pairs,
            steps,
        };
        Limits.Positive(pairs, steps);
        command.Does(
            (parsed, cancel) =>
            {
                QuickstartResult result;
                using (ProgressLine progress = new())
                    result = QuickstartRun.Run(
                        parsed.GetValue(folder)!,
                        new QuickstartSize { Pairs = parsed.GetValue(pairs), Steps = parsed.GetValue(steps) },
                        CommonOptions.SeedOf(parsed),
                        CommonOptions.ComputeOf(parsed),
                        Terminal.Say,
                        progress,
                        cancel
                    );
                if (CommonOptions.IsJson(parsed))
                {
                    Terminal.Write(result);
                    return Task.FromResult(ExitCode.Done);
                }
                Terminal.Table(
                    [
                        "what was asked, in words never used in a caption",
                        "right",
                        "95% interval",
                        "chance",
                        "tower's own head (trained on labels)",
                    ],
                    result.Classification.Select(one =>
                        new[]
                        {
                            $"{one.Question}, {one.Classes} classes",
                            EvalCommand.Percent(one.Top1),
                            $"{EvalCommand.Percent(one.Interval95[0])} to {EvalCommand.Percent(one.Interval95[1])}",
                            EvalCommand.Percent(one.Chance),
                            EvalCommand.Percent(one.Supervised),
                        }
                    ),
                    "Zero-shot classification of unseen drawings"
                );
                Terminal.Table(
                    ["", "recall@1", "recall@5", "recall@10", "median rank", "chance of recall@1"],
                    EvalCommand.RetrievalRows(result.Retrieval),
                    $"Retrieval among {result.Retrieval.Images} unseen drawings with {result.Retrieval.Texts} captions"
                );
                Terminal.Line(
                    FormattableString.Invariant(
                        $"{result.Seconds:F0} s. Look at {result.Report}; the model is {result.Model}."
                    )
                );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
