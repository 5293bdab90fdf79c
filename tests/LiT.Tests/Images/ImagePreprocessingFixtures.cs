using System.Text.Json;
using LiT.Images;
using LiT.Tests.Parity;

namespace LiT.Tests.Images;

/// <summary>
/// Pictures of every kind, what the references decode from them, and what their resizes, crops and normalisations make
/// of the decoded pixels.
/// </summary>
public sealed class ImagePreprocessingFixtures : IFixtureKind
{
    public string Folder => "image_preprocessing";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var meta = folder.Meta;
        var size = meta.GetProperty("size").GetInt32();
        var torchvision = meta.TryGetProperty("torchvision_resize_size", out var given) ? given.GetInt32() : size;
        foreach (var picture in meta.GetProperty("images").EnumerateObject())
        {
            var stem = Path.GetFileNameWithoutExtension(picture.Name);
            var (encoded, decoded) = (folder.PathOf(picture.Name), folder.PathOf($"{stem}.decoded.npy"));
            yield return new($"{stem}.decoded", () => Decodes(encoded, decoded, picture.Value));
            foreach (
                var file in folder.AllFiles.Where(file =>
                    file.StartsWith(stem + ".", StringComparison.Ordinal)
                    && file.EndsWith(".npy", StringComparison.Ordinal)
                )
            )
            {
                var what = file[(stem.Length + 1)..^".npy".Length];
                if (Check(what, size, torchvision) is not { } check)
                    continue;
                var expected = folder.PathOf(file);
                yield return new($"{stem}.{what}", () =>
                    check(
                        what.StartsWith("decoded", StringComparison.Ordinal)
                            ? Decoding.Decode(File.ReadAllBytes(encoded), new DecodingOptions { HonourExif = true })
                            : Picture(NpyArray.Read(decoded)),
                        NpyArray.Read(expected)
                    )
                );
            }
        }
    }

    private static Action<RgbImage, NpyArray>? Check(string what, int size, int torchvision) =>
        what switch
        {
            "decoded_exif_transposed" => (image, expected) => Close(image, expected, JpegMean, JpegMost),
            "tf_resize_float" => (image, expected) =>
                Close(
                    TensorFlowResize.Resize(
                        image,
                        size,
                        size,
                        ResizeMethod.TensorFlowBilinear,
                        Window.Whole(size, size)
                    ),
                    expected.Floats,
                    2e-3
                ),
            "tf_resize" => Bytes(Preprocessing.LiT(size), off: 0.005),
            "tf_resize_value_range" => Values(Preprocessing.LiT(size)),
            "tf_resize_antialias" => Bytes(
                Preprocessing.LiT(size) with
                {
                    Method = ResizeMethod.TensorFlowBilinearAntialias,
                },
                off: 1
            ),
            "resize_small_area" => (image, expected) =>
            {
                var (width, height) = Preprocessing.SizeWithShorterSide(
                    image.Width,
                    image.Height,
                    size,
                    ResizeMethod.TensorFlowArea
                );
                WithinOne(Resizing.Resize(image, width, height, ResizeMethod.TensorFlowArea), expected, off: 1);
            },
            "resize_small_area_central_crop_value_range" => Values(Preprocessing.BigVision(size, crop: 1)),
            "vit_jax_crop" => Values(Preprocessing.LiTCropped(size)),
            "central_crop_default" => (image, expected) =>
            {
                var side = Math.Min(image.Width, image.Height);
                var crop = Preprocessing.LiT(side) with { Fit = ResizeFit.CentralSquare, Method = ResizeMethod.None };
                WithinOne(crop.Fitted(image), expected, off: 0);
            },
            "pil_bilinear_square" => Bytes(Preprocessing.HuggingFaceViT(size), off: 0),
            "pil_bicubic_square" => Bytes(
                Preprocessing.HuggingFaceViT(size) with
                {
                    Method = ResizeMethod.PillowBicubic,
                },
                off: 0
            ),
            "torchvision_bilinear_crop_u8" => Bytes(
                Torchvision(size, torchvision, ResizeMethod.PillowBilinear),
                off: 0
            ),
            "torchvision_bicubic_crop_u8" => Bytes(Torchvision(size, torchvision, ResizeMethod.PillowBicubic), off: 0),
            "torchvision_bilinear_crop_norm" => Values(
                Torchvision(size, torchvision, ResizeMethod.PillowBilinear),
                off: 0
            ),
            "torchvision_bicubic_crop_norm" => Values(
                Torchvision(size, torchvision, ResizeMethod.PillowBicubic),
                off: 0
            ),
            _ => null,
        };

    // Decoders differ in the last bits of the inverse transform and of chroma: the bounds are those of meta.json.
    private const double JpegMean = 2,
        JpegMost = 12,
        CmykMean = 4;

    private static void Decodes(string encoded, string decoded, JsonElement picture)
    {
        var bytes = File.ReadAllBytes(encoded);
        Assert.Equal(
            (picture.GetProperty("width").GetInt32(), picture.GetProperty("height").GetInt32()),
            Decoding.ReadSize(bytes)
        );
        var cmyk = picture.GetProperty("pil_mode").GetString() == "CMYK";
        var (mean, most) =
            picture.GetProperty("lossless").GetBoolean() ? (0, 0)
            : cmyk ? (CmykMean, 255)
            : (JpegMean, JpegMost);
        Close(Decoding.Decode(bytes, origin: encoded), NpyArray.Read(decoded), mean, most);
    }

    private static Action<RgbImage, NpyArray> Bytes(Preprocessing preprocessing, double off) =>
        (image, expected) => WithinOne(preprocessing.Fitted(image), expected, off);

    // Before the last step values are 8-bit; where the reference's truncation may fall on the other side of an integer,
    // one step of the normalised scale is allowed in 0.5% of the values.
    private static Action<RgbImage, NpyArray> Values(Preprocessing preprocessing, double off = 0.005) =>
        (image, expected) =>
        {
            var chw = new float[preprocessing.ValueCount];
            preprocessing.Apply(image, chw);
            var wanted = expected.Shape is [3, _, _] ? expected.Floats : ChannelsFirst(expected);
            Assert.Equal(wanted.Length, chw.Length);
            var step = 1 / 255.0 / Math.Min(preprocessing.Std.R, Math.Min(preprocessing.Std.G, preprocessing.Std.B));
            var errors = chw.Zip(wanted, (a, b) => Math.Abs((double)a - b)).ToList();
            Assert.True(errors.Max() <= step + 1e-4, $"off by {errors.Max()}");
            var wrong = errors.Count(error => error > 1e-4) / (double)errors.Count;
            Assert.True(wrong <= off, $"{wrong:P2} of the values differ");
        };

    private static Preprocessing Torchvision(int size, int shorterSide, ResizeMethod method) =>
        Preprocessing.TorchvisionImageNet(size, method) with
        {
            ShorterSide = shorterSide,
        };

    private static RgbImage Picture(NpyArray array) => new(array.Shape[1], array.Shape[0], array.Bytes);

    private static float[] ChannelsFirst(NpyArray hwc)
    {
        var (values, plane) = (hwc.Floats, hwc.Count / 3);
        return [.. Enumerable.Range(0, hwc.Count).Select(i => values[i % plane * 3 + i / plane])];
    }

    private static void WithinOne(RgbImage image, NpyArray expected, double off)
    {
        Assert.Equal([image.Height, image.Width, 3], expected.Shape);
        var differences = image.Pixels.Zip(expected.Bytes, (a, b) => Math.Abs(a - b)).ToList();
        Assert.True(differences.Max() <= 1, $"off by {differences.Max()}");
        var wrong = differences.Count(difference => difference > 0) / (double)differences.Count;
        Assert.True(wrong <= off, $"{wrong:P2} of the values differ");
    }

    private static void Close(RgbImage image, NpyArray expected, double mean, double most)
    {
        Assert.Equal([image.Height, image.Width, 3], expected.Shape);
        var differences = image.Pixels.Zip(expected.Bytes, (a, b) => Math.Abs(a - b)).ToList();
        Assert.True(
            differences.Average() <= mean && differences.Max() <= most,
            $"differs by {differences.Average()} in the mean and {differences.Max()} at most"
        );
    }

    private static void Close(float[] got, float[] expected, double tolerance)
    {
        Assert.Equal(expected.Length, got.Length);
        var error = got.Zip(expected, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(error <= tolerance, $"off by {error}");
    }
}
