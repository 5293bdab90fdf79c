using LiT.Stores;

namespace LiT.Embedding;

/// <summary>
/// Pictures that were embedded before, by the hash of their bytes. Safe for use from several threads.
/// </summary>
internal sealed class KnownPictures : IDisposable
{
    private readonly List<EmbeddingStore> stores = [];

    /// <param name="description">What the rows must be.</param>
    /// <param name="folders">Stores, the first asked first.</param>
    /// <exception cref="LitException">One is no store, or of another tower, type or views.</exception>
    public KnownPictures(StoreDescription description, IEnumerable<string> folders)
    {
        try
        {
            foreach (var folder in folders)
            {
                stores.Add(EmbeddingStore.Open(folder));
                if (StoreFit.Difference(stores[^1].Description, description) is { } difference)
                    throw new LitException(
                        folder,
                        $"its rows cannot be taken over: {difference}",
                        "Reuse a store of the same tower, type and views"
                    );
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>
    /// Asks a folder too in which an update that was stopped left what it had embedded; one that is damaged or of
    /// another description is passed over.
    /// </summary>
    public void AddLeft(string folder, StoreDescription description)
    {
        try
        {
            var left = EmbeddingStore.Open(folder);
            if (StoreFit.Difference(left.Description, description) is null)
                stores.Add(left);
            else
                left.Dispose();
        }
        catch (LitException)
        {
            // Nothing was finished there.
        }
    }

    /// <summary>Whether there are any stores to ask.</summary>
    public bool Any => stores.Count > 0;

    /// <summary>The store and first row of a picture, or null.</summary>
    public (EmbeddingStore Store, long Row)? Find(byte[] sha256)
    {
        foreach (var store in stores)
            if (store.RowOf(sha256) is { } row)
                return (store, row);
        return null;
    }

    /// <summary>Closes the stores.</summary>
    public void Dispose()
    {
        foreach (var store in stores)
            store.Dispose();
        stores.Clear();
    }
}
