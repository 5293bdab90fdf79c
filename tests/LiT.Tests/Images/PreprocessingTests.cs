using System.Text.Json;
using LiT.Images;

namespace LiT.Tests.Images;

public class PreprocessingTests
{
    public static IEnumerable<ITheoryDataRow> Presets =>
        new TheoryData<string, Preprocessing, string>()
        {
            { "LiT", Preprocessing.LiT(), "resized to 224 x 224 (TensorFlow bilinear), values in [-1, 1]" },
            {
                "LiT cropped",
                Preprocessing.LiTCropped(16),
                "shorter side to 16, central square (TensorFlow bilinear), values in [-1, 1]"
            },
            {
                "big_vision",
                Preprocessing.BigVision(),
                "shorter side to 256, central 224 x 224 (TensorFlow area), values in [-1, 1]"
            },
            {
                "torchvision",
                Preprocessing.TorchvisionImageNet(),
                "shorter side to 256, central 224 x 224 (Pillow bilinear), mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225"
            },
            {
                "DINO",
                Preprocessing.TorchvisionImageNet(224, ResizeMethod.PillowBicubic),
                "shorter side to 256, central 224 x 224 (Pillow bicubic), mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225"
            },
            { "HF", Preprocessing.HuggingFaceViT(384), "resized to 384 x 384 (Pillow bilinear), values in [-1, 1]" },
            {
                "CIFAR",
                Preprocessing.Cifar with
                {
                    HonourExif = true,
                    Background = Rgb24.White,
                },
                "resized to 32 x 32 (Pillow bicubic), mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225, EXIF orientation honoured, transparency over #ffffff"
            },
        };

    [Theory]
    [MemberData(nameof(Presets), DisableDiscoveryEnumeration = true)]
    internal void A_preset_says_in_words_what_it_does_and_survives_json(string name, Preprocessing preset, string words)
    {
        Assert.Equal(words, preset.PreprocessingDescription);
        var again = Preprocessing.FromJson(preset.ToJson(), name);
        Assert.Equal(preset, again);
        Assert.Equal(preset.ToJson(), again.ToJson());
        Assert.Equal(preset, JsonSerializer.Deserialize<Preprocessing>(JsonSerializer.Serialize(preset)));
    }

    [Fact]
    public void The_json_is_short_and_in_words() =>
        Assert.Equal(
            """{"width":32,"height":32,"method":"PillowBicubic","fit":"Squash","mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]}""",
            Preprocessing.Cifar.ToJson()
        );

    [Theory]
    [InlineData("", "cannot be read")]
    [InlineData("null", "cannot be read")]
    [InlineData("""{"width":8}""", "cannot be read")]
    [InlineData(
        """{"width":8,"height":8,"method":"Nearest","fit":"Squash","mean":[0,0,0],"std":[1,1,1]}""",
        "cannot be read"
    )]
    [InlineData(
        """{"width":8,"height":8,"method":"None","fit":"Squash","mean":[0,0],"std":[1,1,1]}""",
        "cannot be read"
    )]
    [InlineData("""{"width":0,"height":8,"method":"None","fit":"Squash","mean":[0,0,0],"std":[1,1,1]}""", "0 x 8")]
    [InlineData("""{"width":8,"height":8,"method":"None","fit":"Squash","mean":[0,0,0],"std":[1,0,1]}""", "channel 1")]
    [InlineData(
        """{"width":8,"height":8,"method":"PillowBilinear","fit":"ShorterSide","shorterSide":7,"mean":[0,0,0],"std":[1,1,1]}""",
        "shorter side of 7"
    )]
    public void A_preprocessing_that_cannot_be_is_refused_in_one_line(string json, string says)
    {
        var refused = Assert.Throws<LitException>(() => Preprocessing.FromJson(json, "model.json"));
        Assert.StartsWith("model.json: ", refused.Message);
        Assert.Contains(says, refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void Values_are_channel_by_channel_on_the_towers_scale()
    {
        var image = new RgbImage(2, 1, [0, 51, 255, 255, 51, 0]);
        var chw = new float[6];
        (Preprocessing.LiT(1) with { Width = 2 }).Apply(image, chw);
        Assert.Equal([-1, 1, -0.6f, -0.6f, 1, -1], chw, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Of_a_wide_picture_the_centre_is_cut_out()
    {
        var image = new RgbImage(5, 2, [.. Enumerable.Range(0, 30).Select(i => (byte)(i / 3))]);
        var square = Preprocessing.LiT(2) with { Fit = ResizeFit.CentralSquare };
        Assert.Equal([1, 2, 6, 7], square.Fitted(image).Pixels.Where((_, i) => i % 3 == 0));
        var shorter = Preprocessing.TorchvisionImageNet(2, crop: 1); // (5 - 2) / 2 = 1.5 is rounded to even, 2
        Assert.Equal([2, 3, 7, 8], shorter.Fitted(image).Pixels.Where((_, i) => i % 3 == 0));
    }

    [Fact]
    public void Encoded_pictures_of_any_kind_become_a_towers_input()
    {
        byte[][] kinds =
        [
            GeneratedPictures.Jpeg(),
            GeneratedPictures.Png(),
            GeneratedPictures.WebP(),
            GeneratedPictures.Bmp(),
            GeneratedPictures.WithAlpha(".png"),
            GeneratedPictures.WithAlpha(".webp"),
            GeneratedPictures.Gray(".jpg"),
            GeneratedPictures.Gray(".png"),
            GeneratedPictures.Gray16(),
            GeneratedPictures.JpegWithOrientation(6),
        ];
        foreach (var preprocessing in Presets.Select(row => (Preprocessing)row.GetData()[1]!))
        foreach (var kind in kinds)
        {
            var chw = new float[preprocessing.ValueCount];
            preprocessing.Apply(kind, chw);
            Assert.All(chw, value => Assert.InRange(value, -3, 3));
            Assert.True(chw.Distinct().Count() > 2);
        }
    }

    [Fact]
    public void Turning_a_picture_by_its_exif_orientation_belongs_to_the_preprocessing()
    {
        var preprocessing = Preprocessing.LiT(32);
        var (asStored, upright) = (new float[preprocessing.ValueCount], new float[preprocessing.ValueCount]);
        var encoded = GeneratedPictures.JpegWithOrientation(6);
        Assert.Equal((48, 32), preprocessing.Apply(encoded, asStored));
        Assert.Equal((32, 48), (preprocessing with { HonourExif = true }).Apply(encoded, upright));
        Assert.True(asStored[16] < -0.8 && upright[16 * 32 + 31] < -0.8); // the dark row: on top, and on the right once turned
        Assert.NotEqual(preprocessing.ToJson(), (preprocessing with { HonourExif = true }).ToJson());
    }

    [Fact]
    public void Without_resizing_another_size_is_an_error_that_names_both()
    {
        var none = Preprocessing.LiT(8) with { Method = ResizeMethod.None };
        var refused = Assert.Throws<LitException>(() =>
            none.Apply(GeneratedPictures.Plain, new float[none.ValueCount])
        );
        Assert.Contains("48 x 32 where 8 x 8", refused.Message);
    }

    [Fact]
    public void Many_threads_get_what_one_gets()
    {
        foreach (var preprocessing in Presets.Select(row => (Preprocessing)row.GetData()[1]!))
        {
            var expected = new float[preprocessing.ValueCount];
            preprocessing.Apply(GeneratedPictures.Plain, expected);
            Parallel.For(0, 8, _ =>
            {
                var got = new float[preprocessing.ValueCount];
                preprocessing.Apply(GeneratedPictures.Plain, got);
                Assert.True(expected.AsSpan().SequenceEqual(got));
            });
        }
    }
}
