using System.Linq.Expressions;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Classification;
using LiT.Data;
using LiT.Images;
using LiT.Search;
using LiT.Stores;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Microsoft.Extensions.VectorData.ProviderServices;

namespace LiT.VectorData;

/// <summary>
/// Records with a picture each. Upserted, they go through the model's image tower into a store; they are found by
/// words, by pictures, or by embeddings of the model. Safe for use from several threads.
/// </summary>
/// <typeparam name="TKey">Of text, or a Guid, which is made where a record has none.</typeparam>
/// <typeparam name="TRecord">
/// A class with a key, values, and one <see cref="DataContent"/> (a picture). Where the model has no image head it may
/// be an embedding, too.
/// </typeparam>
public sealed class PictureCollection<TKey, TRecord> : VectorStoreCollection<TKey, TRecord>
    where TKey : notnull
    where TRecord : class
{
    private const int PicturesAtOnce = 32;
    private readonly string folder,
        name;
    private readonly LitModel model;
    private readonly CollectionModel properties;
    private readonly RecordFolder records;
    private readonly SemaphoreSlim one = new(1);
    private (Collection Of, TRecord?[] All)? read;

    internal PictureCollection(string folder, string name, LitModel model, CollectionModel properties)
    {
        (this.folder, this.name, this.model, this.properties) = (folder, name, model, properties);
        records = new(folder, model);
    }

    /// <inheritdoc/>
    public override string Name => name;

    private VectorPropertyModel Vector => properties.VectorProperty;

    private bool HoldsPictures => Vector.Type == typeof(DataContent);

    /// <inheritdoc/>
    public override Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult(RecordFolder.Exists(folder));

    /// <inheritdoc/>
    public override Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default) =>
        AloneAsync("EnsureCollectionExists", _ => Done(() => RecordFolder.Create(folder)), cancellationToken);

    /// <inheritdoc/>
    public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default) =>
        AloneAsync(
            "EnsureCollectionDeleted",
            _ =>
                Done(() =>
                {
                    records.Dispose();
                    read = null;
                    RecordFolder.Delete(folder);
                }),
            cancellationToken
        );

    /// <inheritdoc/>
    public override Task UpsertAsync(TRecord record, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        return UpsertAsync([record], cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="VectorStoreException">A picture cannot be read, or the store cannot be written.</exception>
    public override Task UpsertAsync(IEnumerable<TRecord> records, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(records);
        TRecord[] all = [.. records];
        return all.Length == 0
            ? Task.CompletedTask
            : AloneAsync("Upsert", cancel => Done(() => this.records.Change(Rows(all), [], cancel)), cancellationToken);
    }

    /// <inheritdoc/>
    public override Task DeleteAsync(TKey key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return DeleteAsync([key], cancellationToken);
    }

    /// <inheritdoc/>
    public override Task DeleteAsync(IEnumerable<TKey> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        string[] all = [.. keys.Select(KeyOf).Distinct()];
        return all.Length == 0 || !RecordFolder.Exists(folder)
            ? Task.CompletedTask
            : AloneAsync("Delete", cancel => Done(() => records.Change([], all, cancel)), cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task<TRecord?> GetAsync(
        TKey key,
        RecordRetrievalOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(key);
        var text = KeyOf(key);
        Refuse(options?.IncludeVectors);
        return await AloneAsync(
                "Get",
                _ =>
                    records.Open() is { } there && there.Find(text) is { } picture
                        ? Read(there, picture, options?.IncludeVectors == true)
                        : null,
                cancellationToken
            )
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The filter holds what is not supported.</exception>
    public override async IAsyncEnumerable<TRecord> GetAsync(
        Expression<Func<TRecord, bool>> filter,
        int top,
        FilteredRecordRetrievalOptions<TRecord>? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(top, 1);
        options ??= new();
        Refuse(options.IncludeVectors);
        var holds = RecordFilter.Of(filter, properties);
        var order = options.OrderBy?.Invoke(new()).Values ?? [];
        var found = await AloneAsync(
                "Get",
                _ =>
                {
                    if (records.Open() is not { } there)
                        return [];
                    var all = All(there);
                    var some = Held(there, holds, all).AsEnumerable();
                    IOrderedEnumerable<long>? ordered = null;
                    foreach (var by in order)
                    {
                        var property = properties.GetDataOrKeyProperty(by.PropertySelector);
                        object? Value(long picture) => property.GetValueAsObject(all[picture]!);
                        ordered = (ordered, by.Ascending) switch
                        {
                            (null, true) => some.OrderBy(Value),
                            (null, false) => some.OrderByDescending(Value),
                            (_, true) => ordered.ThenBy(Value),
                            _ => ordered.ThenByDescending(Value),
                        };
                    }
                    return (ordered ?? some)
                        .Skip(options.Skip)
                        .Take(top)
                        .Select(picture => Read(there, picture, options.IncludeVectors))
                        .ToArray();
                },
                cancellationToken
            )
            .ConfigureAwait(false);
        foreach (var record in found!)
            yield return record;
    }

    /// <inheritdoc/>
    /// <param name="searchValue">Words, a picture (<see cref="DataContent"/>), or an embedding of the model.</param>
    /// <param name="top">Records at most.</param>
    /// <param name="options">A filter, how many to pass over, the least similarity.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="NotSupportedException">The value or the filter is not supported.</exception>
    public override async IAsyncEnumerable<VectorSearchResult<TRecord>> SearchAsync<TInput>(
        TInput searchValue,
        int top,
        VectorSearchOptions<TRecord>? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(searchValue);
        ArgumentOutOfRangeException.ThrowIfLessThan(top, 1);
        options ??= new();
        Refuse(options.IncludeVectors);
        properties.GetVectorPropertyOrSingle(options);
        var holds = options.Filter is { } filter ? RecordFilter.Of(filter, properties) : null;
        var found = await AloneAsync(
                "Search",
                cancel =>
                {
                    var query = Query(searchValue, cancel);
                    if (records.Open() is not { } there)
                        return [];
                    var allowed = holds is null ? null : Bits.Of(there.Pictures, Held(there, holds, All(there)));
                    var kept = (int)Math.Min(int.MaxValue, (long)top + options.Skip);
                    return Nearest
                        .Find(there, new(query, query.Length), kept, allowed, null, cancel)[0]
                        .Skip(options.Skip)
                        .Where(near => options.ScoreThreshold is not { } least || near.Similarity >= least)
                        .Select(near => new VectorSearchResult<TRecord>(
                            Read(there, near.Picture, options.IncludeVectors),
                            near.Similarity
                        ))
                        .ToArray();
                },
                cancellationToken
            )
            .ConfigureAwait(false);
        foreach (var result in found!)
            yield return result;
    }

    /// <inheritdoc/>
    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(VectorStoreCollectionMetadata) ? PictureVectorStore.Metadata(name)
            : serviceType == typeof(LitModel) ? model
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            records.Dispose();
            one.Dispose();
        }
        base.Dispose(disposing);
    }

    private static object? Done(Action work)
    {
        work();
        return null;
    }

    // On the model's own thread, one after the other; trouble is the platform's.
    private async Task<T?> AloneAsync<T>(string operation, Func<CancellationToken, T?> work, CancellationToken cancel)
    {
        await one.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            return await model.RunAsync(work, cancel).ConfigureAwait(false);
        }
        catch (LitException trouble)
        {
            throw PictureVectorStore.Trouble(name, operation, trouble);
        }
        finally
        {
            one.Release();
        }
    }

    private void Refuse(bool? includeVectors)
    {
        if (includeVectors == true && HoldsPictures)
            throw new NotSupportedException(
                "The store keeps what the tower made of a picture and not the picture: leave IncludeVectors out."
            );
    }

    private static string KeyOf(TKey key) =>
        InWords(key) ?? throw new NotSupportedException($"A key of {key.GetType().Name}: pictures have keys of text.");

    private static string? InWords(object? key) => key is Guid guid ? guid.ToString("D") : key as string;

    private List<long> Held(Collection there, Func<TRecord, bool> holds, TRecord?[] all)
    {
        List<long> held = [];
        for (var picture = 0L; picture < all.Length; picture++)
            if (there.Holds(picture) && all[picture] is { } record && holds(record))
                held.Add(picture);
        return held;
    }

    private TRecord?[] All(Collection there)
    {
        if (read is { } known && known.Of == there)
            return known.All;
        var all = new TRecord?[there.Pictures];
        for (var picture = 0L; picture < all.Length; picture++)
            if (there.Holds(picture))
                all[picture] = Read(there, picture, false);
        read = (there, all);
        return all;
    }

    private TRecord Read(Collection there, long picture, bool includeVectors)
    {
        var record = properties.CreateRecord<TRecord>()!;
        var key = there.Key(picture);
        properties.KeyProperty.SetValueAsObject(
            record,
            properties.KeyProperty.Type == typeof(Guid) ? Guid.Parse(key) : key
        );
        using var said = JsonDocument.Parse(there.Text(RecordFolder.Record, picture) ?? "{}");
        foreach (var property in properties.DataProperties)
            property.SetValueAsObject(
                record,
                said.RootElement.TryGetProperty(property.StorageName, out var value)
                    ? value.Deserialize(property.Type)
                    : null
            );
        if (!includeVectors)
            return record;
        var row = there.Read([picture])[0].ToArray();
        Vector.SetValueAsObject(
            record,
            Vector.Type == typeof(float[]) ? row
                : (Nullable.GetUnderlyingType(Vector.Type) ?? Vector.Type) == typeof(ReadOnlyMemory<float>)
                    ? new ReadOnlyMemory<float>(row)
                : new Embedding<float>(row)
        );
        return record;
    }

    private List<RecordRow> Rows(TRecord[] all)
    {
        List<RecordRow> rows = [];
        foreach (var some in all.Chunk(PicturesAtOnce))
            rows.AddRange(HoldsPictures ? OfPictures(some) : some.Select(OfEmbedding));
        // Of records with one key the last one counts.
        return [.. rows.GroupBy(row => row.Key, StringComparer.Ordinal).Select(same => same.Last())];
    }

    private IEnumerable<RecordRow> OfPictures(TRecord[] some)
    {
        var keys = some.Select(RecordKey).ToArray();
        ReadOnlyMemory<byte>[] bytes =
        [
            .. some.Select(
                (record, i) =>
                    Vector.GetValueAsObject(record) is DataContent content
                        ? Checked(content, keys[i])
                        : throw new LitException(keys[i], "has no picture", "Give it one as DataContent")
            ),
        ];
        var preprocessing = model.Image.Preprocessing;
        var pixels = keys.Select(_ => new float[preprocessing.ValueCount]).ToArray();
        var sizes = keys.Select((key, i) => preprocessing.Apply(bytes[i], pixels[i], key)).ToArray();
        var values = model.Represent(pixels);
        var length = model.Image.Tower.Width;
        for (var i = 0; i < some.Length; i++)
            yield return Row(
                some[i],
                keys[i],
                new(sizes[i].Width, sizes[i].Height, SHA256.HashData(bytes[i].Span)),
                values[(i * length)..((i + 1) * length)]
            );
    }

    private static ReadOnlyMemory<byte> Checked(DataContent content, string key)
    {
        PictureContent.Check(content, key);
        return content.Data;
    }

    private RecordRow OfEmbedding(TRecord record)
    {
        var key = RecordKey(record);
        if (model.Towers.ImageHead is not null)
            throw new LitException(
                key,
                "brings an embedding, and the model has an image head, whose input the store keeps",
                "Give pictures as DataContent"
            );
        var row = Floats(Vector.GetValueAsObject(record))
            ?? throw new LitException(key, "has no embedding", "Give it one");
        if (row.Length != model.EmbeddingSize)
            throw new LitException(
                key,
                $"brings an embedding of {row.Length} numbers, where the model's have {model.EmbeddingSize}",
                "Embed it with this model"
            );
        var hash = SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(row.AsSpan()));
        return Row(record, key, new(1, 1, hash), row);
    }

    private static float[]? Floats(object? value) =>
        value switch
        {
            float[] floats => floats,
            ReadOnlyMemory<float> memory => memory.ToArray(),
            Embedding<float> embedding => embedding.Vector.ToArray(),
            _ => null,
        };

    private string RecordKey(TRecord record)
    {
        var key = properties.KeyProperty.GetValueAsObject(record);
        if (properties.KeyProperty.IsAutoGenerated && (key is null || key.Equals(Guid.Empty)))
            properties.KeyProperty.SetValueAsObject(record, key = Guid.NewGuid());
        return InWords(key) is { Length: > 0 } words
            ? words
            : throw new LitException("A record has no key. Give it one.");
    }

    private RecordRow Row(TRecord record, string key, EmbeddedPicture picture, float[] row)
    {
        JsonObject said = [];
        Dictionary<string, string> fields = [];
        foreach (var property in properties.DataProperties)
        {
            var value = property.GetValueAsObject(record);
            said[property.StorageName] = JsonSerializer.SerializeToNode(value, property.Type);
            if (value is string or IFormattable && !Collection.IsOwn(property.StorageName))
                fields[property.StorageName] = (value as IFormattable)?.ToString(null, null) ?? $"{value}";
        }
        fields[RecordFolder.Record] = said.ToJsonString();
        return new(key, new Sample(key, $"{name}/{key}") { Fields = fields }, picture, row);
    }

    private float[] Query<TInput>(TInput value, CancellationToken cancel)
    {
        if (value is string words)
            return PromptTemplates.Canonicalise(words) is { Length: > 0 } text
                ? model.EmbedTexts([text], null, cancel)[0].ToArray()
                : throw new LitException($"The text '{words}' leaves no word to look for. Give it letters or digits.");
        if (value is DataContent content)
        {
            var pixels = model.Image.Preprocessing.Pixels(
                Checked(content, name),
                DecodingOptions.Default.MaxPixels,
                DecodePath.Exact,
                "the picture that is asked with"
            );
            return model.ProjectImages(new(model.Represent([pixels]), model.Image.Tower.Width))[0].ToArray();
        }
        if (Floats(value) is not { } vector)
            throw new NotSupportedException(
                VectorDataStrings.InvalidSearchInputAndNoEmbeddingGeneratorWasConfigured(
                    typeof(TInput),
                    "string, DataContent, ReadOnlyMemory<float>, Embedding<float>, float[]"
                )
            );
        var length = TensorPrimitives.Norm<float>(vector);
        if (vector.Length != model.EmbeddingSize || !(length > 0 && float.IsFinite(length)))
            throw new LitException(
                $"An embedding of {vector.Length} numbers and length {length}: the model's have {model.EmbeddingSize}."
            );
        TensorPrimitives.Divide(vector, length, vector = [.. vector]);
        return vector;
    }
}
