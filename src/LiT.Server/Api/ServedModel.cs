using System.Security.Cryptography;
using LiT.Classification;
using LiT.Images;
using LiT.Search;
using Microsoft.Extensions.Caching.Memory;

namespace LiT.Server.Api;

/// <summary>
/// The model behind the requests: texts that were asked for before are remembered, what comes at the same time goes
/// through a tower together, and the image tower is loaded for the first picture. Safe for concurrent requests.
/// </summary>
internal sealed class ServedModel : IAsyncDisposable
{
    private const int TextsAtOnce = 64,
        PicturesAtOnce = 8,
        PicturesInMemory = 4 * PicturesAtOnce,
        RememberedTexts = 20_000,
        RememberedPictures = 2_000,
        RememberedClassifiers = 200;

    private readonly MemoryCache texts = new(new MemoryCacheOptions { SizeLimit = RememberedTexts });
    private readonly MemoryCache pictures = new(new MemoryCacheOptions { SizeLimit = RememberedPictures });
    private readonly MemoryCache classifiers = new(new MemoryCacheOptions { SizeLimit = RememberedClassifiers });
    private readonly Batcher<IReadOnlyList<string>, Embeddings> textTower;
    private readonly Batcher<float[], float[]> imageTower;
    private readonly SemaphoreSlim decoding = new(Environment.ProcessorCount),
        room = new(PicturesInMemory);
    private readonly ServerSettings settings;
    private readonly Measures measures;
    private readonly ServedModel? own;
    private int holders = 1,
        lessons; // how often its words or its calibration became others
    private volatile Background? background;
    private string calibration; // the state of its file when it was read

    /// <param name="model">The model; goes with this.</param>
    /// <param name="settings">How large a picture may be.</param>
    /// <param name="measures">Are told.</param>
    /// <param name="own">The same bundle in its own language, through whose image tower pictures go; null for that one
    /// itself. It outlives this one.</param>
    public ServedModel(LitModel model, ServerSettings settings, Measures measures, ServedModel? own = null)
    {
        (Model, this.settings, this.measures, this.own) = (model, settings, measures, own);
        HasOwnRows =
            own is not null && !Collection.Projection(model).AsSpan().SequenceEqual(Collection.Projection(own.Model));
        calibration = model.CalibrationState;
        background = model.Folder is { } folder ? Background.Load(folder) : null;
        model.TextMemory = Remembered;
        textTower = new("texts", TextsAtOnce, measures, EmbedTextsAsync);
        imageTower = new("pictures", PicturesAtOnce, measures, EmbedPicturesAsync);
    }

    public LitModel Model { get; }

    /// <summary>What people call it: the published name, or that of the folder where the model or its run is.</summary>
    public string Title
    {
        get
        {
            var place = Model.Folder is { } folder ? new DirectoryInfo(Path.GetFullPath(folder)) : null;
            return (place is { Name: "model", Parent: { } run } ? run : place)?.Name ?? Model.Name;
        }
    }

    /// <summary>Tells what matches; null where the model was not calibrated.</summary>
    public Background? Background => background;

    /// <summary>Why what the folder holds of words and calibration now is not taken over; null where it is.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Whether a picture has been sent yet.</summary>
    public bool HasImageTower { get; private set; }

    /// <summary>Whether a store's rows go through another head than in the bundle's own language.</summary>
    public bool HasOwnRows { get; }

    private ServedModel Tower => own ?? this;

    /// <summary>Keeps it for one more.</summary>
    public ServedModel Hold()
    {
        Interlocked.Increment(ref holders);
        return this;
    }

    /// <summary>Gives it back; the last one frees it.</summary>
    public ValueTask ReleaseAsync() => Interlocked.Decrement(ref holders) == 0 ? DisposeAsync() : default;

    /// <summary>ztxt of unit length, in the texts' order.</summary>
    public Task<Embeddings> EmbedAsync(IReadOnlyList<string> words, CancellationToken cancel) =>
        textTower.AskAsync(words, cancel);

    /// <summary>
    /// For each text, its words that the model cannot know; null where it may know all of them.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<string>>? UnseenWords(IReadOnlyList<string> words)
    {
        IReadOnlyList<string>[] all = [.. words.Select(text => UnknownWords.Of(Model, text)?.Words ?? [])];
        return Array.TrueForAll(all, one => one.Count == 0) ? null : all;
    }

    /// <summary>zimg of unit length: as a store has it, or as the picture's owner sees it.</summary>
    /// <exception cref="PictureException">No picture that can be read.</exception>
    public async Task<float[]> EmbedAsync(ReadOnlyMemory<byte> picture, bool asSeen, CancellationToken cancel)
    {
        var name = (asSeen, Convert.ToHexString(SHA256.HashData(picture.Span)));
        var known = pictures.TryGetValue(name, out float[]? zimg);
        measures.Cache("pictures", known);
        if (known)
            return zimg!;
        var preprocessing = await Tower.Model.ImagePreprocessingAsync(cancel).ConfigureAwait(false);
        Tower.HasImageTower = true;
        if (asSeen)
            preprocessing = Classifier.AsSeen(preprocessing, honourExif: true);
        await room.WaitAsync(cancel).ConfigureAwait(false); // decoded pictures that wait for the tower are many bytes
        try
        {
            var pixels = await DecodedAsync(picture, preprocessing, cancel).ConfigureAwait(false);
            zimg = await imageTower.AskAsync(pixels, cancel).ConfigureAwait(false);
        }
        finally
        {
            room.Release();
        }
        pictures.Set(name, zimg, new MemoryCacheEntryOptions { Size = 1 });
        return zimg;
    }

    private async Task<float[]> DecodedAsync(
        ReadOnlyMemory<byte> picture,
        Preprocessing preprocessing,
        CancellationToken cancel
    )
    {
        await decoding.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            return await Task.Run(
                    () => preprocessing.Pixels(picture, settings.MaxMegapixels * 1_000_000L, DecodePath.Exact, null),
                    cancel
                )
                .ConfigureAwait(false);
        }
        finally
        {
            decoding.Release();
        }
    }

    /// <summary>A classifier of some labels; those of the last few are kept.</summary>
    /// <exception cref="LitException">Labels or options cannot be so.</exception>
    public async Task<Classifier> ClassifierAsync(
        IReadOnlyList<string> labels,
        ClassifierOptions options,
        CancellationToken cancel
    )
    {
        var name = string.Join(
            '\0',
            [
                $"{Volatile.Read(ref lessons)}",
                .. labels,
                "",
                .. options.Templates,
                "",
                $"{options.MinPrecision:R} {options.Present:R}",
            ]
        );
        var known = classifiers.TryGetValue(name, out Classifier? classifier);
        measures.Cache("labels", known);
        if (known)
            return classifier!;
        if (own is not null)
            await own
                .Model.RunAsync(
                    _ =>
                    {
                        Model.Borrow(own.Model);
                        return true;
                    },
                    cancel
                )
                .ConfigureAwait(false);
        classifier = await Model.ClassifierAsync(labels, options, cancel).ConfigureAwait(false);
        Tower.HasImageTower = true;
        classifiers.Set(name, classifier, new MemoryCacheEntryOptions { Size = 1 });
        return classifier;
    }

    /// <summary>Looks whether the model in its folder was taught or calibrated, or either was taken out.</summary>
    public async Task LookAsync(ILogger log, CancellationToken cancel)
    {
        try
        {
            if (!Model.FolderMayHaveWords && Model.CalibrationState == calibration)
                return;
            if (await TookAsync(Model.LearnFromFolder, cancel).ConfigureAwait(false))
                ServerLog.WordsChanged(log, Title, Model.TaughtWords.Count);
            if (await TookAsync(TakeCalibration, cancel).ConfigureAwait(false))
                ServerLog.CalibrationChanged(log, Title, background is null ? "no" : "another");
            Trouble = null;
        }
        catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
        {
            if (Trouble != trouble.Message)
                ServerLog.FolderNotRead(log, Title, trouble.Message);
            Trouble = trouble.Message;
        }
    }

    /// <summary>Has something taken over; classifiers of before are then asked for no more.</summary>
    private async Task<bool> TookAsync(Func<bool> take, CancellationToken cancel)
    {
        var took = await Model.RunAsync(_ => take(), cancel).ConfigureAwait(false);
        if (took)
            Interlocked.Increment(ref lessons);
        return took;
    }

    private bool TakeCalibration()
    {
        if (!Model.TryReadCalibration(ref calibration, out var found))
            return false;
        background = found;
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await textTower.DisposeAsync().ConfigureAwait(false);
        await imageTower.DisposeAsync().ConfigureAwait(false);
        Model.TextMemory = null;
        Model.Dispose();
        texts.Dispose();
        pictures.Dispose();
        classifiers.Dispose();
        decoding.Dispose();
        room.Dispose();
    }

    /// <summary>The rows of texts; only those go through the tower that were not asked for lately.</summary>
    private Embeddings Remembered(IReadOnlyList<string> asked, Func<IReadOnlyList<string>, Embeddings> tower)
    {
        var size = Model.EmbeddingSize;
        var rows = new float[asked.Count * size];
        Dictionary<string, List<int>> missing = new(StringComparer.Ordinal);
        for (var i = 0; i < asked.Count; i++)
            if (texts.TryGetValue(asked[i], out float[]? row))
                row!.CopyTo(rows, i * size);
            else if (missing.TryGetValue(asked[i], out var places))
                places.Add(i);
            else
                missing.Add(asked[i], [i]);
        measures.Cache("texts", hit: true, asked.Count - missing.Count);
        measures.Cache("texts", hit: false, missing.Count);
        if (missing.Count == 0)
            return new(rows, size);
        string[] fresh = [.. missing.Keys];
        var made = measures.Tower("texts", fresh.Length, () => tower(fresh));
        foreach (var (i, text) in fresh.Index())
        {
            var row = made[i].ToArray();
            texts.Set(text, row, new MemoryCacheEntryOptions { Size = 1 });
            missing[text].ForEach(place => row.CopyTo(rows, place * size));
        }
        return new(rows, size);
    }

    private async Task<IReadOnlyList<Batcher<IReadOnlyList<string>, Embeddings>.Outcome>> EmbedTextsAsync(
        IReadOnlyList<IReadOnlyList<string>> asked,
        CancellationToken cancel
    )
    {
        string[] all = [.. asked.SelectMany(some => some)];
        var rows = await Model.RunAsync(stop => Model.EmbedTexts(all, null, stop), cancel).ConfigureAwait(false);
        List<Batcher<IReadOnlyList<string>, Embeddings>.Outcome> outcomes = [];
        var at = 0;
        foreach (var some in asked)
        {
            outcomes.Add(new(rows.Select([.. Enumerable.Range(at, some.Count)]), null));
            at += some.Count;
        }
        return outcomes;
    }

    private async Task<IReadOnlyList<Batcher<float[], float[]>.Outcome>> EmbedPicturesAsync(
        IReadOnlyList<float[]> pixels,
        CancellationToken cancel
    )
    {
        // One image tower for all languages, and each language's own way from it to the common size.
        var represented = await Tower
            .Model.RunAsync(
                _ =>
                    measures.Tower("pictures", pixels.Count, () =>
                        new Embeddings(Tower.Model.Represent(pixels), Tower.Model.Image.Tower.Width)
                    ),
                cancel
            )
            .ConfigureAwait(false);
        var zimg = await Model.RunAsync(_ => Model.ProjectImages(represented), cancel).ConfigureAwait(false);
        return
        [
            .. Enumerable
                .Range(0, pixels.Count)
                .Select(i => new Batcher<float[], float[]>.Outcome(zimg[i].ToArray(), null)),
        ];
    }
}
