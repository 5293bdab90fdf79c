using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Microsoft.Extensions.VectorData.ProviderServices;

namespace LiT.VectorData;

/// <summary>What a record may be made of: a key of text, one picture or embedding, and values.</summary>
internal sealed class RecordModel()
    : CollectionModelBuilder(new() { RequiresAtLeastOneVector = true, SupportsMultipleVectors = false })
{
    private static readonly Type[] Values =
    [
        typeof(string),
        typeof(bool),
        typeof(byte),
        typeof(short),
        typeof(int),
        typeof(long),
        typeof(float),
        typeof(double),
        typeof(decimal),
        typeof(Guid),
        typeof(DateTime),
        typeof(DateTimeOffset),
        typeof(DateOnly),
        typeof(TimeOnly),
    ];

    protected override IReadOnlyList<EmbeddingGenerationDispatcher> EmbeddingGenerationDispatchers { get; } =
    [EmbeddingGenerationDispatcher.Create<Embedding<float>>()];

    protected override void ValidateKeyProperty(KeyPropertyModel keyProperty)
    {
        base.ValidateKeyProperty(keyProperty);
        if (keyProperty.Type != typeof(string) && keyProperty.Type != typeof(Guid))
            throw new NotSupportedException(
                $"The key '{keyProperty.ModelName}' is a {keyProperty.Type.Name}: pictures have keys of text or Guids."
            );
    }

    protected override void ValidateProperty(PropertyModel propertyModel, VectorStoreCollectionDefinition? definition)
    {
        base.ValidateProperty(propertyModel, definition);
        if (propertyModel is not VectorPropertyModel vector)
            return;
        if (vector.Type != typeof(DataContent) && !IsVectorPropertyTypeValid(vector.Type, out _))
            throw new NotSupportedException(
                $"{vector.ModelName}: the model embeds pictures, and no {vector.Type.Name}. Give a "
                    + $"{nameof(DataContent)}, or an embedding that the model has made."
            );
        if (vector.DistanceFunction is not (null or DistanceFunction.CosineSimilarity))
            throw new NotSupportedException(
                $"{vector.ModelName}: {vector.DistanceFunction} is not computed; pictures and words are compared by "
                    + $"{DistanceFunction.CosineSimilarity}."
            );
        if (vector.IndexKind is not (null or IndexKind.Flat or IndexKind.Dynamic))
            throw new NotSupportedException($"{vector.ModelName}: there is no index {vector.IndexKind}. Leave it out.");
    }

    protected override bool IsDataPropertyTypeValid(Type type, out string supportedTypes)
    {
        supportedTypes = string.Join(", ", Values.Select(one => one.Name)) + ", lists and arrays of them";
        return Values.Contains(Nullable.GetUnderlyingType(type) ?? type)
            || ElementOf(type) is { } element && Values.Contains(element);
    }

    protected override bool IsVectorPropertyTypeValid(Type type, out string supportedTypes)
    {
        supportedTypes = $"{nameof(DataContent)}, ReadOnlyMemory<float>, Embedding<float>, float[]";
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(ReadOnlyMemory<float>) || type == typeof(Embedding<float>) || type == typeof(float[]);
    }

    /// <summary>What a list or an array holds; null for anything else.</summary>
    public static Type? ElementOf(Type type) =>
        type.IsArray ? type.GetElementType()
        : type.IsGenericType
        && type.GetGenericTypeDefinition() is var general
        && (
            general == typeof(List<>)
            || general == typeof(IList<>)
            || general == typeof(IReadOnlyList<>)
            || general == typeof(IEnumerable<>)
            || general == typeof(ICollection<>)
        )
            ? type.GetGenericArguments()[0]
        : null;
}
