using System.Globalization;
using System.Numerics.Tensors;
using LiT.Compute;
using LiT.Data;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Embedding;

/// <summary>What was proved of a store.</summary>
/// <param name="Rows">Rows that were looked at, all of them finite and of unit length.</param>
/// <param name="Probes">Whether the tower gave for the test pictures what the store says; false where it says
/// nothing.</param>
/// <param name="Compared">Pictures of the source that were embedded again.</param>
/// <param name="LowestCosine">The smallest cosine between such a picture's row and what the tower gives now; 1 where
/// there is none.</param>
internal sealed record StoreCheckResult(long Rows, bool Probes, int Compared, double LowestCosine);

/// <summary>
/// Proves that a store holds what its tower gives: rows, fingerprint, probe vectors, and some pictures embedded again.
/// </summary>
internal static class StoreCheck
{
    private const int RowsAtOnce = 1024;

    /// <param name="store">An open store that says which tower made it.</param>
    /// <param name="tower">The tower at hand.</param>
    /// <param name="name">How it was named, for messages.</param>
    /// <param name="source">The pictures, where they are at hand.</param>
    /// <param name="pictures">How many of them are embedded again.</param>
    /// <param name="compute">Where.</param>
    /// <param name="cancel">Stops between two blocks of rows.</param>
    /// <exception cref="LitException">Something is not as it should be; the message says what.</exception>
    public static StoreCheckResult Run(
        EmbeddingStore store,
        LockedTower tower,
        string name,
        SampleSource? source,
        int pictures,
        ComputeDevice compute,
        CancellationToken cancel = default
    )
    {
        var description = store.Description
            ?? throw new LitException(
                store.Folder,
                "does not say which tower made it, so there is nothing to prove",
                "Embed the pictures with `EmbedRun`"
            );
        CheckRows(store, cancel);
        StoreFit.Check(store, new(tower.Fingerprint, name));
        StoreProbes.Check(store.Folder, description, tower, compute);
        var (compared, lowest) = source is null ? (0, 1) : Compare(store, tower, source, pictures, compute, cancel);
        return new(store.Rows, description.Probes is not null, compared, lowest);
    }

    private static void CheckRows(EmbeddingStore store, CancellationToken cancel)
    {
        var values = new float[RowsAtOnce * store.EmbeddingSize];
        for (var first = 0L; first < store.Rows; first += RowsAtOnce)
        {
            cancel.ThrowIfCancellationRequested();
            var rows = new long[Math.Min(RowsAtOnce, store.Rows - first)];
            for (var i = 0; i < rows.Length; i++)
                rows[i] = first + i;
            store.ReadRows(rows, values);
            for (var i = 0; i < rows.Length; i++)
                if (
                    !(
                        Math.Abs(TensorPrimitives.Norm(values.AsSpan(i * store.EmbeddingSize, store.EmbeddingSize)) - 1)
                        < 0.01f
                    ) || store.Norm(rows[i]) is not (> 0 and < float.PositiveInfinity)
                )
                    throw new LitException(
                        $"{store.Folder}, row {rows[i]} ({store.Key(rows[i])}): not of unit length; the "
                            + "file was changed or damaged. Delete the folder and embed again."
                    );
        }
    }

    private static (int Compared, double Lowest) Compare(
        EmbeddingStore store,
        LockedTower tower,
        SampleSource source,
        int pictures,
        ComputeDevice compute,
        CancellationToken cancel
    )
    {
        var (compared, lowest) = (0, 1.0);
        var stored = new float[tower.Tower.Width];
        Preparation preparation = new(tower.Preprocessing, long.MaxValue, 8) { Decode = store.Description!.Decode };
        var known = PreparedPictures
            .InOrder(source.ReadAll(), preparation, cancel)
            .Where(one => one.Picture is { } picture && store.RowOf(picture.Sha256) is not null)
            .Take(pictures);
        // One at a time: what stands beside a picture is of no matter.
        foreach (var block in new TowerStream(tower, compute, picturesAtOnce: 1).Blocks(known))
        {
            var picture = block.Pictures[0];
            var row = store.RowOf(picture.Sha256)!.Value;
            store.ReadRows([row], stored);
            var cosine = TensorPrimitives.CosineSimilarity(block[0], stored);
            if (!(cosine >= 0.99f))
                throw new LitException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{store.Folder}, row {row} ({picture.Sample.Origin}): the tower gives another "
                            + $"embedding now (cosine {cosine:F4}); the file was changed or damaged. Delete the "
                            + $"folder and embed again."
                    )
                );
            compared++;
            lowest = Math.Min(lowest, cosine);
        }
        return (compared, lowest);
    }
}
