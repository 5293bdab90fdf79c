using LiT.Images;
using NetVips;

namespace LiT.Tests.Images;

public class FastDecodingTests
{
    private static readonly RgbImage Clouds = Drawn(640, 480);
    private static readonly byte[] Jpeg = GeneratedPictures.Vips(Clouds).JpegsaveBuffer(q: 95),
        WebP = GeneratedPictures.Vips(Clouds).WebpsaveBuffer(q: 95);

    [Theory]
    [InlineData(400, 400, 640, 480)]
    [InlineData(224, 224, 320, 240)]
    [InlineData(160, 120, 160, 120)]
    [InlineData(160, 121, 320, 240)]
    [InlineData(161, 120, 320, 240)]
    [InlineData(32, 32, 80, 60)] // by eight and no further
    public void A_jpeg_or_webp_is_shrunk_by_two_four_or_eight_and_never_below_what_is_needed(
        int least,
        int leastHigh,
        int width,
        int height
    )
    {
        foreach (var encoded in new[] { Jpeg, WebP })
        {
            var image = Decoding.Decode(
                encoded,
                new DecodingOptions { NotBelow = new(least, leastHigh) },
                null,
                out var size
            );
            Assert.Equal((width, height), (image.Width, image.Height));
            Assert.Equal(new(640, 480), size);
        }
    }

    [Fact]
    public void What_is_shrunk_looks_like_the_means_of_its_pixels()
    {
        foreach (var encoded in new[] { Jpeg, WebP })
        {
            var image = Decoding.Decode(encoded, new DecodingOptions { NotBelow = new(160, 120) });
            var sum = 0.0;
            for (var y = 0; y < 120; y++)
            for (var x = 0; x < 160; x++)
            for (var c = 0; c < 3; c++)
            {
                var mean = 0;
                for (var inside = 0; inside < 16; inside++)
                    mean += Clouds.Pixels[((y * 4 + inside / 4) * 640 + x * 4 + inside % 4) * 3 + c];
                sum += Math.Abs(image.Pixels[(y * 160 + x) * 3 + c] - mean / 16.0);
            }
            Assert.InRange(sum / (160 * 120 * 3), 0, 2);
        }
    }

    [Fact]
    public void Other_formats_are_decoded_exactly_whatever_is_asked_for()
    {
        var png = GeneratedPictures.Png(Clouds);
        Assert.Equal(Clouds.Pixels, Decoding.Decode(png, new DecodingOptions { NotBelow = new(32, 32) }).Pixels);
    }

    [Fact]
    public void A_turned_picture_is_measured_as_it_is_turned()
    {
        using var turned = GeneratedPictures
            .Vips(Clouds)
            .Mutate(picture => picture.Set(GValue.GIntType, "orientation", 6));
        var encoded = turned.JpegsaveBuffer(q: 95);
        var image = Decoding.Decode(
            encoded,
            new DecodingOptions { HonourExif = true, NotBelow = new(240, 320) },
            null,
            out var size
        );
        Assert.Equal((240, 320, 480, 640), (image.Width, image.Height, size.Width, size.Height));
        Assert.Equal(
            480,
            Decoding.Decode(encoded, new DecodingOptions { HonourExif = true, NotBelow = new(320, 240) }).Width
        );
    }

    [Fact]
    public void The_limit_of_pixels_counts_those_of_the_file() =>
        Assert.StartsWith(
            "640 x 480 is more",
            Assert
                .Throws<PictureException>(() =>
                    Decoding.Decode(Jpeg, new DecodingOptions { MaxPixels = 640 * 480 - 1, NotBelow = new(32, 32) })
                )
                .Reason
        );

    [Theory]
    [InlineData(ResizeFit.Squash, 224, 320)]
    [InlineData(ResizeFit.ShorterSide, 256, 256)]
    [InlineData(ResizeFit.SquashThenCrop, 256, 256)]
    [InlineData(ResizeFit.CentralSquare, 320, 320)]
    internal void What_is_needed_follows_from_the_towers_preprocessing(ResizeFit fit, int width, int height)
    {
        var preprocessing = Preprocessing.LiT(224) with { Height = 320, Fit = fit, ShorterSide = 256 };
        Assert.Equal(new(width, height), preprocessing.NotBelow);
        Assert.Null((preprocessing with { Method = ResizeMethod.None }).NotBelow);
    }

    private static RgbImage Drawn(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        for (var c = 0; c < 3; c++)
            pixels[(y * width + x) * 3 + c] = (byte)(
                128 + 60 * Math.Sin((x + 40 * c) / 31.0) + 50 * Math.Cos(y / (17.0 + c))
            );
        return new(width, height, pixels);
    }
}
