namespace LiT.Stores;

/// <summary>Whether a store's rows are what a model's text tower was tuned to read.</summary>
public static class StoreFit
{
    /// <summary>Refuses a store that another tower made. Stores from elsewhere name no tower and are taken as they are.</summary>
    /// <param name="store">An open store.</param>
    /// <param name="fingerprint">The tower that is expected.</param>
    /// <exception cref="LitException">The store is another tower's; the message says which.</exception>
    public static void Check(EmbeddingStore store, string fingerprint)
    {
        if (store.Description is not { } made || made.Fingerprint == fingerprint) return;
        throw new LitException($"{store.Folder}: made by the tower {made.Tower} (fingerprint {Short(made.Fingerprint)}), but the model reads {Short(fingerprint)}. " +
            "Embed the pictures again with the model's own tower.");
    }

    private static string Short(string fingerprint) => fingerprint.Length > 12 ? fingerprint[..12] : fingerprint;
}
