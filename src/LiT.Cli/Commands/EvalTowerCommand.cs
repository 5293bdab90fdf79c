using System.CommandLine;
using LiT.Evaluation;
using LiT.Towers;

namespace LiT.Cli.Commands;

/// <summary>lit eval head and lit eval probe: what the locked tower itself can do, with labels.</summary>
internal static class EvalTowerCommand
{
    public static Command Heads()
    {
        Option<string> tower = new("--image-tower") { Description = "An image tower with a supervised head.", Required = true };
        Option<string?> head = new("--head") { Description = "Which head, where the tower has several." };
        Option<string?> classes = new("--classes") { Description = "Class names, one a line, the first for output 0 of the head." };
        Option<int> batch = new("--batch") { Description = "Pictures through the tower at once.", DefaultValueFactory = _ => 64 };
        DataOptions data = new();
        Command command = new("head", "Accuracy of the supervised head that came with a tower.") { tower, head, classes, batch };
        data.AddTo(command);
        Limits.Positive(batch);
        command.SetAction((parsed, cancel) =>
        {
            var compute = CommonOptions.ComputeOf(parsed);
            var names = parsed.GetValue(classes) is { } file ? ClassNames.Read(file) : null;
            using var locked = ImageTowerLoader.Load(parsed.GetRequiredValue(tower), new ImageTowerOptions { Compute = compute });
            HeadScore score;
            using (ProgressLine progress = new())
                score = TowerHead.Score(locked, parsed.GetValue(head), data.PathOf(parsed),
                    new ImageSetOptions { Samples = data.OptionsOf(parsed), BatchSize = parsed.GetValue(batch) }, names, compute, CommonOptions.SeedOf(parsed), progress, cancel);
            if (CommonOptions.IsJson(parsed)) Terminal.Write(score);
            else Terminal.Line($"head '{score.Head}', {score.Classes} classes, {score.N} pictures: top-1 {EvalCommand.Percent(score.Top1)} " +
                $"({EvalCommand.Percent(score.Interval95[0])} to {EvalCommand.Percent(score.Interval95[1])})");
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    public static Command Probe()
    {
        Option<string> train = new("--train") { Description = "A store of labelled pictures to fit on.", Required = true };
        Option<string> test = new("--data") { Description = "A store of labelled pictures, made by the same tower, to score on.", Required = true };
        Option<string?> classes = new("--classes") { Description = "Class names, one a line, the first for label 0." };
        Option<string?> label = new("--label-column") { Description = "Which column holds the label." };
        Command command = new("probe", "Accuracy of a linear probe on the locked tower's embeddings.") { train, test, classes, label };
        command.SetAction((parsed, _) =>
        {
            CommonOptions.ComputeOf(parsed);
            var names = parsed.GetValue(classes) is { } file ? ClassNames.Read(file) : null;
            var score = ProbeEvaluation.Score(parsed.GetRequiredValue(train), parsed.GetRequiredValue(test), names, parsed.GetValue(label), CommonOptions.SeedOf(parsed));
            if (CommonOptions.IsJson(parsed)) Terminal.Write(score);
            else Terminal.Line($"linear probe, {score.N} pictures: top-1 {EvalCommand.Percent(score.Top1)} " +
                FormattableString.Invariant($"({EvalCommand.Percent(score.Interval95[0])} to {EvalCommand.Percent(score.Interval95[1])}), L2 penalty {score.Penalty:g}"));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}
