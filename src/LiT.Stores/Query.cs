namespace LiT;

/// <summary>What is looked for in a <see cref="PictureStore"/>. Immutable.</summary>
public sealed record Query
{
    /// <summary>What the pictures show, in words: "a red bicycle".</summary>
    public required string Words { get; init; }

    /// <summary>Pictures at most.</summary>
    public int Top { get; init; } = 10;

    /// <summary>
    /// Leaves out pictures whose <see cref="FoundPicture.ExpectedPrecision"/> is below this: between 0 and 1, such as
    /// 0.9. Needs a calibrated model. Null leaves nothing out.
    /// </summary>
    public double? MinPrecision { get; init; }

    internal void Check()
    {
        if (Top <= 0)
            throw new LitException($"Top {Top}: give a positive number of pictures.");
        if (MinPrecision is <= 0 or >= 1 or double.NaN)
            throw new LitException(
                FormattableString.Invariant($"MinPrecision {MinPrecision}: give a share between 0 and 1, such as 0.9.")
            );
    }
}

/// <summary>One picture of a <see cref="PictureStore"/>.</summary>
public sealed record StoredPicture
{
    /// <summary>Names it in its source.</summary>
    public required string Key { get; init; }

    /// <summary>Where it came from: a path, <c>shard-0003.tar:000412.jpg</c>.</summary>
    public required string Origin { get; init; }

    /// <summary>Its captions, in their order.</summary>
    public IReadOnlyList<string> Captions { get; init; } = [];

    /// <summary>Its class; null where it has none.</summary>
    public string? Label { get; init; }

    /// <summary>zimg of unit length, [E]: comparable with what <see cref="LitModel.Texts"/> gives.</summary>
    public required ReadOnlyMemory<float> Embedding { get; init; }
}

/// <summary>What an update of a <see cref="PictureStore"/> did.</summary>
public sealed record StoreUpdate
{
    /// <summary>Pictures that the store holds now.</summary>
    public required long Pictures { get; init; }

    /// <summary>Pictures that went through the tower.</summary>
    public required long Embedded { get; init; }

    /// <summary>Pictures whose rows were there before.</summary>
    public required long TakenOver { get; init; }

    /// <summary>Samples that could not be used; skipped.jsonl in the folder names each with the reason.</summary>
    public required long Skipped { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Elapsed { get; init; }
}

/// <summary>A picture that was found (field names as in the JSON).</summary>
/// <param name="Key">Its key.</param>
/// <param name="Origin">Where it came from.</param>
/// <param name="Similarity">Cosine of text and picture.</param>
/// <param name="ExpectedPrecision">Expected share of pictures that fit the text among those found down to here; null
/// without a background.</param>
public sealed record FoundPicture(string Key, string Origin, double Similarity, double? ExpectedPrecision);
