using System.Text.Json;
using LiT.Data;
using LiT.Embedding;
using LiT.Files;
using LiT.Images;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>
/// Pictures for a tower that is tuned, or for a locked one without a store: decoded anew each time, changed by chance
/// or left as they are. Encoded bytes of archives stay in memory.
/// </summary>
/// <param name="samples">Samples with pictures that can be read.</param>
/// <param name="preprocessing">The tower's.</param>
/// <param name="augmentation">Random changes.</param>
/// <param name="seed">With image and epoch it decides the change.</param>
internal sealed class PixelImages(
    IReadOnlyList<Sample> samples,
    Preprocessing preprocessing,
    Augmentation augmentation,
    long seed
) : ITuningImages
{
    private const double MostBad = 0.5;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <inheritdoc/>
    public int Count => samples.Count;

    /// <inheritdoc/>
    public IReadOnlyList<long> Shape { get; } = [3, preprocessing.Height, preprocessing.Width];

    /// <summary>The captions of a picture.</summary>
    public IReadOnlyList<string> Captions(int image) => samples[image].Captions;

    /// <inheritdoc/>
    public void Read(int image, long epoch, Span<float> destination)
    {
        var sample = samples[image];
        RgbImage decoded;
        try
        {
            decoded = Decoding.Decode(sample.ReadImage!(), preprocessing.Decoding, sample.Origin);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                sample.Origin,
                $"the picture could be read when the run began and cannot now ({trouble.Message.TrimEnd('.')})",
                "Put it back and run the same command again",
                trouble
            );
        }
        if (augmentation == Augmentation.None)
        {
            preprocessing.Apply(decoded, destination);
            return;
        }
        var chance = Chance.For(seed, epoch, image);
        augmentation.Apply(decoded, preprocessing, ref chance, destination);
    }

    /// <summary>
    /// Reads a source and every picture in it once, so that a bad one is known before the first step and not in the
    /// middle of a run. What is skipped stands in <c>skipped.jsonl</c>.
    /// </summary>
    /// <param name="source">Pictures with captions.</param>
    /// <param name="preprocessing">The tower's.</param>
    /// <param name="folder">Gets <c>skipped.jsonl</c> where anything is skipped.</param>
    /// <param name="progress">Told on the way.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The samples that can be used, and how many cannot.</returns>
    /// <exception cref="LitException">Most of the source cannot be used.</exception>
    internal static (List<Sample> Samples, int Skipped) Check(
        SampleSource source,
        Preprocessing preprocessing,
        string folder,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        List<Sample> good = [];
        List<Skipped> bad = [],
            inPart = [];
        foreach (
            var one in PreparedPictures.InOrder(
                source.ReadAll(),
                new Preparation(preprocessing, DecodingOptions.Default.MaxPixels, Ahead: 64),
                cancel
            )
        )
        {
            if (one.Skipped is { } skipped)
                (skipped.InPart ? inPart : bad).Add(skipped);
            else
                good.Add(one.Picture!.Sample);
            progress?.Report(new("looking at pictures", good.Count + bad.Count, source.KnownCount, "pictures"));
        }
        if (good.Count == 0 || bad.Count > MostBad * (good.Count + bad.Count))
            throw new LitException(
                source.Path,
                $"{bad.Count} of its {good.Count + bad.Count} samples have no picture that could be "
                    + $"read{(bad.Count > 0 ? $"; the first, {bad[0].Origin}: {bad[0].Reason.TrimEnd('.')}" : "")}",
                "Check the path and the files"
            );
        if (bad.Count + inPart.Count > 0)
        {
            AtomicFile.WriteAllText(
                Path.Combine(folder, "skipped.jsonl"),
                string.Concat(bad.Concat(inPart).Select(one => JsonSerializer.Serialize(one, Json) + "\n"))
            );
        }
        return (good, bad.Count);
    }
}
