using System.CommandLine;
using LiT.Curation;
using LiT.Data;
using LiT.Duplicates;
using LiT.Files;
using LiT.Reports;
using LiT.Stores;

namespace LiT.Cli.Commands;

/// <summary>lit data dedup: pictures that come twice, or that an evaluation set holds too.</summary>
internal static class DataDedupCommand
{
    public static Command Build()
    {
        DuplicateRules usual = new();
        Option<string> folder = new("--out")
        {
            Description =
                "Folder for duplicates.jsonl, kept.jsonl and report.html; run again, an interrupted run is continued.",
            Required = true,
        };
        Option<string?> store = new("--store")
        {
            Description =
                "Embedding store of the same pictures, for the scene level. If --data is a store, it is that one.",
        };
        Option<string[]> against = new("--against")
        {
            Description =
                "Evaluation set that must not be in the data: pictures in any form, or a store. May be "
                + "given several times.",
        };
        Option<string[]> againstStore = new("--against-store")
        {
            Description = "Embedding store of each --against, in the same order.",
        };
        var levels = Lists.Words(
            "--level",
            "What counts as a duplicate: bytes, picture (perceptual hash), scene (embedding). "
                + "Default: all that can be told.",
            "bytes",
            "picture",
            "scene"
        );
        Option<int> hamming = new("--hamming")
        {
            Description = "Bits of the 64 of the perceptual hash that may differ.",
            DefaultValueFactory = _ => usual.Hamming,
        };
        Option<double> cosine = new("--cosine")
        {
            Description = "Cosine of two embeddings from which they show one scene.",
            DefaultValueFactory = _ => usual.Cosine,
        };
        Option<bool> noWithin = new("--no-within")
        {
            Description = "Only compare with --against; pictures that repeat one of the data itself stay.",
        };
        Option<int> pairs = new("--pairs")
        {
            Description = "Pairs of each step and level that the page shows.",
            DefaultValueFactory = _ => 12,
        };
        Option<string?> write = new("--write")
        {
            Description =
                "Also write the pictures that are kept, as OUT/data: webdataset, parquet or folder; of a "
                + "store, a store.",
        };
        write.AcceptOnlyFromAmong("webdataset", "parquet", "folder", "store");
        Option<string?> part = new("--part")
        {
            Description =
                "Look at one part of the pictures, as i/n; the parts may run at once, on any machine that sees "
                + "--out, and the last of them compares. auto: the part that Slurm's array or Kubernetes' Indexed "
                + "Job gives.",
        };
        DataOptions data = new();
        Command command = new(
            "dedup",
            "Find pictures that come twice or are in an evaluation set: by bytes, by picture, by scene."
        )
        {
            folder,
            store,
            against,
            againstStore,
            levels,
            hamming,
            cosine,
            noWithin,
            pairs,
            write,
            part,
        };
        data.AddTo(command);
        Limits.Positive(pairs);
        command.Does(
            (parsed, cancel) =>
            {
                var others = parsed.GetValue(against) ?? [];
                var otherStores = parsed.GetValue(againstStore) ?? [];
                if (otherStores.Length > 0 && otherStores.Length != others.Length)
                    throw new UsageException(
                        $"--against-store: {otherStores.Length} where --against has {others.Length}. Give "
                            + "one for each, or none."
                    );
                var rules = usual with
                {
                    Hamming = parsed.GetValue(hamming),
                    Cosine = parsed.GetValue(cosine),
                    Levels = parsed.GetValue(levels) is { Length: > 0 } chosen
                        ? chosen.Select(level => Enum.Parse<DuplicateLevel>(level, ignoreCase: true)).ToHashSet()
                        : usual.Levels,
                };
                var opened = new List<EmbeddingStore>();
                try
                {
                    EmbeddingStore? Opened(string path, string? beside)
                    {
                        if ((beside ?? (EmbeddingStore.IsStore(path) ? path : null)) is not { } found)
                            return null;
                        opened.Add(EmbeddingStore.Open(found));
                        return opened[^1];
                    }
                    ComparedSet main = new(data.Open(parsed), Opened(data.PathOf(parsed), parsed.GetValue(store)));
                    ComparedSet[] sets =
                    [
                        .. others.Select(
                            (path, i) =>
                                new ComparedSet(
                                    Samples.Open(path, data.OptionsOf(parsed)),
                                    Opened(path, otherStores.ElementAtOrDefault(i))
                                )
                        ),
                    ];
                    var output = parsed.GetRequiredValue(folder);
                    IReadOnlyList<ShownPair> shown = [];
                    DedupResult result;
                    if (
                        parsed.GetValue(write) is { } asked
                        && (asked == "store") != (main.Source.Form == "embedding store")
                    )
                        throw new UsageException(
                            $"--write {asked}: pictures are written of pictures, and a store of a store. "
                                + $"{data.PathOf(parsed)} is {main.Source.Form}."
                        );
                    using (ProgressLine progress = new())
                    {
                        FolderLock? held = null;
                        if (
                            parsed.GetValue(part) is { } share
                            && !IsLast(
                                [main, .. sets],
                                StorePart.Parse(share),
                                output,
                                rules,
                                progress,
                                out held,
                                cancel
                            )
                        )
                            return Task.FromResult(ExitCode.Done);
                        result = DedupRun.Run(
                            main,
                            sets,
                            output,
                            new DedupOptions
                            {
                                Rules = rules,
                                Within = !parsed.GetValue(noWithin),
                                PairsShown = parsed.GetValue(pairs),
                            },
                            found => shown = found,
                            progress,
                            held,
                            cancel
                        );
                        ShownPair.ReadPictures(shown, cancel);
                        if (parsed.GetValue(write) is { } form)
                            Write(form, main, output, progress, cancel);
                    }
                    var page = Path.Combine(output, "report.html");
                    DuplicatesReport.Build(main.Source.Path, result, rules, shown).Save(page);
                    Report(parsed, output, page, result);
                }
                finally
                {
                    foreach (var one in opened)
                        one.Dispose();
                }
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    /// <summary>Looks at one part; tells whether everything was looked at now, and nobody else compares.</summary>
    private static bool IsLast(
        IReadOnlyList<ComparedSet> sets,
        StorePart part,
        string output,
        DuplicateRules rules,
        ProgressLine progress,
        out FolderLock? held,
        CancellationToken cancel
    )
    {
        held = null;
        var missing = DedupRun.Look(sets, part, output, rules, progress, cancel);
        if (missing > 0)
            Terminal.Say(
                $"{output}: part {part} is done; {missing} files of marks are still missing, which the other parts "
                    + "make, and the last of them compares."
            );
        else if ((held = FolderLock.TryTake(output)) is null)
            Terminal.Say($"{output}: part {part} is done, and another part compares.");
        return held is not null;
    }

    private static void Write(
        string form,
        ComparedSet set,
        string output,
        ProgressLine progress,
        CancellationToken cancel
    )
    {
        var (keys, folder) = (DedupRun.KeptKeys(output), Path.Combine(output, "data"));
        if (form == "store")
            DataSets.Keep(set.Store!, keys, folder, cancel);
        else
            DataSets.Keep(
                set.Source,
                keys,
                folder,
                Enum.Parse<SampleForm>(form, ignoreCase: true),
                form == "parquet" ? 1000 : 10_000,
                progress,
                cancel
            );
    }

    private static void Report(Asked parsed, string output, string page, DedupResult result)
    {
        if (result.Levels.Contains(DuplicateLevel.Scene) && result.Embedded < result.Pictures)
            Terminal.Warn(
                $"the store holds embeddings of {result.Embedded} of the {result.Pictures} pictures; the "
                    + "scene level sees only these. Embed the data again for the others."
            );
        if (result.Skipped > 0)
            Terminal.Warn(
                $"{result.Skipped} samples have no picture that can be read; "
                    + $"{Path.Combine(output, "skipped.jsonl")} says why for each."
            );
        if (!result.Levels.Contains(DuplicateLevel.Scene))
            Terminal.Say("The scene level was left out: it needs an embedding store (--store).");
        if (CommonOptions.IsJson(parsed))
        {
            Terminal.Write(
                new
                {
                    Out = output,
                    Report = page,
                    result.Pictures,
                    result.Skipped,
                    result.Embedded,
                    result.Kept,
                    result.Levels,
                    result.Steps,
                }
            );
            return;
        }
        Terminal.Table(
            ["step", "same bytes", "same picture", "same scene", "removed", "leaked"],
            result.Steps.Select(step =>
                new[]
                {
                    step.Step,
                    $"{step.Bytes}",
                    $"{step.Picture}",
                    $"{step.Scene}",
                    $"{step.Removed}",
                    step.Leaked is { } leaked ? $"{leaked} of {step.Of}" : "",
                }
            )
        );
        Terminal.Line(
            $"{result.Kept} of {result.Pictures} pictures are kept; "
                + $"{Path.Combine(output, "duplicates.jsonl")} names the others, {page} shows pairs."
        );
    }
}
