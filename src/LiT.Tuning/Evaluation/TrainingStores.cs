using LiT.Stores;

namespace LiT.Evaluation;

/// <summary>The store that a model was tuned on, where the model says it and it is still there.</summary>
internal static class TrainingStores
{
    private const long MostNumbers = 300_000_000; // some 400,000 pictures of 768 numbers: a minute or two against 50,000 test pictures

    /// <param name="model">A model that <c>lit tune</c> wrote.</param>
    /// <param name="say">Told where a store is there and the audit is left out for its size.</param>
    /// <returns>The store's folder, or null.</returns>
    public static string? Of(LitModel model, Action<string> say)
    {
        string?[] places =
        [
            model.Description.Training?["data"]?.GetValueKind() == System.Text.Json.JsonValueKind.String
                ? model.Description.Training["data"]!.GetValue<string>()
                : null,
            model.Folder is { } folder
                ? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(folder)) ?? folder, "store")
                : null,
        ];
        foreach (var place in places)
        {
            if (place is null || !EmbeddingStore.IsStore(place))
                continue;
            try
            {
                using var store = EmbeddingStore.Open(place);
                if (store.Fingerprint != model.Description.Image.Fingerprint)
                    continue;
                if (store.Rows * store.EmbeddingSize <= MostNumbers)
                    return place;
                say(
                    $"the leak audit against {place} ({store.Rows:N0} pictures) is left out for the time it takes; ask for it with --training-store {place}"
                );
                return null;
            }
            catch (LitException) { } // unfinished or damaged: nothing that an evaluation has to complain of
        }
        return null;
    }
}
