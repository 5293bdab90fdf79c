using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Data;
using LiT.Files;
using LiT.Search;
using LiT.Stores;

namespace LiT.VectorData;

/// <summary>A record on its way into a store.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Sample">What is said of it.</param>
/// <param name="Picture">Its size and hash.</param>
/// <param name="Row">What the image tower gave.</param>
internal sealed record RecordRow(string Key, Sample Sample, EmbeddedPicture Picture, float[] Row);

/// <summary>
/// A collection's folder, a store as soon as there is a record, with a file beside it that says that there is one.
/// Records come and go as changes of the store, all of a call at once. Not safe for several threads; several programs
/// may use one folder.
/// </summary>
internal sealed class RecordFolder(string folder, LitModel model) : IDisposable
{
    /// <summary>The column that holds a record's values.</summary>
    public const string Record = "record";

    /// <summary>The end of the name of the file, beside the folder, that says that there is a collection.</summary>
    public const string Marker = ".collection.json";

    private const int MostTries = 20;
    private EmbeddingStore? store;
    private Collection? collection;

    public static bool Exists(string folder) => File.Exists(folder + Marker);

    public static void Create(string folder)
    {
        if (!Exists(folder))
            AtomicFile.WriteAllBytes(
                folder + Marker,
                JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["records"] = 1 })
            );
    }

    public static void Delete(string folder)
    {
        if (!Exists(folder))
            return;
        File.Delete(folder + Marker);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>The records as they are now; null where there are none.</summary>
    public Collection? Open()
    {
        if (!EmbeddingStore.IsStore(folder))
        {
            Dispose();
            return null;
        }
        if (store is not null && StoreFile.Read(folder)?.Generation == store.Generation)
            return collection;
        Dispose();
        store = EmbeddingStore.Open(folder);
        StoreFit.Check(store, model.Description.Image.Expected);
        return collection = Collection.Of(model, store);
    }

    /// <summary>Puts records in, in the place of those of their keys, and takes others out.</summary>
    /// <exception cref="LitException">The disk is full, or another tower made the store.</exception>
    public void Change(IReadOnlyList<RecordRow> come, IReadOnlyCollection<string> go, CancellationToken cancel)
    {
        Create(folder);
        if (!EmbeddingStore.IsStore(folder))
        {
            if (come.Count == 0)
                return;
            using var writer = EmbeddingStoreWriter.Open(folder, Description());
            writer.Write(come.Select(one => (one.Sample, one.Picture, one.Row)));
            return;
        }
        for (var tries = 0; tries < MostTries; tries++)
            if (TryChange(come, go, cancel))
                return;
        throw new LitException(folder, "is changed by another program all the time", "Try once more");
    }

    public void Dispose()
    {
        collection?.Dispose();
        store?.Dispose();
        (collection, store) = (null, null);
    }

    private bool TryChange(IReadOnlyList<RecordRow> come, IReadOnlyCollection<string> go, CancellationToken cancel)
    {
        var there = Open()!;
        using var locked = StoreFolder.LockUpdate(folder);
        StoreAddition? added = null;
        if (come.Count > 0)
        {
            added = new(StoreAddition.NextIn(StoreFolder.UpdatePath(folder)), Description());
            foreach (var one in come)
                if (!added.Append(one.Sample, one.Picture, one.Row))
                    throw new LitException(one.Key, "its embedding is not finite", "Leave the picture out");
        }
        using (added)
        {
            StoreChange change = new(store!) { Added = added };
            foreach (var key in go.Concat(come.Select(one => one.Key)))
                if (there.Find(key) is { } picture)
                    change.Remove(RowOf(picture));
            var done = change.IsEmpty || change.Commit(cancel) is not null;
            StoreFolder.ClearUpdate(folder);
            return done;
        }
    }

    // The store counts pictures that are there, a collection all that are in its files.
    private long RowOf(long picture)
    {
        var (part, row) = collection![picture];
        var before = collection.Live is { } live ? live.Before(picture) : part.First + row;
        return before * store!.Views;
    }

    private StoreDescription Description() =>
        new()
        {
            Fingerprint = model.Image.Fingerprint,
            Tower = model.Name,
            Preprocessing = JsonNode.Parse(model.Image.Preprocessing.ToJson()),
            EmbeddingSize = model.Image.Tower.Width,
            Source = folder,
        };
}
