using LiT.Images;
using NetVips;

namespace LiT.Tests.Images;

/// <summary>
/// A picture of which a part is missing is refused, whatever its format and however well its end was mended; what
/// libjpeg only warns of, and Pillow lets pass, is read.
/// </summary>
public class EarlyEndTests
{
    private static readonly RgbImage Grain = Noise(96, 64);

    public static TheoryData<string, byte[]> Jpegs =>
        new()
        {
            { "baseline", Vips().JpegsaveBuffer(q: 90) },
            { "progressive", Vips().JpegsaveBuffer(q: 90, interlace: true) },
            { "restart markers", Vips().JpegsaveBuffer(q: 90, restartInterval: 2) },
            { "grey", Vips().Colourspace(Enums.Interpretation.Bw).JpegsaveBuffer(q: 90) },
        };

    [Theory]
    [MemberData(nameof(Jpegs), DisableDiscoveryEnumeration = true)]
    public void A_scan_that_ends_before_the_picture_does_is_refused_wherever_it_was_cut(string form, byte[] jpeg)
    {
        Assert.NotNull(Decoding.Decode(jpeg, origin: form));
        var scan = jpeg.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]) + 14;
        for (var cut = scan + 8; cut < jpeg.Length - 16; cut += Math.Max(1, (jpeg.Length - scan) / 23))
        {
            byte[] ended = [.. jpeg[..cut], 0xFF, 0xD9];
            Assert.Equal(
                "the picture data end early",
                Assert.Throws<PictureException>(() => Decoding.Decode(ended, origin: form)).Reason
            );
            Assert.Equal(
                "truncated JPEG",
                Assert.Throws<PictureException>(() => Decoding.Decode(jpeg.AsMemory(0, cut), origin: form)).Reason
            );
        }
    }

    [Fact]
    public void So_is_one_on_the_fast_way()
    {
        var jpeg = Vips().JpegsaveBuffer(q: 90);
        byte[] ended = [.. jpeg[..(jpeg.Length * 3 / 4)], 0xFF, 0xD9];
        Assert.Equal(
            "the picture data end early",
            Assert.Throws<PictureException>(() => Decoding.Decode(ended, new() { NotBelow = new(48, 32) })).Reason
        );
    }

    [Theory]
    [InlineData("bytes after the end")]
    [InlineData("bytes before the last marker")]
    [InlineData("bytes between two segments")]
    public void What_libjpeg_passes_over_costs_no_pixel(string where)
    {
        var jpeg = Vips().JpegsaveBuffer(q: 90);
        var table = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xDB]);
        byte[] odd = where switch
        {
            "bytes after the end" => [.. jpeg, 1, 2, 3],
            "bytes before the last marker" => [.. jpeg[..^2], 1, 2, 3, 0xFF, 0xD9],
            _ => [.. jpeg[..table], 0, 0, .. jpeg[table..]],
        };
        Assert.Equal(Decoding.Decode(jpeg).Pixels, Decoding.Decode(odd).Pixels);
    }

    [Fact]
    public void Many_threads_are_told_about_their_own_pictures()
    {
        var jpeg = Vips().JpegsaveBuffer(q: 90);
        byte[] early = [.. jpeg[..(jpeg.Length / 2)], 0xFF, 0xD9],
            harmless = [.. jpeg[..^2], 1, 2, 3, 0xFF, 0xD9],
            cut = jpeg[..(jpeg.Length / 2)];
        var pixels = Decoding.Decode(jpeg).Pixels;
        Parallel.For(0, 200, i =>
        {
            switch (i % 4)
            {
                case 0:
                    Assert.Equal(
                        "the picture data end early",
                        Assert.Throws<PictureException>(() => Decoding.Decode(early)).Reason
                    );
                    break;
                case 1:
                    Assert.Equal(pixels, Decoding.Decode(harmless).Pixels);
                    break;
                case 2:
                    Assert.Equal("truncated JPEG", Assert.Throws<PictureException>(() => Decoding.Decode(cut)).Reason);
                    break;
                default:
                    Assert.Equal(pixels, Decoding.Decode(jpeg).Pixels);
                    break;
            }
        });
    }

    public static TheoryData<string, byte[]> Others =>
        new()
        {
            { "png", Png() },
            { "webp", Vips().WebpsaveBuffer(q: 80) },
            { "webp without loss", Vips().WebpsaveBuffer(lossless: true) },
            { "gif", Vips().GifsaveBuffer() },
            { "tiff", Vips().TiffsaveBuffer(compression: Enums.ForeignTiffCompression.None) },
            { "tiff, packed", Vips().TiffsaveBuffer(compression: Enums.ForeignTiffCompression.Deflate) },
            { "avif", Vips().HeifsaveBuffer(q: 60, compression: Enums.ForeignHeifCompression.Av1, effort: 0) },
            { "bmp", GeneratedPictures.Bmp(Grain) },
        };

    [Theory]
    [MemberData(nameof(Others), DisableDiscoveryEnumeration = true)]
    public void Every_other_format_cut_anywhere_is_refused(string form, byte[] encoded)
    {
        Assert.NotNull(Decoding.Decode(encoded, origin: form));
        for (var cut = encoded.Length / 4; cut < encoded.Length * 9 / 10; cut += encoded.Length / 9)
            Assert.Throws<PictureException>(() => Decoding.Decode(encoded.AsMemory(0, cut), origin: form));
    }

    [Fact]
    public void So_is_a_png_a_gif_or_a_webp_whose_end_was_mended()
    {
        Assert.Throws<PictureException>(() => Decoding.Decode(Png(rows: 20)));
        var gif = Vips().GifsaveBuffer();
        Assert.Throws<PictureException>(() => Decoding.Decode((byte[])[.. gif[..(gif.Length / 2)], 0, 0x3B]));
        var webp = Vips().WebpsaveBuffer(q: 80);
        byte[] half = webp[..(webp.Length / 4 * 2)];
        BitConverter.TryWriteBytes(half.AsSpan(4), half.Length - 8);
        BitConverter.TryWriteBytes(half.AsSpan(16), half.Length - 20);
        Assert.Throws<PictureException>(() => Decoding.Decode(half));
    }

    private static Image Vips() => GeneratedPictures.Vips(Grain);

    /// <summary>A PNG of 64 rows whose data, sound in themselves, hold fewer.</summary>
    private static byte[] Png(int rows = 64)
    {
        var png = GeneratedPictures.Png(new RgbImage(96, rows, Grain.Pixels[..(96 * rows * 3)]));
        if (rows == 64)
            return png;
        (png[22], png[23]) = (0, 64);
        var crc = uint.MaxValue;
        foreach (var b in png.AsSpan(12, 17))
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (crc & 1) * 0xEDB88320;
        }
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), ~crc);
        return png;
    }

    private static RgbImage Noise(int width, int height)
    {
        var chance = new Chance(3);
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)((i / 3 % width * 2 + chance.Below(60)) & 255);
        return new(width, height, pixels);
    }
}
