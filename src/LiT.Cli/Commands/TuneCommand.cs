using System.CommandLine;
using LiT.Tuning.Runs;

namespace LiT.Cli.Commands;

/// <summary>lit tune: teach a text tower to read the locked image tower, or any other of the paper's settings.</summary>
internal static class TuneCommand
{
    public static Command Build()
    {
        Option<string> run = new("--out")
        {
            Description = "The run's folder; run again, an interrupted run goes on.",
            Required = true,
        };
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
        command.Does(
            (parsed, cancel) =>
            {
                var recipe = input.RecipeOf(parsed);
                var request = input.RequestOf(parsed, recipe, parsed.GetRequiredValue(run));
                choices.Check(parsed, request.Lock);
                TuneResult result;
                using (ProgressLine progress = new())
                    result = TuneRun.Run(
                        request,
                        pairs => choices.Choose(parsed, pairs, recipe, request.Lock, Terminal.Say),
                        Terminal.Say,
                        progress,
                        cancel
                    );
                var report = LiT.Reports.TuningReport.Write(request.Out);
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
                        FormattableString.Invariant(
                            $"{result.Model}: {result.Outcome.Steps} steps on {result.Pairs} pairs in {last.Seconds:F0} s, loss {last.Loss:F3}, temperature {result.Outcome.Temperature:F1}; {report} shows how it went"
                        )
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
