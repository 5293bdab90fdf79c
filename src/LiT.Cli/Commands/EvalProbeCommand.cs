using System.CommandLine;
using System.Globalization;
using LiT.Classification;
using LiT.Evaluation;

namespace LiT.Cli.Commands;

/// <summary>lit eval probe, knn and fewshot: what labels get out of the locked tower's embeddings.</summary>
internal static class EvalProbeCommand
{
    public static Command Probe()
    {
        Stores stores = new();
        Command command = new("probe", "Accuracy of a linear probe on the locked tower's embeddings.");
        stores.AddTo(command);
        command.Does(
            (parsed, cancel) =>
            {
                var probe = stores.Open(parsed);
                ProbeScore score;
                using (ProgressLine progress = new())
                    score = probe.Linear(CommonOptions.SeedOf(parsed), progress, cancel);
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(score);
                else
                    Terminal.Line(
                        $"linear probe, {score.N} pictures: top-1 {EvalCommand.Percent(score.Top1)} "
                            + string.Create(
                                CultureInfo.InvariantCulture,
                                $"({EvalCommand.Percent(score.Interval95[0])} to "
                                    + $"{EvalCommand.Percent(score.Interval95[1])}), mean per class "
                                    + $"{EvalCommand.Percent(score.MeanPerClass)}, L2 penalty {score.Penalty:g3}"
                            )
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    public static Command Nearest()
    {
        Stores stores = new();
        var k = Lists.Numbers("--k", "How many neighbours vote.", least: 1, [1, 5, 10, 20, 100, 200]);
        Option<double> temperature = new("--vote-temperature")
        {
            Description = "A neighbour's vote is exp(similarity / this).",
            DefaultValueFactory = _ => 0.07,
        };
        Command command = new("knn", "Accuracy of the nearest labelled neighbours by the locked tower's embeddings.")
        {
            k,
            temperature,
        };
        stores.AddTo(command);
        temperature.Validators.Add(result =>
        {
            if (
                result.Tokens is [var token]
                && double.TryParse(token.Value, CultureInfo.InvariantCulture, out var value)
                && !(value > 0)
            )
                result.AddError($"--vote-temperature {token.Value}: give a number above 0.");
        });
        command.Does(
            (parsed, _) =>
            {
                var scores = stores
                    .Open(parsed)
                    .Nearest(parsed.GetValue(k)!, parsed.GetValue(temperature), CommonOptions.SeedOf(parsed));
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(scores);
                else
                    Terminal.Table(
                        ["neighbours", "top-1", "95% interval", "top-5", "mean per class"],
                        scores.Select(score =>
                            new[]
                            {
                                $"{score.K}",
                                EvalCommand.Percent(score.Top1),
                                $"{EvalCommand.Percent(score.Interval95[0])} to "
                                    + $"{EvalCommand.Percent(score.Interval95[1])}",
                                EvalCommand.Percent(score.Top5),
                                EvalCommand.Percent(score.MeanPerClass),
                            }
                        ),
                        $"Nearest neighbours, {scores[0].N} pictures"
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    public static Command FewShot()
    {
        Stores stores = new();
        var shots = Lists.Numbers("--shots", "Pictures a class to fit on.", least: 1, [1, 2, 4, 8, 16]);
        Option<int> draws = new("--draws") { Description = "How often they are drawn.", DefaultValueFactory = _ => 5 };
        Command command = new("fewshot", "Accuracy of a linear probe that sees a few pictures a class.")
        {
            shots,
            draws,
        };
        stores.AddTo(command);
        Limits.Positive(draws);
        command.Does(
            (parsed, cancel) =>
            {
                var probe = stores.Open(parsed);
                IReadOnlyList<FewShotScore> scores;
                var counts = probe.Shots(parsed.GetValue(shots)!, out var remark);
                if (remark is not null)
                    Terminal.Warn(remark);
                using (ProgressLine progress = new())
                    scores = probe.FewShot(
                        counts,
                        parsed.GetValue(draws),
                        CommonOptions.SeedOf(parsed),
                        progress,
                        cancel
                    );
                foreach (var score in scores.Where(score => score.Least < score.Shots))
                    Terminal.Warn(
                        $"{score.Shots} pictures a class were asked for, and "
                            + $"{(score.Most < score.Shots ? "no class has" : "not every class has")} as many: "
                            + $"it was fitted on {Fitted(score)}."
                    );
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(scores);
                else
                    Terminal.Table(
                        ["pictures a class", "top-1", "deviation", "draws"],
                        scores.Select(score =>
                            new[]
                            {
                                Fitted(score),
                                EvalCommand.Percent(score.Top1),
                                EvalCommand.Percent(score.Deviation),
                                $"{score.Draws}",
                            }
                        ),
                        $"Few-shot linear probe, {probe.Counts.Test} pictures"
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    /// <summary>Pictures a class that a fit had, as a person reads it.</summary>
    private static string Fitted(FewShotScore score) =>
        score.Least == score.Most ? $"{score.Most}" : $"{score.Least} to {score.Most}";

    /// <summary>The two stores and what their labels mean.</summary>
    private sealed class Stores
    {
        private readonly Option<string> train = new("--train")
        {
            Description = "A store of labelled pictures to fit on.",
            Required = true,
        };
        private readonly Option<string> test = new("--data")
        {
            Description = "A store of labelled pictures, made by the same tower, to score on.",
            Required = true,
        };
        private readonly Option<string?> classes = new("--classes")
        {
            Description = "Class names, the first for label 0.",
        };
        private readonly Option<string?> label = new("--label-column")
        {
            Description = "Which column holds the label.",
        };

        public void AddTo(Command command)
        {
            foreach (Option option in new Option[] { train, test, classes, label })
                command.Options.Add(option);
        }

        public ProbeEvaluation Open(Asked parsed)
        {
            CommonOptions.ComputeOf(parsed);
            var names = parsed.GetValue(classes) is { } file ? ClassNames.Read(file) : null;
            var probe = new ProbeEvaluation(
                parsed.GetRequiredValue(train),
                parsed.GetRequiredValue(test),
                names,
                parsed.GetValue(label)
            );
            foreach (var warning in probe.Warnings)
                Terminal.Warn(warning);
            return probe;
        }
    }
}
