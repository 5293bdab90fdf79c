using System.Security.Cryptography;
using LiT.Data;
using LiT.Images;

namespace LiT.Embedding;

/// <summary>A sample whose picture is ready for the tower.</summary>
/// <param name="Sample">Key, captions, label.</param>
/// <param name="Pixels">The tower's input, [3, H, W], or of several views one after the other; none for a picture that
/// is known.</param>
/// <param name="Width">Width of the picture as it came, in pixels.</param>
/// <param name="Height">Height of the picture as it came, in pixels.</param>
/// <param name="Sha256">Hash of the encoded bytes.</param>
internal sealed record PreparedPicture(Sample Sample, float[] Pixels, int Width, int Height, byte[] Sha256)
{
    /// <summary>Whether somebody knows the picture by its hash, so that it was not decoded.</summary>
    public bool IsKnown => Pixels.Length == 0;
}

/// <summary>
/// What became of one thing that a source found: a picture, or a skipped sample and why. Exactly one is set.
/// </summary>
internal readonly record struct Prepared(PreparedPicture? Picture, Skipped? Skipped);

/// <summary>How pictures are prepared.</summary>
/// <param name="Preprocessing">The tower's.</param>
/// <param name="MaxPixels">Larger pictures are refused by their header and skipped.</param>
/// <param name="Ahead">How many pictures are prepared before they are asked for: memory against waiting.</param>
internal sealed record Preparation(Preprocessing Preprocessing, long MaxPixels, int Ahead)
{
    /// <summary>The views of each picture.</summary>
    public PictureViews Views { get; init; } = PictureViews.Plain;

    /// <summary>The way from bytes to pixels.</summary>
    public DecodePath Decode { get; init; }

    /// <summary>
    /// Whether a picture need not be decoded, by the SHA-256 of its bytes; called from several threads.
    /// </summary>
    public Func<byte[], bool>? IsKnown { get; init; }

    /// <summary>What is known of files without reading them; null for nothing.</summary>
    public FileStamps? Stamps { get; init; }
}

/// <summary>
/// Decodes and preprocesses ahead of the tower, on the thread pool, and gives the results in the source's order.
/// </summary>
internal static class PreparedPictures
{
    /// <param name="found">What a source finds (<see cref="SampleSource.ReadAll"/>).</param>
    /// <param name="preparation">How.</param>
    /// <param name="cancel">Stops between two pictures.</param>
    public static IEnumerable<Prepared> InOrder(
        IEnumerable<Found> found,
        Preparation preparation,
        CancellationToken cancel
    ) =>
        Ahead.InOrder(
            found,
            one => one.Sample is { } sample ? Prepare(sample, preparation) : new(null, one.Skipped),
            preparation.Ahead,
            cancel
        );

    /// <summary>Prepares one picture on this thread.</summary>
    internal static Prepared Prepare(Sample sample, Preparation how)
    {
        Prepared Skip(string reason) => new(null, new Skipped(sample.Key, sample.Origin, reason));
        if (sample.ReadImage is null)
            return Skip("no picture");
        try
        {
            if (how.Stamps?.Find(sample.File) is { } before && how.IsKnown?.Invoke(before) == true)
                return new(new(sample, [], 0, 0, before), null);
            var stamp = how.Stamps?.Of(sample.File);
            var bytes = sample.ReadImage();
            var hash = SHA256.HashData(bytes);
            how.Stamps?.Note(sample.File, stamp, hash);
            if (how.IsKnown?.Invoke(hash) == true)
                return new(new(sample, [], 0, 0, hash), null);
            var options = how.Preprocessing.Decoding with
            {
                MaxPixels = how.MaxPixels,
                NotBelow = how.Decode == DecodePath.Fast ? how.Views.NotBelow(how.Preprocessing) : null,
            };
            var image = Decoding.Decode(bytes, options, sample.Origin, out var size);
            return new(
                new(sample, how.Views.Pixels(image, how.Preprocessing, hash), size.Width, size.Height, hash),
                null
            );
        }
        catch (PictureException broken)
        {
            return Skip(broken.Reason);
        }
        catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
        {
            return Skip(trouble.Message);
        }
    }
}
