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
    /// <summary>
    /// Samples that must have been seen before the share of bad ones is judged; at the end it is in any case.
    /// </summary>
    private const int EnoughToJudge = 100;

    private readonly int picturesAtOnce = Math.Max(1, options.BatchSize / options.Views.Count);
    private readonly HashSet<string> waiting = []; // hashes of pictures on their way through the tower

    /// <summary>Pictures that went through the tower, in all passes.</summary>
    public long Embedded { get; private set; }

    /// <summary>Pictures whose rows were taken over, in all passes.</summary>
    public long Reused { get; private set; }

    /// <summary>Pictures that repeat an earlier one, in all passes.</summary>
    public long Repeated { get; private set; }

    /// <summary>Reads, embeds, and gives everything to the store but the last shard's end.</summary>
    public void Run(CancellationToken cancel)
    {
        Preparation preparation = new(tower.Preprocessing, options.MaxPixels, 2 * picturesAtOnce)
        {
            Views = options.Views,
            Decode = store.Description.Decode,
            IsKnown = hash => known.Find(hash) is not null || store.Holds(hash),
        };
        TowerStream stream = new(tower, compute, picturesAtOnce)
        {
            Views = options.Views.Count,
            MostInBlock = 4 * options.BatchSize,
        };
        // A batch ends with its shard: so a shard's numbers are the same to the bit, whoever makes it and after
        // whatever.
        foreach (var (shard, pictures) in Shards(preparation, cancel))
        {
            store.MoveTo(shard);
            foreach (var block in stream.Blocks(pictures.Select(one => Turn(one, preparation))))
                Give(block);
        }
        Judge(atEnd: true);
    }

    /// <summary>What is wanted, prepared, shard by shard; each shard is read to its end before the next.</summary>
    private IEnumerable<(long Shard, IEnumerable<Prepared> Pictures)> Shards(
        Preparation preparation,
        CancellationToken cancel
    )
    {
        Queue<long> shards = new();
        var wanted = store
            .Wanted(source.ReadAll())
            .Select(one =>
            {
                shards.Enqueue(one.Shard);
                return one.Found;
            });
        using var all = PreparedPictures.InOrder(wanted, preparation, cancel).GetEnumerator();
        var more = all.MoveNext();
        while (more)
        {
            var shard = shards.Dequeue();
            yield return (shard, Of(shard));
        }

        IEnumerable<Prepared> Of(long shard)
        {
            do
            {
                yield return all.Current;
                more = all.MoveNext();
            } while (more && shards.Peek() == shard && shards.TryDequeue(out _));
        }
    }

    /// <summary>Whether a picture goes through the tower: one that nobody has, and not twice.</summary>
    private (Prepared One, bool Goes) Turn(Prepared one, Preparation preparation)
    {
        if (
            one.Picture is not { } picture
            || known.Find(picture.Sha256) is not null
            || store.Holds(picture.Sha256)
            || !waiting.Add(Convert.ToHexString(picture.Sha256))
        )
            return (one, false);
        // Its rows may have been given up while it was looked at.
        var next = picture.IsKnown
            ? PreparedPictures.Prepare(picture.Sample, preparation with { IsKnown = null })
            : one;
        return (next, next.Picture is not null);
    }

    private void Give(RepresentedBlock block)
    {
        var at = 0;
        foreach (var one in block.All)
        {
            if (one.Skipped is { } skipped)
                store.Skip(skipped);
            else if (one.Picture is { } picture)
                Give(picture, block, ref at);
        }
        waiting.Clear();
        progress?.Report(new("embedding", store.Counts.Found, source.KnownCount, "pictures", Note()));
        Judge();
    }

    /// <param name="picture">The next of the block.</param>
    /// <param name="block">The block.</param>
    /// <param name="at">How many of its represented pictures have gone to the store.</param>
    private void Give(PreparedPicture picture, RepresentedBlock block, ref int at)
    {
        if (at < block.Pictures.Count && ReferenceEquals(block.Pictures[at], picture))
        {
            if (store.Append(picture.Sample, new(picture.Width, picture.Height, picture.Sha256), block[at++]))
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
            // as the one that it repeats
            store.Skip(new(picture.Sample.Key, picture.Sample.Origin, EmbeddingStoreWriter.NoDirection));
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
            source.Path,
            $"{counts.Skipped} of the first {counts.Found} samples could not be used, more than the share of "
                + $"{options.MaxBad} that `MaxBad` allows",
            $"{store.SkippedPath} says why for each. Mend the data, or allow more, and run the same command "
                + "again, with `RetrySkipped` to try these once more"
        );
    }
}
