using System.CommandLine;
using LiT.Postgres;
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
            PushCommand(),
        };

    private static Argument<string> Store() => new("store") { Description = "An embedding store ('lit embed')." };

    private static Option<string?> Model(string description) => new("--model") { Description = description };

    private const string Head =
        "The model that asks, where it has an image head: the codes are of what comes out of it";

    private static Command BuildCommand()
    {
        var (store, model) = (Store(), Model($"{Head}; with --recall its text tower asks with captions."));
        Option<double?> recall = new("--recall")
        {
            Description =
                "Also make lists of near rows, and visit so many at a search that this share of the nearest pictures "
                + "is found (0.99), as measured with the store's captions as queries.",
        };
        Option<int?> lists = new("--lists")
        {
            Description = "How many lists; by default about the square root of the pictures.",
        };
        Option<int> queries = new("--queries")
        {
            Description = "Captions at most that the recall is measured with.",
            DefaultValueFactory = _ => new ListSettings().Queries,
        };
        Command command = new("build", "Make the codes and columns that are missing; the rows stay as they are.")
        {
            store,
            model,
            recall,
            lists,
            queries,
        };
        Limits.Positive(queries);
        recall.Validators.Add(result =>
        {
            if (!result.Implicit && result.GetValue(recall) is <= 0 or >= 1 or double.NaN)
                result.AddError("--recall: give a share between 0 and 1, such as 0.99.");
        });
        lists.Validators.Add(result =>
        {
            if (!result.Implicit && result.GetValue(lists) is <= 1)
                result.AddError("--lists: give at least 2.");
        });
        command.Does(
            (parsed, cancel) =>
            {
                var (folder, compute) = (parsed.GetRequiredValue(store), CommonOptions.ComputeOf(parsed));
                using var lit = parsed.GetValue(model) is { } path ? LitModel.Load(path, compute) : null;
                int made;
                using (ProgressLine progress = new())
                    made = StoreIndex.Build(folder, lit, progress, cancel);
                Terminal.Say($"{made} segments were made now.");
                MakeLists(
                    folder,
                    lit,
                    parsed.GetValue(recall) is { } share
                        ? new()
                        {
                            Recall = share,
                            Lists = parsed.GetValue(lists),
                            Queries = parsed.GetValue(queries),
                            Seed = CommonOptions.SeedOf(parsed),
                        }
                        : null,
                    cancel
                );
                Report(parsed, folder, StoreIndex.Status(folder, lit));
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static void MakeLists(string folder, LitModel? lit, ListSettings? asked, CancellationToken cancel)
    {
        using ProgressLine progress = new();
        if (asked is null)
        {
            if (ListIndex.Complete(folder, lit, progress, cancel) is > 0 and var added)
                Terminal.Say($"The rows of {added} segments were put into lists.");
            return;
        }
        if (!ListIndex.Build(folder, lit, asked, progress, cancel).WithCaptions)
            Terminal.Warn(
                "The recall was measured with rows of the store as queries, where words lie farther away. Give "
                    + "--model, and a store with captions, to measure it with captions."
            );
    }

    private static Command PushCommand()
    {
        var (store, model) = (Store(), Model($"{Head}; its text tower asks with captions for the recall."));
        Option<string> to = new("--to")
        {
            Description =
                "A table of PostgreSQL with pgvector: postgres://user:password@host:5432/database?table=pictures",
            Required = true,
        };
        Command command = new(
            "push",
            "Bring a table of PostgreSQL to what the store holds; only what changed is sent. 'lit search' asks it."
        )
        {
            store,
            model,
            to,
        };
        command.Does(
            async (parsed, cancel) =>
            {
                var address = PostgresAddress.Parse(parsed.GetRequiredValue(to));
                using var lit = parsed.GetValue(model) is { } path
                    ? LitModel.Load(path, CommonOptions.ComputeOf(parsed))
                    : null;
                PushResult pushed;
                using (ProgressLine progress = new())
                    pushed = await PostgresPush.RunAsync(
                        address,
                        parsed.GetRequiredValue(store),
                        lit,
                        progress,
                        cancel
                    );
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(pushed);
                else
                    Terminal.Line(
                        FormattableString.Invariant(
                            $"{address.Shown}: {pushed.Pictures} pictures = {pushed.Written} written now + "
                        )
                            + FormattableString.Invariant(
                                $"{pushed.Kept} as they were; {pushed.Removed} removed; recall of the nearest ten "
                            )
                            + FormattableString.Invariant($"{pushed.Recall:F4}")
                    );
                return ExitCode.Done;
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
                            + (
                                verified.ListRecall is { } near
                                    ? FormattableString.Invariant(
                                        $"; by lists {near:F4}, where {verified.PromisedRecall:F4} was promised"
                                    )
                                    : ""
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
        if (status.Lists is { } lists)
            Terminal.Line(
                FormattableString.Invariant(
                    $"{lists.Lists} lists of {lists.Segments} segments, made of {lists.TrainedOn} pictures; "
                )
                    + FormattableString.Invariant(
                        $"{lists.Visited} visited find {lists.Recall:P1} of the nearest ten for {lists.Queries} "
                    )
                    + (lists.Captions ? "captions" : "rows")
            );
        if (status.WithCodes < status.Segments || status.WithColumns < status.Segments)
            Terminal.Say($"What is missing is read from the rows themselves, which takes longer. Run `StoreIndex`.");
    }
}
