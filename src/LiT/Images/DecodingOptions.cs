namespace LiT.Images;

/// <summary>How encoded pictures become pixels. The defaults are what the public references do.</summary>
public sealed record DecodingOptions
{
    /// <summary>What the references do: orientation ignored, alpha dropped, at most 100 megapixels.</summary>
    public static DecodingOptions Default { get; } = new();

    /// <summary>A picture with more pixels is refused on the strength of its header, before anything is decoded.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>Turn the picture as its EXIF orientation says. The references (TensorFlow, Pillow) ignore it.</summary>
    public bool HonourExif { get; init; }

    /// <summary>
    /// The colour that shows through transparent pixels. Null drops the alpha channel, as the references do, which
    /// leaves whatever colour the file holds under transparent pixels.
    /// </summary>
    public Rgb24? Background { get; init; }
}

/// <summary>A picture could not be read. <see cref="Reason"/> is one phrase; the message adds where and what to do.</summary>
public sealed class PictureException(string reason, string? origin, string advice, Exception? inner = null)
    : LitException($"{origin ?? "picture"}: {reason}. {advice}", inner)
{
    /// <summary>Why, in one phrase without the origin, as lists of skipped samples want it: "truncated JPEG".</summary>
    public string Reason { get; } = reason;
}
