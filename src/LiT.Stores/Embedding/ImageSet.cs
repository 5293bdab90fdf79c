using System.Numerics.Tensors;
using LiT.Bundles;
using LiT.Compute;
using LiT.Data;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Embedding;

/// <summary>How the pictures of an evaluation are read.</summary>
internal sealed record ImageSetOptions
{
    /// <summary>How the source is read.</summary>
    public SampleOptions Samples { get; init; } = new();

    /// <summary>Pictures through the tower at once.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Larger pictures are refused by their header and skipped.</summary>
    public long MaxPixels { get; init; } = Images.DecodingOptions.Default.MaxPixels;

    /// <summary>The way from bytes to pixels, for pictures that are embedded now.</summary>
    public Images.DecodePath Decode { get; init; }

    /// <summary>Whether a picture is the mean of all the views that a store holds of it, in place of the plain one.</summary>
    public bool AverageViews { get; init; }
}

/// <summary>
/// The pictures of an evaluation as one model's locked tower represents them, from a store (embedded already) or from
/// their files (embedded now), with their words.
/// </summary>
internal sealed class ImageSet
{
    private ImageSet(
        string path,
        Embeddings representations,
        IReadOnlyList<Sample> samples,
        IReadOnlyList<Skipped> skipped
    ) => (Path, Representations, Samples, Skipped) = (path, representations, samples, skipped);

    /// <summary>Where the pictures came from.</summary>
    public string Path { get; }

    /// <summary>The tower's own representations, not of unit length, N x width.</summary>
    public Embeddings Representations { get; }

    /// <summary>The samples in the order of the rows; those from files can still read their pictures.</summary>
    public IReadOnlyList<Sample> Samples { get; }

    /// <summary>What could not be used, and why; samples that lack a part only are not among them.</summary>
    public IReadOnlyList<Skipped> Skipped { get; }

    /// <summary>Samples that the source holds: used + skipped.</summary>
    public int Found => Samples.Count + Skipped.Count;

    /// <param name="path">A store, or any form of data.</param>
    /// <param name="expected">The tower that the numbers must come from; null where a store of any tower will do.</param>
    /// <param name="tower">Loads that tower when pictures have to be embedded; the caller disposes of it.</param>
    /// <param name="options">How to read.</param>
    /// <param name="compute">Where the tower computes.</param>
    /// <param name="progress">Told after every batch.</param>
    /// <param name="cancel">Stops after the batch under way.</param>
    /// <exception cref="LitException">A store of another tower, or nothing that can be used.</exception>
    public static ImageSet Load(
        string path,
        ExpectedTower? expected,
        Func<LockedTower> tower,
        ImageSetOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    ) =>
        EmbeddingStore.IsStore(path) ? FromStore(path, expected, options)
        : options.AverageViews
            ? throw new UsageException(
                $"--average-views: {path} is no embedding store. Embed the pictures with 'lit embed --views 2' or more, and give the store."
            )
        : FromPictures(LiT.Data.Samples.Open(path, options.Samples), tower(), options, compute, progress, cancel);

    /// <summary>Pictures whose numbers are at hand.</summary>
    internal static ImageSet Of(string path, Embeddings representations, IReadOnlyList<Sample> samples) =>
        new(path, representations, samples, []);

    private static ImageSet FromStore(string path, ExpectedTower? expected, ImageSetOptions options)
    {
        using var store = EmbeddingStore.Open(path);
        if (expected is not null)
            StoreFit.Check(store, expected);
        if (options.AverageViews && store.Views == 1)
            throw new UsageException(
                $"--average-views: {path} holds one view of each picture. Embed the pictures with 'lit embed --views 2' or more."
            );
        var samples = store.Samples().Read(_ => { });
        if (options.Samples.LabelColumn is { } column)
            samples = samples.Select(sample => sample with { Label = sample.Fields.GetValueOrDefault(column) });
        return new(path, options.AverageViews ? MeanViews(store) : PlainViews(store), [.. samples], []);
    }

    private static Embeddings PlainViews(EmbeddingStore store)
    {
        var rows = Enumerable.Range(0, (int)(store.Rows / store.Views)).Select(i => (long)i * store.Views).ToArray();
        var values = new float[rows.LongLength * store.EmbeddingSize];
        store.ReadRows(rows, values, ownLength: true);
        return new(values, store.EmbeddingSize);
    }

    private static Embeddings MeanViews(EmbeddingStore store)
    {
        var (count, size) = ((int)(store.Rows / store.Views), store.EmbeddingSize);
        var values = new float[(long)count * size];
        var rows = new long[store.Views];
        var views = new float[store.Views * size];
        for (var picture = 0; picture < count; picture++)
        {
            for (var view = 0; view < rows.Length; view++)
                rows[view] = (long)picture * store.Views + view;
            store.ReadRows(rows, views, ownLength: true);
            var mean = values.AsSpan(picture * size, size);
            for (var view = 0; view < rows.Length; view++)
                TensorPrimitives.Add(mean, views.AsSpan(view * size, size), mean);
            TensorPrimitives.Divide(mean, rows.Length, mean);
        }
        return new(values, size);
    }

    private static ImageSet FromPictures(
        SampleSource source,
        LockedTower tower,
        ImageSetOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        List<Sample> samples = [];
        List<Skipped> skipped = [];
        List<float> values = [];
        List<PreparedPicture> batch = [];
        var rows = new float[options.BatchSize * tower.Tower.Width];
        void Flush()
        {
            ImageBatch.Represent(tower, [.. batch.Select(one => one.Pixels)], compute, rows);
            values.AddRange(rows.AsSpan(0, batch.Count * tower.Tower.Width));
            samples.AddRange(batch.Select(picture => picture.Sample));
            batch.Clear();
            progress?.Report(new("embedding", samples.Count, source.KnownCount, "pictures"));
        }
        foreach (
            var one in PreparedPictures.InOrder(
                source.ReadAll(),
                new Preparation(tower.Preprocessing, options.MaxPixels, 2 * options.BatchSize)
                {
                    Decode = options.Decode,
                },
                cancel
            )
        )
        {
            if (one.Skipped is { InPart: false } bad)
                skipped.Add(bad);
            if (one.Picture is not { } picture)
                continue;
            batch.Add(picture);
            if (batch.Count == options.BatchSize)
                Flush();
        }
        Flush();
        if (samples.Count == 0)
            throw new LitException(
                $"{source.Path}: none of its {skipped.Count} samples has a picture that could be read"
                    + $"{(skipped.Count > 0 ? $"; the first, {skipped[0].Origin}: {skipped[0].Reason.TrimEnd('.')}" : "")}. Check the path and the files."
            );
        return new(source.Path, new([.. values], tower.Tower.Width), samples, skipped);
    }
}
