using LiT.Data;
using LiT.Images;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Pipeline;

/// <summary>How a source is embedded.</summary>
public sealed record EmbedOptions
{
    /// <summary>Pictures that go through the tower at once.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>How the store's numbers lie on the disk.</summary>
    public StoredType Type { get; init; } = StoredType.Float16;

    /// <summary>Rows in a file of the store; an interrupted run goes on after the last whole one.</summary>
    public int RowsPerShard { get; init; } = 10_000;

    /// <summary>Larger pictures are refused by their header and skipped.</summary>
    public long MaxPixels { get; init; } = DecodingOptions.Default.MaxPixels;

    /// <summary>The largest share of skipped samples that is still believed to be bad luck and not a mistake.</summary>
    public double MaxBad { get; init; } = 0.5;
}

/// <summary>What an embedding run did.</summary>
/// <param name="Counts">What the store holds now: found = embedded + skipped.</param>
/// <param name="EmbeddedNow">Pictures that went through the tower in this run.</param>
/// <param name="Seconds">How long this run took.</param>
/// <param name="WasComplete">Whether there was nothing to do.</param>
public sealed record EmbedResult(StoreCounts Counts, long EmbeddedNow, double Seconds, bool WasComplete);

/// <summary>
/// Embeds every picture of a source once: decoding runs ahead on the thread pool, the locked tower takes batches, rows go
/// to the store in the source's order. Killed and run again, it goes on after the last complete shard.
/// </summary>
public static class EmbedRun
{
    /// <summary>Samples that must have been seen before the share of bad ones is judged.</summary>
    private const int EnoughToJudge = 100;

    /// <param name="tower">The locked tower.</param>
    /// <param name="towerName">How the user called it; the store keeps it.</param>
    /// <param name="source">Where the pictures come from.</param>
    /// <param name="folder">The store.</param>
    /// <param name="options">Sizes and limits.</param>
    /// <param name="compute">Where the tower computes.</param>
    /// <param name="progress">Told after every batch.</param>
    /// <param name="cancel">Stops after the batch under way; complete shards stay.</param>
    /// <exception cref="LitException">The source cannot be read, too much of it is bad, or the store cannot be written.</exception>
    public static EmbedResult Run(LockedTower tower, string towerName, SampleSource source, string folder, EmbedOptions options,
        Compute compute, IProgress<ProgressStep>? progress = null, CancellationToken cancel = default)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var found = source.ReadAll().GetEnumerator();
        bool? any = EmbeddingStore.IsStore(folder) ? null : found.MoveNext();    // an empty source is refused before anything is written
        using var store = EmbeddingStoreWriter.Open(folder, new StoreDescription
        {
            Fingerprint = tower.Fingerprint,
            Tower = towerName,
            Preprocessing = System.Text.Json.Nodes.JsonNode.Parse(tower.Preprocessing.ToJson()),
            EmbeddingSize = tower.Tower.Width,
            Type = options.Type,
            Source = source.Path,
            RowsPerShard = options.RowsPerShard,
        });
        if (store.IsComplete) return new(store.Counts, 0, 0, true);

        var before = store.Counts.Embedded;
        var size = tower.Tower.Width;
        var rows = new float[options.BatchSize * size];
        List<Prepared> pending = [];                     // pictures and skipped samples, in the source's order
        List<PreparedPicture> batch = [];

        void Flush()
        {
            ImageBatch.Represent(tower, batch, compute, rows);
            var row = 0;
            foreach (var one in pending)
            {
                if (one.Skipped is { } skipped) store.Skip(skipped);
                else if (one.Picture is { } picture)
                    store.Append(picture.Sample, new(picture.Width, picture.Height, picture.Sha256), rows.AsSpan(row++ * size, size));
            }
            pending.Clear();
            batch.Clear();
            progress?.Report(new("embedding", store.Counts.Found, source.KnownCount, "pictures", Note(store.Counts)));
            Judge(source, store.Counts, options.MaxBad, folder);
        }

        IEnumerable<Found> Remaining()
        {
            var resumed = store.Resumed;
            for (var more = any ?? found.MoveNext(); more; more = found.MoveNext())
                if (--resumed < 0) yield return found.Current;
        }

        foreach (var one in PreparedPictures.InOrder(Remaining(), tower.Preprocessing, options.MaxPixels, ahead: 2 * options.BatchSize, cancel))
        {
            pending.Add(one);
            if (one.Picture is { } picture) batch.Add(picture);
            if (batch.Count == Math.Min(options.BatchSize, store.PicturesToShardEnd) || pending.Count >= 4 * options.BatchSize) Flush();
        }
        Flush();
        if (store.Counts.Embedded == 0)
            throw new LitException($"{source.Path}: none of its {store.Counts.Found} samples has a picture that could be read. {Path.Combine(folder, "skipped.jsonl")} says why for each.");
        return new(store.Finish(), store.Counts.Embedded - before, clock.Elapsed.TotalSeconds, false);
    }

    private static string? Note(StoreCounts counts) => counts.Skipped > 0 ? $"{counts.Skipped} skipped" : null;

    private static void Judge(SampleSource source, StoreCounts counts, double maxBad, string folder)
    {
        if (counts.Found < EnoughToJudge || counts.Skipped <= maxBad * counts.Found) return;
        throw new LitException($"{source.Path}: {counts.Skipped} of the first {counts.Found} samples could not be used, more than the share of {maxBad} that --max-bad allows. " +
            $"{Path.Combine(folder, "skipped.jsonl")} says why for each. Mend the data, or allow more and run the same command again.");
    }
}
