using LiT.Data;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Pipeline;

/// <summary>One reading of a source from end to end, in which the shards that are missing are made.</summary>
internal sealed class EmbedPass(LockedTower tower, SampleSource source, EmbeddingStoreWriter store, KnownPictures known, EmbedOptions options,
    Compute compute, IProgress<ProgressStep>? progress)
{
    /// <summary>Samples that must have been seen before the share of bad ones is judged; at the end it is in any case.</summary>
    private const int EnoughToJudge = 100;

    private readonly int picturesAtOnce = Math.Max(1, options.BatchSize / options.Views.Count), size = options.Views.Count * tower.Tower.Width;
    private readonly float[] rows = new float[Math.Max(options.BatchSize, options.Views.Count) * tower.Tower.Width];
    private readonly List<Prepared> pending = [];          // pictures and skipped samples, in the source's order
    private readonly List<PreparedPicture> batch = [];

    /// <summary>Pictures that went through the tower, in all passes.</summary>
    public long Embedded { get; private set; }

    /// <summary>Pictures whose rows were taken over, in all passes.</summary>
    public long Reused { get; private set; }

    /// <summary>Reads, embeds, and gives everything to the store but the last shard's end.</summary>
    public void Run(CancellationToken cancel)
    {
        Queue<long> shards = new();
        long? under = null;
        var wanted = store.Wanted(source.ReadAll()).Select(one =>
        {
            shards.Enqueue(one.Shard);
            return one.Found;
        });
        Preparation preparation = new(tower.Preprocessing, options.MaxPixels, 2 * picturesAtOnce)
        {
            Views = options.Views,
            Decode = store.Description.Decode,
            IsKnown = known.Any ? hash => known.Find(hash) is not null : null,
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
            pending.Add(one);
            if (one.Picture is { IsKnown: false } picture) batch.Add(picture);
            if (batch.Count == picturesAtOnce || pending.Count >= 4 * options.BatchSize) Flush();
        }
        Flush();
        Judge(atEnd: true);
    }

    private void Flush()
    {
        if (pending.Count == 0) return;
        ImageBatch.Represent(tower, batch, compute, rows, options.Views.Count);
        var at = 0;
        foreach (var one in pending)
        {
            if (one.Skipped is { } skipped) store.Skip(skipped);
            else if (one.Picture is { IsKnown: true } before)
            {
                var (from, row) = known.Find(before.Sha256)!.Value;
                store.AppendAgain(before.Sample, from, row);
                Reused++;
            }
            else if (one.Picture is { } picture && store.Append(picture.Sample, new(picture.Width, picture.Height, picture.Sha256), rows.AsSpan(at++ * size, size)))
                Embedded++;
        }
        pending.Clear();
        batch.Clear();
        progress?.Report(new("embedding", store.Counts.Found, source.KnownCount, "pictures", Note()));
        Judge();
    }

    private string? Note()
    {
        List<string> notes = [];
        if (Reused > 0) notes.Add($"{Reused} taken over");
        if (store.Counts.Skipped > 0) notes.Add($"{store.Counts.Skipped} skipped");
        return notes.Count > 0 ? string.Join(", ", notes) : null;
    }

    private void Judge(bool atEnd = false)
    {
        var counts = store.Counts;
        if (counts.Skipped <= options.MaxBad * counts.Found) return;
        if (atEnd ? counts.Embedded == 0 : counts.Found < EnoughToJudge) return;           // a store of nothing has words of its own
        store.WriteLists();
        throw new LitException($"{source.Path}: {counts.Skipped} of the first {counts.Found} samples could not be used, more than the share of {options.MaxBad} that --max-bad allows. " +
            $"{store.SkippedPath} says why for each. Mend the data, or allow more, and run the same command again, with --retry-skipped to try these once more.");
    }
}
