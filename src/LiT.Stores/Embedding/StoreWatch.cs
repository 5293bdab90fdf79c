using System.Diagnostics;
using LiT.Compute;
using LiT.Data;
using LiT.Files;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Embedding;

/// <summary>What one look at a folder changed (field names as in the JSON).</summary>
/// <param name="Found">indexed + skipped + removed.</param>
/// <param name="Indexed">Pictures that can be found now.</param>
/// <param name="Skipped">Samples that cannot be used.</param>
/// <param name="Removed">Pictures whose rows still are in the files; a compaction forgets them.</param>
/// <param name="Embedded">Pictures that went through the tower now.</param>
/// <param name="Moved">Pictures that lie elsewhere now, or have other words.</param>
/// <param name="Gone">Pictures that were taken out now.</param>
/// <param name="Compacted">Files of rows that were written anew.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record WatchStatus(
    long Found,
    long Indexed,
    long Skipped,
    long Removed,
    long Embedded,
    long Moved,
    long Gone,
    int Compacted,
    double Seconds
);

/// <summary>How a folder is followed.</summary>
internal sealed record WatchOptions
{
    /// <summary>Nothing must have changed for so long before the folder is looked at.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>It is looked at after so long in any case: not every disk tells what changes.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Looks once and ends.</summary>
    public bool Once { get; init; }

    /// <summary>Small or half empty files of rows at which the store is compacted.</summary>
    public int CompactAt { get; init; } = 64;
}

/// <summary>
/// Keeps a store what a folder is: looks at it, brings the store up to date, and waits for the next change. What
/// changed while nobody followed is found at the first look.
/// </summary>
/// <param name="tower">The store's tower.</param>
/// <param name="towerName">How the user calls it.</param>
/// <param name="open">Opens the folder as a source.</param>
/// <param name="data">The folder.</param>
/// <param name="store">The store; one that is not there is made.</param>
/// <param name="embed">Sizes and limits.</param>
/// <param name="compute">Where the tower computes.</param>
internal sealed class StoreWatch(
    LockedTower tower,
    string towerName,
    Func<SampleSource> open,
    string data,
    string store,
    EmbedOptions embed,
    ComputeDevice compute
)
{
    private const string Followed = ".watching";
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1); // a folder that never settles is looked at, too
    private (UInt128 Listing, long Generation, WatchStatus Status)? before;

    /// <summary>How the folder is followed.</summary>
    public WatchOptions Options { get; init; } = new();

    /// <summary>Told how far a look is.</summary>
    public IProgress<ProgressStep>? Progress { get; init; }

    /// <summary>Told after every look that changed something, and after the first.</summary>
    public Action<WatchStatus> Told { get; init; } = _ => { };

    /// <summary>Told of trouble that may pass, once.</summary>
    public Action<string> Complain { get; init; } = _ => { };

    /// <summary>Follows until it is stopped.</summary>
    /// <exception cref="LitException">The first look fails, another program follows a folder into the store, or the
    /// store itself was taken away.</exception>
    public void Run(CancellationToken cancel)
    {
        using var following = FolderLock.Take(
            store,
            new()
            {
                File = Followed,
                Taken = "another program keeps this store up to date",
                Remedy = "Stop that one first",
            }
        );
        FileStamps stamps = new(store);
        Told(Look(stamps, cancel));
        using FolderChanges changes = new(data);
        string? said = null;
        while (!Options.Once)
        {
            changes.Wait(Options.Settle, Longest, Options.Every, cancel);
            // With the folder went what keeps others from writing into it: whatever is there now is not this one's.
            if (!File.Exists(Path.Combine(store, Followed)))
                throw new LitException(
                    store,
                    "was taken away while it was followed",
                    "Put it back, or leave it to be made anew, and start again"
                );
            try
            {
                var status = Look(stamps, cancel);
                if (status.Embedded + status.Moved + status.Gone + status.Compacted > 0 || said is not null)
                    Told(status);
                said = null;
            }
            catch (LitException trouble)
            {
                // The folder is not there, a disk is full: what is in the store stays, and the next look tries again.
                if (said != trouble.Message)
                    Complain(trouble.Message);
                said = trouble.Message;
            }
        }
    }

    /// <summary>
    /// Brings the store to what the folder holds. Where the folder lists what it did the last time, and nobody has
    /// changed the store, that is all that is read.
    /// </summary>
    /// <exception cref="LitException">The folder is not there or cannot be read, or the disk is full.</exception>
    internal WatchStatus Look(FileStamps stamps, CancellationToken cancel)
    {
        if (!Directory.Exists(data) && !File.Exists(data))
            throw new LitException(data, "is not there", "The store stays as it is until it is back");
        var clock = Stopwatch.StartNew();
        var listing = FolderListing.Of(data);
        if (
            before is { } last
            && listing == last.Listing
            && StoreFile.GenerationOf(store) == last.Generation
            && last.Status with { Embedded = 0, Moved = 0, Gone = 0, Compacted = 0 } is var same
        )
            return same with { Seconds = clock.Elapsed.TotalSeconds };
        before = null;
        var status = LookThrough(stamps, cancel);
        if (listing is { } now)
            before = (now, StoreFile.GenerationOf(store), status);
        return status;
    }

    private WatchStatus LookThrough(FileStamps stamps, CancellationToken cancel)
    {
        var result = EmbedRun.Run(
            tower,
            towerName,
            open(),
            store,
            embed with
            {
                Update = true,
                Stamps = stamps,
            },
            compute,
            Progress,
            cancel
        );
        stamps.Save();
        var growth = StoreFile.Read(store)?.Growth;
        var compacted =
            growth is not null && IsRagged(growth) ? StoreCompaction.Run(store, Progress, cancel).Merged : 0;
        var removed = StoreFile.Read(store)?.Growth?.Removed ?? 0;
        return new(
            result.Counts.Found + removed,
            result.Counts.Embedded,
            result.Counts.Skipped,
            removed,
            result.EmbeddedNow,
            result.Moved,
            result.Removed,
            compacted,
            result.Seconds
        );
    }

    private bool IsRagged(StoreGrowth growth)
    {
        var largest = growth.Segments.Max(one => one.Rows);
        return growth.Segments.Count(one => 4L * one.Rows < largest) >= Options.CompactAt
            || 2 * growth.Removed > growth.Rows;
    }
}
