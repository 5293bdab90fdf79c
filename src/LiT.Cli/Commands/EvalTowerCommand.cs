using System.CommandLine;
using LiT.Classification;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Towers;

namespace LiT.Cli.Commands;

/// <summary>lit eval head: what the locked tower's own supervised head can do.</summary>
internal static class EvalTowerCommand
{
    public static Command Heads()
    {
        Option<string> tower = new("--image-tower")
        {
            Description = "An image tower with a supervised head.",
            Required = true,
        };
        Option<string?> head = new("--head") { Description = "Which head, where the tower has several." };
        Option<string?> classes = new("--classes")
        {
            Description = "Class names, one a line, the first for output 0 of the head.",
        };
        Option<int> batch = new("--batch")
        {
            Description = "Pictures through the tower at once.",
            DefaultValueFactory = _ => 64,
        };
        DataOptions data = new();
        Command command = new("head", "Accuracy of the supervised head that came with a tower.")
        {
            tower,
            head,
            classes,
            batch,
        };
        data.AddTo(command);
        Limits.Positive(batch);
        command.Does(
            (parsed, cancel) =>
            {
                var compute = CommonOptions.ComputeOf(parsed);
                var names = parsed.GetValue(classes) is { } file ? ClassNames.Read(file) : null;
                using var locked = ImageTowerLoader.Load(
                    LitModel.ImageTowerOf(parsed.GetRequiredValue(tower)),
                    new ImageTowerOptions { Compute = compute }
                );
                TowerRemarks.Tell(locked);
                HeadScore score;
                using (ProgressLine progress = new())
                    score = TowerHead.Score(
                        locked,
                        parsed.GetValue(head),
                        data.PathOf(parsed),
                        new ImageSetOptions { Samples = data.OptionsOf(parsed), BatchSize = parsed.GetValue(batch) },
                        names,
                        compute,
                        CommonOptions.SeedOf(parsed),
                        progress,
                        cancel
                    );
                if (score.Skipped > 0)
                    Terminal.Warn($"{score.Skipped} samples have no readable picture and were skipped.");
                if (score.Unlabelled > 0)
                    Terminal.Warn(
                        $"{score.Unlabelled} pictures carry no label that is one of the classes; they were not scored."
                    );
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(score);
                else
                    Terminal.Line(
                        $"head '{score.Head}', {score.Classes} classes, {score.N} pictures: top-1 "
                            + $"{EvalCommand.Percent(score.Top1)} "
                            + $"({EvalCommand.Percent(score.Interval95[0])} to "
                            + $"{EvalCommand.Percent(score.Interval95[1])})"
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
