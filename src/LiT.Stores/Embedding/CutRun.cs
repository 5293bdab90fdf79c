using System.Diagnostics;
using LiT.Compute;
using LiT.Data;
using LiT.Stores;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Embedding;

/// <summary>
/// Embeds for a tower that was cut, from a store of the tower that it was cut from: each row goes through the head
/// alone, and no picture is read. Killed and run again, it makes the shards that are missing.
/// </summary>
internal static class CutRun
{
    private const int AtOnce = 256;

    /// <param name="tower">The tower that was cut.</param>
    /// <param name="towerName">How the user called it; the store keeps it.</param>
    /// <param name="source">The samples of the store, with their words.</param>
    /// <param name="folder">The store to write.</param>
    /// <param name="options">How it is stored.</param>
    /// <param name="compute">Where the head computes.</param>
    /// <param name="progress">Told after every block of rows.</param>
    /// <param name="cancel">Stops after the block under way; finished shards stay.</param>
    /// <exception cref="LitException">The store is another tower's, or cannot be written.</exception>
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
        var clock = Stopwatch.StartNew();
        var cut = (ICutTower)tower.Tower;
        if (options.Update || options.RetrySkipped || !options.Part.IsWhole || options.Reuse.Count > 0)
            throw new LitException(
                source.Path,
                "is a store, whose rows are cut as they are, all at once",
                "Leave `Update`, `RetrySkipped`, `Part` and `Reuse` out, or give the pictures themselves"
            );
        using var from = EmbeddingStore.Open(source.Path);
        StoreFit.Check(from, new(cut.FingerprintInFront(tower.Preprocessing), $"what {towerName} was cut from"));
        var made = from.Description
            ?? throw new LitException(
                from.Folder,
                "does not say which tower made its rows, so nothing can tell whether they fit",
                "Embed the pictures themselves"
            );
        var there = StoreFile.Read(folder)?.Description;
        var description = made with
        {
            Fingerprint = tower.Fingerprint,
            Tower = towerName,
            EmbeddingSize = tower.Tower.Width,
            Type = options.Type ?? there?.Type ?? made.Type,
            RowsPerShard = options.RowsPerShard ?? there?.RowsPerShard ?? made.RowsPerShard,
            Probes = there?.Probes ?? ProbeVectors.Of(tower, compute),
        };
        using var store = EmbeddingStoreWriter.Open(folder, description);
        if (store.IsComplete)
            return new(store.Counts, 0, clock.Elapsed.TotalSeconds, true);
        var counts = store.Write(Cut(from, source, cut.Cut!, progress, cancel));
        return new(counts!, counts!.Embedded, clock.Elapsed.TotalSeconds, false);
    }

    private static IEnumerable<(Sample, EmbeddedPicture, float[])> Cut(
        EmbeddingStore from,
        SampleSource source,
        Head head,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var (views, size) = (from.Views, head.Outputs);
        var done = 0L;
        foreach (var samples in source.Read(_ => { }).Chunk(AtOnce))
        {
            cancel.ThrowIfCancellationRequested();
            var rows = Rows(from, head, done * views, samples.Length * views);
            for (var i = 0; i < samples.Length; i++)
            {
                var row = (done + i) * views;
                var (width, height) = from.PictureSize(row);
                yield return (
                    samples[i],
                    new(width, height, from.Sha256(row)),
                    rows.AsSpan(i * views * size, views * size).ToArray()
                );
            }
            done += samples.Length;
            progress?.Report(new("cutting", done, from.Rows / views, "pictures"));
        }
    }

    /// <summary>Consecutive rows through the head, the way they came out of the tower.</summary>
    private static float[] Rows(EmbeddingStore from, Head head, long first, int count)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var values = new float[count * from.EmbeddingSize];
        from.ReadRows([.. Enumerable.Range(0, count).Select(i => first + i)], values, ownLength: true);
        float[]? cut = null;
        Parts.Run(1, _ =>
        {
            var weights = head.parameters().First();
            var x = new Embeddings(values, from.EmbeddingSize).ToTensor().to(weights.dtype).to(weights.device);
            cut = head.call(x).cpu().to(ScalarType.Float32).contiguous().data<float>().ToArray();
        });
        return cut!;
    }
}
