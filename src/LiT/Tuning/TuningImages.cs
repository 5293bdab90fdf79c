using LiT.Stores;

namespace LiT.Tuning;

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

/// <summary>Numbers that depend on nothing but what they are drawn for, on every machine.</summary>
internal static class Draw
{
    /// <summary>A random-looking number for a seed and a place (SplitMix64's finaliser, folded).</summary>
    internal static ulong Mixed(ulong seed, params ReadOnlySpan<ulong> place)
    {
        var z = Finished(seed + 0x9E3779B97F4A7C15);
        foreach (var coordinate in place)
            z = Finished(z ^ (coordinate + 0x9E3779B97F4A7C15));
        return z;
    }

    private static ulong Finished(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
