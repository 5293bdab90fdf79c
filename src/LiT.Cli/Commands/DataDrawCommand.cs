using System.CommandLine;
using LiT.Drawings;

namespace LiT.Cli.Commands;

/// <summary>lit data draw: the embedded data set as files.</summary>
internal static class DataDrawCommand
{
    public static Command Build()
    {
        Option<string> split = new("--split")
        {
            Description =
                "Which part: pretrain (labels), pairs (captions as on the web), val, test, compositions (colours and kinds kept back from training).",
            Required = true,
        };
        split.AcceptOnlyFromAmong([.. Enum.GetValues<DrawnSplit>().Select(DrawnDataset.NameOf)]);
        Option<int> count = new("--count") { Description = "Number of pictures.", Required = true };
        Option<string> folder = new("--out")
        {
            Description =
                "Folder for SPLIT.tar and the lists of classes, colours, compositions (all, and those held out) and templates.",
            Required = true,
        };
        Command command = new(
            "draw",
            "Draw the embedded data set: 48 kinds of object in 12 colours, with captions, as a WebDataset."
        )
        {
            split,
            count,
            folder,
        };
        command.Does(
            (parsed, cancel) =>
            {
                var part = Enum.Parse<DrawnSplit>(parsed.GetRequiredValue(split), ignoreCase: true);
                var pictures = parsed.GetRequiredValue(count);
                using ProgressLine progress = new();
                var path = DrawnDataset.Write(
                    parsed.GetRequiredValue(folder),
                    part,
                    pictures,
                    CommonOptions.SeedOf(parsed),
                    progress,
                    cancel
                );
                progress.Dispose();
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(
                        new
                        {
                            Path = path,
                            Split = DrawnDataset.NameOf(part),
                            Images = pictures,
                        }
                    );
                else
                    Terminal.Line($"{path}: {pictures} pictures");
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
