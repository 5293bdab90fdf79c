namespace LiT.Stores;

/// <summary>The tower whose numbers are needed.</summary>
/// <param name="Fingerprint">Hash of its weights and preprocessing.</param>
/// <param name="Name">How it was called, for messages.</param>
public sealed record ExpectedTower(string Fingerprint, string Name);

/// <summary>Whether a store's rows are what a model's text tower was tuned to read.</summary>
public static class StoreFit
{
    /// <summary>Refuses a store that another tower made. Stores from elsewhere name no tower and are taken as they are.</summary>
    /// <param name="store">An open store.</param>
    /// <param name="expected">The tower that is needed.</param>
    /// <exception cref="LitException">The store is another tower's; the message names both.</exception>
    public static void Check(EmbeddingStore store, ExpectedTower expected)
    {
        if (store.Description is not { } made || made.Fingerprint == expected.Fingerprint) return;
        throw new LitException($"{store.Folder}: made by the tower {made.Tower} (fingerprint {Short(made.Fingerprint)}), where {expected.Name} " +
            $"(fingerprint {Short(expected.Fingerprint)}) is needed. Embed the pictures again with that tower.");
    }

    private static string Short(string fingerprint) => fingerprint.Length > 12 ? fingerprint[..12] : fingerprint;
}
