using LiT.Data;
using LiT.Files;

namespace LiT.Stores;

/// <summary>
/// Writes an embedding store, a shard at a time, so that a kill at any moment loses no finished shard: opened again
/// with the same description it makes the shards that are missing, and the finished folder holds the same bytes as
/// without the kill, however many processes made it. <see cref="Wanted"/> cuts the source into shards; each is begun
/// with <see cref="MoveTo"/> and filled with <see cref="Append"/>, <see cref="AppendAgain"/> and <see cref="Skip"/> in
/// the source's order. Not safe for several threads.
/// </summary>
internal sealed class EmbeddingStoreWriter : IDisposable
{
    internal const string NoDirection = "the tower's numbers are not finite, or all zero";

    private readonly string folder;
    private readonly StoreDescription description;
    private readonly StorePart part;
    private readonly StoreJournal journal;
    private readonly ShardOrder order;
    private readonly FolderLock? folderLock;
    private readonly Dictionary<long, (string Digest, StoreCounts Counts)> finished = [];
    private readonly ShardRows? rows;
    private readonly StoreRepeats repeats;
    private readonly List<Skipped> skipped = [],
        notes = [];
    private long? open;
    private int embedded;
    private StoreCounts counts;

    private EmbeddingStoreWriter(
        string folder,
        StoreDescription description,
        StorePart part,
        StoreFile? complete,
        FolderLock? folderLock
    )
    {
        (this.folder, this.description, this.part, this.folderLock) = (folder, description, part, folderLock);
        journal = new(folder);
        repeats = new(folder);
        order = new(Math.Max(1, description.RowsPerShard / description.Views));
        counts = complete?.Counts ?? new(0, 0, 0);
        IsComplete = complete is not null;
        if (IsComplete)
            return;
        rows = new(description);
        foreach (var shard in journal.Shards())
            if (journal.Read(shard) is { } record)
            {
                finished.Add(shard, (record.Digest, record.Counts));
                counts += record.Counts;
                if (part.Holds(shard) && record.Embedded > 0)
                    repeats.AddShard((int)shard, description.Views);
            }
    }

    /// <summary>Whether the store is finished already: there is nothing left to do.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>
    /// What the store holds, with what has been given since it was opened; other processes' shards as of then.
    /// </summary>
    public StoreCounts Counts => counts;

    /// <summary>What made the rows, as the folder has it.</summary>
    public StoreDescription Description => description;

    /// <summary>
    /// Shards of this part that were made from data that has changed since, and have to be made again: read once more.
    /// </summary>
    public long Outdated { get; private set; }

    /// <summary>
    /// Begins a store in a new or empty folder, goes on with an unfinished one, or finds a finished one.
    /// </summary>
    /// <param name="folder">The store.</param>
    /// <param name="description">What makes the rows.</param>
    /// <param name="part">Which shards are made here.</param>
    /// <exception cref="LitException">The folder holds something else, another tower's store, or is being written
    /// to.</exception>
    public static EmbeddingStoreWriter Open(string folder, StoreDescription description, StorePart part = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(description.EmbeddingSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(description.Views, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(description.RowsPerShard, 1);
        if (Linked.Broken(folder) is { } broken)
            throw new LitException(folder, broken, "Make the folder that it leads to, or choose another name");
        if (File.Exists(folder))
            throw new LitException(folder, "is a file, where a store needs a folder", "Choose another name");
        var file = StoreFile.Read(folder);
        if (file is not null)
            StoreFit.Check(folder, file.Description, description, ofThisSource: part.IsWhole);
        else if (
            Directory.Exists(folder)
            && Directory.EnumerateFileSystemEntries(folder).Any(entry => !Path.GetFileName(entry).StartsWith('.'))
        )
            throw new LitException(folder, "holds files that are no embedding store", "Choose a new or empty folder");
        if (file is { Complete: true })
        {
            StoreFolder.Tidy(folder); // a kill between the last file and the end leaves something
            return new(folder, file.Description, part, file, null);
        }

        var folderLock = StoreFolder.Lock(folder, part);
        try
        {
            file = StoreFile.Read(folder);
            if (file is null)
                (file = new(description, false, new(0, 0, 0))).Write(folder);
            return new(folder, file.Description, part, file.Complete ? file : null, folderLock);
        }
        catch
        {
            folderLock.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The things of the shards that are missing here and belong to this part. Finished shards are compared with the
    /// data in passing: one that was made from other data is given up and counted as <see cref="Outdated"/>.
    /// </summary>
    /// <param name="found">All that the source finds (<see cref="SampleSource.ReadAll"/>).</param>
    public IEnumerable<(long Shard, Found Found)> Wanted(IEnumerable<Found> found)
    {
        Outdated = 0;
        return order.Cut(
            found,
            shard => part.Holds(shard) && !finished.ContainsKey(shard),
            (shard, digest) =>
            {
                if (!finished.TryGetValue(shard, out var made) || made.Digest == digest)
                    return;
                Forget(shard, made.Counts);
                if (part.Holds(shard))
                    Outdated++;
            }
        );
    }

    /// <summary>Finishes the shard under way, if it is another one, and begins this one.</summary>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to; finished shards
    /// stay.</exception>
    public void MoveTo(long shard)
    {
        Writable();
        if (open == shard)
            return;
        Commit();
        open = shard;
    }

    /// <summary>
    /// Adds a picture's rows, one a view, as the tower gave them; unit length and norm are made here.
    /// </summary>
    /// <param name="sample">The picture's words and names.</param>
    /// <param name="picture">Its size and hash.</param>
    /// <param name="representations">[views, size] numbers.</param>
    /// <returns>False where the numbers have no direction (not finite, or all zero): the sample then counts as
    /// skipped.</returns>
    public bool Append(Sample sample, EmbeddedPicture picture, ReadOnlySpan<float> representations)
    {
        Writable();
        if (representations.Length != description.Views * description.EmbeddingSize)
            throw new ArgumentException(
                $"{representations.Length} numbers where {description.Views} x {description.EmbeddingSize} are needed.",
                nameof(representations)
            );
        if (!rows!.Append(sample, picture, representations))
        {
            Skip(new(sample.Key, sample.Origin, NoDirection));
            return false;
        }
        repeats.Add(picture.Sha256, (int)open!.Value, rows.Count - description.Views);
        Embedded();
        return true;
    }

    /// <summary>
    /// Adds a picture whose bytes were embedded before, with the rows of that store as they are: no tower runs, and the
    /// numbers are the same to the bit.
    /// </summary>
    /// <param name="sample">The picture's words and names here.</param>
    /// <param name="from">A store of the same tower, type and views.</param>
    /// <param name="row">The picture's first row there (<see cref="EmbeddingStore.RowOf"/>).</param>
    /// <exception cref="LitException">The other store is another tower's.</exception>
    public void AppendAgain(Sample sample, EmbeddingStore from, long row)
    {
        Writable();
        if (WhyNotReuse(from) is { } why)
            throw new LitException(
                from.Folder,
                $"its rows cannot be taken over: {why}",
                "Reuse a store of the same tower, type and views"
            );
        rows!.Append(sample, from, row);
        Embedded();
    }

    /// <summary>
    /// Whether a picture of these bytes is in the store already, in a shard of this part. Safe from several threads.
    /// </summary>
    /// <param name="sha256">SHA-256 of the encoded bytes, 32 bytes.</param>
    public bool Holds(ReadOnlySpan<byte> sha256) => repeats.Find(sha256) is not null;

    /// <summary>Adds a picture whose bytes are in the store already, with the same rows to the bit.</summary>
    /// <param name="sample">The picture's words and names.</param>
    /// <param name="sha256">SHA-256 of the encoded bytes, 32 bytes.</param>
    /// <returns>False where they are not (<see cref="Holds"/>): nothing is added.</returns>
    public bool AppendRepeat(Sample sample, ReadOnlySpan<byte> sha256)
    {
        Writable();
        if (repeats.Find(sha256) is not var (shard, row))
            return false;
        if (shard == open)
            rows!.AppendAgain(sample, row);
        else
        {
            var (from, metadata) = repeats.Open(shard);
            rows!.Append(sample, from, metadata, row);
        }
        Embedded();
        return true;
    }

    /// <summary>
    /// Why another store's rows cannot be taken over as they are, as a phrase, or null where they can.
    /// </summary>
    public string? WhyNotReuse(EmbeddingStore from) => StoreFit.Difference(from.Description, description);

    /// <summary>
    /// Notes a sample that is not in the store (or, <see cref="Skipped.InPart"/>, not with all its parts), and why.
    /// </summary>
    public void Skip(Skipped what)
    {
        Writable();
        (what.InPart ? notes : skipped).Add(what);
        counts = what.InPart ? counts with { Noted = counts.Noted + 1 } : counts with { Skipped = counts.Skipped + 1 };
    }

    /// <summary>
    /// Finishes the shard under way and, where no shard is missing, the store. Only after everything of
    /// <see cref="Wanted"/> was given.
    /// </summary>
    /// <returns>What the finished store holds, or null where shards of other parts are missing
    /// (<see cref="Missing"/>).</returns>
    /// <exception cref="LitException">The disk is full or the folder cannot be written.</exception>
    public StoreCounts? Finish()
    {
        if (IsComplete)
            return counts;
        Commit();
        if (Missing > 0 || Outdated > 0)
            return null;
        var whole = StoreFolder.Finish(folder, description, journal, order.Digests);
        if (whole is null)
            return null;
        (counts, IsComplete) = (whole, true);
        Dispose();
        StoreFolder.Tidy(folder);
        return whole;
    }

    /// <summary>Shards of the data that was read which are not made yet, by whichever part.</summary>
    public int Missing
    {
        get
        {
            var made = journal.Shards();
            return Enumerable.Range(0, order.Digests.Count).Count(shard => made.BinarySearch(shard) < 0);
        }
    }

    /// <summary>
    /// Writes a whole store of pictures whose representations are at hand; what an earlier run wrote is passed over.
    /// </summary>
    /// <param name="pictures">In the store's order, each with [views, size] numbers, which may lie in the same buffer
    /// every time.</param>
    /// <inheritdoc cref="Finish"/>
    public StoreCounts? Write(IEnumerable<(Sample Sample, EmbeddedPicture Picture, float[] Representations)> pictures)
    {
        (Sample Sample, EmbeddedPicture Picture, float[] Representations)? now = null;
        Found Next((Sample Sample, EmbeddedPicture Picture, float[] Representations) picture)
        {
            now = picture;
            return new(picture.Sample, null);
        }
        foreach (var (shard, _) in Wanted(pictures.Select(Next)))
        {
            MoveTo(shard);
            Append(now!.Value.Sample, now.Value.Picture, now.Value.Representations);
        }
        return Finish();
    }

    /// <summary>The list of what was skipped.</summary>
    public string SkippedPath => Path.Combine(folder, StoreFolder.SkippedName);

    /// <summary>
    /// Gives up the finished shards of an unfinished store in which something was skipped, so that it is tried again.
    /// </summary>
    public void ForgetSkipped()
    {
        foreach (
            var (shard, (_, made)) in finished
                .Where(shard => part.Holds(shard.Key) && shard.Value.Counts.Skipped > 0)
                .ToList()
        )
            Forget(shard, made);
    }

    private void Forget(long shard, StoreCounts made)
    {
        journal.Remove(shard);
        finished.Remove(shard);
        repeats.Remove((int)shard);
        counts -= made;
    }

    /// <summary>
    /// Writes the lists of what was skipped and noted until now, for somebody who wants to know why so much was.
    /// </summary>
    public void WriteLists()
    {
        if (!IsComplete)
            StoreFolder.WriteLists(folder, journal, journal.Shards(), skipped, notes);
    }

    /// <summary>
    /// Lets go of the folder. Unless it is finished, the rows since the last finished shard are given up.
    /// </summary>
    public void Dispose()
    {
        repeats.Dispose();
        folderLock?.Dispose();
    }

    private void Embedded()
    {
        embedded++;
        counts = counts with { Embedded = counts.Embedded + 1 };
    }

    private void Commit()
    {
        if (open is not { } shard)
            return;
        rows!.Write(folder, shard);
        ShardRecord record = new(order.Digests[(int)shard], embedded, [.. skipped], [.. notes]);
        journal.Write(shard, record);
        finished[shard] = (record.Digest, record.Counts);
        skipped.Clear();
        notes.Clear();
        (open, embedded) = (null, 0);
    }

    private void Writable()
    {
        if (IsComplete)
            throw new InvalidOperationException("The store is finished.");
    }
}
