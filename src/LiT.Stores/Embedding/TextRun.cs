using System.Diagnostics;
using LiT.Bundles;
using LiT.Compute;
using LiT.Data;
using LiT.Files;
using LiT.Stores;

namespace LiT.Embedding;

/// <summary>How texts are embedded.</summary>
internal sealed record TextOptions
{
    /// <summary>How the numbers lie on the disk; null for those of the store that is there, or float16.</summary>
    public StoredType? Type { get; init; }

    /// <summary>Rows in a file; null for that of the store that is there, or 10,000.</summary>
    public int? RowsPerShard { get; init; }

    /// <summary>Brings a finished store to what the source says now.</summary>
    public bool Update { get; init; }

    /// <summary>The tokenizer's files, where the user named them; the store keeps it.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>Ids in a row of text, where the user said it; the store keeps it.</summary>
    public int? TokenLength { get; init; }

    /// <summary>The file of captions, and the language that was asked for; the store keeps them.</summary>
    public SampleOptions Samples { get; init; } = new();
}

/// <summary>What a run did.</summary>
/// <param name="File">What the store holds now.</param>
/// <param name="Embedded">Texts that went through the tower in this run; equal ones count once.</param>
/// <param name="Added">Rows that are new.</param>
/// <param name="Removed">Rows that went.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record TextResult(TextStoreFile File, long Embedded, long Added, long Removed, double Seconds)
{
    /// <summary>Whether the store was finished before, and nothing was looked at.</summary>
    public bool WasComplete { get; init; }

    /// <summary>Samples of the source that could not be read.</summary>
    public long Skipped { get; init; }
}

/// <summary>
/// Puts every caption of a source through a locked text tower once. Files are written whole, one after the other: a run
/// that was killed goes on after the last one, to the same bytes. An update embeds what is new, drops what is gone, and
/// leaves the files alone in which nothing changed.
/// </summary>
internal sealed class TextRun
{
    private const string UpdateName = ".update";

    private readonly LockedText tower;
    private readonly SampleSource source;
    private readonly string folder;
    private readonly ComputeDevice compute;
    private readonly IProgress<ProgressStep>? progress;
    private readonly CancellationToken cancel;
    private readonly TextStoreFile file;
    private readonly string root; // where new files are written
    private readonly Dictionary<UInt128, (int Shard, int Row)> rowOfText = [];
    private readonly Dictionary<int, (MappedRows Rows, float[] Norms)> open = [];
    private readonly List<(int Number, int Rows)> made = [];
    private readonly List<TextRow> chunk = [];
    private long embedded,
        pictures,
        skipped;

    private TextRun(
        LockedText tower,
        SampleSource source,
        string folder,
        TextStoreFile file,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        (this.tower, this.source, this.folder, this.file) = (tower, source, folder, file);
        (this.compute, this.progress, this.cancel) = (compute, progress, cancel);
        root = file.Complete ? Path.Combine(folder, UpdateName) : folder;
    }

    /// <param name="tower">The locked text tower.</param>
    /// <param name="source">Where the captions come from; no picture of it is opened.</param>
    /// <param name="folder">The store.</param>
    /// <param name="options">Types, sizes, and what to do with what is there.</param>
    /// <param name="compute">Where the tower computes.</param>
    /// <param name="progress">Told as texts are read.</param>
    /// <param name="cancel">Stops; finished files stay.</param>
    /// <exception cref="LitException">The source has no captions, the folder holds something else or another tower's
    /// texts, or it cannot be written.</exception>
    public static TextResult Run(
        LockedText tower,
        SampleSource source,
        string folder,
        TextOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        var clock = Stopwatch.StartNew();
        var there = Directory.Exists(folder) ? TextStoreFile.Read(folder) : null;
        CheckFolder(folder, there);
        var wanted = Describe(tower, source, options, there);
        if (there is not null)
            CheckSame(folder, there, wanted, anySource: options.Update && there.Complete);
        if (there is { Complete: true } && !options.Update)
            return new(there, 0, 0, 0, clock.Elapsed.TotalSeconds) { WasComplete = true };
        if (there is null)
            CheckCaptions(source);
        using var alone = FolderLock.Take(
            folder,
            new() { File = ".writing", Taken = "another program is writing this store" }
        );
        var file = TextStoreFile.Read(folder) ?? wanted;
        if (!file.Complete)
            file.Write(folder);
        TextRun run = new(tower, source, folder, file, compute, progress, cancel);
        try
        {
            var result = run.Brought(wanted);
            return result with { Seconds = clock.Elapsed.TotalSeconds };
        }
        finally
        {
            run.Close();
        }
    }

    private TextResult Brought(TextStoreFile wanted)
    {
        var present = Present();
        var next = file.Segments.Count == 0 ? 0 : file.Segments.Max(segment => segment.Number) + 1;
        long added = 0;
        foreach (var row in Wanted())
        {
            var id = IdOf(row);
            if (present.TryGetValue(id, out var left) && left > 0)
                present[id] = left - 1;
            else
            {
                added++;
                Add(row, next);
            }
        }
        var gone = present.Values.Sum(left => (long)left);
        var kept = gone == 0 ? file.Segments : Without(present, next);
        Flush(next);
        var done = file with
        {
            Complete = true,
            Pictures = pictures,
            Source = wanted.Source,
            Captions = wanted.Captions,
            Language = wanted.Language,
            Generation = file.Complete ? file.Generation + 1 : 0,
            Segments = [.. kept, .. made],
        };
        if (done.Rows == 0)
            throw new LitException(source.Path, "has no captions any more", "Check the data; the store was left alone");
        if (file.Complete && added == 0 && gone == 0)
            done = done with { Generation = file.Generation };
        Commit(done);
        return new(done, embedded, added, gone, 0) { Skipped = skipped };
    }

    /// <summary>How often each row is in the store, whose texts are known from now on.</summary>
    private Dictionary<UInt128, int> Present()
    {
        Dictionary<UInt128, int> present = [];
        foreach (var (number, _) in file.Complete ? file.Segments : [])
        {
            var rows = Open(folder, number);
            foreach (var row in rows)
            {
                var id = IdOf(row);
                present[id] = present.GetValueOrDefault(id) + 1;
            }
        }
        return present;
    }

    /// <summary>Every caption of the source, in its order.</summary>
    private IEnumerable<TextRow> Wanted()
    {
        foreach (var sample in source.Read(what => skipped += what.InPart ? 0 : 1))
        {
            cancel.ThrowIfCancellationRequested();
            if (sample.Captions.Count == 0)
                continue;
            pictures++;
            foreach (var row in Of(sample))
                yield return row;
        }
    }

    /// <summary>The captions of a picture, each with its language where the data say it.</summary>
    internal static IEnumerable<TextRow> Of(Sample sample)
    {
        List<(string Language, string Text)> said =
        [
            .. CaptionLanguages
                .In([sample])
                .SelectMany(language => CaptionLanguages.Of(sample, language).Select(text => (language, text))),
        ];
        foreach (var caption in sample.Captions)
        {
            var at = said.FindIndex(one => one.Text == caption);
            yield return new(sample.Key, caption, at < 0 ? null : said[at].Language);
            if (at >= 0)
                said.RemoveAt(at);
        }
    }

    /// <summary>The files of which no row is gone; the rows that are left of the others are written anew.</summary>
    private List<(int Number, int Rows)> Without(Dictionary<UInt128, int> gone, int next)
    {
        List<(int, int)> whole = [];
        foreach (var segment in file.Segments)
        {
            var (rows, _) = TextShard.Read(folder, segment.Number);
            List<TextRow> left = [];
            foreach (var row in rows)
            {
                var id = IdOf(row);
                if (gone.GetValueOrDefault(id) is > 0 and var count)
                    gone[id] = count - 1;
                else
                    left.Add(row);
            }
            if (left.Count == rows.Length)
                whole.Add(segment);
            else
                left.ForEach(row => Add(row, next));
        }
        return whole;
    }

    private void Add(TextRow row, int next)
    {
        chunk.Add(row);
        if (chunk.Count == file.RowsPerShard)
            Flush(next);
    }

    private void Flush(int next)
    {
        if (chunk.Count == 0)
            return;
        var number = next + made.Count;
        if (!IsMade(number))
            Make(number);
        made.Add((number, chunk.Count));
        chunk.Clear();
        progress?.Report(new("embedding texts", made.Sum(one => (long)one.Rows), null, "texts"));
    }

    /// <summary>Whether a run that was killed has made this file already, from the same texts.</summary>
    private bool IsMade(int number)
    {
        if (!File.Exists(TextShard.MetadataPath(root, number)) || !File.Exists(TextShard.RowsPath(root, number)))
            return false;
        try
        {
            var head = NpyFile.Read(TextShard.RowsPath(root, number));
            if (head.Rows != chunk.Count || head.Columns != file.EmbeddingSize || head.Type != file.Type)
                return false;
            if (!TextShard.Read(root, number).Rows.SequenceEqual(chunk))
                return false;
            Open(root, number);
            return true;
        }
        catch (LitException)
        {
            return false;
        }
    }

    private void Make(int number)
    {
        var bytes = file.EmbeddingSize * file.Type.Bytes();
        var numbers = new byte[(long)chunk.Count * bytes];
        var norms = new float[chunk.Count];
        List<string> unknown = [];
        Dictionary<string, int> placeOf = new(StringComparer.Ordinal);
        foreach (var row in chunk)
            if (!rowOfText.ContainsKey(SeenKeys.Hash(row.Text)) && placeOf.TryAdd(row.Text, unknown.Count))
                unknown.Add(row.Text);
        var given = TowerOutputs.Representations(tower.Tower, tower.Tokenizer, unknown, compute, null, cancel);
        var unit = new float[file.EmbeddingSize];
        for (var i = 0; i < chunk.Count; i++)
        {
            var place = numbers.AsSpan(i * bytes, bytes);
            if (placeOf.TryGetValue(chunk[i].Text, out var at))
                norms[i] = Stored(given[at], unit, chunk[i], place);
            else
            {
                var (shard, row) = rowOfText[SeenKeys.Hash(chunk[i].Text)];
                open[shard].Rows.Stored(row).CopyTo(place);
                norms[i] = open[shard].Norms[row];
            }
        }
        embedded += unknown.Count;
        TextShard.Write(root, number, (file.Type, file.EmbeddingSize), chunk, norms, numbers);
        Open(root, number);
    }

    private float Stored(ReadOnlySpan<float> given, float[] unit, TextRow row, Span<byte> place)
    {
        var norm = RowNumbers.Norm(given);
        if (!(norm is > 0 and < float.PositiveInfinity))
            throw new LitException(
                row.Key,
                $"the text tower's numbers for '{row.Text}' are not finite, or all zero",
                "Check the tower's weights"
            );
        for (var i = 0; i < unit.Length; i++)
            unit[i] = given[i] / norm;
        RowNumbers.Store(unit, file.Type, place);
        return norm;
    }

    /// <summary>Opens a file whose rows may be taken over.</summary>
    private TextRow[] Open(string where, int number)
    {
        var (rows, norms) = TextShard.Read(where, number);
        MappedRows numbers = new(TextShard.RowsPath(where, number));
        open.Add(number, (numbers, norms));
        if (numbers.Head.Rows != rows.Length || numbers.Head.Columns != file.EmbeddingSize)
            throw new LitException(
                TextShard.RowsPath(where, number),
                $"has {numbers.Head.Rows} rows, and {rows.Length} texts are said to be in it",
                "Delete the folder and embed the texts again"
            );
        for (var row = 0; row < rows.Length; row++)
            rowOfText.TryAdd(SeenKeys.Hash(rows[row].Text), (number, row));
        return rows;
    }

    /// <summary>
    /// New files go to their place, the manifest names them, and what it does not name is cleared away.
    /// </summary>
    private void Commit(TextStoreFile done)
    {
        Close();
        try
        {
            if (root != folder)
                foreach (var (number, _) in made)
                {
                    Move(TextShard.RowsPath(root, number), TextShard.RowsPath(folder, number));
                    Move(TextShard.MetadataPath(root, number), TextShard.MetadataPath(folder, number));
                }
            done.Write(folder);
            var named = done.Segments.Select(segment => segment.Number).ToHashSet();
            foreach (var number in TextShard.In(folder).Where(number => !named.Contains(number)))
                TextShard.Delete(folder, number);
            if (root != folder && Directory.Exists(root))
                Directory.Delete(root, recursive: true);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(folder, trouble);
        }
    }

    private static void Move(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Move(from, to, overwrite: true);
    }

    private void Close()
    {
        foreach (var (rows, _) in open.Values)
            rows.Dispose();
        open.Clear();
    }

    private static void CheckFolder(string folder, TextStoreFile? there)
    {
        if (Linked.Broken(folder) is { } broken)
            throw new LitException(folder, broken, "Make the folder that it leads to, or choose another name");
        if (File.Exists(folder))
            throw new LitException(folder, "is a file, where a store needs a folder", "Choose another name");
        if (
            there is null
            && Directory.Exists(folder)
            && Directory.EnumerateFileSystemEntries(folder).Any(entry => !Path.GetFileName(entry).StartsWith('.'))
        )
            throw new LitException(folder, "holds files that are no text store", "Choose a new or empty folder");
    }

    private static TextStoreFile Describe(
        LockedText tower,
        SampleSource source,
        TextOptions options,
        TextStoreFile? there
    )
    {
        TextStoreFile standard = new()
        {
            Fingerprint = tower.Fingerprint,
            Tower = tower.Name,
            Tokenizer = options.Tokenizer,
            TokenLength = options.TokenLength,
            EmbeddingSize = tower.Tower.Width,
            Source = source.Path,
            Captions = options.Samples.Captions,
            Language = options.Samples.CaptionLanguage,
        };
        return standard with
        {
            Type = options.Type ?? there?.Type ?? standard.Type,
            RowsPerShard = options.RowsPerShard ?? there?.RowsPerShard ?? standard.RowsPerShard,
        };
    }

    private static void CheckSame(string folder, TextStoreFile there, TextStoreFile wanted, bool anySource)
    {
        if (there.Fingerprint != wanted.Fingerprint)
            throw new LitException(
                folder,
                $"its texts were read by {there.Tower} (fingerprint {StoreFit.Short(there.Fingerprint)}), and "
                    + $"{wanted.Tower} is another text tower ({StoreFit.Short(wanted.Fingerprint)})",
                "Choose another folder, or give the tower that made it"
            );
        if (there.Type != wanted.Type || there.RowsPerShard != wanted.RowsPerShard)
            throw new LitException(
                folder,
                $"has files of {there.RowsPerShard:N0} rows of {there.Type.Word()}, and {wanted.RowsPerShard:N0} of "
                    + $"{wanted.Type.Word()} are asked for",
                "Leave these options out, or choose another folder"
            );
        if (
            !anySource
            && (there.Source, there.Captions, there.Language) != (wanted.Source, wanted.Captions, wanted.Language)
        )
            throw new LitException(
                folder,
                $"holds the texts of {Said(there)}, not of {Said(wanted)}",
                there.Complete
                    ? "Bring it to what these say with `Update`, or choose another folder"
                    : "Choose another folder"
            );

        static string Said(TextStoreFile file) =>
            file.Source
            + (file.Captions is { } captions ? $" with {captions}" : "")
            + (file.Language is { } language ? $" in {language}" : "");
    }

    /// <summary>Data without a caption are refused before anything is written.</summary>
    private static void CheckCaptions(SampleSource source)
    {
        if (source.CountWithoutCaptions() is { } found)
            throw new LitException(
                source.Path,
                FormattableString.Invariant(
                    $"none of its {found:N0} pictures has a caption, so there is nothing to embed"
                ),
                "Give data with captions, or a file of them with `Captions`"
            );
    }

    private static UInt128 IdOf(TextRow row) => SeenKeys.Hash($"{row.Key}\0{row.Language}\0{row.Text}");
}
