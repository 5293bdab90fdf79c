using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Curation;
using LiT.Data;
using LiT.Files;

namespace LiT.Downloads;

/// <summary>What a download came to.</summary>
/// <param name="Rows">Rows of the list.</param>
/// <param name="Downloaded">Pictures in the shards.</param>
/// <param name="Verdicts">How many rows had which verdict, the most frequent first.</param>
/// <param name="Bytes">Bytes of the pictures in the shards.</param>
/// <param name="Shards">Archives written.</param>
/// <param name="Seconds">How long this run took.</param>
/// <param name="WasComplete">Whether there was nothing to do.</param>
public sealed record DownloadResult(long Rows, long Downloaded, IReadOnlyList<Named> Verdicts, long Bytes, int Shards, double Seconds, bool WasComplete);

/// <summary>
/// Turns a list of addresses into WebDataset shards. A shard holds a fixed range of rows: NNNNN.tar the pictures that came, and
/// NNNNN.jsonl a verdict for each row, which is written last. A killed run goes on after the last whole shards; the same answers
/// give the same bytes, whatever the order in which they come.
/// </summary>
public static class DownloadRun
{
    private const string StateName = "download.json";
    private const int CaptionLimit = 64 << 10, ShardsAtOnce = 2;

    /// <param name="list">.tsv, .csv, .jsonl or .parquet with addresses and captions, or metadata rows of YFCC100M.</param>
    /// <param name="folder">A new folder, or that of an interrupted run.</param>
    /// <param name="columns">Which columns are meant.</param>
    /// <param name="options">Limits.</param>
    /// <param name="progress">Told of rows.</param>
    /// <param name="cancel">Stops at once; whole shards stay.</param>
    /// <exception cref="LitException">The list cannot be read, or the folder holds something else or cannot be written.</exception>
    public static async Task<DownloadResult> RunAsync(string list, string folder, UrlListOptions columns, DownloadOptions options, IProgress<ProgressStep>? progress = null, CancellationToken cancel = default)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var urls = new UrlList(list, columns);
        var made = Made(list, columns, options);
        Check(folder, made);
        using var folderLock = FolderLock.Take(folder);
        var state = ReadState(folder);
        if (state?["complete"]?.GetValue<bool>() == true) return Result(state, clock.Elapsed.TotalSeconds, wasComplete: true);
        if (state is null) WriteState(folder, new JsonObject { ["format"] = "LiT download", ["complete"] = false, ["made"] = made.DeepClone() });
        Clear(folder);

        var tally = new Totals();
        using var fetcher = new Fetcher(options);
        var underWay = new Queue<(int Number, Task Task)>();
        var number = 0;
        var total = columns.OnlyIds is null ? KnownRows(list) : null;
        // One shard's failure (a full disk) stops the others, too.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            foreach (var rows in urls.Rows().Chunk(options.RowsPerShard))
            {
                stop.Token.ThrowIfCancellationRequested();
                var shard = number++;
                if (File.Exists(VerdictsPath(folder, shard))) tally.AddShard(VerdictsPath(folder, shard), rows.Length);
                else
                {
                    if (underWay.Count == ShardsAtOnce) await underWay.Dequeue().Task.ConfigureAwait(false);
                    underWay.Enqueue((shard, Task.Run(() => ShardAsync(folder, shard, rows, fetcher, options, tally, progress, total, stop.Token), CancellationToken.None)));
                }
                tally.Report(progress, total);
            }
            while (underWay.TryDequeue(out var last)) await last.Task.ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            foreach (var (_, task) in underWay) await task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
            try { RemoveSpool(folder); }
            catch (LitException)
            {
                // What went wrong first is what the user should read; the next run clears the spool.
            }
            throw;
        }
        cancel.ThrowIfCancellationRequested();
        RemoveSpool(folder);
        var final = tally.ToJson(made, Directory.EnumerateFiles(folder, "*.tar").Count());
        WriteState(folder, final);
        return Result(final, clock.Elapsed.TotalSeconds, wasComplete: false);
    }

    private sealed record Verdict(long Row, string Key, string? Url, string Is, int? Width, int? Height, int? OriginalWidth, int? OriginalHeight, long? Bytes, string? Sha256)
    {
        /// <summary>Captions that are longer than a caption may be and were left out; null where none was.</summary>
        public int? CaptionsLeftOut { get; init; }
    }

    /// <summary>Fetches a range of rows and writes its archive and verdicts.</summary>
    private static async Task ShardAsync(string folder, int shard, UrlRow[] rows, Fetcher fetcher, DownloadOptions options, Totals tally, IProgress<ProgressStep>? progress, long? total, CancellationToken cancel)
    {
        var spool = Path.Combine(SpoolFolder(folder), $"{shard:00000}");
        Guarded(spool, () => Directory.CreateDirectory(spool));
        var verdicts = await Task.WhenAll(rows.Select((row, i) => RowAsync(row, $"{shard:00000}{i:00000}", Path.Combine(spool, $"{i:00000}"), fetcher, options, tally, progress, total, cancel))).ConfigureAwait(false);
        if (verdicts.Any(verdict => verdict.Is == Fetched.Ok))
            AtomicFile.Write(Path.Combine(folder, $"{shard:00000}.tar"), stream =>
            {
                using var tar = new SampleTar(stream);
                for (var i = 0; i < rows.Length; i++)
                    if (verdicts[i].Is == Fetched.Ok) tar.Add(verdicts[i].Key, SampleOf(rows[i], verdicts[i]), File.ReadAllBytes(Path.Combine(spool, $"{i:00000}")));
            });
        AtomicFile.Write(VerdictsPath(folder, shard), stream =>
        {
            foreach (var v in verdicts)
            {
                stream.Write(JournalLines.Line(new { v.Row, v.Key, v.Url, Verdict = v.Is, v.Width, v.Height, v.OriginalWidth, v.OriginalHeight, v.Bytes, v.Sha256, v.CaptionsLeftOut }));
                stream.WriteByte((byte)'\n');
            }
        });
        Guarded(spool, () => Directory.Delete(spool, recursive: true));
    }

    private static async Task<Verdict> RowAsync(UrlRow row, string key, string spool, Fetcher fetcher, DownloadOptions options, Totals tally, IProgress<ProgressStep>? progress, long? total, CancellationToken cancel)
    {
        Verdict Not(string verdict) => new(row.Number, key, row.Url, verdict, null, null, null, null, null, null);
        var verdict = Not(row.Trouble ?? "");
        if (row.Url is not null)
        {
            var fetched = await fetcher.GetAsync(row.Url, cancel).ConfigureAwait(false);
            if (fetched.Body is null) verdict = Not(fetched.Verdict);
            else
            {
                var taken = PictureIntake.Of(fetched.Body, options);
                if (taken.Bytes is { } bytes) Guarded(spool, () => File.WriteAllBytes(spool, bytes));
                verdict = taken.Bytes is null ? Not(taken.Verdict)
                    : new(row.Number, key, row.Url, Fetched.Ok, taken.Width, taken.Height, taken.OriginalWidth, taken.OriginalHeight, taken.Bytes.Length, Convert.ToHexStringLower(SHA256.HashData(taken.Bytes)))
                    { CaptionsLeftOut = row.Captions.Count(caption => !Fits(caption)) is > 0 and var left ? left : null };
            }
        }
        tally.Add(verdict.Is, verdict.Bytes ?? 0);
        tally.Report(progress, total);
        return verdict;
    }

    private static bool Fits(string caption) => System.Text.Encoding.UTF8.GetByteCount(caption) <= CaptionLimit;

    private static Sample SampleOf(UrlRow row, Verdict verdict) => new(verdict.Key, "")
    {
        Captions = [.. row.Captions.Where(Fits)],
        Fields = new Dictionary<string, string>(row.Fields)
        {
            ["url"] = row.Url!,
            ["sha256"] = verdict.Sha256!,
            ["width"] = $"{verdict.Width}",
            ["height"] = $"{verdict.Height}",
            ["original_width"] = $"{verdict.OriginalWidth}",
            ["original_height"] = $"{verdict.OriginalHeight}",
        },
    };

    private static JsonObject Made(string list, UrlListOptions columns, DownloadOptions options) => new()
    {
        ["list"] = list,
        ["listBytes"] = new FileInfo(list).Length,
        ["urlColumn"] = columns.UrlColumn,
        ["captionColumns"] = string.Join(", ", columns.CaptionColumns),
        ["onlyIds"] = columns.OnlyIds,
        ["rowsPerShard"] = options.RowsPerShard,
        ["resize"] = options.Resize,
        ["maxSide"] = options.MaxSide,
        ["minSide"] = options.MinSide,
        ["maxBytes"] = options.MaxBytes,
        ["maxPixels"] = options.MaxPixels,
        ["quality"] = options.Quality,
    };

    private static void Check(string folder, JsonObject made)
    {
        if (!Directory.Exists(folder)) return;
        if (ReadState(folder) is { } state)
        {
            if (!JsonNode.DeepEquals(state["made"], made))
                throw new LitException($"{folder}: holds the download of another list or of other settings ({state["made"]?.ToJsonString()}). Choose another folder, or delete this one.");
        }
        else if (Directory.EnumerateFileSystemEntries(folder).Any(entry => !Path.GetFileName(entry).StartsWith('.')))
            throw new LitException($"{folder}: holds other files. Choose a new or empty folder.");
    }

    private static JsonObject? ReadState(string folder)
    {
        var path = Path.Combine(folder, StateName);
        if (!File.Exists(path)) return null;
        try
        {
            var state = JsonNode.Parse(File.ReadAllBytes(path))?.AsObject();
            return (string?)state?["format"] == "LiT download" ? state : throw new FormatException("another format");
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException or FormatException)
        {
            throw new LitException($"{path}: damaged ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')}). Delete the folder and begin anew.", damage);
        }
    }

    private static void WriteState(string folder, JsonObject state) =>
        AtomicFile.WriteAllText(Path.Combine(folder, StateName), state.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n");

    private static DownloadResult Result(JsonObject state, double seconds, bool wasComplete) => new((long)state["rows"]!, (long)state["downloaded"]!,
        [.. state["verdicts"]!.AsObject().Select(entry => new Named(entry.Key, (long)entry.Value!))], (long)state["bytes"]!, (int)state["shards"]!, seconds, wasComplete);

    /// <summary>Clears what a killed run left: an archive without verdicts is not whole.</summary>
    private static void Clear(string folder)
    {
        RemoveSpool(folder);
        AtomicFile.RemoveLeft(folder);
        Guarded(folder, () =>
        {
            foreach (var tar in Directory.EnumerateFiles(folder, "*.tar")) if (!File.Exists(Path.ChangeExtension(tar, ".jsonl"))) File.Delete(tar);
        });
    }

    private static void RemoveSpool(string folder) => Guarded(folder, () =>
    {
        if (Directory.Exists(SpoolFolder(folder))) Directory.Delete(SpoolFolder(folder), recursive: true);
    });

    private static string SpoolFolder(string folder) => Path.Combine(folder, ".spool");

    private static string VerdictsPath(string folder, int shard) => Path.Combine(folder, $"{shard:00000}.jsonl");

    /// <summary>How many rows there are at most, where lines tell it.</summary>
    private static long? KnownRows(string list)
    {
        if (Path.GetExtension(list).ToLowerInvariant() is ".parquet" or ".csv") return null;
        using var file = new FileStream(list, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        var buffer = new byte[1 << 20];
        var lines = 0L;
        for (int read; (read = file.Read(buffer)) > 0;) lines += buffer.AsSpan(0, read).Count((byte)'\n');
        return Math.Max(lines, 1);
    }

    private static void Guarded(string path, Action write)
    {
        try { write(); }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException) { throw AtomicFile.Explained(path, trouble); }
    }
}
