using System.Diagnostics;
using System.Text.Json.Nodes;
using LiT.Compute;
using LiT.Data;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Embedding;

/// <summary>
/// Embeds every picture of a source once: decoding runs ahead on the thread pool, the locked tower takes batches, rows
/// go to the store in the source's order. Killed and run again, it makes the shards that are missing; several processes
/// may share the work; of pictures with the same bytes one is embedded, and those that an earlier store holds are taken
/// over.
/// </summary>
internal static class EmbedRun
{
    private const int MostPasses = 3;

    /// <param name="tower">The locked tower.</param>
    /// <param name="towerName">How the user called it; the store keeps it.</param>
    /// <param name="source">Where the pictures come from.</param>
    /// <param name="folder">The store.</param>
    /// <param name="options">Sizes, limits and what to do with what is there.</param>
    /// <param name="compute">Where the tower computes.</param>
    /// <param name="progress">Told after every batch.</param>
    /// <param name="cancel">Stops after the batch under way; finished shards stay.</param>
    /// <exception cref="LitException">The source cannot be read, too much of it is bad, or the store cannot be
    /// written.</exception>
    public static EmbedResult Run(
        LockedTower tower,
        string towerName,
        SampleSource source,
        string folder,
        EmbedOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        if ((options.Update || options.RetrySkipped) && !options.Part.IsWhole)
            throw SettingException.Of<EmbedOptions>(
                s => s.Part,
                options.Part,
                "an update and a second try are the work of one process",
                "Leave the part out"
            );
        var clock = Stopwatch.StartNew();
        if (tower.Tower is ICutTower { Cut: not null } && EmbeddingStore.IsStore(source.Path))
            return CutRun.Run(tower, towerName, source, folder, options, compute, progress, cancel);
        StoreFolder.Switch(folder); // the last step of an update that was killed
        if (!EmbeddingStore.IsStore(folder))
            _ = source.ReadAll().Any(); // an empty source is refused before anything is written
        var there = StoreFile.Read(folder);
        var description = Describe(tower, towerName, source, options, there?.Description);
        var again =
            there is { Complete: true } && (options.Update || (options.RetrySkipped && there.Counts.Skipped > 0));
        if (there is { Complete: true } && !again)
            using (var finished = EmbeddingStoreWriter.Open(folder, description, options.Part))
                return new(finished.Counts, 0, clock.Elapsed.TotalSeconds, true);
        if (there is not null)
        {
            StoreFit.Check(folder, there.Description, description, ofThisSource: !again && options.Part.IsWhole);
            StoreProbes.Check(folder, there.Description, tower, compute);
        }
        description = description with { Probes = there?.Description.Probes ?? ProbeVectors.Of(tower, compute) };
        if (again)
            return new UpdateRun(tower, source, folder, description, options, compute, progress).Run(clock, cancel);

        using KnownPictures known = new(description, options.Reuse);
        using var store = EmbeddingStoreWriter.Open(folder, description, options.Part);
        if (options.RetrySkipped)
            store.ForgetSkipped();
        EmbedPass pass = new(tower, source, store, known, options, compute, progress);
        for (var n = 1; ; n++)
        {
            pass.Run(cancel);
            if (store.Finish() is not null || store.Outdated == 0)
                break;
            if (n == MostPasses)
                throw new LitException(
                    source.Path,
                    $"changes while it is read; {store.Outdated} of the shards made so far no longer fit it",
                    "Wait until nothing writes there, and run the same command again"
                );
        }
        return new EmbedResult(store.Counts, pass.Embedded, clock.Elapsed.TotalSeconds, false)
        {
            Reused = pass.Reused,
            Repeated = pass.Repeated,
            MissingShards = store.IsComplete ? 0 : store.Missing,
        };
    }

    private static StoreDescription Describe(
        LockedTower tower,
        string name,
        SampleSource source,
        EmbedOptions options,
        StoreDescription? there
    )
    {
        var standard = new StoreDescription
        {
            Fingerprint = tower.Fingerprint,
            Tower = name,
            Preprocessing = JsonNode.Parse(tower.Preprocessing.ToJson()),
            EmbeddingSize = tower.Tower.Width,
            Views = options.Views.Count,
            ViewChanges = options.Views.ToJson(),
            Source = source.Path,
        };
        return standard with
        {
            Type = options.Type ?? there?.Type ?? standard.Type,
            Decode = options.Decode ?? there?.Decode ?? standard.Decode,
            RowsPerShard = options.RowsPerShard ?? there?.RowsPerShard ?? standard.RowsPerShard,
        };
    }
}
