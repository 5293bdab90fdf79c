using System.Diagnostics;
using LiT.Compute;
using LiT.Data;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Embedding;

/// <summary>
/// Brings a finished store to what its source holds now. Pictures are told by their key and the hash of their bytes:
/// one that is where it was stays as it is, one that lies elsewhere now is said to, what is new goes through the tower
/// into files of its own, and what is gone is marked as removed. All of it becomes true at once, at the end.
/// </summary>
/// <param name="tower">The store's tower.</param>
/// <param name="source">What the store is to hold.</param>
/// <param name="folder">The store.</param>
/// <param name="description">What makes its rows.</param>
/// <param name="options">Sizes and limits.</param>
/// <param name="compute">Where the tower computes.</param>
/// <param name="progress">Told after every batch.</param>
internal sealed class UpdateRun(
    LockedTower tower,
    SampleSource source,
    string folder,
    StoreDescription description,
    EmbedOptions options,
    ComputeDevice compute,
    IProgress<ProgressStep>? progress
)
{
    private const int MostTries = 5;

    /// <param name="clock">When it began.</param>
    /// <param name="cancel">Stops after the batch under way; the store stays as it was, and what was embedded is not
    /// embedded again.</param>
    /// <exception cref="LitException">The source cannot be read, too much of it is bad, or the store cannot be
    /// written.</exception>
    public EmbedResult Run(Stopwatch clock, CancellationToken cancel)
    {
        EmbedResult result;
        using (StoreFolder.LockUpdate(folder))
            result = Locked(clock, cancel);
        StoreFolder.Tidy(folder);
        return result;
    }

    private EmbedResult Locked(Stopwatch clock, CancellationToken cancel)
    {
        var embedded = 0L;
        for (var tries = 1; ; tries++)
        {
            using var store = EmbeddingStore.Open(folder);
            using var pass = Pass(store, cancel, out var change);
            embedded += pass.Embedded;
            var file = IsNothing(change, store) ? StoreFile.Read(folder) : change.Commit(cancel);
            if (file is null && tries < MostTries)
                continue; // another program changed the store; what was embedded is at hand
            if (file is null)
                throw new LitException(
                    folder,
                    "is changed by another program all the time",
                    "Wait until that has done, and run the same command again"
                );
            StoreFolder.ClearUpdate(folder);
            return new(file.Counts, embedded, clock.Elapsed.TotalSeconds, false)
            {
                Reused = pass.Reused,
                Repeated = pass.Repeated,
                Moved = change.Reworded,
                Removed = change.Removed,
            };
        }
    }

    private UpdatePass Pass(EmbeddingStore store, CancellationToken cancel, out StoreChange change)
    {
        KnownPictures known = new(description, options.Reuse);
        foreach (var left in StoreAddition.LeftIn(StoreFolder.UpdatePath(folder)).ToList())
            known.AddLeft(left, description);
        StoreAddition added = new(StoreAddition.NextIn(StoreFolder.UpdatePath(folder)), description);
        UpdatePass pass = new(tower, store, known, added, options, compute, progress);
        try
        {
            change = pass.Run(source, description, cancel);
            return pass;
        }
        catch
        {
            pass.Dispose();
            throw;
        }
    }

    private bool IsNothing(StoreChange change, EmbeddingStore store) =>
        change.IsEmpty
        && store.Description!.Source == description.Source
        && change.Lists is var (skipped, notes)
        && (skipped.Count, notes.Count) == (store.Counts!.Skipped, store.Counts.Noted)
        && StoreFolder.SaysTheSame(folder, skipped, notes);
}
