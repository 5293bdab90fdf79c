using LiT.Images;

namespace LiT.Tests.Images;

public class DecodingTests
{
    public static TheoryData<string, byte[]> Exact =>
        new()
        {
            { "png", GeneratedPictures.Png() },
            { "webp", GeneratedPictures.WebP() },
            { "bmp", GeneratedPictures.Bmp() },
            { "bmp from the top", GeneratedPictures.Bmp(fromTop: true) },
            { "tiff", GeneratedPictures.Vips().WriteToBuffer(".tiff") },
            { "interlaced png", GeneratedPictures.Vips().PngsaveBuffer(interlace: true) },
            { "palette png", GeneratedPictures.Vips().PngsaveBuffer(palette: true) },
            { "gif", GeneratedPictures.Vips().GifsaveBuffer(dither: 0) },
            { "png with alpha", GeneratedPictures.WithAlpha(".png") },
            { "webp with alpha", GeneratedPictures.WithAlpha(".webp") },
        };

    [Theory]
    [MemberData(nameof(Exact), DisableDiscoveryEnumeration = true)]
    public void A_lossless_picture_gives_its_pixels_back(string form, byte[] encoded)
    {
        var image = Decoding.Decode(encoded, origin: form);
        Assert.Equal((GeneratedPictures.Width, GeneratedPictures.Height), (image.Width, image.Height));
        Assert.Equal(GeneratedPictures.Plain.Pixels, image.Pixels);
        Assert.Equal((image.Width, image.Height), Decoding.ReadSize(encoded));
    }

    [Fact]
    public void A_jpeg_is_close_to_what_was_drawn()
    {
        var image = Decoding.Decode(GeneratedPictures.Jpeg());
        Assert.True(image.Pixels.Zip(GeneratedPictures.Plain.Pixels, (a, b) => Math.Abs(a - b)).Average() < 2);
    }

    [Fact]
    public void Part_of_a_larger_buffer_is_decoded_as_well_as_a_whole_one()
    {
        byte[] encoded = GeneratedPictures.Png(),
            padded = [1, 2, 3, .. encoded, 4, 5];
        Assert.Equal(GeneratedPictures.Plain.Pixels, Decoding.Decode(padded.AsMemory(3, encoded.Length)).Pixels);
    }

    [Fact]
    public void Gray_is_replicated_and_the_high_byte_of_16_bits_is_kept()
    {
        byte[] green =
        [
            .. Enumerable
                .Range(0, GeneratedPictures.Plain.Pixels.Length)
                .Select(i => GeneratedPictures.Plain.Pixels[i / 3 * 3 + 1]),
        ];
        Assert.Equal(green, Decoding.Decode(GeneratedPictures.Gray(".png")).Pixels);
        Assert.Equal(green, Decoding.Decode(GeneratedPictures.Gray(".tiff")).Pixels);
        Assert.Equal(green, Decoding.Decode(GeneratedPictures.Gray16()).Pixels);
    }

    [Fact]
    public void Transparent_pixels_show_the_background_when_one_is_given()
    {
        var image = Decoding.Decode(
            GeneratedPictures.WithAlpha(".png"),
            new DecodingOptions { Background = new Rgb24(1, 2, 3) }
        );
        var middle = GeneratedPictures.Height / 2 * GeneratedPictures.Width * 3;
        Assert.Equal([240, 120, 40], image.Pixels[middle..(middle + 3)]);
        Assert.Equal(
            [1, 2, 3],
            image.Pixels[(middle + GeneratedPictures.Width * 3 - 3)..(middle + GeneratedPictures.Width * 3)]
        );
    }

    [Theory]
    [InlineData(1, false, 0, 0)]
    [InlineData(2, false, 47, 0)]
    [InlineData(3, false, 47, 31)]
    [InlineData(4, false, 0, 31)]
    [InlineData(5, true, 0, 0)]
    [InlineData(6, true, 31, 0)]
    [InlineData(7, true, 31, 47)]
    [InlineData(8, true, 0, 47)]
    public void The_exif_orientation_is_ignored_unless_it_is_asked_for(int orientation, bool swapped, int x, int y)
    {
        var marked = new RgbImage(48, 32, new byte[48 * 32 * 3]);
        marked.Pixels.AsSpan(0, 3).Fill(255); // the top left pixel of the file, seen at (x, y)
        var turned = Orientation.Apply(marked, orientation);
        Assert.Equal(swapped ? (32, 48) : (48, 32), (turned.Width, turned.Height));
        Assert.Equal(255, turned.Pixels[(y * turned.Width + x) * 3]);

        var encoded = GeneratedPictures.JpegWithOrientation(orientation);
        Assert.Equal((48, 32), (Decoding.Decode(encoded).Width, Decoding.Decode(encoded).Height));
        Assert.Equal((turned.Width, turned.Height), Decoding.ReadSize(encoded, honourExif: true));
        Assert.Equal(
            Orientation.Apply(Decoding.Decode(encoded), orientation).Pixels,
            Decoding.Decode(encoded, new DecodingOptions { HonourExif = true }).Pixels
        );
    }

    [Theory]
    [InlineData(40_000, 40_000)]
    [InlineData(1_000_000, 101)]
    public void A_picture_over_the_limit_is_refused_by_its_header_alone(int width, int height)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refused = Assert.Throws<PictureException>(() =>
            Decoding.Decode(GeneratedPictures.PngHeader(width, height), origin: "huge.png")
        );
        Assert.Equal($"{width} x {height} is more than 100000000 pixels", refused.Reason);
        Assert.StartsWith("huge.png: ", refused.Message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
    }

    [Fact]
    public void So_is_a_jpeg_that_claims_a_large_size()
    {
        var jpeg = GeneratedPictures.Jpeg();
        var frame = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]);
        (jpeg[frame + 5], jpeg[frame + 6], jpeg[frame + 7], jpeg[frame + 8]) = (0x9C, 0x40, 0x9C, 0x40);
        Assert.Equal((40_000, 40_000), Decoding.ReadSize(jpeg));
        Assert.StartsWith("40000 x 40000 is more", Assert.Throws<PictureException>(() => Decoding.Decode(jpeg)).Reason);
    }

    [Fact]
    public void The_limit_can_be_set()
    {
        var encoded = GeneratedPictures.Png();
        Assert.Throws<PictureException>(() =>
            Decoding.Decode(encoded, new DecodingOptions { MaxPixels = 48 * 32 - 1 })
        );
        Assert.NotNull(Decoding.Decode(encoded, new DecodingOptions { MaxPixels = 48 * 32 }));
        var bitmap = GeneratedPictures.Bmp();
        Assert.Throws<PictureException>(() => Decoding.Decode(bitmap, new DecodingOptions { MaxPixels = 48 * 32 - 1 }));
    }

    public static TheoryData<string, byte[], string> Broken =>
        new()
        {
            { "nothing", [], "the file is empty" },
            { "zeros", new byte[100], "the file holds zeros only" },
            { "html", "<!DOCTYPE html><html>404"u8.ToArray(), "a web page, not a picture" },
            { "svg", "<svg xmlns='x'/>"u8.ToArray(), "an SVG drawing, not a picture" },
            { "text", "hello"u8.ToArray(), "not a JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF picture" },
            { "half a jpeg", Half(GeneratedPictures.Jpeg()), "truncated JPEG" },
            { "half a png", Half(GeneratedPictures.Png()), "truncated PNG" },
            { "half a webp", Half(GeneratedPictures.WebP()), "truncated WebP" },
            { "half a bmp", Half(GeneratedPictures.Bmp()), "truncated BMP" },
            { "half a gif", Half(GeneratedPictures.Vips().GifsaveBuffer()), "truncated GIF" },
            { "half a tiff", Half(GeneratedPictures.Vips().WriteToBuffer(".tiff")), "corrupt or unsupported TIFF" },
            { "jpeg start only", [0xFF, 0xD8, 0xFF, 0xE0], "truncated JPEG" },
            { "png with other bytes", Overwritten(GeneratedPictures.Png()), "corrupt or unsupported PNG" },
        };

    [Theory]
    [MemberData(nameof(Broken), DisableDiscoveryEnumeration = true)]
    public void A_broken_picture_says_in_one_phrase_what_is_wrong_with_it(string name, byte[] encoded, string reason)
    {
        var broken = Assert.Throws<PictureException>(() => Decoding.Decode(encoded, origin: name));
        Assert.Equal(reason, broken.Reason);
        Assert.StartsWith($"{name}: {reason}. ", broken.Message);
        Assert.DoesNotContain('\n', broken.Message);
    }

    [Fact]
    public void Any_damage_gives_pixels_or_a_picture_exception()
    {
        byte[][] whole =
        [
            GeneratedPictures.Jpeg(),
            GeneratedPictures.Png(),
            GeneratedPictures.WebP(),
            GeneratedPictures.Bmp(),
            GeneratedPictures.WithAlpha(".png"),
        ];
        var chance = new Chance(7);
        for (var round = 0; round < 300; round++)
        {
            byte[] damaged = [.. whole[round % whole.Length]];
            for (var i = 0; i <= round % 5; i++)
                damaged[2 + chance.Below(damaged.Length - 2)] = (byte)chance.Next();
            try
            {
                Assert.NotEmpty(Decoding.Decode(damaged, new DecodingOptions { MaxPixels = 1_000_000 }).Pixels);
            }
            catch (PictureException) { }
        }
    }

    [Fact]
    public void Many_threads_decode_at_once_and_get_their_own_pictures()
    {
        var encoded = Enumerable.Range(0, 8).Select(i => GeneratedPictures.Png(Flat((byte)(i * 30)))).ToArray();
        Parallel.For(0, 200, i =>
        {
            Assert.All(Decoding.Decode(encoded[i % 8]).Pixels, value => Assert.Equal(i % 8 * 30, value));
            if (i % 3 == 0)
                Assert.Throws<PictureException>(() => Decoding.Decode(Half(encoded[i % 8])));
        });
    }

    private static RgbImage Flat(byte value) => new(20, 10, [.. Enumerable.Repeat(value, 600)]);

    private static byte[] Half(byte[] bytes) => bytes[..(bytes.Length / 2)];

    private static byte[] Overwritten(byte[] png)
    {
        byte[] other = [.. png];
        other.AsSpan(png.AsSpan().IndexOf("IDAT"u8) + 8, 12).Fill(0x55);
        return other;
    }
}
