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
internal sealed record DownloadResult(
    long Rows,
    long Downloaded,
    IReadOnlyList<Named> Verdicts,
    long Bytes,
    int Shards,
    double Seconds,
    bool WasComplete
)
{
    /// <summary>Rows that this run asked for again.</summary>
    public long TriedAgain { get; init; }
}

/// <summary>
/// Turns a list of addresses into WebDataset shards. A shard holds a fixed range of rows: NNNNN.tar the pictures that
/// came, and NNNNN.jsonl a verdict for each row, which is written last. A killed run goes on after the last whole
/// shards; the same answers give the same bytes, whatever the order in which they come. Rows that failed are tried
/// again on demand, a shard at a time.
/// </summary>
internal static class DownloadRun
{
    private const string StateName = "download.json";
    private const int CaptionLimit = 64 << 10,
        ShardsAtOnce = 2;

    /// <param name="list">.tsv, .csv, .jsonl or .parquet with addresses and captions, or metadata rows of
    /// YFCC100M.</param>
    /// <param name="folder">A new folder, or that of an interrupted run.</param>
    /// <param name="columns">Which columns are meant.</param>
    /// <param name="options">Limits.</param>
    /// <param name="progress">Told of rows.</param>
    /// <param name="say">Told which columns are read and which are not.</param>
    /// <param name="cancel">Stops at once; whole shards stay.</param>
    /// <exception cref="LitException">The list cannot be read, or the folder holds something else or cannot be
    /// written.</exception>
    public static async Task<DownloadResult> RunAsync(
        string list,
        string folder,
        UrlListOptions columns,
        DownloadOptions options,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default,
        Action<string>? say = null
    )
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var urls = new UrlList(list, columns);
        if (urls.InWords is { } words)
            say?.Invoke(words);
        if (!urls.HasCaptions)
            say?.Invoke(
                "warning: the pictures come without captions. If a column holds them, name it with `CaptionColumn`."
            );
        var made = Made(list, columns, options);
        Check(folder, made);
        using var folderLock = FolderLock.Take(folder);
        var state = ReadState(folder);
        var complete = state?["complete"]?.GetValue<bool>() == true;
        if (complete && !options.RetryFailed)
            return Result(state!, clock.Elapsed.TotalSeconds, wasComplete: true);
        var retries = Begin(folder, state, made, complete, options.RetryFailed);
        Clear(folder);
        var tally = new Totals();
        var total = columns.OnlyIds is null ? KnownRows(list) : null;
        await ShardsAsync(urls, folder, retries, options, tally, total, progress, cancel).ConfigureAwait(false);
        cancel.ThrowIfCancellationRequested();
        RemoveSpool(folder);
        var final = tally.ToJson(made, Directory.EnumerateFiles(folder, "*.tar").Count());
        WriteState(folder, final);
        retries?.Clear();
        return Result(final, clock.Elapsed.TotalSeconds, wasComplete: false) with { TriedAgain = retries?.Rows ?? 0 };
    }

    /// <summary>Writes down what begins here, unless it goes on.</summary>
    /// <returns>What is tried again; null where nothing is.</returns>
    private static Retries? Begin(string folder, JsonObject? state, JsonObject made, bool complete, bool retryFailed)
    {
        Retries? retries = null;
        if (retryFailed || state?["retrying"]?.GetValue<bool>() == true)
        {
            retries = new(folder);
            if (state?["retrying"] is null)
                retries.Clear(); // of an earlier time
        }
        if (state is not null && !complete && (retries is null || state["retrying"] is not null))
            return retries;
        JsonObject begun = new()
        {
            ["format"] = "LiT download",
            ["complete"] = false,
            ["made"] = made.DeepClone(),
        };
        if (retries is not null)
            begun["retrying"] = true;
        WriteState(folder, begun);
        return retries;
    }

    /// <summary>Makes the shards that are missing, or holds what is tried again, a few at a time.</summary>
    private static async Task ShardsAsync(
        UrlList urls,
        string folder,
        Retries? retries,
        DownloadOptions options,
        Totals tally,
        long? total,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        using var fetcher = new Fetcher(options);
        var underWay = new Queue<Task>();
        // One shard's failure (a full disk) stops the others, too.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            foreach (var (shard, rows) in urls.Rows().Chunk(options.RowsPerShard).Index())
            {
                stop.Token.ThrowIfCancellationRequested();
                var verdicts = VerdictsPath(folder, shard);
                var there = File.Exists(verdicts);
                var before = there ? retries?.Open(shard, verdicts, rows) : null;
                if (there && before is null)
                    tally.AddShard(verdicts, rows.Length);
                else
                {
                    if (underWay.Count == ShardsAtOnce)
                        await underWay.Dequeue().ConfigureAwait(false);
                    underWay.Enqueue(Task.Run(() => Make(shard, rows, before), CancellationToken.None));
                }
                tally.Report(progress, total);
            }
            while (underWay.TryDequeue(out var last))
                await last.ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await EndedAsync(underWay).ConfigureAwait(false);
            try
            {
                RemoveSpool(folder);
            }
            catch (LitException)
            {
                // What went wrong first is what the user should read; the next run clears the spool.
            }
            throw;
        }

        Task Make(int shard, UrlRow[] rows, TriedShard? before) =>
            ShardAsync(folder, shard, rows, before, fetcher, options, tally, progress, total, stop.Token);
    }

    /// <summary>Waits until all have ended, in whatever way.</summary>
    private static async Task EndedAsync(IEnumerable<Task> underWay)
    {
        foreach (var task in underWay)
            await task.ContinueWith(
                    _ => { },
                    CancellationToken.None,
                    TaskContinuationOptions.None,
                    TaskScheduler.Default
                )
                .ConfigureAwait(false);
    }

    /// <summary>
    /// Fetches a range of rows and writes its archive and verdicts; where it is there <paramref name="before"/>, what
    /// came then stays.
    /// </summary>
    private static async Task ShardAsync(
        string folder,
        int shard,
        UrlRow[] rows,
        TriedShard? before,
        Fetcher fetcher,
        DownloadOptions options,
        Totals tally,
        IProgress<ProgressStep>? progress,
        long? total,
        CancellationToken cancel
    )
    {
        var spool = Path.Combine(SpoolFolder(folder), $"{shard:00000}");
        var archive = Path.Combine(folder, $"{shard:00000}.tar");
        string Spooled(int row) => Path.Combine(spool, $"{row:00000}");
        Guarded(spool, () => Directory.CreateDirectory(spool));
        var verdicts = await Task.WhenAll(
                rows.Select(
                    (row, i) =>
                        before?.Kept(i) is { } kept
                            ? Task.FromResult(Told(kept, tally, progress, total))
                            : RowAsync(
                                row,
                                $"{shard:00000}{i:00000}",
                                Spooled(i),
                                fetcher,
                                options,
                                tally,
                                progress,
                                total,
                                cancel
                            )
                )
            )
            .ConfigureAwait(false);
        var fresh = Enumerable
            .Range(0, rows.Length)
            .Where(row => verdicts[row].Is == Fetched.Ok && before?.Kept(row) is null)
            .ToList();
        if (fresh.Count > 0)
        {
            before?.Unpack(archive, (row, picture) => Guarded(spool, () => File.WriteAllBytes(Spooled(row), picture)));
            AtomicFile.Write(archive, stream =>
            {
                using var tar = new SampleTar(stream);
                for (var i = 0; i < rows.Length; i++)
                    if (verdicts[i].Is == Fetched.Ok)
                        tar.Add(verdicts[i].Key, SampleOf(rows[i], verdicts[i]), File.ReadAllBytes(Spooled(i)));
            });
        }
        Verdict.WriteAll(VerdictsPath(folder, shard), verdicts);
        before?.Done();
        Guarded(spool, () => Directory.Delete(spool, recursive: true));
    }

    private static Verdict Told(Verdict verdict, Totals tally, IProgress<ProgressStep>? progress, long? total)
    {
        tally.Add(verdict.Is, verdict.Bytes ?? 0);
        tally.Report(progress, total);
        return verdict;
    }

    private static async Task<Verdict> RowAsync(
        UrlRow row,
        string key,
        string spool,
        Fetcher fetcher,
        DownloadOptions options,
        Totals tally,
        IProgress<ProgressStep>? progress,
        long? total,
        CancellationToken cancel
    )
    {
        Verdict Not(string verdict) => new(row.Number, key, row.Url, verdict, null, null, null, null, null, null);
        var verdict = Not(row.Trouble ?? "");
        if (row.Url is not null)
        {
            var fetched = await fetcher.GetAsync(row.Url, cancel).ConfigureAwait(false);
            if (fetched.Body is null)
                verdict = Not(fetched.Verdict);
            else
            {
                var taken = PictureIntake.Of(fetched.Body, options);
                if (taken.Bytes is { } bytes)
                    Guarded(spool, () => File.WriteAllBytes(spool, bytes));
                verdict = taken.Bytes is null
                    ? Not(taken.Verdict)
                    : new(
                        row.Number,
                        key,
                        row.Url,
                        Fetched.Ok,
                        taken.Width,
                        taken.Height,
                        taken.OriginalWidth,
                        taken.OriginalHeight,
                        taken.Bytes.Length,
                        Convert.ToHexStringLower(SHA256.HashData(taken.Bytes))
                    )
                    {
                        CaptionsLeftOut = row.Captions.Count(caption => !Fits(caption)) is > 0 and var left
                            ? left
                            : null,
                    };
            }
        }
        return Told(verdict, tally, progress, total);
    }

    private static bool Fits(string caption) => System.Text.Encoding.UTF8.GetByteCount(caption) <= CaptionLimit;

    private static Sample SampleOf(UrlRow row, Verdict verdict) =>
        new(verdict.Key, "")
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

    private static JsonObject Made(string list, UrlListOptions columns, DownloadOptions options) =>
        new()
        {
            ["list"] = list,
            ["listBytes"] = Linked.Length(list),
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
        if (!Directory.Exists(folder))
            return;
        if (ReadState(folder) is { } state)
        {
            if (!JsonNode.DeepEquals(state["made"], made))
                throw new LitException(
                    folder,
                    $"holds the download of another list or of other settings ({state["made"]?.ToJsonString()})",
                    "Choose another folder, or delete this one"
                );
        }
        else if (Directory.EnumerateFileSystemEntries(folder).Any(entry => !Path.GetFileName(entry).StartsWith('.')))
            throw new LitException(folder, "holds other files", "Choose a new or empty folder");
    }

    private static JsonObject? ReadState(string folder)
    {
        var path = Path.Combine(folder, StateName);
        if (!File.Exists(path))
            return null;
        try
        {
            var state = JsonNode.Parse(File.ReadAllBytes(path))?.AsObject();
            return (string?)state?["format"] == "LiT download" ? state : throw new FormatException("another format");
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException or FormatException)
        {
            throw new LitException(
                path,
                $"damaged ({JsonTrouble.Words(damage)})",
                "Delete the folder and begin anew",
                damage
            );
        }
    }

    private static void WriteState(string folder, JsonObject state) =>
        AtomicFile.WriteAllText(
            Path.Combine(folder, StateName),
            state.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n"
        );

    private static DownloadResult Result(JsonObject state, double seconds, bool wasComplete) =>
        new(
            (long)state["rows"]!,
            (long)state["downloaded"]!,
            [.. state["verdicts"]!.AsObject().Select(entry => new Named(entry.Key, (long)entry.Value!))],
            (long)state["bytes"]!,
            (int)state["shards"]!,
            seconds,
            wasComplete
        );

    /// <summary>Clears what a killed run left: an archive without verdicts is not whole.</summary>
    private static void Clear(string folder)
    {
        RemoveSpool(folder);
        AtomicFile.RemoveLeft(folder);
        Guarded(folder, () =>
        {
            foreach (var tar in Directory.EnumerateFiles(folder, "*.tar"))
                if (!File.Exists(Path.ChangeExtension(tar, ".jsonl")))
                    File.Delete(tar);
        });
    }

    private static void RemoveSpool(string folder) => Guarded(folder, () =>
        {
            if (Directory.Exists(SpoolFolder(folder)))
                Directory.Delete(SpoolFolder(folder), recursive: true);
        });

    private static string SpoolFolder(string folder) => Path.Combine(folder, ".spool");

    private static string VerdictsPath(string folder, int shard) => Path.Combine(folder, $"{shard:00000}.jsonl");

    /// <summary>How many rows there are at most, where lines tell it.</summary>
    private static long? KnownRows(string list)
    {
        if (Path.GetExtension(list).ToLowerInvariant() is ".parquet" or ".csv")
            return null;
        using var file = new FileStream(
            list,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read,
            1,
            FileOptions.SequentialScan
        );
        var buffer = new byte[1 << 20];
        var lines = 0L;
        for (int read; (read = file.Read(buffer)) > 0; )
            lines += buffer.AsSpan(0, read).Count((byte)'\n');
        return Math.Max(lines, 1);
    }

    private static void Guarded(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(path, trouble);
        }
    }
}
