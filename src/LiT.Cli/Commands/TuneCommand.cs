using System.CommandLine;
using System.Globalization;
using LiT.Mpi;
using LiT.Tuning.Runs;

namespace LiT.Cli.Commands;

/// <summary>
/// lit tune: teach a text tower to read the locked image tower, or any other of the paper's settings.
/// </summary>
internal static class TuneCommand
{
    public static Command Build()
    {
        Option<string> run = new("--out")
        {
            Description = "The run's folder; run again, an interrupted run goes on.",
            Required = true,
        };
        MpiOptions mpi = new();
        TuneInput input = new();
        TuneChoices choices = new();
        Command command = new(
            "tune",
            "Tune two towers contrastively; by default a text tower to a locked image tower (the paper's Lu)."
        )
        {
            run,
        };
        input.AddTo(command);
        choices.AddTo(command);
        mpi.AddTo(command);
        command.Does(
            (parsed, cancel) =>
            {
                TuneResult Tune(MpiGroup? group)
                {
                    var recipe = input.RecipeOf(parsed);
                    var threads = group is null ? 0 : MpiOptions.Threads;
                    var request = input.RequestOf(parsed, recipe, parsed.GetRequiredValue(run), threads);
                    request = request with { Settings = choices.SettingsOf(parsed, request.Lock), Recipe = recipe };
                    if (group is not null)
                        request = request with { Exchange = group.Exchange };
                    using ProgressLine progress = new();
                    return TuneRun.Run(request, TuningWords.To(Terminal.Say, progress), cancel);
                }
                return Task.FromResult(
                    mpi.IsAsked(parsed)
                        ? mpi.Together(parsed, cancel, group => Write(parsed, Tune(group), group.Place == 0))
                        : Write(parsed, Tune(null), first: true)
                );
            }
        );
        return command;
    }

    private static int Write(Asked parsed, TuneResult result, bool first)
    {
        if (!first)
        {
            _ = CommonOptions.IsJson(parsed);
            return ExitCode.Done;
        }
        var folder = Path.GetDirectoryName(result.Model)!;
        var report = LiT.Reports.TuningReport.Write(folder);
        var last = result.Outcome.Last;
        if (CommonOptions.IsJson(parsed))
            Terminal.Write(
                new
                {
                    result.Model,
                    Report = report,
                    result.Outcome.Steps,
                    result.Pairs,
                    result.Captions,
                    result.DistinctCaptions,
                    result.TruncatedShare,
                    last.Loss,
                    result.Outcome.Temperature,
                    result.Outcome.Bias,
                    last.I2tAccuracy,
                    last.T2iAccuracy,
                    last.PairsPerSecond,
                    last.Seconds,
                    last.Val,
                    Doctor = result.Findings,
                }
            );
        else
            Terminal.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{result.Model}: {result.Outcome.Steps} steps on {result.Pairs} pairs in "
                        + $"{last.Seconds:F0} s, loss {last.Loss:F3}, temperature "
                        + $"{result.Outcome.Temperature:F1}; {report} shows how it went"
                )
            );
        return ExitCode.Done;
    }
}
