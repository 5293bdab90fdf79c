using LiT.Classification;
using LiT.Compute;
using LiT.Embedding;
using LiT.Stores;

namespace LiT.Search;

/// <summary>A collection that was opened from a path: a store, or pictures, which are embedded first.</summary>
internal sealed class SearchedData : IDisposable
{
    private readonly EmbeddingStore? store;

    private SearchedData(Collection collection, EmbeddingStore? store) =>
        (Collection, this.store) = (collection, store);

    public Collection Collection { get; }

    /// <summary>What became of the rows of a file of captions; none where none was given.</summary>
    public IReadOnlyList<string> Remarks { get; private init; } = [];

    /// <param name="model">The model that asks.</param>
    /// <param name="path">A store, or any form of data.</param>
    /// <param name="images">How pictures are read that are not embedded yet.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="LitException">The data cannot be used with this model.</exception>
    public static SearchedData Open(
        LitModel model,
        string path,
        ImageSetOptions images,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        if (!EmbeddingStore.IsStore(path))
        {
            using var set = ImageSet.Load(
                path,
                model.Description.Image.Expected,
                () => model.Image,
                images,
                compute,
                progress,
                cancel
            );
            ColumnFile columns = new(ColumnFile.Of(set.Samples), path);
            return new(Collection.Of(model.ProjectImages(set.ReadAll()), columns), null) { Remarks = set.Remarks };
        }
        var given = images.Samples.Given();
        var store = EmbeddingStore.Open(path, wordsLater: StoreSegment.IsIndexed(path));
        try
        {
            StoreFit.Check(store, model.Description.Image.Expected);
            var collection = Collection.Of(model, store);
            if (given is null)
                return new(collection, store);
            collection.Say(given);
            return new(collection, store) { Remarks = [.. given.InWords(path)] };
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Asks, and says what became of a file of captions.</summary>
    public static IReadOnlyList<SearchAnswer> Find(
        LitModel model,
        string path,
        IReadOnlyList<Query> queries,
        Background? background,
        ImageSetOptions images,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default,
        Action<string>? remark = null
    )
    {
        return StoreFile.Undisturbed(path, Asked);

        IReadOnlyList<SearchAnswer> Asked()
        {
            using var data = Open(model, path, images, compute, progress, cancel);
            var answers = new PictureSearch(model, data.Collection, background).Find(queries, progress, cancel);
            foreach (var one in data.Remarks)
                remark?.Invoke(one);
            return answers;
        }
    }

    public void Dispose()
    {
        Collection.Dispose();
        store?.Dispose();
    }
}
