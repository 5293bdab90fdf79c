using LiT.Images;
using NetVips;

namespace LiT.Downloads;

/// <summary>What a fetched file is as a picture.</summary>
/// <param name="Verdict">"ok", or why it is not taken.</param>
/// <param name="Bytes">The picture as it goes into the shard.</param>
/// <param name="Width">Its width there.</param>
/// <param name="Height">Its height there.</param>
/// <param name="OriginalWidth">Its width as it came.</param>
/// <param name="OriginalHeight">Its height as it came.</param>
internal sealed record Taken(
    string Verdict,
    byte[]? Bytes = null,
    int Width = 0,
    int Height = 0,
    int OriginalWidth = 0,
    int OriginalHeight = 0
);

/// <summary>
/// Looks at what came, and scales it down where that is asked for; what is not scaled stays as it came to the byte.
/// </summary>
internal static class PictureIntake
{
    public const string NotAPicture = "not a picture",
        Broken = "broken picture",
        TooManyPixels = "too many pixels",
        TooSmall = "too small";

    public static Taken Of(byte[] bytes, DownloadOptions options)
    {
        if (PictureFormats.Of(bytes) == PictureFormat.Unknown)
            return new(NotAPicture);
        try
        {
            var (width, height) = Decoding.ReadSize(bytes);
            if ((long)width * height > options.MaxPixels)
                return new(TooManyPixels);
            if (Math.Min(width, height) < options.MinSide)
                return new(TooSmall);
            // A picture that will not decode later is of no use. What is written anew has no EXIF that would turn it,
            // so it is turned here.
            var image = Decoding.Decode(bytes, DecodingOptions.Upright with { MaxPixels = options.MaxPixels });
            var scale = Math.Min(
                1,
                Math.Min(
                    options.Resize > 0 ? (double)options.Resize / Math.Min(width, height) : 1,
                    options.MaxSide > 0 ? (double)options.MaxSide / Math.Max(width, height) : 1
                )
            );
            if (scale == 1)
                return new(Fetched.Ok, bytes, width, height, width, height);
            var (w, h) = (
                Math.Max(1, (int)Math.Round(image.Width * scale)),
                Math.Max(1, (int)Math.Round(image.Height * scale))
            );
            return new(
                Fetched.Ok,
                Jpeg(Resizing.Resize(image, w, h, ResizeMethod.PillowBicubic), options.Quality),
                w,
                h,
                width,
                height
            );
        }
        catch (PictureException)
        {
            return new(Broken);
        }
    }

    private static byte[] Jpeg(RgbImage image, int quality)
    {
        using var pixels = Image.NewFromMemory(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        using var picture = pixels.Copy(interpretation: Enums.Interpretation.Srgb);
        return picture.JpegsaveBuffer(q: quality, keep: Enums.ForeignKeep.None);
    }
}
