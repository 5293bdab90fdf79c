using System.Collections.Concurrent;
using LiT.Data;
using LiT.Images;
using Microsoft.Extensions.Caching.Memory;

namespace LiT.Server.Api;

/// <summary>An encoded picture, and its media type.</summary>
internal sealed record EncodedPicture(byte[] Bytes, string MediaType);

/// <summary>
/// The pictures of a store, where they came from. A key is looked up in the store; what the store says of its origin,
/// and never what a request says, leads to a file.
/// </summary>
internal sealed class StorePictures : IAsyncDisposable
{
    private const int TogetherAtMost = 512,
        ShownAnswers = 16,
        ShownPictures = 200,
        CacheBytes = 128 << 20;

    // A page asks for one small picture after the other, and an archive is gone through for each who asks: so whoever
    // asks for one of an answer's pictures has the others of that answer brought along.
    private readonly ConcurrentQueue<IReadOnlyList<string>> shown = new();
    private readonly ConcurrentDictionary<string, Task<byte[]?>> coming = new(StringComparer.Ordinal);
    private readonly MemoryCache brought = new(new MemoryCacheOptions { SizeLimit = CacheBytes });
    private readonly MemoryCache cache = new(new MemoryCacheOptions { SizeLimit = CacheBytes });
    private readonly SemaphoreSlim decoding = new(Environment.ProcessorCount);
    private readonly Batcher<string, byte[]?> passes;
    private readonly ServedStore store;
    private readonly string? given;
    private readonly Measures measures;
    private readonly ILogger log;

    /// <param name="store">The store.</param>
    /// <param name="given">Where its pictures are; null where the store says that they came from.</param>
    /// <param name="measures">Are told.</param>
    /// <param name="log">Is told of a source that cannot be read.</param>
    public StorePictures(ServedStore store, string? given, Measures measures, ILogger log)
    {
        (this.store, this.given, this.measures, this.log) = (store, given, measures, log);
        passes = new($"{store.Name} pictures", TogetherAtMost, measures, PassAsync);
    }

    /// <summary>Whether the place where they are is there.</summary>
    public bool AreAtHand
    {
        get
        {
            using var now = store.Hold();
            return Source(now) is { } source && (Path.Exists(source) || Patterns.IsPattern(source));
        }
    }

    /// <summary>The picture of a key.</summary>
    /// <exception cref="RefusedException">The store has no such key, or its picture is not at hand.</exception>
    public async Task<EncodedPicture> ReadAsync(string key, CancellationToken cancel)
    {
        using var now = store.Hold();
        if (now.Collection.Find(key) is not { } picture)
            throw RefusedException.NotThere(
                "key",
                "there is no such picture in the store",
                "Give a key that a search gave"
            );
        var bytes =
            FileOf(now, picture) is { } file && await BytesAsync(file, cancel).ConfigureAwait(false) is { } found
                ? found
                : await BroughtAsync(key).WaitAsync(cancel).ConfigureAwait(false);
        return bytes is null || PictureFormats.Of(bytes) is PictureFormat.Unknown
            ? throw RefusedException.NotThere(
                "key",
                "the store has this picture, and its file is not where it came from",
                "Start the server with the place of the pictures"
            )
            : new(bytes, MediaType(bytes));
    }

    /// <summary>A small picture, upright, as WebP where that is taken and as JPEG where not.</summary>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    public async Task<EncodedPicture> ThumbnailAsync(string key, int side, bool webP, CancellationToken cancel)
    {
        var name = (key, side, webP, Since());
        var known = cache.TryGetValue(name, out EncodedPicture? small);
        measures.Cache("thumbnails", known);
        if (known)
            return small!;
        var whole = await ReadAsync(key, cancel).ConfigureAwait(false);
        await decoding.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            small = await Task.Run(() => Small(whole.Bytes, side, webP), cancel).ConfigureAwait(false);
        }
        finally
        {
            decoding.Release();
        }
        cache.Set(name, small, new MemoryCacheEntryOptions { Size = small.Bytes.Length });
        return small;
    }

    /// <summary>Tells which pictures an answer had, which will be asked for next.</summary>
    public void Show(IReadOnlyList<string> keys)
    {
        shown.Enqueue(keys.Count > ShownPictures ? [.. keys.Take(ShownPictures)] : keys);
        while (shown.Count > ShownAnswers)
            shown.TryDequeue(out _);
    }

    private Task<byte[]?> BroughtAsync(string key)
    {
        if (brought.TryGetValue(key, out byte[]? bytes))
            return Task.FromResult(bytes);
        if (coming.TryGetValue(key, out var task))
            return task;
        foreach (var other in shown.FirstOrDefault(answer => answer.Contains(key)) ?? [])
            if (other != key && !brought.TryGetValue(other, out _))
                _ = coming.GetOrAdd(other, BringAsync);
        return coming.GetOrAdd(key, BringAsync);
    }

    private async Task<byte[]?> BringAsync(string key)
    {
        var asked = passes.AskAsync(key, CancellationToken.None); // at once, so that all of an answer wait together
        await Task.Yield(); // so that it is among those that come before it has come
        try
        {
            var bytes = await asked.ConfigureAwait(false);
            if (bytes is not null)
                brought.Set(
                    key,
                    bytes,
                    new MemoryCacheEntryOptions
                    {
                        Size = bytes.Length,
                        AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(1),
                    }
                );
            return bytes;
        }
        catch (ObjectDisposedException)
        {
            return null; // the server is being stopped
        }
        finally
        {
            coming.TryRemove(key, out _);
        }
    }

    /// <summary>When the store was last seen to change: names a state of it.</summary>
    public DateTimeOffset Since()
    {
        using var now = store.Hold();
        return now.Since;
    }

    public async ValueTask DisposeAsync()
    {
        await passes.DisposeAsync().ConfigureAwait(false);
        cache.Dispose();
        brought.Dispose();
        decoding.Dispose();
    }

    private static EncodedPicture Small(byte[] bytes, int side, bool webP)
    {
        DecodingOptions upright = DecodingOptions.Upright with { NotBelow = new(side, side) };
        var image = Thumbnail.Scaled(Decoding.Decode(bytes, upright), side);
        var format = webP ? ThumbnailFormat.WebP : ThumbnailFormat.Jpeg;
        return new(Thumbnail.Encode(image, null, format), webP ? "image/webp" : "image/jpeg");
    }

    private string? Source(OpenedStore now) => given ?? now.Source;

    /// <summary>The picture's own file, where its source is a folder of files; null where it is none.</summary>
    private string? FileOf(OpenedStore now, long picture)
    {
        if (now.Source is not { } said || Source(now) is not { } source || !Directory.Exists(source))
            return null;
        var from = Path.GetRelativePath(said, now.Collection.Origin(picture));
        if (Path.IsPathRooted(from) || from.Split(Path.DirectorySeparatorChar).Contains(".."))
            return null; // the store leads out of its own source
        var file = Path.Combine(source, from);
        return File.Exists(file) ? file : null;
    }

    private static async Task<byte[]?> BytesAsync(string file, CancellationToken cancel)
    {
        try
        {
            return await File.ReadAllBytesAsync(file, cancel).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Goes through the source once for all who wait: archives and tables have no place for a key.</summary>
    private Task<IReadOnlyList<Batcher<string, byte[]?>.Outcome>> PassAsync(
        IReadOnlyList<string> keys,
        CancellationToken cancel
    ) =>
        Task.Run<IReadOnlyList<Batcher<string, byte[]?>.Outcome>>(
            () =>
            {
                using var now = store.Hold();
                IReadOnlyDictionary<string, byte[]> found = new Dictionary<string, byte[]>();
                try
                {
                    if (Source(now) is { } source)
                        found = PictureFinder.Find(source, keys.ToHashSet(StringComparer.Ordinal), null, cancel);
                }
                catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
                {
                    ServerLog.NoPictures(log, store.Name, trouble.Message);
                }
                return
                [
                    .. keys.Select(key => new Batcher<string, byte[]?>.Outcome(found.GetValueOrDefault(key), null)),
                ];
            },
            cancel
        );

    private static string MediaType(byte[] bytes) =>
        PictureFormats.Of(bytes) switch
        {
            PictureFormat.Jpeg => "image/jpeg",
            PictureFormat.Png => "image/png",
            PictureFormat.WebP => "image/webp",
            PictureFormat.Gif => "image/gif",
            PictureFormat.Tiff => "image/tiff",
            PictureFormat.Bmp => "image/bmp",
            _ => "image/avif",
        };
}
