using Microsoft.Extensions.VectorData;

namespace LiT.VectorData;

/// <summary>
/// Collections of records that each have a picture, as <c>Microsoft.Extensions.VectorData</c> knows them: every
/// collection is a store in a folder of its own, which the command line and <see cref="PictureStore"/> open, too. Found
/// by words, by pictures and by embeddings. Safe for use from several threads. Needs its model for as long as it is
/// used.
/// </summary>
/// <param name="folder">Holds the collections.</param>
/// <param name="model">Embeds pictures and words.</param>
public sealed class PictureVectorStore(string folder, LitModel model) : VectorStore
{
    private const string SystemName = "lit";

    internal static VectorStoreException Trouble(string collection, string operation, Exception inner) =>
        new(inner.Message, inner)
        {
            VectorStoreSystemName = SystemName,
            CollectionName = collection,
            OperationName = operation,
        };

    internal static VectorStoreCollectionMetadata Metadata(string collection) =>
        new() { VectorStoreSystemName = SystemName, CollectionName = collection };

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The record is a dictionary, the key no text, or a property of a type
    /// that is not stored.</exception>
    public override VectorStoreCollection<TKey, TRecord> GetCollection<TKey, TRecord>(
        string name,
        VectorStoreCollectionDefinition? definition = null
    ) =>
        typeof(TRecord) == typeof(Dictionary<string, object?>)
            ? throw new NotSupportedException("Dictionaries are the records of GetDynamicCollection.")
            : new PictureCollection<TKey, TRecord>(
                FolderOf(name),
                name,
                model,
                new RecordModel().Build(typeof(TRecord), typeof(TKey), definition, model.Images)
            );

    /// <inheritdoc/>
    public override VectorStoreCollection<object, Dictionary<string, object?>> GetDynamicCollection(
        string name,
        VectorStoreCollectionDefinition definition
    ) =>
        new PictureCollection<object, Dictionary<string, object?>>(
            FolderOf(name),
            name,
            model,
            new RecordModel().BuildDynamic(definition, model.Images)
        );

    /// <inheritdoc/>
    public override async IAsyncEnumerable<string> ListCollectionNamesAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await Task.CompletedTask.ConfigureAwait(false);
        if (!Directory.Exists(folder))
            yield break;
        foreach (var path in Directory.EnumerateFiles(folder, $"*{RecordFolder.Marker}").Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return Path.GetFileName(path)[..^RecordFolder.Marker.Length];
        }
    }

    /// <inheritdoc/>
    public override Task<bool> CollectionExistsAsync(string name, CancellationToken cancellationToken = default) =>
        Task.FromResult(RecordFolder.Exists(FolderOf(name)));

    /// <inheritdoc/>
    public override Task EnsureCollectionDeletedAsync(string name, CancellationToken cancellationToken = default)
    {
        RecordFolder.Delete(FolderOf(name));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(VectorStoreMetadata)
                ? new VectorStoreMetadata { VectorStoreSystemName = SystemName, VectorStoreName = folder }
            : serviceType == typeof(LitModel) ? model
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    private string FolderOf(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name is "." or ".." || name.AsSpan().IndexOfAny(Path.GetInvalidFileNameChars()) >= 0 || name.Contains('\\'))
            throw new ArgumentException($"'{name}' is no name of a folder.", nameof(name));
        return Path.Combine(folder, name);
    }
}
