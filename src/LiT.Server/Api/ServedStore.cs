using System.Globalization;
using LiT.Classification;
using LiT.Search;
using LiT.Stores;

namespace LiT.Server.Api;

/// <summary>One thing that is asked of a store.</summary>
/// <param name="Query">What is looked for.</param>
/// <param name="Given">zimg of pictures that were sent along, by what stands for them in Query.Like.</param>
/// <param name="Model">The model in the language of the words.</param>
internal sealed record StoreQuestion(Query Query, IReadOnlyDictionary<string, float[]> Given, ServedModel Model);

/// <summary>
/// A store that is open for requests. Questions that come at the same time pass over the rows together. When the
/// folder changes it is opened anew beside the old one; who is under way ends on what he began with.
/// </summary>
internal sealed class ServedStore : IAsyncDisposable
{
    private const int QuestionsAtOnce = 64,
        FewValues = 100;

    private readonly Batcher<StoreQuestion, SearchAnswer> questions;
    private readonly ServedModel model;
    private readonly Measures measures;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly Lock gate = new();
    private readonly Watch watch;
    private OpenedStore open;
    private string state;

    private ServedStore(
        string name,
        string folder,
        ServedModel model,
        Measures measures,
        TimeProvider time,
        ILogger log
    )
    {
        (Name, Folder, this.model, this.measures, this.time, this.log) = (name, folder, model, measures, time, log);
        state = StateOf(folder);
        open = OpenedStore.Of(folder, model.Model, time.GetUtcNow());
        questions = new(name, QuestionsAtOnce, measures, AnswerAsync);
        watch = new(time, LookAsync);
    }

    public string Name { get; }

    public string Folder { get; }

    /// <summary>Why what the folder holds now could not be opened; null where it could.</summary>
    public string? Trouble { get; private set; }

    /// <exception cref="LitException">No store is there, it is damaged, or another tower made it.</exception>
    public static Task<ServedStore> OpenAsync(
        string name,
        string folder,
        ServedModel model,
        Measures measures,
        TimeProvider time,
        ILogger log,
        CancellationToken cancel
    ) =>
        EmbeddingStore.IsStore(folder)
            ? model.Model.RunBesideAsync(_ => new ServedStore(name, folder, model, measures, time, log), cancel)
            : throw new LitException(
                folder,
                Directory.Exists(folder) ? "is no store of embeddings" : "there is no such folder",
                "Make a store of the pictures with `EmbedRun`, and name its folder"
            );

    /// <summary>What is open now, held until it is given back.</summary>
    public OpenedStore Hold()
    {
        lock (gate)
            return open.Hold();
    }

    /// <summary>Answers a question, together with those that wait.</summary>
    /// <exception cref="LitException">It cannot be answered; the message says why.</exception>
    public Task<SearchAnswer> FindAsync(StoreQuestion question, CancellationToken cancel) =>
        questions.AskAsync(question, cancel);

    public async ValueTask DisposeAsync()
    {
        await questions.DisposeAsync().ConfigureAwait(false);
        await watch.DisposeAsync().ConfigureAwait(false);
        lock (gate)
            open.Release();
    }

    /// <summary>Those of one language together, in one pass of its model.</summary>
    private async Task<IReadOnlyList<Batcher<StoreQuestion, SearchAnswer>.Outcome>> AnswerAsync(
        IReadOnlyList<StoreQuestion> asked,
        CancellationToken cancel
    )
    {
        if (asked.All(one => one.Model == asked[0].Model))
            return await AnswerAsync(asked[0].Model, asked, cancel).ConfigureAwait(false);
        var outcomes = new Batcher<StoreQuestion, SearchAnswer>.Outcome[asked.Count];
        foreach (var together in asked.Index().GroupBy(one => one.Item.Model))
        {
            int[] places = [.. together.Select(one => one.Index)];
            try
            {
                var answers = await AnswerAsync(together.Key, [.. together.Select(one => one.Item)], cancel)
                    .ConfigureAwait(false);
                foreach (var (place, answer) in places.Zip(answers))
                    outcomes[place] = answer;
            }
            catch (ObjectDisposedException gone) // a language that was let go, for which nobody waits any more
            {
                foreach (var place in places)
                    outcomes[place] = new(null, gone);
            }
        }
        return outcomes;
    }

    private Task<IReadOnlyList<Batcher<StoreQuestion, SearchAnswer>.Outcome>> AnswerAsync(
        ServedModel speaker,
        IReadOnlyList<StoreQuestion> asked,
        CancellationToken cancel
    ) =>
        speaker.Model.RunAsync<IReadOnlyList<Batcher<StoreQuestion, SearchAnswer>.Outcome>>(
            stop =>
            {
                using var now = Hold();
                Remember(speaker, asked, stop);
                PictureSearch search = new(speaker.Model, now.CollectionOf(speaker), speaker.Background, what =>
                    asked.Select(one => one.Given.GetValueOrDefault(what)).FirstOrDefault(one => one is not null)
                );
                return measures.Search(Name, asked.Count, () => Find(search, asked, stop));
            },
            cancel
        );

    /// <summary>Has the texts of all questions in one pass, for each to find them remembered.</summary>
    private static void Remember(ServedModel speaker, IReadOnlyList<StoreQuestion> asked, CancellationToken stop)
    {
        string[] texts =
        [
            .. asked
                .SelectMany(one => one.Query.Words.Concat(one.Query.Minus).Concat(one.Query.Without))
                .Select(one => PromptTemplates.Canonicalise(one.What))
                .Where(text => text.Length > 0)
                .Distinct(StringComparer.Ordinal),
        ];
        if (texts.Length > 0)
            speaker.Model.EmbedTexts(texts, null, stop);
    }

    /// <summary>All together; where one cannot be answered, each for itself, so that it alone is told.</summary>
    private static IReadOnlyList<Batcher<StoreQuestion, SearchAnswer>.Outcome> Find(
        PictureSearch search,
        IReadOnlyList<StoreQuestion> asked,
        CancellationToken stop
    )
    {
        try
        {
            return
            [
                .. search
                    .Find([.. asked.Select(one => one.Query)], null, stop)
                    .Select(answer => new Batcher<StoreQuestion, SearchAnswer>.Outcome(answer, null)),
            ];
        }
        catch (LitException trouble) when (asked.Count == 1)
        {
            return [new(null, trouble)];
        }
        catch (LitException)
        {
            return [.. asked.SelectMany(one => Find(search, [one], stop))];
        }
    }

    /// <summary>Opens the folder anew where it holds something else than before.</summary>
    private async Task LookAsync(CancellationToken cancel)
    {
        var now = StateOf(Folder);
        if (now == state)
            return;
        try
        {
            var fresh = await model
                .Model.RunBesideAsync(_ => OpenedStore.Of(Folder, model.Model, time.GetUtcNow()), cancel)
                .ConfigureAwait(false);
            OpenedStore before;
            lock (gate)
                (before, open) = (open, fresh);
            before.Release();
            (state, Trouble) = (now, null);
            ServerLog.StoreChanged(log, Name, fresh.Collection.Count);
        }
        catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
        {
            // Half a change, or a damaged one: what was open goes on, and the next look tries again.
            if (Trouble != trouble.Message)
                ServerLog.StoreNotChanged(log, Name, trouble.Message);
            Trouble = trouble.Message;
        }
    }

    /// <summary>
    /// Another text whenever the store is another one: its manifest is written last, by a rename. What comes without
    /// one is looked at file by file.
    /// </summary>
    private static string StateOf(string folder)
    {
        try
        {
            DirectoryInfo root = new(folder);
            var inside = root.EnumerateDirectories().SelectMany(one => one.EnumerateFileSystemInfos());
            FileInfo manifest = new(Path.Combine(folder, StoreFile.Name));
            DirectoryInfo index = new(StoreSegment.FolderOf(folder));
            IEnumerable<FileSystemInfo> watched =
                !manifest.Exists ? root.EnumerateFiles().Concat(inside)
                : index.Exists ? index.EnumerateFileSystemInfos().Prepend(manifest)
                : [manifest];
            return string.Join(
                '|',
                watched
                    .Where(one => !one.Name.StartsWith('.'))
                    .Select(one =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{one.FullName} {one.LastWriteTimeUtc.Ticks} {(one as FileInfo)?.Length}"
                        )
                    )
                    .Order(StringComparer.Ordinal)
            );
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>What can be said of it now.</summary>
    public StoreInfo Describe(bool hasPictures)
    {
        using var now = Hold();
        return new()
        {
            Name = Name,
            Pictures = now.Collection.Count,
            Skipped = now.Skipped,
            Indexed = now.Collection.IsIndexed,
            HasPictures = hasPictures,
            Since = now.Since,
            Trouble = Trouble,
            Columns = now.Columns(FewValues),
        };
    }
}

/// <summary>A store as it was when it was opened, closed when the last who holds it has given it back.</summary>
internal sealed class OpenedStore : IDisposable
{
    private readonly EmbeddingStore store;
    private readonly Lock describing = new();
    private readonly Dictionary<ServedModel, Collection> further = [];
    private IReadOnlyList<ColumnInfo>? columns;
    private int holders = 1;

    private OpenedStore(EmbeddingStore store, Collection collection, DateTimeOffset since) =>
        (this.store, Collection, Since) = (store, collection, since);

    public Collection Collection { get; }

    public DateTimeOffset Since { get; }

    public long? Skipped => store.Counts?.Skipped;

    /// <summary>Where its pictures came from; null where it does not say.</summary>
    public string? Source => store.Description?.Source;

    // Where it was changed meanwhile, what is not open yet may be gone.
    public static OpenedStore Of(string folder, LitModel model, DateTimeOffset since) =>
        StoreFile.Undisturbed(folder, () => Once(folder, model, since), stale: opened => opened.Release());

    private static OpenedStore Once(string folder, LitModel model, DateTimeOffset since)
    {
        var store = EmbeddingStore.Open(folder, wordsLater: StoreSegment.IsIndexed(folder));
        try
        {
            StoreFit.Check(store, model.Description.Image.Expected);
            return new(store, Collection.Of(model, store), since);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The pictures as a language's model compares them, which may bring rows to it by a head of its own.
    /// </summary>
    public Collection CollectionOf(ServedModel speaker)
    {
        if (!speaker.HasOwnRows)
            return Collection;
        lock (describing)
        {
            if (!further.TryGetValue(speaker, out var own))
                further.Add(speaker, own = Collection.Of(speaker.Model, store));
            return own;
        }
    }

    public OpenedStore Hold()
    {
        Interlocked.Increment(ref holders);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref holders) != 0)
            return;
        foreach (var own in further.Values)
            own.Dispose();
        Collection.Dispose();
        store.Dispose();
    }

    /// <summary>The same as <see cref="Release"/>, for who holds it with using.</summary>
    public void Dispose() => Release();

    /// <summary>What a filter may name, with the values where they are few.</summary>
    public IReadOnlyList<ColumnInfo> Columns(int few)
    {
        lock (describing)
            return columns ??= [
                .. Collection
                    .ColumnNames.Where(name => name is not ("key" or "origin"))
                    .Order(StringComparer.Ordinal)
                    .Select(name => Describe(name, few)),
            ];
    }

    private ColumnInfo Describe(string name, int few)
    {
        var column = Collection.Column(name)!;
        ColumnInfo plain = new() { Name = name, Kind = column.Kind.ToString().ToLowerInvariant() };
        switch (column.Kind)
        {
            case ColumnKind.Text when column.Distinct is { } texts && texts.Count <= few:
                return plain with { Values = [.. texts.Order(StringComparer.Ordinal)] };
            case ColumnKind.Number or ColumnKind.Date:
                var known = column
                    .Numbers.Where((number, i) => double.IsFinite(number) && Collection.Holds(i))
                    .DefaultIfEmpty(double.NaN)
                    .ToArray();
                var (least, most) = (known.Min(), known.Max());
                object? Value(double number) =>
                    !double.IsFinite(number) ? null
                    : column.Kind == ColumnKind.Number ? number
                    : Dates.Text(number);
                return plain with { Least = Value(least), Most = Value(most) };
            default:
                return plain;
        }
    }
}
