namespace LiT.Stores;

/// <summary>What a compaction did (field names as in the JSON).</summary>
/// <param name="Merged">Files of rows that were written anew.</param>
/// <param name="Into">Files that they became.</param>
/// <param name="Removed">Pictures whose rows are gone now.</param>
/// <param name="Reworded">Pictures whose metadata say now what is true.</param>
/// <param name="Segments">Files of rows that there are now.</param>
internal sealed record Compacted(int Merged, int Into, long Removed, long Reworded, int Segments);

/// <summary>
/// Writes files of rows anew of which pictures were removed or described anew, and small ones that lie together, so
/// that the folder holds what the store is and nothing else. Those who have the store open keep what they have.
/// </summary>
internal static class StoreCompaction
{
    /// <param name="folder">A finished store.</param>
    /// <param name="progress">Told after every picture file.</param>
    /// <param name="cancel">Stops between two pictures; the store stays as it was.</param>
    /// <exception cref="LitException">The store names no tower, or the disk is full; the store is as it
    /// was.</exception>
    public static Compacted Run(
        string folder,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        StoreFolder.RefuseLinkedShards(folder);
        using var writing = StoreFolder.LockToChange(folder, cancel);
        using var store = EmbeddingStore.Open(folder);
        if (StoreFile.Read(folder) is not { Complete: true } file)
            throw new LitException(
                folder,
                "does not say which tower made it, so it is not changed",
                "Embed the pictures with `EmbedRun`"
            );
        if (file.Growth is not { } growth)
            return new(0, 0, 0, 0, store.Shards.Count);
        StoreFolder.TidyChanges(folder, growth);
        var chosen = Chosen(store, file.Description, growth);
        if (chosen.Count == 0)
            return new(0, 0, 0, 0, growth.Segments.Count);
        var place = StoreFolder.CompactingPath(folder);
        if (Directory.Exists(place))
            Directory.Delete(place, recursive: true);
        using StoreAddition merged = new(place, file.Description);
        for (var row = 0L; row < store.Rows; row += store.Views)
        {
            cancel.ThrowIfCancellationRequested();
            if (!chosen.Contains(store.PlaceOf(row).Segment))
                continue;
            merged.AppendAgain(StoreSamples.At(store, row), store, row, store.Added(row));
            if (merged.Pictures % 1000 == 0)
                progress?.Report(new("compacting", row / store.Views, store.Rows / store.Views, "pictures"));
        }
        merged.Flush();
        if (StoreSegment.IsIndexed(folder))
            merged.Index();
        return Put(store, file, growth, chosen, merged);
    }

    private static Compacted Put(
        EmbeddingStore store,
        StoreFile file,
        StoreGrowth growth,
        HashSet<int> chosen,
        StoreAddition merged
    )
    {
        var folder = store.Folder;
        List<SegmentEntry> segments = [.. growth.Segments.Where(one => !chosen.Contains(one.Number))];
        foreach (var (number, rows) in merged.Files)
        {
            segments.Add(new(growth.Next + number, rows));
            StoreFolder.TakeIn(merged.Folder, number, folder, growth.Next + number);
        }
        var next = growth with
        {
            Generation = growth.Generation + 1,
            Segments = segments,
            Next = growth.Next + merged.Files.Count,
            Removed = 0,
            RemovedFile = null,
            WordsFiles = [],
        };
        (file with { Growth = next }).Write(folder);
        StoreFolder.TidyChanges(folder, next);
        Directory.Delete(merged.Folder, recursive: true);
        return new(
            chosen.Count,
            merged.Files.Count,
            growth.Removed,
            store.Reworded.Places.LongCount(place => !store.Removed.Holds(place)),
            segments.Count
        );
    }

    /// <summary>Files of which something is not true any more, and small ones where there are several.</summary>
    private static HashSet<int> Chosen(EmbeddingStore store, StoreDescription description, StoreGrowth growth)
    {
        HashSet<int> chosen =
        [
            .. growth.Segments.Select(one => one.Number).Where(number => store.Removed.Of(number) is not null),
            .. store.Reworded.Places.Select(place => place.Segment),
        ];
        int[] small =
        [
            .. growth.Segments.Where(one => 2 * one.Rows < description.RowsPerShard).Select(one => one.Number),
        ];
        if (chosen.Count + small.Length > 1)
            chosen.UnionWith(small);
        return chosen;
    }
}
