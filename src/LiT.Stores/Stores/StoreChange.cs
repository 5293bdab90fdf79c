using System.Globalization;
using LiT.Data;

namespace LiT.Stores;

/// <summary>
/// A change of a store, which becomes true all at once when its manifest is replaced: pictures that come, with rows of
/// their own; pictures that go; pictures of which something else is said now. Costs what changes, whatever the store
/// holds. Readers that have the store open keep what they have.
/// </summary>
/// <param name="store">The store as it was when the change was thought of.</param>
internal sealed class StoreChange(EmbeddingStore store)
{
    private readonly List<(PicturePlace Place, Sample Words)> words = [];
    private readonly HashSet<PicturePlace> removed = [];

    /// <summary>Pictures that come; null for none.</summary>
    public StoreAddition? Added { get; init; }

    /// <summary>What is said of the store now; null where nothing else is.</summary>
    public StoreDescription? Description { get; init; }

    /// <summary>
    /// What could not be used, and what was used without a part, as of now; null where both stay as they were.
    /// </summary>
    public (IReadOnlyList<Skipped> Skipped, IReadOnlyList<Skipped> Notes)? Lists { get; init; }

    /// <summary>Pictures that go.</summary>
    public int Removed => removed.Count;

    /// <summary>Pictures of which something else is said.</summary>
    public int Reworded => words.Count;

    /// <summary>Whether nothing changes.</summary>
    public bool IsEmpty => Removed + Reworded == 0 && Added is not { Pictures: > 0 };

    /// <summary>Takes a picture out of the store.</summary>
    /// <param name="row">Its first row in the store as it was opened.</param>
    public void Remove(long row) => removed.Add(store.PlaceOf(row));

    /// <summary>Says of a picture what is true now: it was moved, or has other words. Its rows stay.</summary>
    /// <param name="row">Its first row in the store as it was opened.</param>
    /// <param name="sample">Its names and words.</param>
    public void Reword(long row, Sample sample) => words.Add((store.PlaceOf(row), sample));

    /// <summary>Makes it true.</summary>
    /// <param name="cancel">Stops waiting for another writer.</param>
    /// <returns>What the store is now; null where another program changed it meanwhile and this one has to be thought
    /// of again.</returns>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to; the store is as it
    /// was.</exception>
    public StoreFile? Commit(CancellationToken cancel = default)
    {
        var folder = store.Folder;
        Added?.Flush();
        if (StoreSegment.IsIndexed(folder))
            Added?.Index();
        StoreFolder.RefuseLinkedShards(folder);
        using var writing = StoreFolder.LockToChange(folder, cancel);
        var file = StoreFile.Read(folder);
        if (file is not { Complete: true } || file.Generation != store.Generation)
            return null;
        if (file.Growth is null)
        {
            // Readers look into the folder for files as long as no manifest names them.
            file = file with { Growth = StoreFolder.GrowthOf(folder, file) };
            file.Write(folder);
        }
        StoreFolder.TidyChanges(folder, file.Growth);
        var next = file.Growth with { Generation = file.Growth.Generation + 1 };
        next = TakeIn(folder, next);
        next = Without(folder, file.Description.Views, next);
        next = Saying(folder, next);
        var (skipped, noted) = (file.Counts.Skipped, file.Counts.Noted);
        if (Lists is var (left, notes))
        {
            StoreFolder.WriteLists(folder, left, notes);
            (skipped, noted) = (left.Count, notes.Count);
        }
        StoreFile changed = new(
            Description ?? file.Description,
            true,
            new(next.Rows / file.Description.Views - next.Removed, skipped, noted),
            next
        );
        changed.Write(folder);
        StoreFolder.TidyChanges(folder, next);
        return changed;
    }

    private StoreGrowth TakeIn(string folder, StoreGrowth growth)
    {
        if (Added is null)
            return growth;
        List<SegmentEntry> segments = [.. growth.Segments];
        foreach (var (number, rows) in Added.Files)
        {
            SegmentEntry entry = new(growth.Next + number, rows);
            StoreFolder.TakeIn(Added.Folder, number, folder, entry.Number);
            segments.Add(entry);
        }
        return growth with { Segments = segments, Next = growth.Next + Added.Files.Count };
    }

    private StoreGrowth Without(string folder, int views, StoreGrowth growth)
    {
        if (removed.Count == 0)
            return growth;
        var pictures = growth.Segments.ToDictionary(one => one.Number, one => one.Rows / views);
        var all = store.Removed.With(removed, segment => pictures[segment]);
        var name = $"removed_{growth.Generation.ToString("000000", CultureInfo.InvariantCulture)}.bin";
        all.Write(StoreFolder.ChangesPath(folder, name));
        return growth with { Removed = all.Count, RemovedFile = name };
    }

    /// <summary>
    /// Writes the new words; earlier files that are not larger are taken into the new one, so that there are few of
    /// them and each line is written again a few times at most.
    /// </summary>
    private StoreGrowth Saying(string folder, StoreGrowth growth)
    {
        if (words.Count == 0)
            return growth;
        List<(PicturePlace Place, Sample Words)> all = words;
        var files = growth.WordsFiles.ToList();
        var lengths = store.Reworded.Lengths.ToList();
        while (files.Count > 0 && lengths[^1] <= 2 * all.Count)
        {
            var own = all.Select(one => one.Place).ToHashSet();
            using RewordedPictures before = new([StoreFolder.ChangesPath(folder, files[^1])]);
            all =
            [
                .. before.Places.Where(place => !own.Contains(place)).Select(place => (place, before.Find(place)!)),
                .. all,
            ];
            files.RemoveAt(files.Count - 1);
            lengths.RemoveAt(lengths.Count - 1);
        }
        var name = $"words_{growth.Generation.ToString("000000", CultureInfo.InvariantCulture)}.bin";
        RewordedPictures.Write(StoreFolder.ChangesPath(folder, name), all);
        return growth with { WordsFiles = [.. files, name] };
    }
}
