using LiT.Stores;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>Representations from an embedding store; of several views of a picture each epoch draws one.</summary>
/// <param name="store">Open as long as this is used.</param>
/// <param name="seed">Decides the views.</param>
/// <param name="ownLength">
/// False: unit vectors, for a tower without a head. True: what the tower gave, for a head on top of it.
/// </param>
internal sealed class StoredImages(EmbeddingStore store, ulong seed, bool ownLength) : ITuningImages
{
    /// <inheritdoc/>
    public int Count { get; } = checked((int)(store.Rows / store.Views));

    /// <inheritdoc/>
    public IReadOnlyList<long> Shape { get; } = [store.EmbeddingSize];

    /// <inheritdoc/>
    public void Read(int image, long epoch, Span<float> destination)
    {
        var view = store.Views == 1 ? 0 : (long)(Draw.Mixed(seed, (ulong)image, (ulong)epoch) % (ulong)store.Views);
        store.ReadRows([image * (long)store.Views + view], destination, ownLength);
    }
}
