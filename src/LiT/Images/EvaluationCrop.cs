namespace LiT.Images;

/// <summary>The crops of big_vision's evaluation configurations (configs/proj/image_text/common.py), put on a tower's own preprocessing.</summary>
internal static class EvaluationCrop
{
    /// <summary>What the tower was made with.</summary>
    public const string Model = "model";

    /// <summary>Both sides to the tower's size: COCO, and sets of small pictures.</summary>
    public const string Resize = "resize";

    /// <summary>Both sides to size / 0.875, then the centre: ImageNet, -v2, -R, ReaL.</summary>
    public const string Square = "square-0.875";

    /// <summary>The shorter side to size / 0.875, then the centre.</summary>
    public const string Aspect875 = "aspect-0.875";

    /// <summary>The shorter side to size / 0.75 (with TensorFlow's area method where the tower uses TensorFlow's), then the centre: ImageNet-A.</summary>
    public const string Aspect75 = "aspect-0.75";

    /// <summary>The names that <see cref="Apply"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [Model, Resize, Square, Aspect875, Aspect75];

    /// <summary>A tower's preprocessing with another crop; size, values and resampling stay.</summary>
    /// <exception cref="LitException">No such crop.</exception>
    public static Preprocessing Apply(Preprocessing own, string crop) =>
        crop switch
        {
            Model => own,
            Resize => own with { Fit = ResizeFit.Squash, ShorterSide = 0 },
            Square => own with { Fit = ResizeFit.SquashThenCrop, ShorterSide = Before(own, 0.875) },
            Aspect875 => Aspect(own, 0.875),
            Aspect75 => Aspect(own, 0.75),
            _ => throw new LitException(
                $"--crop {crop}: there is no such crop. Give one of {string.Join(", ", Names)}."
            ),
        };

    private static Preprocessing Aspect(Preprocessing own, double part) =>
        own with
        {
            Fit = ResizeFit.ShorterSide,
            ShorterSide = Before(own, part),
            Method = own.Method is ResizeMethod.TensorFlowBilinear ? ResizeMethod.TensorFlowArea : own.Method,
        };

    private static int Before(Preprocessing own, double part) => (int)(Math.Max(own.Width, own.Height) / part);
}
