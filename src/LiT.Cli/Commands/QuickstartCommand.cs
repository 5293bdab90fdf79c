using System.CommandLine;
using LiT.Quickstart;
using LiT.Server;

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
        Option<bool> serve = new("--serve")
        {
            Description = "End on a page where the drawings can be searched, until it is stopped.",
        };
        Option<int> port = new("--port")
        {
            Description = "The page's port, with --serve; 0 takes a free one.",
            DefaultValueFactory = _ => 8080,
        };
        Option<bool> check = new("--check") { Description = "With --serve: end as soon as the page answers." };
        Command command = new(
            "quickstart",
            "The whole of LiT on an embedded data set: embed, tune, measure, report. No network."
        )
        {
            folder,
            pairs,
            steps,
            serve,
            port,
            check,
        };
        Limits.Positive(pairs, steps);
        command.Does(
            async (parsed, cancel) =>
            {
                var toServe = parsed.GetValue(serve);
                var result = Run(
                    parsed,
                    parsed.GetValue(folder)!,
                    new QuickstartSize { Pairs = parsed.GetValue(pairs), Steps = parsed.GetValue(steps) },
                    toServe,
                    cancel
                );
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(result);
                else
                    Print(result);
                if (!toServe)
                    return ExitCode.Done;
                ServerSettings settings = new()
                {
                    Model = result.Model,
                    Data = result.Stores,
                    Port = parsed.GetValue(port),
                    Session = CommonOptions.SessionOf(parsed),
                    Wording = Wording.Of,
                };
                return await ServeCommand.ServeAsync(settings, SayAddress(parsed), cancel, parsed.GetValue(check));
            }
        );
        return command;
    }

    // With --json the result is the one document on standard output.
    private static Action<string> SayAddress(Asked parsed) =>
        CommonOptions.IsJson(parsed) ? Terminal.Say : address => Terminal.Line($"Look at {address}");

    private static QuickstartResult Run(
        Asked parsed,
        string folder,
        QuickstartSize size,
        bool toServe,
        CancellationToken cancel
    )
    {
        using ProgressLine progress = new();
        return QuickstartRun.Run(
            folder,
            size,
            CommonOptions.SeedOf(parsed),
            toServe,
            CommonOptions.ComputeOf(parsed),
            Terminal.Say,
            progress,
            cancel
        );
    }

    private static void Print(QuickstartResult result)
    {
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
            FormattableString.Invariant($"{result.Seconds:F0} s. Look at {result.Report}; the model is {result.Model}.")
        );
    }
}
