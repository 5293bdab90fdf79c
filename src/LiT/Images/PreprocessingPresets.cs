using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Files;

namespace LiT.Images;

internal sealed partial record Preprocessing
{
    /// <summary>Mean of ImageNet's channels, in [0, 1].</summary>
    public static ChannelValues ImageNetMean { get; } = new(0.485f, 0.456f, 0.406f);

    /// <summary>Standard deviation of ImageNet's channels, in [0, 1].</summary>
    public static ChannelValues ImageNetStd { get; } = new(0.229f, 0.224f, 0.225f);

    /// <summary>
    /// The public LiT models and vit_jax: squashed with TensorFlow's bilinear, values in [-1, 1]
    /// (vision_transformer: vit_jax/preprocess.py).
    /// </summary>
    public static Preprocessing LiT(int size = 224) =>
        new()
        {
            Width = size,
            Height = size,
            Method = ResizeMethod.TensorFlowBilinear,
            Fit = ResizeFit.Squash,
            Mean = 0.5f,
            Std = 0.5f,
        };

    /// <summary>
    /// The public LiT models' other form, <c>PreprocessImages(size, crop=True)</c>: shorter side to size, central crop.
    /// </summary>
    public static Preprocessing LiTCropped(int size = 224) =>
        LiT(size) with
        {
            Fit = ResizeFit.ShorterSide,
            ShorterSide = size,
        };

    /// <summary>
    /// big_vision's evaluation on ImageNet: <c>resize_small(size / crop)|central_crop(size)|value_range(-1, 1)</c>,
    /// where resize_small's method is area (big_vision: pp/ops_image.py).
    /// </summary>
    /// <param name="size">Side of the tower's input.</param>
    /// <param name="crop">The part of the shorter side that the crop keeps.</param>
    public static Preprocessing BigVision(int size = 224, double crop = 0.875) =>
        LiT(size) with
        {
            Method = ResizeMethod.TensorFlowArea,
            Fit = ResizeFit.ShorterSide,
            ShorterSide = ShorterSideFor(size, crop),
        };

    /// <summary>
    /// torchvision's and DINO's evaluation: shorter side to size / crop, central crop, ImageNet mean and deviation.
    /// </summary>
    /// <param name="size">Side of the tower's input.</param>
    /// <param name="interpolation"><see cref="ResizeMethod.PillowBilinear"/> (torchvision) or
    /// <see cref="ResizeMethod.PillowBicubic"/> (DINO).</param>
    /// <param name="crop">The part of the shorter side that the crop keeps.</param>
    public static Preprocessing TorchvisionImageNet(
        int size = 224,
        ResizeMethod interpolation = ResizeMethod.PillowBilinear,
        double crop = 0.875
    ) =>
        new()
        {
            Width = size,
            Height = size,
            Method = interpolation,
            Fit = ResizeFit.ShorterSide,
            ShorterSide = ShorterSideFor(size, crop),
            Mean = ImageNetMean,
            Std = ImageNetStd,
        };

    /// <summary>Hugging Face's ViTImageProcessor: squashed with Pillow's bilinear, values in [-1, 1].</summary>
    public static Preprocessing HuggingFaceViT(int size = 224) =>
        new()
        {
            Width = size,
            Height = size,
            Method = ResizeMethod.PillowBilinear,
            Fit = ResizeFit.Squash,
            Mean = 0.5f,
            Std = 0.5f,
        };

    /// <summary>
    /// The CIFAR ResNets: 32 x 32 with ImageNet's mean and deviation. Pictures of that size are taken as they are;
    /// others are squashed with Pillow's bicubic, so that nothing is cut off.
    /// </summary>
    public static Preprocessing Cifar { get; } =
        new()
        {
            Width = 32,
            Height = 32,
            Method = ResizeMethod.PillowBicubic,
            Fit = ResizeFit.Squash,
            Mean = ImageNetMean,
            Std = ImageNetStd,
        };

    /// <summary>CLIP: the shorter side to size, the central square, mean and deviation of its own pictures.</summary>
    public static Preprocessing Clip(int size = 224) =>
        TorchvisionImageNet(size, ResizeMethod.PillowBicubic, crop: 1) with
        {
            Mean = ClipMean,
            Std = ClipStd,
        };

    /// <summary>CLIP's mean of the channels, and their deviation.</summary>
    internal static readonly ChannelValues ClipMean = new(0.48145466f, 0.4578275f, 0.40821073f),
        ClipStd = new(0.26862954f, 0.26130258f, 0.27577711f);

    /// <summary>SigLIP in Hugging Face's form: both sides to size, values in [-1, 1].</summary>
    public static Preprocessing Siglip(int size = 224) =>
        HuggingFaceViT(size) with
        {
            Method = ResizeMethod.PillowBicubic,
        };

    /// <summary>What happens to a picture, in words.</summary>
    [JsonIgnore]
    public string PreprocessingDescription
    {
        get
        {
            var shape = Fit switch
            {
                ResizeFit.ShorterSide when ShorterSide == Width && Width == Height =>
                    $"shorter side to {ShorterSide}, central square",
                ResizeFit.ShorterSide => $"shorter side to {ShorterSide}, central {Width} x {Height}",
                ResizeFit.SquashThenCrop => $"resized to {ShorterSide} x {ShorterSide}, central {Width} x {Height}",
                ResizeFit.CentralSquare => $"largest central square to {Width} x {Height}",
                _ => $"resized to {Width} x {Height}",
            };
            var method = Method switch
            {
                ResizeMethod.None => "pictures of that size only",
                ResizeMethod.TensorFlowBilinear => "TensorFlow bilinear",
                ResizeMethod.TensorFlowBilinearAntialias => "TensorFlow bilinear with antialiasing",
                ResizeMethod.TensorFlowArea => "TensorFlow area",
                ResizeMethod.PillowBilinear => "Pillow bilinear",
                ResizeMethod.PillowBicubic => "Pillow bicubic",
                _ => "Pillow Lanczos",
            };
            var values =
                Mean == 0.5f && Std == 0.5f ? "values in [-1, 1]"
                : Mean == 0f && Std == 1f ? "values in [0, 1]"
                : Mean == 0f && Std == 1 / 255f ? "values in [0, 255]"
                : FormattableString.Invariant($"mean {Mean.R} {Mean.G} {Mean.B}, deviation {Std.R} {Std.G} {Std.B}");
            var exif = HonourExif ? ", EXIF orientation honoured" : "";
            return $"{shape} ({method}), "
                + $"{values}{exif}{(Background is { } colour ? $", transparency over {colour}" : "")}";
        }
    }

    private static int ShorterSideFor(int size, double crop) => (int)Math.Round(size / crop);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>One line of JSON, the same for equal preprocessings: what a tower's fingerprint is made from.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The object.</param>
    /// <param name="origin">Names the file in messages.</param>
    /// <exception cref="LitException">The text is no preprocessing, or one that cannot be.</exception>
    public static Preprocessing FromJson(string json, string origin)
    {
        try
        {
            var read = JsonSerializer.Deserialize<Preprocessing>(json, Json) ?? throw new JsonException("null");
            read.Check(origin);
            return read;
        }
        catch (JsonException wrong)
        {
            throw new LitException(
                origin,
                $"the preprocessing cannot be read ({JsonTrouble.Words(wrong)})",
                "Write the file again",
                wrong
            );
        }
    }

    /// <summary>Sizes and deviations that make sense together.</summary>
    /// <exception cref="LitException">They do not; the message says which and what to do.</exception>
    public void Check(string origin)
    {
        const int largest = 16_384;
        if (Width is < 1 or > largest || Height is < 1 or > largest)
            throw new LitException(
                origin,
                $"a tower's input of {Width} x {Height}",
                $"Give sides of 1 to {largest} pixels"
            );
        if (
            Fit is ResizeFit.ShorterSide or ResizeFit.SquashThenCrop
            && (ShorterSide < Math.Max(Width, Height) || ShorterSide > largest)
        )
            throw new LitException(
                origin,
                $"a shorter side of {ShorterSide} where {Width} x {Height} is cut out",
                $"Give one of {Math.Max(Width, Height)} to {largest} pixels"
            );
        if (!Enum.IsDefined(Method) || !Enum.IsDefined(Fit))
            throw new LitException(origin, "an unknown way to resize", "Write the file again");
        for (var channel = 0; channel < 3; channel++)
            if (!float.IsFinite(Mean[channel]) || !float.IsFinite(Std[channel]) || Std[channel] <= 0)
                throw new LitException(
                    origin,
                    $"mean {Mean[channel]} and deviation {Std[channel]} for channel {channel}",
                    "Give finite numbers, deviations above 0"
                );
    }
}
