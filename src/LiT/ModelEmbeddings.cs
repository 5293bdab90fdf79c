using LiT.Images;
using Microsoft.Extensions.AI;

namespace LiT;

/// <summary>A model as the platform's generator of embeddings for one kind of input. Owned by the model.</summary>
internal abstract class ModelEmbeddings<TInput>(LitModel model) : IEmbeddingGenerator<TInput, Embedding<float>>
{
    private readonly EmbeddingGeneratorMetadata metadata = new("lit", null, model.Name, model.EmbeddingSize);

    protected LitModel Model => model;

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<TInput> values,
        EmbeddingGenerationOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(values);
        Check(options);
        TInput[] all = [.. values];
        if (Array.FindIndex(all, value => value is null) is >= 0 and var missing)
            throw new ArgumentException($"Value {missing} is null. Leave it out.", nameof(values));
        GeneratedEmbeddings<Embedding<float>> made = new(all.Length);
        if (all.Length == 0)
            return made;
        var rows = await EmbedAsync(all, cancellationToken).ConfigureAwait(false);
        var now = model.Session.Time.GetUtcNow();
        for (var row = 0; row < rows.Count; row++)
            made.Add(
                new(rows.Values.AsMemory(row * rows.Size, rows.Size))
                {
                    CreatedAt = now,
                    ModelId = metadata.DefaultModelId,
                }
            );
        return made;
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? metadata
            : serviceType == typeof(LitModel) ? model
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>The model owns the towers: decorators and containers may dispose of this as they like.</summary>
    public void Dispose() { }

    /// <returns>One row a value, unit length.</returns>
    protected abstract Task<Embeddings> EmbedAsync(TInput[] values, CancellationToken cancel);

    private void Check(EmbeddingGenerationOptions? options)
    {
        if (options?.Dimensions is { } dimensions && dimensions != model.EmbeddingSize)
            throw new LitException(
                $"Dimensions {dimensions}: {model.Name} gives embeddings of {model.EmbeddingSize} "
                    + "numbers, and they are not cut. "
                    + $"Leave Dimensions out, or set {model.EmbeddingSize}."
            );
        if (options?.ModelId is { } id && id != metadata.DefaultModelId)
            throw new LitException(
                $"ModelId {id}: this generator holds {model.Name} alone. Leave ModelId out, or load the other model."
            );
    }
}

/// <inheritdoc cref="LitModel.Texts"/>
internal sealed class TextEmbeddings(LitModel model) : ModelEmbeddings<string>(model)
{
    protected override Task<Embeddings> EmbedAsync(string[] values, CancellationToken cancel) =>
        Model.RunAsync(stop => Model.EmbedTexts(values, Model.Session.Progress, stop), cancel);
}

/// <inheritdoc cref="LitModel.Images"/>
internal sealed class PictureEmbeddings(LitModel model) : ModelEmbeddings<DataContent>(model)
{
    private const int AtOnce = 64;

    protected override async Task<Embeddings> EmbedAsync(DataContent[] values, CancellationToken cancel)
    {
        string[] names = [.. values.Select((value, i) => value.Name ?? $"picture {i}")];
        foreach (var (i, value) in values.Index())
            PictureContent.Check(value, names[i]);
        var preprocessing = await Model.ImagePreprocessingAsync(cancel).ConfigureAwait(false);
        List<float> all = new(values.Length * Model.EmbeddingSize);
        for (var first = 0; first < values.Length; first += AtOnce)
        {
            var pixels = new float[Math.Min(AtOnce, values.Length - first)][];
            ParallelOptions side = new() { CancellationToken = cancel, MaxDegreeOfParallelism = Model.Compute.Threads };
            var start = first;
            await Parallel
                .ForAsync(0, pixels.Length, side, (i, _) =>
                {
                    pixels[i] = preprocessing.Pixels(
                        values[start + i].Data,
                        DecodingOptions.Default.MaxPixels,
                        DecodePath.Exact,
                        names[start + i]
                    );
                    return ValueTask.CompletedTask;
                })
                .ConfigureAwait(false);
            var rows = await Model
                .RunAsync(_ => Model.ProjectImages(new(Model.Represent(pixels), Model.Image.Tower.Width)), cancel)
                .ConfigureAwait(false);
            all.AddRange(rows.Values);
        }
        return new([.. all], Model.EmbeddingSize);
    }
}
