using LiT.Stores;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>
/// The image side of the pairs: stored representations for a locked tower, or pixels for one that is tuned. The same
/// image and epoch give the same numbers, so that a run can go on where it stopped. Safe for several threads.
/// </summary>
public interface ITuningImages
{
    /// <summary>Number of images.</summary>
    int Count { get; }

    /// <summary>Shape of what one image gives: [D] for a representation, [3, H, W] for pixels.</summary>
    IReadOnlyList<long> Shape { get; }

    /// <summary>Writes one image's numbers.</summary>
    /// <param name="image">From 0 to below <see cref="Count"/>.</param>
    /// <param name="epoch">Decides the view or the augmentation.</param>
    /// <param name="destination">Room for one image.</param>
    void Read(int image, long epoch, Span<float> destination);
}

/// <summary>Representations from an embedding store; of several views of a picture each epoch draws one.</summary>
/// <param name="store">Open as long as this is used.</param>
/// <param name="seed">Decides the views.</param>
/// <param name="ownLength">
/// False: unit vectors, for a tower without a head. True: what the tower gave, for a head on top of it.
/// </param>
public sealed class StoredImages(EmbeddingStore store, ulong seed, bool ownLength) : ITuningImages
{
    /// <inheritdoc/>
    public int Count { get; } = checked((int)(store.Rows / store.Views));

    /// <inheritdoc/>
    public IReadOnlyList<long> Shape { get; } = [store.EmbeddingSize];

    /// <summary>The captions of an image, as the store has them.</summary>
    public IReadOnlyList<string> Captions(int image) => store.Captions((long)image * store.Views);

    /// <inheritdoc/>
    public void Read(int image, long epoch, Span<float> destination)
    {
        var view = store.Views == 1 ? 0 : (long)(Draw.Mixed(seed, (ulong)image, (ulong)epoch) % (ulong)store.Views);
        store.ReadRows([image * (long)store.Views + view], destination, ownLength);
    }
}
