using LiT.Images;
using static TorchSharp.torch;

namespace LiT.Pretraining;

/// <summary>
/// The views that DINO takes of a picture: two large crops and some small ones, mirrored, recoloured, blurred and
/// solarised (facebookresearch/dino, main_dino.py, DataAugmentationDINO). Deviations of the blur are those for large
/// views of 224 pixels and shrink with them.
/// </summary>
internal sealed class DinoViews
{
    private readonly (Augmentation Change, Preprocessing Into)[] views;
    private readonly int global,
        local,
        localCount;

    public DinoViews(DinoOptions options)
    {
        (global, local, localCount) = (options.Preprocessing.Width, options.LocalSide, options.LocalCrops);
        var large = options.Preprocessing;
        var small = large with { Width = local, Height = local, Fit = ResizeFit.Squash, ShorterSide = 0 };
        var changes = new Augmentation
        {
            Flip = 0.5,
            Jitter = 0.8,
            Hue = 0.1,
            Grayscale = 0.2,
            SmallestBlur = 0.1 * global / 224,
            LargestBlur = 2.0 * global / 224,
        };
        var wide = changes with
        {
            SmallestCrop = options.GlobalScale.Smallest,
            LargestCrop = options.GlobalScale.Largest,
        };
        var narrow = changes with
        {
            SmallestCrop = options.LocalScale.Smallest,
            LargestCrop = options.LocalScale.Largest,
            Blur = 0.5,
        };
        views =
        [
            (wide with { Blur = 1 }, large),
            (wide with { Blur = 0.1, Solarise = 0.2 }, large),
            .. Enumerable.Repeat((narrow, small), localCount),
        ];
        ValueCount = views.Sum(view => view.Into.ValueCount);
        Smallest = localCount > 0 ? local : global;
    }

    /// <summary>Numbers in all views of one picture.</summary>
    public int ValueCount { get; }

    /// <summary>How many views there are.</summary>
    public int Count => views.Length;

    /// <summary>Side of the smallest view; a picture must not be smaller.</summary>
    public int Smallest { get; }

    /// <summary>All views of a picture behind each other.</summary>
    /// <exception cref="LitException">The picture is smaller than the smallest view.</exception>
    public void Apply(RgbImage image, ref Chance chance, Span<float> values)
    {
        if (Math.Min(image.Width, image.Height) < Smallest)
            throw new LitException(
                $"{image.Width} x {image.Height} pixels, where the smallest view has {Smallest} x {Smallest}"
            );
        foreach (var (change, into) in views)
        {
            change.Apply(image, into, ref chance, values[..into.ValueCount]);
            values = values[into.ValueCount..];
        }
    }

    /// <summary>The large views of a batch, the first of every picture before the second, [2 B, 3, S, S].</summary>
    public Tensor Large(Tensor values) => Together(values[.., ..(6 * global * global)], 2, global);

    /// <summary>The small views of a batch, likewise, [(V - 2) B, 3, s, s]; null where there are none.</summary>
    public Tensor? Small(Tensor values) =>
        localCount == 0 ? null : Together(values[.., (6 * global * global)..], localCount, local);

    private static Tensor Together(Tensor values, int count, int side) =>
        values.reshape(-1, count, 3, side, side).transpose(0, 1).reshape(-1, 3, side, side);
}
