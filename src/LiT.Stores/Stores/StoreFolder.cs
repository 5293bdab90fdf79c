using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using LiT.Data;
using LiT.Files;

namespace LiT.Stores;

/// <summary>Where a store's files lie, and how they come together when the last shard is there.</summary>
internal static partial class StoreFolder
{
    private const string LockName = ".writing",
        FinishName = ".finishing",
        NotesName = "notes.jsonl",
        Changes = "changes",
        ChangingName = ".changing",
        UpdateName = ".update";
    public const string SkippedName = "skipped.jsonl";
    private static readonly string[] Parts = ["img_emb", "metadata"];
    private static readonly JsonSerializerOptions Plain = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string RowsPath(string folder, long shard) =>
        Path.Combine(folder, "img_emb", $"img_emb_{shard.ToString("0000", CultureInfo.InvariantCulture)}.npy");

    public static string MetadataPath(string folder, long shard) =>
        Path.Combine(folder, "metadata", $"metadata_{shard.ToString("0000", CultureInfo.InvariantCulture)}.parquet");

    /// <summary>A file that says what was removed, or of what the words are others now.</summary>
    public static string ChangesPath(string folder, string name) => Path.Combine(folder, Changes, name);

    /// <summary>Where an update keeps what it has embedded until that is a part of the store.</summary>
    public static string UpdatePath(string folder) => Path.Combine(folder, UpdateName);

    /// <summary>
    /// Keeps another program from embedding what is new in a store's source at the same time. Readers, and writers that
    /// need no tower, go on.
    /// </summary>
    /// <exception cref="LitException">Another program does, or the folder cannot be written to.</exception>
    public static FolderLock LockUpdate(string folder)
    {
        try
        {
            RefuseLinkedShards(folder);
            // What an earlier version of this program had begun and not finished.
            if (StoreFile.Read(UpdatePath(folder)) is not null)
                Directory.Delete(UpdatePath(folder), recursive: true);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(folder, trouble);
        }
        return FolderLock.Take(
            UpdatePath(folder),
            new() { File = LockName, Taken = "another program is writing this store" }
        );
    }

    /// <summary>
    /// Refuses to change a store that is made of links: what they lead to would stay as it is, or change for others.
    /// </summary>
    internal static void RefuseLinkedShards(string folder)
    {
        var linked = Parts
            .Select(part => new DirectoryInfo(Path.Combine(folder, part)))
            .Where(part => part.Exists)
            .SelectMany(part => part.EnumerateFiles())
            .FirstOrDefault(file => file.LinkTarget is not null);
        if (linked is not null)
            throw new LitException(
                linked.FullName,
                $"is a link to {linked.LinkTarget}, and a store that is made of links is not changed",
                "Update the store that it leads to, or a copy"
            );
    }

    /// <summary>
    /// Keeps two programs from replacing the manifest at the same time. Each needs it for a moment only, or, when it
    /// compacts, for as long as that takes: whoever comes later waits.
    /// </summary>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public static FolderLock LockToChange(string folder, CancellationToken cancel)
    {
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                return FolderLock.Take(folder, new() { File = ChangingName, Stays = true });
            }
            catch (LitException taken) when (taken.InnerException is IOException && File.Exists(ChangingPath(folder)))
            {
                cancel.WaitHandle.WaitOne(10);
            }
        }
    }

    /// <summary>Where a compaction writes.</summary>
    public static string CompactingPath(string folder) => Path.Combine(folder, ".compacting");

    /// <summary>What a store's folder holds that no manifest has named yet.</summary>
    public static StoreGrowth GrowthOf(string folder, StoreFile file)
    {
        using var files = StoreFiles.Open(folder, file);
        return new()
        {
            Generation = 1,
            Segments =
            [
                .. files.Numbers.Zip(files.Rows, (number, rows) => new SegmentEntry(number, (int)rows.Head.Rows)),
            ],
            Next = files.Numbers.Max() + 1,
        };
    }

    /// <summary>Moves a file of rows, and all that is made of it, to its place in a store.</summary>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public static void TakeIn(string from, int number, string folder, int to)
    {
        try
        {
            // What a killed program left of this number.
            foreach (var left in StoreSegment.FilesOf(folder, new HashSet<int> { to }).ToList())
                File.Delete(left);
            foreach (var made in StoreSegment.FilesOf(from, new HashSet<int> { number }).ToList())
                File.Move(
                    made,
                    Path.Combine(StoreSegment.FolderOf(folder), StoreSegment.Renumbered(made, to)),
                    overwrite: true
                );
            File.Move(MetadataPath(from, number), MetadataPath(folder, to), overwrite: true);
            File.Move(RowsPath(from, number), RowsPath(folder, to), overwrite: true);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(folder, trouble);
        }
    }

    /// <summary>Clears away what a manifest does not name, by whoever holds the lock.</summary>
    public static void TidyChanges(string folder, StoreGrowth growth)
    {
        HashSet<int> numbers = [.. growth.Segments.Select(one => one.Number)];
        HashSet<string> names = [.. growth.WordsFiles, growth.RemovedFile ?? ""];
        try
        {
            List<string> left = [];
            foreach (var part in Parts.Select(part => Path.Combine(folder, part)).Where(Directory.Exists))
                left.AddRange(
                    Directory
                        .EnumerateFiles(part)
                        .Where(path => ShardOf(Path.GetFileName(path)) is { } shard && !numbers.Contains(shard))
                );
            if (Path.Combine(folder, Changes) is var changes && Directory.Exists(changes))
                left.AddRange(Directory.EnumerateFiles(changes).Where(path => !names.Contains(Path.GetFileName(path))));
            left.ForEach(File.Delete);
            StoreSegment.Tidy(folder);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            // Somebody still reads it, or it cannot be deleted: nobody is told of it by the manifest, and the next
            // change tries again.
        }
    }

    private static string ChangingPath(string folder) => Path.Combine(folder, ChangingName);

    /// <summary>The number in img_emb_0003.npy and its like, or null for another file.</summary>
    public static int? ShardOf(string name) =>
        ShardName().Match(name) is { Success: true } match
        && int.TryParse(match.Groups["n"].Value, CultureInfo.InvariantCulture, out var n)
            ? n
            : null;

    /// <summary>Keeps the same part from being made twice at once.</summary>
    /// <exception cref="LitException">Another process makes it, or the folder cannot be written to.</exception>
    public static FolderLock Lock(string folder, StorePart part) =>
        FolderLock.Take(
            folder,
            new()
            {
                File = part.IsWhole ? LockName : $"{LockName}-{part.Number}-of-{part.Of}",
                Taken = $"another program is writing {(part.IsWhole ? "this store" : $"part {part} of this store")}",
            }
        );

    /// <summary>
    /// Makes a store of its shards, of which none is missing: the lists, then store.json, which says that it is
    /// complete.
    /// </summary>
    /// <returns>What it holds; null where a shard was made from other data than <paramref name="digests"/>
    /// say.</returns>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public static StoreCounts? Finish(
        string folder,
        StoreDescription description,
        StoreJournal journal,
        IReadOnlyList<string> digests
    )
    {
        // Two parts that end at the same time finish the store one after the other; the second finds it done.
        using var turn = FolderLock.TakeInTurn(folder, FinishName);
        if (StoreFile.Read(folder) is { Complete: true } done)
            return done.Counts; // another part was quicker
        StoreCounts counts = new(0, 0, 0);
        HashSet<long> withRows = [];
        for (var shard = 0; shard < digests.Count; shard++)
        {
            if (journal.Read(shard) is not { } record)
                return null;
            if (record.Digest != digests[shard])
            {
                journal.Remove(shard);
                return null;
            }
            counts += record.Counts;
            if (record.Embedded > 0)
                withRows.Add(shard);
        }
        if (counts.Embedded == 0)
        {
            WriteLists(folder, journal, Enumerable.Range(0, digests.Count).Select(shard => (long)shard), [], []);
            journal.Delete(); // so that the same command tries everything again
            throw new LitException(
                description.Source,
                $"none of its {counts.Found:N0} samples has a picture that could be read",
                $"{Path.Combine(folder, SkippedName)} says why for each"
            );
        }
        try
        {
            AtomicFile.RemoveLeft(folder);
            foreach (var place in Parts.Select(sub => Path.Combine(folder, sub)).Where(Directory.Exists))
            {
                AtomicFile.RemoveLeft(place);
                foreach (var path in Directory.EnumerateFiles(place))
                    if (ShardOf(Path.GetFileName(path)) is { } shard && !withRows.Contains(shard))
                        File.Delete(path);
            }
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(folder, trouble);
        }
        WriteLists(folder, journal, Enumerable.Range(0, digests.Count).Select(shard => (long)shard), [], []);
        new StoreFile(description, true, counts).Write(folder);
        return counts;
    }

    /// <summary>Writes skipped.jsonl and notes.jsonl from the journal, a shard's after the other's.</summary>
    public static void WriteLists(
        string folder,
        StoreJournal journal,
        IEnumerable<long> shards,
        IReadOnlyList<Skipped> skipped,
        IReadOnlyList<Skipped> notes
    )
    {
        ShardRecord[] records = [.. shards.Select(journal.Read).OfType<ShardRecord>(), new("", 0, skipped, notes)];
        WriteLists(folder, records.SelectMany(record => record.Skipped), records.SelectMany(record => record.Notes));
    }

    /// <summary>Writes skipped.jsonl and notes.jsonl.</summary>
    public static void WriteLists(string folder, IEnumerable<Skipped> skipped, IEnumerable<Skipped> notes)
    {
        AtomicFile.Write(Path.Combine(folder, SkippedName), stream => Lines(stream, skipped));
        AtomicFile.Write(Path.Combine(folder, NotesName), stream => Lines(stream, notes));
    }

    /// <summary>Whether the two lists say this already.</summary>
    public static bool SaysTheSame(string folder, IEnumerable<Skipped> skipped, IEnumerable<Skipped> notes)
    {
        bool Is(string name, IEnumerable<Skipped> all)
        {
            using MemoryStream lines = new();
            Lines(lines, all);
            var path = Path.Combine(folder, name);
            return File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(lines.ToArray());
        }
        return Is(SkippedName, skipped) && Is(NotesName, notes);
    }

    /// <summary>Clears away what an update kept until it was a part of the store; its lock stays.</summary>
    public static void ClearUpdate(string folder)
    {
        try
        {
            foreach (var left in Directory.EnumerateDirectories(UpdatePath(folder)))
                Directory.Delete(left, recursive: true);
            foreach (var left in new[] { SkippedName, NotesName })
                File.Delete(Path.Combine(UpdatePath(folder), left));
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            // The store is whole; the next update clears it away.
        }
    }

    /// <summary>Clears away what a finished store no longer needs.</summary>
    public static void Tidy(string folder)
    {
        try
        {
            new StoreJournal(folder).Delete();
            if (
                Path.Combine(folder, UpdateName) is var next
                && Directory.Exists(next)
                && !Directory.EnumerateFileSystemEntries(next).Any()
            )
                Directory.Delete(next, recursive: true);
            foreach (
                var path in Directory.EnumerateFiles(folder, LockName + "*").Append(Path.Combine(folder, FinishName))
            )
                File.Delete(path);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            // The store is whole and is only read; where nothing can be deleted, a hidden file may stay.
        }
    }

    /// <summary>
    /// Puts a finished next generation in the place of the present one. Killed on the way, it goes on when it is called
    /// again: store.json moves last.
    /// </summary>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public static void Switch(string folder)
    {
        var next = Path.Combine(folder, UpdateName);
        if (!SwitchIsUnderWay(folder))
            return;
        try
        {
            foreach (var part in Parts.Where(part => Directory.Exists(Path.Combine(next, part))))
                Linked.PutFolder(Path.Combine(next, part), Path.Combine(folder, part));
            foreach (
                var list in new[] { SkippedName, NotesName, StoreFile.Name }.Where(list =>
                    File.Exists(Path.Combine(next, list))
                )
            )
                Linked.Put(Path.Combine(next, list), Path.Combine(folder, list));
            Directory.Delete(next, recursive: true);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(folder, trouble);
        }
    }

    /// <summary>
    /// Whether a next generation is complete and not yet in its place, so that the present one may be half replaced.
    /// </summary>
    public static bool SwitchIsUnderWay(string folder) =>
        StoreFile.Read(Path.Combine(folder, UpdateName)) is { Complete: true };

    private static void Lines(Stream stream, IEnumerable<Skipped> all)
    {
        foreach (var one in all)
        {
            JsonSerializer.Serialize(
                stream,
                new
                {
                    key = one.Key,
                    origin = one.Origin,
                    reason = one.Reason,
                },
                Plain
            );
            stream.WriteByte((byte)'\n');
        }
    }

    [GeneratedRegex(@"^(img_emb|metadata)_?(?<n>\d+)\.(npy|parquet)$")]
    private static partial Regex ShardName();
}
