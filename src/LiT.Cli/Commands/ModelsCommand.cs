using System.CommandLine;
using LiT.Towers;

namespace LiT.Cli.Commands;

/// <summary>lit models: what a file holds.</summary>
internal static class ModelsCommand
{
    public static Command Build() => new("models", "Look at towers and models.") { Show() };

    private static Command Show()
    {
        Argument<string> spec = new("tower") { Description = "A checkpoint file, or a spec of a tower from scratch." };
        Command command = new("show", "Print a tower's architecture, parameter count and how its names were matched.") { spec };
        command.SetAction((parsed, _) =>
        {
            CommonOptions.ComputeOf(parsed);
            var description = ImageTowerLoader.Describe(parsed.GetRequiredValue(spec));
            if (CommonOptions.IsJson(parsed)) Terminal.Write(description);
            else foreach (var line in description.Lines) Terminal.Line(line);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}
