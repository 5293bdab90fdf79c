using System.Text.Json.Serialization;

namespace LiT.Duplicates;

/// <summary>How sure it is that two pictures are one, the surest first.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DuplicateLevel>))]
internal enum DuplicateLevel
{
    /// <summary>The encoded bytes are the same (SHA-256).</summary>
    [JsonStringEnumMemberName("bytes")]
    Bytes,

    /// <summary>The same picture, scaled or encoded anew (<see cref="PerceptualHash"/>).</summary>
    [JsonStringEnumMemberName("picture")]
    Picture,

    /// <summary>The same scene in the tower's eyes: embeddings with a high cosine.</summary>
    [JsonStringEnumMemberName("scene")]
    Scene,
}

/// <summary>What counts as a duplicate.</summary>
internal sealed record DuplicateRules
{
    /// <summary>The levels that are looked for.</summary>
    public IReadOnlySet<DuplicateLevel> Levels { get; init; } =
        new HashSet<DuplicateLevel> { DuplicateLevel.Bytes, DuplicateLevel.Picture, DuplicateLevel.Scene };

    /// <summary>Bits of the perceptual hash that may differ, 0 to 12.</summary>
    public int Hamming { get; init; } = 6;

    /// <summary>Cosine of two embeddings from which they show one scene, above 0 to 1. What is right depends on the tower: look at the pairs.</summary>
    public double Cosine { get; init; } = 0.95;

    /// <exception cref="UsageException">A number is out of its range.</exception>
    internal DuplicateRules Checked()
    {
        if (Hamming is < 0 or > HammingIndex.Most)
            throw new UsageException($"a Hamming distance of {Hamming}: give 0 to {HammingIndex.Most} bits.");
        if (!(Cosine is > 0 and <= 1))
            throw new UsageException(
                FormattableString.Invariant($"a cosine of {Cosine}: give a number above 0, up to 1.")
            );
        return this;
    }
}

/// <summary>Two pictures that are one.</summary>
/// <param name="Picture">Number of the picture in its set.</param>
/// <param name="Of">Number of the picture that it repeats, in the other set or the same.</param>
/// <param name="Level">How it is known; the surest level that holds.</param>
/// <param name="Distance">At <see cref="DuplicateLevel.Picture"/> the bits that differ.</param>
/// <param name="Cosine">At <see cref="DuplicateLevel.Scene"/> the cosine.</param>
internal sealed record Match(int Picture, int Of, DuplicateLevel Level, int? Distance = null, double? Cosine = null);
