using System.Runtime.CompilerServices;
using LiT.Classification;
using LiT.Data;
using LiT.Embedding;
using LiT.Search;
using LiT.Stores;
using Microsoft.Extensions.Logging;

namespace LiT;

/// <summary>
/// Pictures that were embedded once by a model's tower, in a folder: brought up to date with whatever holds the
/// pictures, searched
/// by words, read row by row. Safe for use from several threads; searches go on, over what was there, while an update
/// runs. Needs
/// its model for as long as it is used.
/// </summary>
public sealed partial class PictureStore : IAsyncDisposable
{
    private const int RowsAtOnce = 1024;

    private readonly LitModel model;
    private readonly SemaphoreSlim updating = new(1);
    private readonly Lazy<Background?> background;
    private OpenStore? rows; // changed on the model's thread only
    private MeasuredIndex? index; // and this
    private long count;
    private volatile bool disposed;

    private PictureStore(string folder, LitModel model, EmbeddingStore? store)
    {
        (Folder, this.model) = (folder, model);
        background = new(() => model.Folder is { } bundle ? Background.Load(bundle) : null);
        Show(store);
    }

    /// <summary>The folder as it was given.</summary>
    public string Folder { get; }

    /// <summary>Pictures that can be found now; 0 before the first update is finished.</summary>
    public long Count => Volatile.Read(ref count);

    /// <summary>Opens a store, or the place where <see cref="UpdateAsync"/> will make one.</summary>
    /// <param name="folder">A store, finished or not, or a folder that is empty or not there.</param>
    /// <param name="model">The model whose tower made, or will make, the store.</param>
    /// <param name="cancel">Gives it up.</param>
    /// <exception cref="LitException">The store is damaged, or another tower made it.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public static Task<PictureStore> OpenAsync(string folder, LitModel model, CancellationToken cancel = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(model);
        return model.RunBesideAsync(_ => new PictureStore(folder, model, Opened(folder, model)), cancel);
    }

    /// <summary>
    /// Brings the store to what a source holds now, which costs what changed: pictures whose bytes the store has are
    /// taken over,
    /// new ones are embedded, gone ones go. Stopped, or killed, it goes on there the next time. One update runs at a
    /// time, a second
    /// one waits.
    /// </summary>
    /// <param name="source">
    /// Where the pictures are: a folder of pictures or of class folders, one with metadata.jsonl or metadata.csv,
    /// WebDataset
    /// archives, a .tsv, .csv or .parquet file.
    /// </param>
    /// <param name="progress">Told after every batch; the session's listener where null.</param>
    /// <param name="cancel">Stops after the batch under way; the store stays as it was.</param>
    /// <exception cref="LitException">The source cannot be read, most of it is bad, or the store cannot be
    /// written.</exception>
    /// <exception cref="ObjectDisposedException">The model, or this, was disposed.</exception>
    public async Task<StoreUpdate> UpdateAsync(
        string source,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        ObjectDisposedException.ThrowIf(disposed, this);
        await updating.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            var (result, store) = await model
                .RunBesideAsync(stop => Update(source, progress ?? model.Session.Progress, stop), cancel)
                .ConfigureAwait(false);
            try
            {
                await model.RunAsync(_ => Show(store), CancellationToken.None).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                store.Dispose(); // the model went in between; the update itself is done
                throw;
            }
            return new()
            {
                Pictures = result.Counts.Embedded,
                Embedded = result.EmbeddedNow,
                TakenOver = result.Reused,
                Moved = result.Moved,
                Removed = result.Removed,
                Skipped = result.Counts.Skipped,
                Elapsed = TimeSpan.FromSeconds(result.Seconds),
            };
        }
        finally
        {
            updating.Release();
        }
    }

    /// <summary>
    /// Searches by an index from now on, wherever a query does not say <see cref="Query.Exact"/>: the index names rows,
    /// and the rows themselves decide. It is brought to what the store holds, now and whenever the store has changed;
    /// how many rows it is asked for is measured with captions of the store, and again when the store has become a
    /// tenth larger or smaller. What was not measured or does not reach the recall is answered exactly.
    /// </summary>
    /// <param name="index">The index, which stays the caller's; null goes back to the store's own way.</param>
    /// <param name="recall">The share of the nearest pictures that is to be found, such as 0.99.</param>
    /// <param name="cancel">Gives it up; the store is searched as before.</param>
    /// <returns>The share of the nearest ten that was found, as was measured; 1 for the store's own way.</returns>
    /// <exception cref="LitException">The store holds nothing yet, or the index cannot be made.</exception>
    /// <exception cref="ObjectDisposedException">The model, or this, was disposed.</exception>
    public Task<double> UseAsync(IVectorIndex? index, double recall = 0.99, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(recall);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(recall, 1);
        ObjectDisposedException.ThrowIf(disposed, this);
        return model.RunAsync(
            stop =>
            {
                MeasuredIndex? measured = index is null ? null : new(index, recall);
                Asked(open => Indexed(open.Collection, measured, stop));
                this.index = measured;
                return measured?.Recall ?? 1;
            },
            cancel
        );
    }

    /// <summary>Finds pictures, the most similar first.</summary>
    /// <inheritdoc cref="FindAsync"/>
    public async IAsyncEnumerable<FoundPicture> SearchAsync(
        Query query,
        [EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        foreach (var found in (await FindAsync(query, cancel).ConfigureAwait(false)).Pictures)
            yield return found;
    }

    /// <summary>Finds pictures, the most similar first, and says how many were looked at and how surely.</summary>
    /// <param name="query">What is looked for.</param>
    /// <param name="cancel">Gives it up.</param>
    /// <exception cref="LitException">The store holds nothing yet, or the query cannot be answered; the message says
    /// why.</exception>
    /// <exception cref="ObjectDisposedException">The model, or this, was disposed.</exception>
    public async Task<FoundPictures> FindAsync(Query query, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        query.Check();
        ObjectDisposedException.ThrowIf(disposed, this);
        var answer = await model.RunAsync(stop => Find(query, stop), cancel).ConfigureAwait(false);
        return new(answer.Results)
        {
            NothingMatches = answer.NothingMatches,
            Searched = answer.Searched,
            Recall = answer.Recall,
            UnseenWords = answer.UnseenWords ?? [],
            UnreadWords = answer.UnreadWords ?? [],
        };
    }

    /// <summary>Reads every picture's row, in the store's order, as it is now: an update meanwhile changes nothing of
    /// it.</summary>
    /// <param name="cancel">Stops between two blocks of rows.</param>
    /// <exception cref="LitException">The store holds nothing yet.</exception>
    /// <exception cref="ObjectDisposedException">The model, or this, was disposed.</exception>
    public async IAsyncEnumerable<StoredPicture> ReadAsync([EnumeratorCancellation] CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        var open = await model.RunAsync(_ => Asked(now => now.Read()).Hold(), cancel).ConfigureAwait(false);
        try
        {
            for (var first = 0L; first < open.Pictures; first += RowsAtOnce)
            {
                var from = first;
                foreach (var one in await model.RunAsync(_ => Read(open, from), cancel).ConfigureAwait(false))
                    yield return one;
            }
        }
        finally
        {
            open.Release();
        }
    }

    /// <summary>Closes the store's files. The model stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        try
        {
            // An update under way ends by itself, or with its token; its rows are not shown any more.
            await model.RunAsync(_ => Show(null), CancellationToken.None).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            Show(null); // the model's thread has ended
        }
    }

    private static EmbeddingStore? Opened(string folder, LitModel model)
    {
        if (
            !EmbeddingStore.IsStore(folder)
            || StoreFile.Read(folder) is { Complete: false }
            || StoreFolder.SwitchIsUnderWay(folder)
        )
            return null; // what was stopped, or killed, the next update brings to its end
        var store = EmbeddingStore.Open(folder, wordsLater: StoreSegment.IsIndexed(folder));
        try
        {
            StoreFit.Check(store, model.Description.Image.Expected);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private (EmbedResult Result, EmbeddingStore Store) Update(
        string source,
        IProgress<ProgressStep>? progress,
        CancellationToken stop
    )
    {
        var result = EmbedRun.Run(
            model.Image,
            model.Description.Image.Tower,
            Samples.Open(source),
            Folder,
            new EmbedOptions { Update = true },
            model.Compute,
            progress,
            stop
        );
        StoreIndex.BuildMissing(Folder, model, stop);
        return (result, EmbeddingStore.Open(Folder, wordsLater: StoreSegment.IsIndexed(Folder)));
    }

    private SearchAnswer Find(Query query, CancellationToken stop)
    {
        var answer = Asked(open =>
            new PictureSearch(model, Indexed(open.Collection, index, stop), background.Value).Find(query, stop)
        );
        foreach (var one in answer.Unknown)
            Unknown(model.Session.Logger, one.Text, one.Why);
        return answer;
    }

    // The index learns of a store that has changed when it is asked for the first time.
    private Collection Indexed(Collection collection, MeasuredIndex? by, CancellationToken stop)
    {
        if (collection.Index == by)
            return collection;
        by?.Update(model, collection, stop);
        collection.Index = by;
        return collection;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "No precision is promised for '{Words}': {Why}")]
    private static partial void Unknown(ILogger logger, string words, string why);

    private List<StoredPicture> Read(OpenStore open, long first)
    {
        var store = open.Store;
        var here = new long[Math.Min(RowsAtOnce, open.Pictures - first)];
        for (var i = 0; i < here.Length; i++)
            here[i] = (first + i) * store.Views;
        var values = new float[here.Length * store.EmbeddingSize];
        store.ReadRows(here, values, ownLength: true);
        var zimg = model.ProjectImages(new(values, store.EmbeddingSize));
        return
        [
            .. here.Select(
                (row, i) =>
                    new StoredPicture
                    {
                        Key = store.Key(row),
                        Origin = store.Origin(row),
                        Captions = store.Captions(row),
                        Label = store.Label(row),
                        Embedding = zimg.Values.AsMemory(i * zimg.Size, zimg.Size),
                    }
            ),
        ];
    }

    /// <summary>
    /// The store as it is now: what another program has changed since the last question is seen by this one.
    /// </summary>
    private OpenStore Rows()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (
            (rows is null || rows.Store.Generation != StoreFile.GenerationOf(Folder))
            && Opened(Folder, model) is { } fresh
        )
            Show(fresh);
        return rows
            ?? throw new LitException(
                $"{Folder}: holds no pictures yet. Call UpdateAsync with the place where the "
                    + "pictures are, and wait for it."
            );
    }

    /// <summary>Asks the store as it is now.</summary>
    private T Asked<T>(Func<OpenStore, T> ask) => StoreFile.Undisturbed(Folder, () => ask(Rows()));

    private bool Show(EmbeddingStore? store)
    {
        var before = rows;
        if (disposed)
        {
            store?.Dispose();
            store = null;
        }
        rows = store is null ? null : new OpenStore(model, store);
        Volatile.Write(ref count, rows?.Pictures ?? 0);
        before?.Release();
        return true;
    }

    /// <summary>An open store that is closed when the last of its readers has done.</summary>
    private sealed class OpenStore(LitModel model, EmbeddingStore store)
    {
        private readonly Lazy<Collection> collection = new(() => Collection.Of(model, store));
        private int holders = 1;

        public Collection Collection => collection.Value;

        public EmbeddingStore Store => store;

        public long Pictures { get; } = store.Rows / store.Views;

        /// <summary>Reads what is said of the pictures, so that all of this state is at hand.</summary>
        public OpenStore Read()
        {
            _ = store.Metadata;
            return this;
        }

        public OpenStore Hold()
        {
            Interlocked.Increment(ref holders);
            return this;
        }

        public void Release()
        {
            if (Interlocked.Decrement(ref holders) != 0)
                return;
            if (collection.IsValueCreated)
                collection.Value.Dispose();
            store.Dispose();
        }
    }
}
