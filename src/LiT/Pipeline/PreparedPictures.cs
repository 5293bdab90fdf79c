using System.Security.Cryptography;
using LiT.Data;
using LiT.Images;

namespace LiT.Pipeline;

/// <summary>A sample whose picture is ready for the tower.</summary>
/// <param name="Sample">Key, captions, label.</param>
/// <param name="Pixels">The tower's input, [3, H, W].</param>
/// <param name="Width">Width of the picture as it came, in pixels.</param>
/// <param name="Height">Height of the picture as it came, in pixels.</param>
/// <param name="Sha256">Hash of the encoded bytes.</param>
public sealed record PreparedPicture(Sample Sample, float[] Pixels, int Width, int Height, byte[] Sha256);

/// <summary>What became of one thing that a source found: a picture, or a skipped sample and why. Exactly one is set.</summary>
public readonly record struct Prepared(PreparedPicture? Picture, Skipped? Skipped);

/// <summary>Decodes and preprocesses ahead of the tower, on the thread pool, and gives the results in the source's order.</summary>
public static class PreparedPictures
{
    /// <param name="found">What a source finds (<see cref="SampleSource.ReadAll"/>).</param>
    /// <param name="preprocessing">The tower's.</param>
    /// <param name="maxPixels">Larger pictures are refused by their header and skipped.</param>
    /// <param name="ahead">How many pictures are prepared before they are asked for: memory against waiting.</param>
    /// <param name="cancel">Stops between two pictures.</param>
    public static IEnumerable<Prepared> InOrder(
        IEnumerable<Found> found, Preprocessing preprocessing, long maxPixels, int ahead, CancellationToken cancel)
    {
        Queue<Task<Prepared>> underWay = new(ahead);
        foreach (var one in found)
        {
            cancel.ThrowIfCancellationRequested();
            underWay.Enqueue(one.Sample is { } sample
                ? Task.Run(() => Prepare(sample, preprocessing, maxPixels), CancellationToken.None)
                : Task.FromResult(new Prepared(null, one.Skipped)));
            if (underWay.Count >= ahead) yield return underWay.Dequeue().GetAwaiter().GetResult();
        }
        while (underWay.TryDequeue(out var next))
        {
            cancel.ThrowIfCancellationRequested();
            yield return next.GetAwaiter().GetResult();
        }
    }

    private static Prepared Prepare(Sample sample, Preprocessing preprocessing, long maxPixels)
    {
        Prepared Skip(string reason) => new(null, new Skipped(sample.Key, sample.Origin, reason));
        if (sample.ReadImage is null) return Skip("no picture");
        try
        {
            var bytes = sample.ReadImage();
            var image = Decoding.Decode(bytes, preprocessing.Decoding with { MaxPixels = maxPixels }, sample.Origin);
            var pixels = new float[preprocessing.ValueCount];
            preprocessing.Apply(image, pixels);
            return new(new(sample, pixels, image.Width, image.Height, SHA256.HashData(bytes)), null);
        }
        catch (PictureException broken) { return Skip(broken.Reason); }
        catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException) { return Skip(trouble.Message); }
    }
}
