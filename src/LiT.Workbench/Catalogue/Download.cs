using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using LiT.Files;

namespace LiT.Catalogue;

/// <summary>A file that has arrived.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="Checked">What its bytes were held against, or null where neither source nor server states a
/// hash.</param>
internal sealed record Downloaded(long Bytes, ExpectedHash? Checked);

/// <summary>
/// Brings one file over HTTP. A connection that is cut or stalls is opened again where it ended (<c>Range</c> with
/// <c>If-Range</c>), a file that changed meanwhile is begun anew, and only a whole file whose hash is right gets its
/// name.
/// </summary>
internal sealed class Download(Connection connection, DownloadOptions options, Action<string>? say = null)
{
    private const long WorthAnAttempt = 64 << 10;

    /// <param name="url">The file.</param>
    /// <param name="target">Its place; what has arrived lies beside it under another name until it is whole.</param>
    /// <param name="published">The hash that the source publishes, or null.</param>
    /// <param name="progress">Told of every piece.</param>
    /// <param name="cancel">Stops; what has arrived stays.</param>
    /// <exception cref="LitException">It cannot be had; the message says why.</exception>
    public async Task<Downloaded> RunAsync(
        Uri url,
        string target,
        ExpectedHash? published,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        PartialFile part = new(target);
        try
        {
            await FetchAsync(url, part, Path.GetFileName(target), progress, cancel).ConfigureAwait(false);
            var expected = published ?? part.Read(url)?.Hash;
            if (expected is not null && expected.Of(part.Path) is var got && got != expected.Value)
            {
                part.Delete();
                throw new LitException(
                    url.ToString(),
                    $"what arrived has the {expected.Algorithm} {got}, where {expected.Value} is expected "
                        + $"({expected.From})",
                    "It was deleted; run the same command again, or try another `Mirror`"
                );
            }
            var bytes = part.Length;
            part.Finish();
            return new(bytes, expected);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(target, trouble);
        }
    }

    private async Task FetchAsync(
        Uri url,
        PartialFile part,
        string name,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var furthest = part.Length;
        for (var failures = 0; ; )
        {
            string trouble;
            try
            {
                if (await AttemptAsync(url, part, name, progress, cancel).ConfigureAwait(false))
                    return;
                trouble =
                    "the connection ends after "
                    + $"{part.Length:N0}{(part.Read(url)?.Total is { } total ? $" of {total:N0}" : "")} bytes";
            }
            catch (HttpRequestException cut)
            {
                trouble =
                    cut.HttpRequestError == HttpRequestError.NameResolutionError
                        ? $"there is no host {url.Host}"
                        : cut.Message.TrimEnd('.');
            }
            catch (Polly.Timeout.TimeoutRejectedException)
            {
                trouble = $"the server says nothing for {options.Stall.TotalSeconds:0.#} s";
            }
            // Bytes that came before and had to be thrown away are no progress, or a server that lies would keep it
            // going for ever.
            failures = part.Length - furthest >= WorthAnAttempt ? 0 : failures + 1;
            furthest = Math.Max(furthest, part.Length);
            if (failures >= options.Attempts)
                throw new LitException(
                    url.ToString(),
                    $"{trouble}, {failures} times in a row",
                    "What arrived is kept; run the same command again, or try another `Mirror`"
                );
            var pause = options.FirstPause * Math.Pow(2, Math.Max(0, failures - 1));
            if (pause > options.LongestPause)
                pause = options.LongestPause;
            say?.Invoke(
                string.Create(CultureInfo.InvariantCulture, $"{trouble}; going on in {pause.TotalSeconds:0.#} s")
            );
            await Task.Delay(pause, cancel).ConfigureAwait(false);
        }
    }

    /// <returns>Whether the file is whole now.</returns>
    private async Task<bool> AttemptAsync(
        Uri url,
        PartialFile part,
        string name,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var known = part.Read(url);
        var offset = known?.Validator is null ? 0 : part.Length;
        if (offset > 0 && offset == known!.Total)
            return true;
        var way = await connection
            .GetAsync(url, request => Ask(request, offset, known?.Validator), cancel)
            .ConfigureAwait(false);
        try
        {
            var response = way[^1];
            if (
                response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable
                || (response.StatusCode == HttpStatusCode.PartialContent && !GoesOn(response, offset, known))
            )
            {
                part.Delete(); // another file than the one that was begun
                return false;
            }
            if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.PartialContent))
                throw Refused(url, response);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                known = new(
                    url,
                    ValidatorOf(response),
                    response.Content.Headers.ContentLength,
                    ExpectedHash.Stated(way)
                );
                part.Begin(known);
            }
            if (known!.Total is { } total)
                RequireRoom(part.Path, total - part.Length);
            await CopyAsync(response, part, known.Total, name, progress, cancel).ConfigureAwait(false);
            return known.Total is null || part.Length == known.Total;
        }
        finally
        {
            foreach (var response in way)
                response.Dispose();
        }
    }

    private static void Ask(HttpRequestMessage request, long offset, string? validator)
    {
        request.Headers.AcceptEncoding.ParseAdd("identity");
        if (offset == 0)
            return;
        request.Headers.Range = new RangeHeaderValue(offset, null);
        request.Headers.TryAddWithoutValidation("If-Range", validator);
    }

    /// <summary>
    /// Whether a part that a server sends is the rest of the same file, also where it ignores If-Range.
    /// </summary>
    private static bool GoesOn(HttpResponseMessage response, long offset, PartialFile.Known? known) =>
        offset > 0
        && response.Content.Headers.ContentRange is { From: { } from } range
        && from == offset
        && (known!.Total is null || range.Length is null || range.Length == known.Total)
        && (ValidatorOf(response) is not { } validator || validator == known.Validator);

    private static string? ValidatorOf(HttpResponseMessage response) =>
        response.Headers.ETag is { IsWeak: false } etag
            ? etag.ToString()
            : response.Content.Headers.LastModified?.ToString("R");

    private async Task CopyAsync(
        HttpResponseMessage response,
        PartialFile part,
        long? total,
        string name,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var content = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        var buffer = new byte[1 << 17];
        var (unit, size) = total switch
        {
            < 100_000 => ("bytes", 1),
            < 10_000_000 => ("kB", 1_000),
            _ => ("MB", 1_000_000),
        };
        await using var file = part.Append();
        while (true)
        {
            int read;
            using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            stall.CancelAfter(options.Stall);
            try
            {
                read = await content.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                return;
            }
            catch (IOException)
            {
                return;
            } // cut: the next attempt goes on
            if (read == 0)
                return;
            await file.WriteAsync(buffer.AsMemory(0, read), cancel).ConfigureAwait(false);
            progress?.Report(new(name, file.Length / size, total / size, unit));
        }
    }

    private static void RequireRoom(string path, long needed)
    {
        var free = new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(path))!).AvailableFreeSpace;
        if (free < needed)
            throw new LitException(
                path,
                $"{needed / 1e6:N0} MB are to come and {free / 1e6:N0} MB are free",
                "Make room, or choose another disk with `Out` or LIT_CACHE"
            );
    }

    private LitException Refused(Uri url, HttpResponseMessage response)
    {
        var status = $"{(int)response.StatusCode} ({response.ReasonPhrase})";
        var remedy = response.StatusCode switch
        {
            HttpStatusCode.NotFound or HttpStatusCode.Gone =>
                "The file is not there; see 'lit models show' for its source, or try another `Mirror`.",
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                "It may not be had without permission; download it by hand into the cache folder, or try "
                    + "another `Mirror`.",
            _ when Connection.AskedPause(response) is { } pause && pause > options.LongestPause =>
                $"It asks to wait for {pause.TotalMinutes:0.#} minutes; run the same command again then.",
            _ => "Run the same command again later, or try another `Mirror`.",
        };
        return new LitException($"{url}: the server says {status}. {remedy}");
    }
}
