using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using LiT.Bundles;
using LiT.Images;

namespace LiT.Stores;

/// <summary>
/// Whether a store's rows are what a model's text tower was tuned to read, or what another run would write.
/// </summary>
internal static class StoreFit
{
    private const string Remedy = "Choose another folder, or delete this one";

    /// <summary>
    /// Refuses a store that another tower made. Stores from elsewhere name no tower and are taken as they are.
    /// </summary>
    /// <param name="store">An open store.</param>
    /// <param name="expected">The tower that is needed.</param>
    /// <exception cref="LitException">The store is another tower's; the message names both.</exception>
    public static void Check(EmbeddingStore store, ExpectedTower expected)
    {
        if (store.Description is not { } made || made.Fingerprint == expected.Fingerprint)
            return;
        throw new LitException(
            store.Folder,
            made.Tower == expected.Name
                ? $"made by the tower {made.Tower} when it had other weights or another preprocessing "
                    + $"(fingerprint {Short(made.Fingerprint)}, now {Short(expected.Fingerprint)})"
                : $"made by the tower {made.Tower} (fingerprint {Short(made.Fingerprint)}), where {expected.Name} "
                    + $"(fingerprint {Short(expected.Fingerprint)}) is needed",
            made.Tower == expected.Name
                ? "Embed the pictures again with the tower as it is now, or put back the one that made the store"
                : "Embed the pictures again with that tower"
        );
    }

    /// <summary>
    /// What stands for the tower of embeddings that were made elsewhere: a hash of their size and of rows spread over
    /// all.
    /// </summary>
    /// <param name="store">A store that names no tower.</param>
    /// <returns>SHA-256 in hexadecimal.</returns>
    public static string OwnFingerprint(EmbeddingStore store)
    {
        const int Most = 10_000;
        var some = store.Some(Most, ownLength: false);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"embeddings, {store.Rows} x {store.EmbeddingSize}\n"));
        hash.AppendData(MemoryMarshal.AsBytes<float>(some.Values));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// What somebody who uses a store ought to know of how it was made, in a sentence; null where there is nothing.
    /// </summary>
    /// <param name="store">An open store.</param>
    public static string? Remark(EmbeddingStore store) =>
        store.Description?.Decode == DecodePath.Fast
            ? $"{store.Folder}: its pictures were shrunk while they were decoded (`Decode` fast), so its rows "
                + "differ a little from those of the exact way"
            : null;

    /// <summary>Refuses to go on with a store that was begun otherwise.</summary>
    /// <param name="folder">The store, for the message.</param>
    /// <param name="there">What the folder says.</param>
    /// <param name="given">What is to be written.</param>
    /// <param name="ofThisSource">Whether the source must have the same name, too.</param>
    internal static void Check(string folder, StoreDescription there, StoreDescription given, bool ofThisSource)
    {
        if (there.Fingerprint != given.Fingerprint)
            throw new LitException(
                folder,
                $"made with another tower, {there.Tower} (fingerprint {Short(there.Fingerprint)}, not "
                    + $"{Short(given.Fingerprint)})",
                $"{Remedy}"
            );
        if (ofThisSource && there.Source != given.Source)
            throw new LitException(
                folder,
                $"made from other data, {there.Source}, not {given.Source}",
                $"{Remedy}; `Update` brings a finished store to other data"
            );
        if (Difference(there, given) is { } difference)
            throw new LitException(folder, $"made with other settings, {difference}", $"{Remedy}");
        if (there.RowsPerShard != given.RowsPerShard)
            throw new LitException(
                folder,
                $"made with other settings, {there.RowsPerShard} rows a shard and not {given.RowsPerShard}",
                $"{Remedy}"
            );
    }

    /// <summary>Why rows of one store cannot stand in another, as a phrase, or null.</summary>
    internal static string? Difference(StoreDescription? there, StoreDescription given) =>
        there is null ? "it does not say which tower made it"
        : there.Fingerprint != given.Fingerprint
            ? $"made by the tower {there.Tower} (fingerprint {Short(there.Fingerprint)}), not {given.Tower} "
                + $"({Short(given.Fingerprint)})"
        : Settings(there) != Settings(given) ? $"{Settings(there)} and not {Settings(given)}"
        : there.Decode != given.Decode
            ? $"its pictures were decoded in the {there.Decode.Word()} way and not in the {given.Decode.Word()} one"
        : JsonNode.DeepEquals(there.ViewChanges, given.ViewChanges) ? null
        : "views that are changed in another way";

    private static string Settings(StoreDescription d) =>
        $"{d.EmbeddingSize} numbers of {d.Type.Word()}, {d.Views} views";

    /// <summary>The beginning of a fingerprint, for messages.</summary>
    internal static string Short(string fingerprint) => fingerprint.Length > 12 ? fingerprint[..12] : fingerprint;
}
