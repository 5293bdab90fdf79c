using System.CommandLine;
using System.Globalization;
using LiT.Studies;

namespace LiT.Cli.Commands;

/// <summary>lit study towers: which image tower and which text tower fit, before anything is tuned.</summary>
internal static class StudyTowersCommand
{
    public static Command Build()
    {
        Option<string[]> images = new("--images")
        {
            Description = "Stores of the same pictures, each by another image tower ('lit embed').",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        Option<string[]> texts = new("--texts")
        {
            Description = "Stores of their captions, each by another text tower ('lit embed --texts').",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        Option<int> neighbours = new("--neighbours")
        {
            Description = "Nearest neighbours of a picture that are compared.",
            DefaultValueFactory = _ => 10,
        };
        Option<int> pictures = new("--pictures")
        {
            Description = "At most so many pictures are compared, spread evenly.",
            DefaultValueFactory = _ => 5000,
        };
        Command command = new(
            "towers",
            "Tell from stored rows, before anything is tuned, which image and text towers see the same things alike."
        )
        {
            images,
            texts,
            neighbours,
            pictures,
        };
        Limits.Positive(neighbours, pictures);
        command.Does(
            (parsed, cancel) =>
            {
                var result = TowerStudy.Run(
                    parsed.GetRequiredValue(images),
                    parsed.GetRequiredValue(texts),
                    parsed.GetValue(pictures),
                    parsed.GetValue(neighbours),
                    cancel
                );
                Print(parsed, result);
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static void Print(Asked parsed, TowerStudyResult result)
    {
        if (CommonOptions.IsJson(parsed))
        {
            Terminal.Write(result);
            return;
        }
        Terminal.Table(
            ["pictures", "image tower", "texts", "text tower", "mutual neighbours", "CKA"],
            result.Pairs.Select(pair =>
                new[]
                {
                    pair.Images,
                    pair.ImageTower,
                    pair.Texts,
                    pair.TextTower,
                    pair.MutualNeighbours.ToString("P1", CultureInfo.InvariantCulture),
                    pair.Cka.ToString("F3", CultureInfo.InvariantCulture),
                }
            ),
            string.Create(
                CultureInfo.InvariantCulture,
                $"{result.Pictures} pictures with different texts of {result.Matched} that every store has; chance: "
                    + $"{result.Chance:P1} of {result.Neighbours} neighbours"
            )
        );
    }
}
