using System.Globalization;
using System.Numerics.Tensors;
using LiT.Bundles;
using LiT.Compute;
using LiT.Stores;

namespace LiT.Embedding;

/// <summary>What was proved of a text store.</summary>
/// <param name="Rows">Rows that were looked at, all of them finite and of unit length.</param>
/// <param name="Compared">Texts that were read again.</param>
/// <param name="LowestCosine">The smallest cosine between such a text's row and what the tower gives now.</param>
internal sealed record TextCheckResult(long Rows, int Compared, double LowestCosine);

/// <summary>Whether a text store fits a text tower, and proof that it holds what that tower gives.</summary>
internal static class TextCheck
{
    /// <summary>Refuses a store that another text tower made.</summary>
    /// <exception cref="LitException">The store is another tower's; the message names both.</exception>
    public static void Fits(TextStore store, LockedText tower)
    {
        var made = store.File;
        if (made.Fingerprint == tower.Fingerprint)
            return;
        throw new LitException(
            store.Folder,
            made.Tower == tower.Name
                ? $"its texts were read by {made.Tower} when it had other weights or another tokenizer (fingerprint "
                    + $"{StoreFit.Short(made.Fingerprint)}, now {StoreFit.Short(tower.Fingerprint)})"
                : $"its texts were read by {made.Tower} (fingerprint {StoreFit.Short(made.Fingerprint)}), "
                    + $"where {tower.Name} ({StoreFit.Short(tower.Fingerprint)}) is needed",
            "Embed the texts with that tower, or give the one that made the store"
        );
    }

    /// <summary>Looks at every row, and reads some texts again.</summary>
    /// <param name="store">An open store.</param>
    /// <param name="tower">The tower at hand.</param>
    /// <param name="texts">How many texts are read again, spread over all.</param>
    /// <param name="compute">Where.</param>
    /// <param name="cancel">Stops between two rows.</param>
    /// <exception cref="LitException">Something is not as it should be; the message says what.</exception>
    public static TextCheckResult Run(
        TextStore store,
        LockedText tower,
        int texts,
        ComputeDevice compute,
        CancellationToken cancel = default
    )
    {
        Fits(store, tower);
        var row = new float[store.EmbeddingSize];
        for (var at = 0L; at < store.Rows; at++)
        {
            cancel.ThrowIfCancellationRequested();
            store.Read(at, row, ownLength: false);
            if (store.Norm(at) is not (> 0 and < float.PositiveInfinity))
                throw Damaged(store, at, $"its text's own length is {store.Norm(at)}");
        }
        var count = (int)Math.Min(texts, store.Rows);
        long[] some = [.. Enumerable.Range(0, count).Select(i => i * store.Rows / count)];
        var given = TowerOutputs.Representations(
            tower.Tower,
            tower.Tokenizer,
            [.. some.Select(store.Words)],
            compute,
            null,
            cancel
        );
        var lowest = 1.0;
        for (var i = 0; i < count; i++)
        {
            store.Read(some[i], row, ownLength: true);
            double cosine = TensorPrimitives.CosineSimilarity(given[i], row);
            var length = TensorPrimitives.Norm(given[i]);
            if (!(cosine >= 0.99) || !(Math.Abs(store.Norm(some[i]) / length - 1) < 0.01))
                throw Damaged(
                    store,
                    some[i],
                    string.Create(CultureInfo.InvariantCulture, $"the tower gives another row now (cosine {cosine:F4})")
                );
            lowest = Math.Min(lowest, cosine);
        }
        return new(store.Rows, count, lowest);
    }

    private static LitException Damaged(TextStore store, long row, string problem) =>
        new(
            store.Folder,
            $"row {row} ({store.Key(row)}, '{store.Words(row)}'): {problem}; the file was changed or damaged",
            "Delete the folder and embed the texts again"
        );
}
