using System.CommandLine;
using LiT.Search;
using LiT.Stores;

namespace LiT.Cli.Commands;

/// <summary>lit index: what a store is searched by.</summary>
internal static class IndexCommand
{
    public static Command Build() =>
        new("index", "What a store is searched by: codes and columns beside its rows.")
        {
            BuildCommand(),
            StatusCommand(),
            VerifyCommand(),
            CompactCommand(),
        };

    private static Argument<string> Store() => new("store") { Description = "An embedding store ('lit embed')." };

    private static Option<string?> Model(string description) => new("--model") { Description = description };

    private const string Head =
        "The model that asks, where it has an image head: the codes are of what comes out of it";

    private static Command BuildCommand()
    {
        var (store, model) = (Store(), Model($"{Head}."));
        Command command = new("build", "Make the codes and columns that are missing; the rows stay as they are.")
        {
            store,
            model,
        };
        command.Does(
            (parsed, cancel) =>
            {
                var (folder, compute) = (parsed.GetRequiredValue(store), CommonOptions.ComputeOf(parsed));
                using var lit = parsed.GetValue(model) is { } path ? LitModel.Load(path, compute) : null;
                int made;
                using (ProgressLine progress = new())
                    made = StoreIndex.Build(folder, lit, progress, cancel);
                Terminal.Say($"{made} segments were made now.");
                Report(parsed, folder, StoreIndex.Status(folder, lit));
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static Command StatusCommand()
    {
        var (store, model) = (Store(), Model($"{Head}."));
        Command command = new("status", "Say what can be found, and what it is found by.") { store, model };
        command.Does(parsed =>
        {
            var compute = CommonOptions.ComputeOf(parsed);
            using var lit = parsed.GetValue(model) is { } path ? LitModel.Load(path, compute) : null;
            Report(parsed, parsed.GetRequiredValue(store), StoreIndex.Status(parsed.GetRequiredValue(store), lit));
            return ExitCode.Done;
        });
        return command;
    }

    private static Command VerifyCommand()
    {
        var (store, model) = (Store(), Model($"{Head}; its text tower asks with captions."));
        Option<int> sample = new("--sample")
        {
            Description = "Pictures whose codes are made anew from their rows and compared.",
            DefaultValueFactory = _ => 1000,
        };
        Option<int> queries = new("--queries")
        {
            Description = "Queries that are answered by the index and by going over every row.",
            DefaultValueFactory = _ => 50,
        };
        Command command = new("verify", "Check every byte of the index, and answer queries both with it and without.")
        {
            store,
            model,
            sample,
            queries,
        };
        Limits.Positive(sample, queries);
        command.Does(
            (parsed, cancel) =>
            {
                var compute = CommonOptions.ComputeOf(parsed);
                using var lit = parsed.GetValue(model) is { } path ? LitModel.Load(path, compute) : null;
                using var opened = EmbeddingStore.Open(parsed.GetRequiredValue(store), wordsLater: true);
                if (lit is not null)
                    StoreFit.Check(opened, lit.Description.Image.Expected);
                IndexVerified verified;
                using (ProgressLine progress = new())
                    verified = StoreIndex.Verify(
                        lit,
                        opened,
                        parsed.GetValue(sample),
                        parsed.GetValue(queries),
                        progress,
                        cancel
                    );
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(verified);
                else
                    Terminal.Line(
                        FormattableString.Invariant(
                            $"{opened.Folder}: the codes of {verified.Pictures} pictures are those of their rows; "
                        )
                            + FormattableString.Invariant(
                                $"recall of the nearest ten {verified.Recall:F4} over {verified.Queries} queries"
                            )
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static Command CompactCommand()
    {
        var store = Store();
        Command command = new(
            "compact",
            "Write anew what holds removed or moved pictures, and merge small files; searches go on meanwhile."
        )
        {
            store,
        };
        command.Does(
            (parsed, cancel) =>
            {
                var folder = parsed.GetRequiredValue(store);
                Compacted done;
                using (ProgressLine progress = new())
                    done = StoreCompaction.Run(folder, progress, cancel);
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(done);
                else
                    Terminal.Line(
                        done.Merged == 0
                            ? $"{folder}: {done.Segments} files of rows, and nothing to write anew"
                            : $"{folder}: {done.Merged} files of rows became {done.Into}, {done.Removed} removed "
                                + $"pictures are gone, {done.Reworded} moved ones have their new names; "
                                + $"{done.Segments} files now"
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static void Report(Asked parsed, string folder, IndexStatus status)
    {
        if (CommonOptions.IsJson(parsed))
        {
            Terminal.Write(status);
            return;
        }
        Terminal.Line(
            $"{folder}: {status.Found} found = {status.Indexed} indexed + {status.Skipped} skipped + "
                + $"{status.Removed} removed; "
                + $"{status.WithCodes} of {status.Segments} segments have codes, {status.WithColumns} have columns, "
                + FormattableString.Invariant($"{status.Bytes / 1e6:F1} MB")
        );
        if (status.WithCodes < status.Segments || status.WithColumns < status.Segments)
            Terminal.Say($"What is missing is read from the rows themselves, which takes longer. Run `StoreIndex`.");
    }
}
