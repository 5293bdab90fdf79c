using NetVips;

namespace LiT.Images;

/// <summary>The format a small picture is written in.</summary>
internal enum ThumbnailFormat
{
    /// <summary>Small, for photographs.</summary>
    Jpeg,

    /// <summary>Exact, for drawings and for tests.</summary>
    Png,

    /// <summary>The smallest.</summary>
    WebP,
}

/// <summary>Small pictures for pages that stand by themselves.</summary>
internal static class Thumbnail
{
    static Thumbnail() => ImageLibrary.Prepare();

    /// <summary>The picture as <c>data:image/…;base64,…</c>, for the src of an img.</summary>
    /// <param name="image">Any size.</param>
    /// <param name="longestSide">A longer side is scaled down to this, proportions kept; smaller pictures stay as they
    /// are.</param>
    /// <param name="format">The encoding.</param>
    public static string DataUri(
        RgbImage image,
        int? longestSide = null,
        ThumbnailFormat format = ThumbnailFormat.Jpeg
    ) =>
        $"data:image/{format.ToString().ToLowerInvariant()};base64,"
        + Convert.ToBase64String(Encode(image, longestSide, format));

    /// <summary>The picture as an encoded file.</summary>
    /// <inheritdoc cref="DataUri" path="/param"/>
    public static byte[] Encode(RgbImage image, int? longestSide = null, ThumbnailFormat format = ThumbnailFormat.Jpeg)
    {
        var small = longestSide is { } side ? Scaled(image, side) : image;
        using var pixels = Image.NewFromMemory(small.Pixels, small.Width, small.Height, 3, Enums.BandFormat.Uchar);
        using var picture = pixels.Copy(interpretation: Enums.Interpretation.Srgb);
        return format switch
        {
            ThumbnailFormat.Png => picture.PngsaveBuffer(keep: Enums.ForeignKeep.None),
            ThumbnailFormat.WebP => picture.WebpsaveBuffer(q: 80, keep: Enums.ForeignKeep.None),
            _ => picture.JpegsaveBuffer(q: 85, keep: Enums.ForeignKeep.None),
        };
    }

    /// <summary>The picture with its longer side scaled down to <paramref name="longestSide"/>.</summary>
    public static RgbImage Scaled(RgbImage image, int longestSide)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(longestSide, 1);
        var longest = Math.Max(image.Width, image.Height);
        if (longest <= longestSide)
            return image;
        return Resizing.Resize(image, Side(image.Width), Side(image.Height), ResizeMethod.PillowBicubic);

        int Side(int side) => Math.Max(1, (int)Math.Round((double)side * longestSide / longest));
    }
}
