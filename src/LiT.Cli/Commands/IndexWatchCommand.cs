using System.CommandLine;
using LiT.Embedding;
using LiT.Images;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Cli.Commands;

/// <summary>lit index watch: a store that is what a folder is.</summary>
internal static class IndexWatchCommand
{
    public static Command Build(Argument<string> store)
    {
        Option<string?> tower = new("--image-tower")
        {
            Description = "The tower that made the store, or will make it. Default: as the store calls it.",
        };
        Option<string> crop = new("--crop")
        {
            Description =
                $"How pictures are cut, where not as the tower has it: {string.Join(", ", EvaluationCrop.Names)}.",
            DefaultValueFactory = _ => EvaluationCrop.Model,
        };
        crop.AcceptOnlyFromAmong([.. EvaluationCrop.Names]);
        Option<double> settle = new("--settle")
        {
            Description = "Seconds without a change before the folder is looked at.",
            DefaultValueFactory = _ => 2,
        };
        Option<double> every = new("--every")
        {
            Description = "Seconds after which it is looked at in any case: not every disk tells what changes.",
            DefaultValueFactory = _ => 300,
        };
        Option<bool> once = new("--once") { Description = "Look once, bring the store up to date, and end." };
        Option<double> maxBad = new("--max-bad")
        {
            Description = "Leave the store as it is when more than this share of the samples cannot be used.",
            DefaultValueFactory = _ => 0.5,
        };
        DataOptions data = new();
        Command command = new("watch", "Keep a store what a folder is: added, changed, removed and moved pictures.")
        {
            store,
            tower,
            crop,
            settle,
            every,
            once,
            maxBad,
        };
        data.AddTo(command);
        Limits.AboveZero(settle, every);
        Limits.Share(maxBad);
        command.Does(
            (parsed, cancel) =>
            {
                var folder = parsed.GetRequiredValue(store);
                var there = StoreFile.Read(folder)?.Description;
                var spec = LitModel.ImageTowerOf(
                    parsed.GetValue(tower)
                        ?? there?.Tower
                        ?? throw new LitException(
                            folder,
                            "is no store that says which tower made it",
                            "Name the tower with --image-tower"
                        )
                );
                var compute = CommonOptions.ComputeOf(parsed);
                using var loaded = ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = compute });
                var locked = loaded.With(EvaluationCrop.Apply(loaded.Preprocessing, parsed.GetValue(crop)!));
                EmbedOptions embed = new()
                {
                    MaxBad = parsed.GetValue(maxBad),
                    Views = there is null ? PictureViews.Plain : PictureViews.Of(there),
                };
                using ProgressLine progress = new();
                StoreWatch watch = new(
                    locked,
                    there?.Tower ?? spec,
                    () => data.Open(parsed),
                    data.PathOf(parsed),
                    folder,
                    embed,
                    compute
                )
                {
                    Options = new()
                    {
                        Settle = TimeSpan.FromSeconds(parsed.GetValue(settle)),
                        Every = TimeSpan.FromSeconds(parsed.GetValue(every)),
                        Once = parsed.GetValue(once),
                    },
                    Progress = progress,
                    Told = status => Tell(parsed, folder, status),
                    Complain = Terminal.Warn,
                };
                watch.Run(cancel);
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static void Tell(Asked parsed, string folder, WatchStatus status)
    {
        if (CommonOptions.IsJson(parsed))
            Terminal.WriteLine(status);
        else
            Terminal.Line(
                $"{folder}: {status.Found} found = {status.Indexed} indexed + {status.Skipped} skipped + "
                    + $"{status.Removed} removed; now {status.Embedded} embedded, {status.Moved} moved or with other "
                    + $"words, {status.Gone} gone"
                    + (status.Compacted > 0 ? $", {status.Compacted} files compacted" : "")
            );
    }
}
