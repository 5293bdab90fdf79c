using LiT.Classification;
using LiT.Images;

namespace LiT;

/// <summary>How pictures are classified. Immutable.</summary>
public sealed record ClassifierOptions
{
    /// <summary>The standard: three plain phrases, pictures upright, always an answer.</summary>
    public static ClassifierOptions Default { get; } = new();

    /// <summary>
    /// Phrases that each label is put into, where <c>{}</c> stands; a label's embedding is the mean over all of them.
    /// </summary>
    public IReadOnlyList<string> Templates { get; init; } = PromptTemplates.Default;

    /// <summary>
    /// Answers "none of these" where the expected share of pictures that show one of the labels, among all that score
    /// as high, is below this: between 0 and 1, such as 0.9. Needs a calibrated model. Null never does.
    /// </summary>
    public double? MinPrecision { get; init; }

    /// <summary>
    /// The share of the pictures that are expected to show one of the labels at all, between 0 and 1.
    /// </summary>
    public double Present { get; init; } = 0.5;

    /// <summary>Whether pictures are turned as their EXIF orientation says.</summary>
    public bool HonourExif { get; init; } = true;

    /// <summary>Pixels; a larger picture is refused by its header.</summary>
    public long MaxPixels { get; init; } = DecodingOptions.Default.MaxPixels;

    /// <summary>
    /// Whether large JPEG and WebP files may be shrunk while they are decoded: faster, and slightly other pixels.
    /// </summary>
    public bool FastDecoding { get; init; }

    internal DecodePath Decode => FastDecoding ? DecodePath.Fast : DecodePath.Exact;

    internal void Check()
    {
        if (Templates.Count == 0)
            throw new LitException(
                $"Templates: there is none. Give at least one, with {PromptTemplates.Place} where the label goes."
            );
        foreach (var (i, template) in Templates.Index())
            if (template.Split(PromptTemplates.Place).Length != 2)
                throw new LitException(
                    $"Templates, number {i}: '{template}' is to have {PromptTemplates.Place} once. "
                        + "Put it where the label goes."
                );
        Share(MinPrecision, nameof(MinPrecision));
        Share(Present, nameof(Present));
        if (MaxPixels <= 0)
            throw new LitException($"MaxPixels {MaxPixels}: no picture is that small. Give a positive number.");
    }

    private static void Share(double? value, string name)
    {
        if (value is <= 0 or >= 1 or double.NaN)
            throw new LitException(
                FormattableString.Invariant($"{name} {value}: give a share between 0 and 1, such as 0.9.")
            );
    }
}
