using System.Collections;
using LiT.Compute;
using LiT.Data;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Embedding;

/// <summary>One reading of a source beside the store that was made of it, which finds what has changed.</summary>
/// <param name="tower">The store's tower.</param>
/// <param name="store">The store as it is.</param>
/// <param name="known">Pictures that were embedded elsewhere; closed with this.</param>
/// <param name="added">Where new rows go; closed with this.</param>
/// <param name="options">Sizes and limits.</param>
/// <param name="compute">Where the tower computes.</param>
/// <param name="progress">Told after every batch.</param>
internal sealed class UpdatePass(
    LockedTower tower,
    EmbeddingStore store,
    KnownPictures known,
    StoreAddition added,
    EmbedOptions options,
    ComputeDevice compute,
    IProgress<ProgressStep>? progress
) : IDisposable
{
    private const int EnoughToJudge = 100;

    private readonly int picturesAtOnce = Math.Max(1, options.BatchSize / options.Views.Count);
    private readonly HashSet<string> waiting = []; // hashes of pictures on their way through the tower
    private readonly List<Skipped> skipped = [],
        notes = [];
    private readonly List<(Sample Sample, byte[] Sha256)> elsewhere = []; // known by its bytes, not under this key
    private readonly BitArray here = new(checked((int)(store.Rows / store.Views)));
    private readonly Dictionary<string, long> rowOfKey = new(StringComparer.Ordinal);
    private long found;

    /// <summary>Pictures that went through the tower.</summary>
    public long Embedded { get; private set; }

    /// <summary>Pictures whose rows were there, in the store or elsewhere.</summary>
    public long Reused { get; private set; }

    /// <summary>Pictures that repeat one that is new, too.</summary>
    public long Repeated { get; private set; }

    /// <summary>Reads the source to its end.</summary>
    /// <exception cref="LitException">The source cannot be read, too much of it is bad, or the disk is
    /// full.</exception>
    public StoreChange Run(SampleSource source, StoreDescription description, CancellationToken cancel)
    {
        for (var row = 0L; row < store.Rows; row += store.Views)
            rowOfKey.TryAdd(store.Key(row), row);
        StoreChange change = new(store)
        {
            Added = added,
            Description = description,
            Lists = (skipped, notes),
        };
        Preparation preparation = new(tower.Preprocessing, options.MaxPixels, 2 * picturesAtOnce)
        {
            Views = options.Views,
            Decode = description.Decode,
            IsKnown = IsKnown,
        };
        TowerStream stream = new(tower, compute, picturesAtOnce)
        {
            Views = options.Views.Count,
            MostInBlock = 4 * options.BatchSize,
        };
        var prepared = PreparedPictures.InOrder(source.ReadAll(), preparation, cancel);
        try
        {
            foreach (var block in stream.Blocks(prepared.Select(one => Turn(one, preparation))))
            {
                Give(block, change);
                progress?.Report(new("embedding", found, source.KnownCount, "pictures", Note()));
                Judge(source.Path);
                cancel.ThrowIfCancellationRequested();
            }
        }
        catch
        {
            added.Flush(); // what was embedded is there the next time
            throw;
        }
        Settle(change);
        Judge(source.Path, atEnd: true);
        return change;
    }

    public void Dispose()
    {
        known.Dispose();
        added.Dispose();
    }

    private bool IsKnown(byte[] sha256) =>
        store.RowOf(sha256) is not null || known.Find(sha256) is not null || added.Holds(sha256);

    /// <summary>Whether a picture goes through the tower: one that nobody has, and not twice.</summary>
    private (Prepared One, bool Goes) Turn(Prepared one, Preparation preparation)
    {
        if (one.Picture is not { } picture || IsKnown(picture.Sha256))
            return (one, false);
        if (!waiting.Add(Convert.ToHexString(picture.Sha256)))
            return (one, false);
        var next = picture.IsKnown
            ? PreparedPictures.Prepare(picture.Sample, preparation with { IsKnown = null })
            : one;
        return (next, next.Picture is not null);
    }

    private void Give(RepresentedBlock block, StoreChange change)
    {
        var at = 0;
        foreach (var one in block.All)
        {
            if (one.Skipped is { } lost)
                Skip(lost);
            else if (one.Picture is { } picture)
            {
                found++;
                if (at < block.Pictures.Count && ReferenceEquals(block.Pictures[at], picture))
                    Add(picture, block[at++]);
                else
                    Take(picture, change);
            }
        }
        waiting.Clear();
    }

    private void Add(PreparedPicture picture, ReadOnlySpan<float> representations)
    {
        if (added.Append(picture.Sample, new(picture.Width, picture.Height, picture.Sha256), representations))
            Embedded++;
        else
            Lose(picture.Sample);
    }

    private void Take(PreparedPicture picture, StoreChange change)
    {
        if (store.RowOf(picture.Sha256) is not null)
        {
            if (
                rowOfKey.TryGetValue(picture.Sample.Key, out var row)
                && !here[(int)(row / store.Views)]
                && store.Sha256(row).AsSpan().SequenceEqual(picture.Sha256)
            )
                Stay(row, picture.Sample, change);
            else
                elsewhere.Add((picture.Sample with { ReadImage = null }, picture.Sha256));
            return;
        }
        if (known.Find(picture.Sha256) is var (from, there))
        {
            added.AppendAgain(picture.Sample, from, there);
            Reused++;
        }
        else if (added.AppendRepeat(picture.Sample, picture.Sha256))
            Repeated++;
        else
            Lose(picture.Sample); // as the one that it repeats
    }

    private void Stay(long row, Sample sample, StoreChange change)
    {
        here[(int)(row / store.Views)] = true;
        Reused++;
        if (
            store.Key(row) != sample.Key
            || store.Origin(row) != sample.Origin
            || store.Label(row) != sample.Label
            || !store.Captions(row).SequenceEqual(sample.Captions)
            || !SameFields(store.Fields(row), sample.Fields)
        )
            change.Reword(row, sample);
    }

    private static bool SameFields(
        IReadOnlyDictionary<string, string> one,
        IReadOnlyDictionary<string, string> other
    ) =>
        one.Count == other.Count
        && one.All(field => other.TryGetValue(field.Key, out var value) && value == field.Value);

    /// <summary>
    /// Gives pictures that are known by their bytes alone the rows of those that are gone: they were moved. Where there
    /// are more of them, they are copies.
    /// </summary>
    private void Settle(StoreChange change)
    {
        Dictionary<string, Queue<long>> gone = [];
        var wanted = elsewhere.Select(one => Convert.ToHexString(one.Sha256)).ToHashSet();
        for (var row = 0L; row < store.Rows; row += store.Views)
        {
            if (here[(int)(row / store.Views)])
                continue;
            if (Convert.ToHexString(store.Sha256(row)) is var hash && wanted.Contains(hash))
                (gone.TryGetValue(hash, out var rows) ? rows : gone[hash] = new()).Enqueue(row);
            else
                change.Remove(row);
        }
        foreach (var (sample, sha256) in elsewhere)
        {
            if (gone.TryGetValue(Convert.ToHexString(sha256), out var rows) && rows.TryDequeue(out var row))
            {
                Stay(row, sample, change);
                continue;
            }
            added.AppendAgain(sample, store, store.RowOf(sha256)!.Value);
            Reused++;
        }
        foreach (var row in gone.Values.SelectMany(rows => rows))
            change.Remove(row);
    }

    private void Lose(Sample sample) => skipped.Add(new(sample.Key, sample.Origin, EmbeddingStoreWriter.NoDirection));

    private void Skip(Skipped what)
    {
        (what.InPart ? notes : skipped).Add(what);
        found += what.InPart ? 0 : 1;
    }

    private string? Note()
    {
        List<string> said = [];
        if (Repeated > 0)
            said.Add($"{Repeated} repeats");
        if (Reused + elsewhere.Count > 0)
            said.Add($"{Reused + elsewhere.Count} taken over");
        if (skipped.Count > 0)
            said.Add($"{skipped.Count} skipped");
        return said.Count > 0 ? string.Join(", ", said) : null;
    }

    private void Judge(string path, bool atEnd = false)
    {
        if (skipped.Count <= options.MaxBad * found || (!atEnd && found < EnoughToJudge))
            return;
        var update = StoreFolder.UpdatePath(store.Folder);
        StoreFolder.WriteLists(update, skipped, notes);
        throw new LitException(
            path,
            $"{skipped.Count} of the first {found} samples could not be used, more than the share of "
                + $"{options.MaxBad} that `MaxBad` allows",
            $"{Path.Combine(update, StoreFolder.SkippedName)} says why for each. Mend the data, or allow more, and run "
                + "the same command again"
        );
    }
}
