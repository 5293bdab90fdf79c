using System.CommandLine;
using LiT.TestSets;

namespace LiT.Cli.Commands;

/// <summary>lit data sets: the public test sets by name, where they come from, what their folders must look like.</summary>
internal static class DataSetsCommand
{
    public static Command Build()
    {
        Argument<string?> name = new("name")
        {
            Description = "One of them; all where it is left out.",
            DefaultValueFactory = _ => null,
        };
        Command command = new(
            "sets",
            "Name the public test sets, where each comes from and what its folder must look like (--data NAME=DIR)."
        )
        {
            name,
        };
        command.Does(
            (parsed, _) =>
            {
                var wanted = parsed.GetValue(name);
                var sets = wanted is null
                    ? NamedTestSets.All
                    :
                    [
                        NamedTestSets.Find(wanted)
                            ?? throw new UsageException(
                                $"{wanted}: there is no test set of this name. Known are {string.Join(", ", NamedTestSets.All.Select(set => set.Name))}."
                            ),
                    ];
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(
                        sets.Select(set => new
                        {
                            set.Name,
                            set.Title,
                            set.From,
                            set.Layout,
                            set.Metric,
                            set.Crop,
                            Classes = set.Subset ?? set.Ids?.Count,
                            ClassNames = set.Names is not null,
                            set.ClipTemplates,
                        })
                    );
                else
                    foreach (var set in sets)
                    {
                        Terminal.Line($"{set.Name}: {set.Title}");
                        Terminal.Line($"    from {set.From}");
                        Terminal.Line($"    --data {set.Name}=DIR, DIR holding {set.Layout}");
                    }
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
