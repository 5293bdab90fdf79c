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

    /// <summary>
    /// Whether a picture is the mean of all the views that a store holds of it, in place of the plain one.
    /// </summary>
    public bool AverageViews { get; init; }
}

/// <summary>
/// The pictures of an evaluation as one model's locked tower represents them, with their words: from a store, whose
/// rows stay on the disk and are read a block at a time, or from their files, embedded now. Rows can be read until it
/// is disposed of.
/// </summary>
internal sealed class ImageSet : IDisposable
{
    /// <summary>Pictures in a block: a whole number of the parts that a projection cuts its rows into.</summary>
    private const int PicturesInBlock = 4096;

    private readonly PictureRows rows;

    private ImageSet(string path, PictureRows rows, IReadOnlyList<Sample> samples, IReadOnlyList<Skipped> skipped) =>
        (Path, this.rows, Samples, Skipped) = (path, rows, samples, skipped);

    /// <summary>Where the pictures came from.</summary>
    public string Path { get; }

    /// <summary>Numbers that the tower gives for a picture.</summary>
    public int Size => rows.Size;

    /// <summary>The samples in the order of the rows; those from files can still read their pictures.</summary>
    public IReadOnlyList<Sample> Samples { get; }

    /// <summary>What could not be used, and why; samples that lack a part only are not among them.</summary>
    public IReadOnlyList<Skipped> Skipped { get; }

    /// <summary>What became of captions from a file of their own, a phrase each.</summary>
    public IReadOnlyList<string> Remarks { get; private init; } = [];

    /// <summary>Samples that the source holds: used + skipped.</summary>
    public int Found => Samples.Count + Skipped.Count + LeftOutBefore;

    /// <summary>Samples of a store's source that could not be read when they were embedded.</summary>
    public int LeftOutBefore { get; private init; }

    /// <summary>The tower's own representations of some pictures, not of unit length, in the order given.</summary>
    public Embeddings Read(IReadOnlyList<int> pictures)
    {
        var values = new float[(long)pictures.Count * Size];
        rows.Read([.. pictures], values);
        return new(values, Size);
    }

    /// <summary>All representations at once: for what cannot go over them block by block.</summary>
    public Embeddings ReadAll() => Each(block => block);

    /// <summary>The representations in the order of the samples, a block at a time.</summary>
    /// <param name="pictures">Which pictures; null for all.</param>
    public IEnumerable<Embeddings> Blocks(IReadOnlyList<int>? pictures = null)
    {
        pictures ??= [.. Enumerable.Range(0, Samples.Count)];
        return pictures.Chunk(PicturesInBlock).Select(Read);
    }

    /// <summary>What a block's representations are made into, for all blocks one after the other.</summary>
    /// <param name="made">A row a picture.</param>
    /// <param name="pictures">Which pictures; null for all.</param>
    public Embeddings Each(Func<Embeddings, Embeddings> made, IReadOnlyList<int>? pictures = null)
    {
        var count = pictures?.Count ?? Samples.Count;
        float[]? values = null;
        var (size, at) = (0, 0);
        foreach (var block in Blocks(pictures))
        {
            var some = made(block);
            if (count == some.Count)
                return some;
            size = some.Size;
            values ??= new float[(long)count * size];
            some.Values.CopyTo(values, at);
            at += some.Values.Length;
        }
        return values is null ? made(new([], Size)) : new(values, size);
    }

    /// <summary>Closes the store, where there is one.</summary>
    public void Dispose() => rows.Dispose();

    /// <param name="path">A store, or any form of data.</param>
    /// <param name="expected">The tower that the numbers must come from; null where a store of any tower will
    /// do.</param>
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
            ? throw SettingException.Of<ImageSetOptions>(
                s => s.AverageViews,
                $"{path} is no embedding store",
                "Embed the pictures with `EmbedRun(Views: 2)` or more, and give the store"
            )
        : FromPictures(LiT.Data.Samples.Open(path, options.Samples), tower(), options, compute, progress, cancel);

    /// <summary>Pictures whose numbers are at hand.</summary>
    internal static ImageSet Of(string path, Embeddings representations, IReadOnlyList<Sample> samples) =>
        new(path, new HeldRows(representations), samples, []);

    private static ImageSet FromStore(string path, ExpectedTower? expected, ImageSetOptions options)
    {
        var store = EmbeddingStore.Open(path);
        try
        {
            if (expected is not null)
                StoreFit.Check(store, expected);
            if (options.AverageViews && store.Views == 1)
                throw SettingException.Of<ImageSetOptions>(
                    s => s.AverageViews,
                    $"{path} holds one view of each picture",
                    "Embed the pictures with `EmbedRun(Views: 2)` or more"
                );
            var samples = store.Samples().Read(_ => { });
            if (options.Samples.LabelColumn is { } column)
                samples = samples.Select(sample => sample with { Label = sample.Fields.GetValueOrDefault(column) });
            var given = options.Samples.Given();
            if (given is not null)
                samples = samples.Select(given.In);
            return new(path, new StoredRows(store, options.AverageViews), [.. samples], [])
            {
                Remarks = given is null ? [] : [.. given.InWords(path)],
                LeftOutBefore = checked((int)(store.Counts?.Skipped ?? 0)),
            };
        }
        catch
        {
            store.Dispose();
            throw;
        }
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
        Preparation preparation = new(tower.Preprocessing, options.MaxPixels, 2 * options.BatchSize)
        {
            Decode = options.Decode,
        };
        var prepared = PreparedPictures.InOrder(source.ReadAll(), preparation, cancel);
        foreach (var block in new TowerStream(tower, compute, options.BatchSize).Blocks(prepared))
        {
            values.AddRange(block.Values.Span);
            samples.AddRange(block.Pictures.Select(picture => picture.Sample));
            skipped.AddRange(block.All.Select(one => one.Skipped).OfType<Skipped>().Where(one => !one.InPart));
            progress?.Report(new("embedding", samples.Count, source.KnownCount, "pictures"));
        }
        if (samples.Count == 0)
            throw new LitException(
                source.Path,
                $"none of its {skipped.Count} samples has a picture that could be "
                    + "read"
                    + (skipped.Count > 0 ? $"; the first, {skipped[0].Origin}: {skipped[0].Reason.TrimEnd('.')}" : ""),
                "Check the path and the files"
            );
        return new(source.Path, new HeldRows(new([.. values], tower.Tower.Width)), samples, skipped)
        {
            Remarks = (source as CaptionedSource)?.Remarks ?? [],
        };
    }
}
