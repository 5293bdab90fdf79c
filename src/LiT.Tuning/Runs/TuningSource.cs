using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Images;
using LiT.Stores;
using LiT.Towers;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>The image side of a run: what feeds it, and the tower behind it.</summary>
internal abstract class TuningSource : IDisposable
{
    /// <summary>What a step reads.</summary>
    public abstract ITuningImages Images { get; }

    /// <summary>The captions of an image.</summary>
    public abstract IReadOnlyList<string> Captions(int image);

    /// <summary>The image tower; null where a store's tower is not at hand.</summary>
    public abstract LockedTower? Tower { get; }

    /// <summary>How the tower is called.</summary>
    public abstract string TowerName { get; }

    /// <summary>The tower's fingerprint before the first step.</summary>
    public abstract string Fingerprint { get; }

    /// <summary>Whether the rows came from elsewhere and no tower is known for them.</summary>
    public virtual bool IsOwn => false;

    /// <summary>Length of the tower's representation.</summary>
    public abstract int Width { get; }

    /// <summary>What makes a picture the tower's input.</summary>
    public abstract Preprocessing Preprocessing { get; }

    /// <summary>
    /// The tower as a part of the model that is tuned; null where stored representations take its place.
    /// </summary>
    public virtual ImageTower? InModel => null;

    /// <summary>Representations of at most so many images, spread over all of them, not of unit length.</summary>
    public abstract Embeddings Some(int most);

    /// <summary>Some of the images with their words, as the tower represents them now, to validate on.</summary>
    public abstract ImageSet Only(IEnumerable<int> images);

    /// <summary>SHA-256 of every picture's file; empty where it is not known.</summary>
    public abstract IEnumerable<byte[]> PictureHashes();

    /// <summary>The pictures' keys, in order; empty where they are not known before the pictures are read.</summary>
    public virtual IEnumerable<string> Keys => [];

    /// <summary>The store that is read, or null.</summary>
    public virtual string? Store => null;

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Images that are spread evenly over all.</summary>
    private protected static IEnumerable<long> Spread(long count, int most)
    {
        var taken = Math.Min(count, most);
        for (var i = 0L; i < taken; i++)
            yield return i * count / taken;
    }
}

/// <summary>Representations of a locked tower, computed once.</summary>
internal sealed class StoredSource : TuningSource
{
    private readonly EmbeddingStore store;
    private readonly StoredImages images;
    private readonly TuneRequest request;
    private readonly IReadOnlyList<string>[]? given;
    private readonly GivenCaptions? beside;
    private readonly int[]? places; // of each picture's captions among these

    public StoredSource(TuneRequest request, string folder, Action<string> say, StoredTexts? texts = null)
    {
        this.request = request;
        store = EmbeddingStore.Open(folder);
        try
        {
            if (store.Description is null)
                store.CheckNumbers();
            Tower = Load(say);
            Fingerprint = store.Fingerprint ?? Tower?.Fingerprint ?? StoreFit.OwnFingerprint(store);
            if (store.Description is null)
                say(
                    Tower is null
                        ? $"{store.Folder}: embeddings made elsewhere, without a tower here: "
                            + "the model reads such rows, and no pictures"
                        : $"{store.Folder}: does not say which tower made it, so nothing here can tell whether it was "
                            + request.ImageTower
                );
            if (Tower is not null)
                StoreFit.Check(store, new(Tower.Fingerprint, TowerName));
            if (Tower is not null && store.Description is { } made)
                StoreProbes.Check(store.Folder, made, Tower, request.Compute);
            if (texts is not null)
                given = texts.Captions(Keys, folder, say);
            else if (request.Samples.Given() is { } captions)
            {
                (beside, places) = (captions, [.. Keys.Select(captions.Ask)]);
                foreach (var said in captions.InWords(folder))
                    say(said);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        if (StoreFit.Remark(store) is { } remark)
            say(remark);
        images = new(store, (ulong)request.Seed, ownLength: request.ImageHead != HeadSpec.None);
    }

    public override ITuningImages Images => images;

    public override LockedTower? Tower { get; }

    public override string TowerName =>
        request.ImageTower ?? store.Description?.Tower ?? Tower?.Architecture ?? $"embeddings of {store.Folder}";

    public override bool IsOwn => Tower is null && store.Description is null;

    public override string Fingerprint { get; }

    public override int Width => store.EmbeddingSize;

    public override string? Store => store.Folder;

    public override Preprocessing Preprocessing =>
        Tower?.Preprocessing
        ?? (
            store.Description?.Preprocessing is { } json
                ? Preprocessing.FromJson(json.ToJsonString(), store.Folder)
                : Preprocessing.LiT(224)
        );

    public override IReadOnlyList<string> Captions(int image) =>
        beside is not null ? beside.At(places![image])
        : given is not null ? given[image]
        : store.Captions((long)image * store.Views);

    public override IEnumerable<string> Keys
    {
        get
        {
            for (var row = 0L; row < store.Rows; row += store.Views)
                yield return store.Key(row);
        }
    }

    public override Embeddings Some(int most) => store.Some(most, ownLength: true);

    public override ImageSet Only(IEnumerable<int> images)
    {
        var chosen = images.Order().ToList();
        var values = new float[(long)chosen.Count * store.EmbeddingSize];
        store.ReadRows([.. chosen.Select(image => image * (long)store.Views)], values, ownLength: true);
        var wanted = chosen.ToHashSet();
        return ImageSet.Of(
            store.Folder,
            new(values, store.EmbeddingSize),
            [
                .. store
                    .Samples()
                    .Read(_ => { })
                    .Index()
                    .Where(one => wanted.Contains(one.Index))
                    .Select(one => one.Item with { Captions = Captions(one.Index) }),
            ]
        );
    }

    public override IEnumerable<byte[]> PictureHashes()
    {
        for (var row = 0L; row < store.Rows; row += store.Views)
            yield return store.Sha256(row);
    }

    /// <summary>The store's tower, if it is at hand: it goes into the bundle and embeds validation pictures.</summary>
    private LockedTower? Load(Action<string> say)
    {
        var spec = request.ImageTower ?? store.Description?.Tower;
        if (spec is null)
            return null;
        if (request.ImageTower is null && !TowerPath.IsThere(spec) && !ImageTowerLoader.IsSpec(spec))
        {
            say($"the store's tower, {spec}, is not at hand; the bundle will name it by its fingerprint only");
            return null;
        }
        var tower = ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = request.Compute });
        if (request.ImageTower is not null)
            foreach (var remark in tower.Remarks)
                say(remark);
        if (tower.Tower.Width == store.EmbeddingSize)
            return tower;
        var width = tower.Tower.Width;
        tower.Dispose();
        throw new LitException(
            spec,
            $"gives {width} numbers a picture, and {request.Data} holds {store.EmbeddingSize}, so it is not the "
                + "tower that made them",
            "Name the tower that did, or leave `ImageTower` out"
        );
    }

    public override void Dispose()
    {
        Tower?.Dispose();
        store.Dispose();
    }
}

/// <summary>
/// Pictures that go through the tower at every step: it is tuned, or locked and shown another crop each time.
/// </summary>
internal sealed class PixelSource : TuningSource
{
    private const int AtOnce = 16;

    private readonly List<Sample> samples;
    private readonly PixelImages images;
    private readonly TuneRequest request;

    public PixelSource(
        TuneRequest request,
        string spec,
        Action<string> say,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        this.request = request;
        TowerName = spec;
        var source = Samples.Open(request.Data, request.Samples);
        PreparedRun.CheckWords(source, request, say, cancel);
        var locked = request.Lock.Image == TowerStart.Locked;
        Tower = ImageTowerLoader.Load(
            spec,
            new ImageTowerOptions
            {
                Compute = request.Compute with { Type = TorchSharp.torch.ScalarType.Float32 },
                Locked = locked,
                Seed = request.Seed,
                Heads = false,
            }
        );
        foreach (var remark in Tower.Remarks)
            say(remark);
        try
        {
            // The folder is a run's from now on, whatever happens next.
            Directory.CreateDirectory(Path.Combine(request.Out, "checkpoints"));
            (samples, var skipped) = PixelImages.Check(source, Tower.Preprocessing, request.Out, progress, cancel);
            if (skipped > 0)
                say(
                    $"{skipped} of {samples.Count + skipped} samples are skipped; "
                        + $"{Path.Combine(request.Out, "skipped.jsonl")} names each"
                );
        }
        catch
        {
            Dispose();
            throw;
        }
        var augmentation = request.Augmentation ?? (locked ? Augmentation.None : Augmentation.Inception(0.25));
        images = new(samples, Tower.Preprocessing, augmentation, request.Seed);
    }

    public override ITuningImages Images => images;

    public override LockedTower Tower { get; }

    public override string TowerName { get; }

    public override string Fingerprint => Tower.Fingerprint;

    public override int Width => Tower.Tower.Width;

    public override Preprocessing Preprocessing => Tower.Preprocessing;

    public override ImageTower InModel => Tower.Tower;

    public override IReadOnlyList<string> Captions(int image) => images.Captions(image);

    public override Embeddings Some(int most) =>
        Represent([.. Spread(samples.Count, most).Select(image => samples[(int)image])]);

    public override ImageSet Only(IEnumerable<int> images)
    {
        List<Sample> chosen = [.. images.Order().Select(image => samples[image])];
        return ImageSet.Of(request.Data, Represent(chosen), chosen);
    }

    public override IEnumerable<byte[]> PictureHashes() => DataExamination.Hashes(request.Data, samples);

    /// <summary>Representations of samples as the tower is now, without augmentation.</summary>
    private Embeddings Represent(IReadOnlyList<Sample> some) => PicturesThrough(Tower, some, request.Compute);

    /// <summary>Representations of pictures that can be read, by a tower as it is now.</summary>
    internal static Embeddings PicturesThrough(LockedTower tower, IReadOnlyList<Sample> some, ComputeDevice compute)
    {
        var values = new float[some.Count * tower.Tower.Width];
        TowerStream stream = new(tower, compute with { Type = TorchSharp.torch.ScalarType.Float32 }, AtOnce);
        Preparation preparation = new(tower.Preprocessing, DecodingOptions.Default.MaxPixels, 2 * AtOnce);
        var prepared = PreparedPictures.InOrder(some.Select(sample => new Found(sample, null)), preparation, default);
        var done = 0;
        foreach (var block in stream.Blocks(prepared.Select(Readable)))
        {
            block.Values.Span.CopyTo(values.AsSpan(done));
            done += block.Values.Length;
        }
        return new(values, tower.Tower.Width);

        static Prepared Readable(Prepared one) =>
            one.Skipped is { } skipped
                ? throw new LitException(
                    skipped.Origin,
                    $"{skipped.Reason.TrimEnd('.')}, and it could be read when the run began",
                    "Put the picture back and run the same command again"
                )
                : one;
    }

    public override void Dispose() => Tower.Dispose();
}
