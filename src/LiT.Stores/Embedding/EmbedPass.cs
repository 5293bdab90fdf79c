using LiT.Bundles;
using LiT.Compute;
using LiT.Data;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Embedding;

/// <summary>One reading of a source from end to end, in which the shards that are missing are made.</summary>
internal sealed class EmbedPass(
    LockedTower tower,
    SampleSource source,
    EmbeddingStoreWriter store,
    KnownPictures known,
    EmbedOptions options,
    ComputeDevice compute,
    IProgress<ProgressStep>? progress
)
{
    /// <summary>Samples that must have been seen before the share of bad ones is judged; at the end it is in any case.</summary>
    private const int EnoughToJudge = 100;

    private readonly int picturesAtOnce = Math.Max(1, options.BatchSize / options.Views.Count),
        size = options.Views.Count * tower.Tower.Width;
    private readonly float[] rows = new float[Math.Max(options.BatchSize, options.Views.Count) * tower.Tower.Width];
    private readonly List<Prepared> pending = []; // pictures and skipped samples, in the source's order
    private readonly List<PreparedPicture> batch = [];
    private readonly HashSet<string> waiting = []; // hashes of the batch

    /// <summary>Pictures that went through the tower, in all passes.</summary>
    public long Embedded { get; private set; }

    /// <summary>Pictures whose rows were taken over, in all passes.</summary>
    public long Reused { get; private set; }

    /// <summary>Pictures that repeat an earlier one, in all passes.</summary>
    public long Repeated { get; private set; }

    /// <summary>Reads, embeds, and gives everything to the store but the last shard's end.</summary>
    public void Run(CancellationToken cancel)
    {
        Queue<long> shards = new();
        long? under = null;
        var wanted = store
            .Wanted(source.ReadAll())
            .Select(one =>
            {
                shards.Enqueue(one.Shard);
                return one.Found;
            });
        Preparation preparation = new(tower.Preprocessing, options.MaxPixels, 2 * picturesAtOnce)
        {
            Views = options.Views,
            Decode = store.Description.Decode,
            IsKnown = hash => known.Find(hash) is not null || store.Holds(hash),
        };
        foreach (var one in PreparedPictures.InOrder(wanted, preparation, cancel))
        {
            // A batch ends with its shard: so a shard's numbers are the same to the bit, whoever makes it and after whatever.
            if (shards.Dequeue() is var shard && under != shard)
            {
                Flush();
                store.MoveTo(shard);
                under = shard;
            }
            var next = one;
            if (
                one.Picture is { } picture
                && known.Find(picture.Sha256) is null
                && !store.Holds(picture.Sha256)
                && waiting.Add(Convert.ToHexString(picture.Sha256))
            )
            {
                // Its rows may have been given up while it was looked at.
                if (picture.IsKnown)
                    next = PreparedPictures.Prepare(picture.Sample, preparation with { IsKnown = null });
                if (next.Picture is { } fresh)
                    batch.Add(fresh);
            }
            pending.Add(next);
            if (batch.Count == picturesAtOnce || pending.Count >= 4 * options.BatchSize)
                Flush();
        }
        Flush();
        Judge(atEnd: true);
    }

    private void Flush()
    {
        if (pending.Count == 0)
            return;
        ImageBatch.Represent(tower, [.. batch.Select(one => one.Pixels)], compute, rows, options.Views.Count);
        var at = 0;
        foreach (var one in pending)
        {
            if (one.Skipped is { } skipped)
                store.Skip(skipped);
            else if (one.Picture is { } picture)
                Give(picture, ref at);
        }
        pending.Clear();
        batch.Clear();
        waiting.Clear();
        progress?.Report(new("embedding", store.Counts.Found, source.KnownCount, "pictures", Note()));
        Judge();
    }

    /// <param name="picture">The next of <see cref="pending"/>.</param>
    /// <param name="at">How many of <see cref="batch"/> have gone to the store.</param>
    private void Give(PreparedPicture picture, ref int at)
    {
        if (at < batch.Count && ReferenceEquals(batch[at], picture))
        {
            if (
                store.Append(
                    picture.Sample,
                    new(picture.Width, picture.Height, picture.Sha256),
                    rows.AsSpan(at++ * size, size)
                )
            )
                Embedded++;
        }
        else if (known.Find(picture.Sha256) is var (from, row))
        {
            store.AppendAgain(picture.Sample, from, row);
            Reused++;
        }
        else if (store.AppendRepeat(picture.Sample, picture.Sha256))
            Repeated++;
        else
            store.Skip(new(picture.Sample.Key, picture.Sample.Origin, EmbeddingStoreWriter.NoDirection)); // as the one that it repeats
    }

    private string? Note()
    {
        List<string> notes = [];
        if (Repeated > 0)
            notes.Add($"{Repeated} repeats");
        if (Reused > 0)
            notes.Add($"{Reused} taken over");
        if (store.Counts.Skipped > 0)
            notes.Add($"{store.Counts.Skipped} skipped");
        return notes.Count > 0 ? string.Join(", ", notes) : null;
    }

    private void Judge(bool atEnd = false)
    {
        var counts = store.Counts;
        if (counts.Skipped <= options.MaxBad * counts.Found)
            return;
        if (atEnd ? counts.Embedded == 0 : counts.Found < EnoughToJudge)
            return; // a store of nothing has words of its own
        store.WriteLists();
        throw new LitException(
            $"{source.Path}: {counts.Skipped} of the first {counts.Found} samples could not be used, more than the share of {options.MaxBad} that --max-bad allows. "
                + $"{store.SkippedPath} says why for each. Mend the data, or allow more, and run the same command again, with --retry-skipped to try these once more."
        );
    }
}
