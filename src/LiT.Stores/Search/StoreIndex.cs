using LiT.Files;
using LiT.Stores;

namespace LiT.Search;

/// <summary>What an index holds (field names as in the JSON).</summary>
/// <param name="Found">Samples that the source held: indexed + skipped + removed.</param>
/// <param name="Indexed">Pictures that can be found.</param>
/// <param name="Skipped">Samples that could not be used.</param>
/// <param name="Segments">Files of rows.</param>
/// <param name="WithCodes">Those that have codes.</param>
/// <param name="WithColumns">Those whose columns are in a file.</param>
/// <param name="Bytes">What the index takes on the disk.</param>
internal sealed record IndexStatus(
    long Found,
    long Indexed,
    long Skipped,
    int Segments,
    int WithCodes,
    int WithColumns,
    long Bytes
)
{
    /// <summary>Pictures that were found once and are not in the store any more; a compaction forgets them.</summary>
    public long Removed { get; init; }

    /// <summary>The lists; null where there are none.</summary>
    public ListStatus? Lists { get; init; }
}

/// <summary>What lists there are.</summary>
/// <param name="Lists">How many.</param>
/// <param name="Segments">Files of rows that are in lists; the others are gone over whole.</param>
/// <param name="Visited">How many a search for the nearest ten visits.</param>
/// <param name="Recall">What was measured for it.</param>
/// <param name="Queries">With so many queries.</param>
/// <param name="Captions">Whether these were captions; otherwise rows.</param>
/// <param name="TrainedOn">Pictures that there were when the lists were made.</param>
internal sealed record ListStatus(
    int Lists,
    int Segments,
    int Visited,
    double Recall,
    int Queries,
    bool Captions,
    long TrainedOn
)
{
    public static ListStatus? Of(Lists? lists) =>
        lists is { Centres: { Visits: [var first, ..] } centres }
            ? new(
                centres.Count,
                lists.Listed,
                first.Visited,
                first.Recall,
                centres.Queries,
                centres.WithCaptions,
                centres.TrainedOn
            )
            : null;
}

/// <summary>What was verified.</summary>
/// <param name="Pictures">Pictures whose codes were made anew and compared.</param>
/// <param name="Queries">Queries that were answered both ways.</param>
/// <param name="Recall">Share of the nearest ten that the index finds.</param>
internal sealed record IndexVerified(long Pictures, int Queries, double Recall)
{
    /// <summary>Share of the nearest ten that the lists find now; null where there are none.</summary>
    public double? ListRecall { get; init; }

    /// <summary>What was measured when the lists were made.</summary>
    public double? PromisedRecall { get; init; }
}

/// <summary>Makes, looks at and verifies what a store is searched by: codes and columns beside its rows.</summary>
internal static class StoreIndex
{
    private const int Nearby = 10;

    /// <summary>Makes the codes and columns that are missing, damaged, or of rows that are not there any
    /// more.</summary>
    /// <param name="folder">A finished store.</param>
    /// <param name="model">
    /// The model that will ask, which matters where it has an image head: its rows are other ones. Null for any
    /// without.
    /// </param>
    /// <param name="progress">Told after every segment.</param>
    /// <param name="cancel">Stops between two segments; those that are made stay.</param>
    /// <returns>Segments that were made now.</returns>
    /// <exception cref="LitException">No store, a row that is not finite, another program builds, or the disk is
    /// full.</exception>
    public static int Build(
        string folder,
        LitModel? model = null,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    ) => StoreFile.Undisturbed(folder, () => Build(folder, model, whole: true, progress, cancel));

    /// <summary>
    /// Makes the codes of what has come since, of rows behind a model's image head, where there are such codes.
    /// </summary>
    public static void BuildMissing(string folder, LitModel model, CancellationToken cancel)
    {
        var projection = Collection.Projection(model);
        if (projection.Length > 0 && StoreSegment.IsIndexed(folder, projection))
            Build(folder, model, whole: false, null, cancel);
    }

    private static int Build(
        string folder,
        LitModel? model,
        bool whole,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        using var store = EmbeddingStore.Open(folder, wordsLater: true);
        if (model is not null)
            StoreFit.Check(store, model.Description.Image.Expected);
        using var writing = FolderLock.Take(StoreSegment.FolderOf(folder));
        AtomicFile.RemoveLeft(StoreSegment.FolderOf(folder));
        var projection = model is null ? [] : Collection.Projection(model);
        var segments = StoreSegment.Of(store, projection, whole);
        var made = 0;
        try
        {
            var done = 0L;
            foreach (var segment in segments)
            {
                cancel.ThrowIfCancellationRequested();
                if (segment.Codes is null || !segment.HasColumns)
                {
                    var part = Collection.PartOf(model, store, segment);
                    segment.Build(
                        projection,
                        projection.Length == 0 ? store.EmbeddingSize : model!.Description.EmbeddingSize,
                        (first, count, to) => part.Read([.. Enumerable.Range(first, count)], to.Span)
                    );
                    made++;
                }
                done += segment.Pictures;
                progress?.Report(new("indexing", done, store.Rows / store.Views, "pictures"));
            }
        }
        finally
        {
            segments.ForEach(segment => segment.Dispose());
        }
        StoreSegment.Tidy(folder);
        return made;
    }

    /// <summary>What there is.</summary>
    public static IndexStatus Status(string folder, LitModel? model = null)
    {
        using var store = EmbeddingStore.Open(folder, wordsLater: true);
        var segments = StoreSegment.Of(store, model is null ? [] : Collection.Projection(model), whole: true);
        try
        {
            var (indexed, skipped, removed) = (
                store.Rows / store.Views,
                store.Counts?.Skipped ?? 0,
                store.Removed.Count
            );
            using var collection = Collection.Of(model, store);
            return new(
                indexed + skipped + removed,
                indexed,
                skipped,
                segments.Count,
                segments.Count(segment => segment.Codes is not null),
                segments.Count(segment => segment.HasColumns),
                StoreSegment.IsIndexed(folder)
                    ? new DirectoryInfo(StoreSegment.FolderOf(folder))
                        .EnumerateFiles("*.bin", SearchOption.AllDirectories)
                        .Sum(file => file.Length)
                    : 0
            )
            {
                Removed = removed,
                Lists = ListStatus.Of(collection.Lists),
            };
        }
        finally
        {
            segments.ForEach(segment => segment.Dispose());
        }
    }

    /// <summary>
    /// Checks every byte of the index, makes the codes of a sample anew from the rows, and answers queries both by
    /// the index and by
    /// going over the rows.
    /// </summary>
    /// <param name="model">With it, captions of the store are the queries; without, rows of it.</param>
    /// <param name="store">An open store.</param>
    /// <param name="pictures">Pictures whose codes are made anew, about.</param>
    /// <param name="queries">Queries.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="LitException">A file is damaged, or a code is not what its row says.</exception>
    public static IndexVerified Verify(
        LitModel? model,
        EmbeddingStore store,
        int pictures,
        int queries,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        using var collection = Collection.Of(model, store);
        foreach (var part in collection.Parts)
        {
            part.Codes?.Verify();
            part.Columns.Verify();
        }
        if (collection.Parts.All(part => part.Codes is null))
            throw new LitException(store.Folder, "has no codes", "Run `StoreIndex` on it first");
        var compared = 0L;
        var step = Math.Max(1, collection.Pictures / Math.Max(1, pictures));
        for (var picture = 0L; picture < collection.Pictures; picture += step, compared++)
        {
            cancel.ThrowIfCancellationRequested();
            CheckCode(collection, picture);
        }
        var (asked, _) = Queries(model, collection, queries, 0, cancel);
        var by = Nearest.Find(collection, asked, Nearby, null, progress, cancel);
        var plain = Nearest.Find(collection, asked, Nearby, null, progress, cancel, withCodes: false);
        var recall = by.Zip(plain)
            .Average(both =>
                both.First.Select(one => one.Picture).Intersect(both.Second.Select(one => one.Picture)).Count()
                / (double)Math.Max(1, both.Second.Length)
            );
        if (collection.Lists is not { Centres.Visits: [var visits, ..] } lists)
            return new(compared, asked.Count, recall);
        return new(compared, asked.Count, recall)
        {
            ListRecall = ListIndex.Recall(collection, lists, asked, visits, cancel),
            PromisedRecall = visits.Recall,
        };
    }

    private static unsafe void CheckCode(Collection collection, long picture)
    {
        var (part, row) = collection[picture];
        if (part.Codes is not { } codes)
            return;
        var values = new float[collection.Size];
        part.Read([row], values);
        var length = Math.Sqrt(Exactly.Dot(values, values));
        var off = 0.0;
        for (var k = 0; k < values.Length; k++)
            off += Math.Pow(
                (length > 0 ? values[k] / length : 0)
                    - (double)codes.Scales[row] * codes.Codes[(long)row * codes.Width + k],
                2
            );
        if (!(Math.Sqrt(off) <= codes.Errors[row] + 1e-5))
            throw new LitException(
                codes.Path,
                $"the codes of row {row:N0} are not those of the row {collection.Key(picture)}",
                "Run `StoreIndex` on the store"
            );
    }

    /// <summary>Captions of pictures here and there in the store, or rows where there is no model or no caption.
    /// </summary>
    /// <param name="model">Its text tower reads the captions.</param>
    /// <param name="collection">The store.</param>
    /// <param name="count">So many at most.</param>
    /// <param name="phase">From 0 to 1: others of the pictures.</param>
    /// <param name="cancel">Gives it up.</param>
    public static (Embeddings Queries, bool Captions) Queries(
        LitModel? model,
        Collection collection,
        int count,
        double phase,
        CancellationToken cancel
    )
    {
        var step = Math.Max(1, collection.Pictures / Math.Max(1, count));
        long[] some =
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => i * step + (long)(phase * step))
                .TakeWhile(picture => picture < collection.Pictures)
                .Where(picture => collection.Live?[picture] != false),
        ];
        string[] captions =
        [
            .. some.Select(picture => collection[picture] is var (part, row) ? part.Columns.Texts("captions", row) : [])
                .Select(texts => texts.FirstOrDefault(text => text.Length > 0))
                .OfType<string>(),
        ];
        return model is not null && captions.Length > 0
            ? (model.EmbedTexts(captions, null, cancel), true)
            : (collection.Read(some), false);
    }
}
