namespace LiT.Tuning.Contrastive;

/// <summary>
/// The image side of the pairs: stored representations for a locked tower, or pixels for one that is tuned. The same
/// image and epoch give the same numbers, so that a run can go on where it stopped. Safe for several threads.
/// </summary>
internal interface ITuningImages
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
