using System.Buffers.Binary;
using LiT.Images;
using NetVips;

namespace LiT.Tests.Images;

/// <summary>
/// The rows of the table in docs/preprocessing.md, "Format by format": what is read, turned, composed and refused.
/// </summary>
public class PictureTableTests
{
    private static string Place(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", "pictures", name);

    private static byte[] Fixture(string name) => File.ReadAllBytes(Place(name));

    private static RgbImage Decoded(string name, DecodingOptions? options = null) =>
        Decoding.Decode(Fixture(name), options, name);

    private static string Refused(byte[] picture) =>
        Assert.Throws<PictureException>(() => Decoding.Decode(picture)).Reason;

    // GIF

    [Theory]
    [InlineData("gif/gif_transparent.gif", "gif/gif_transparent.expected.png", "gif/gif_transparent.black.png")]
    [InlineData("gif/white-is-transparent.gif", "gif/as-pillow.png", "gif/on-black.png")]
    [InlineData("gif/white-is-transparent.gif", "gif/same-as-png-palette.png", "gif/on-black.png")]
    public void A_transparent_entry_of_a_gif_keeps_its_colour(string gif, string right, string wrong)
    {
        Assert.Equal(Decoded(right).Pixels, Decoded(gif).Pixels);
        Assert.NotEqual(Decoded(wrong).Pixels, Decoded(gif).Pixels);
    }

    [Fact]
    public void A_gif_is_laid_on_a_background_where_one_is_asked_for()
    {
        var seen = Decoded("gif/white-is-transparent.gif", new() { Background = new Rgb24(0, 0, 0) });
        Assert.Equal(Decoded("gif/on-black.png").Pixels, seen.Pixels);
    }

    [Theory]
    [InlineData("gif/cut0.gif")]
    [InlineData("gif/cut50.gif")]
    [InlineData("gif/pixel-data-not-enough.gif")]
    public void A_gif_whose_data_stop_before_its_pixels_do_is_refused(string gif)
    {
        Assert.Equal("truncated GIF", Assert.Throws<PictureException>(() => Decoded(gif)).Reason);
        Assert.NotNull(Decoded("gif/full.gif"));
    }

    [Fact]
    public void A_gif_cut_at_any_byte_of_its_first_frame_is_refused_and_its_later_frames_do_not_matter()
    {
        var full = Fixture("gif/full.gif");
        var pixels = Decoding.Decode(full).Pixels;
        for (var cut = 6; cut < full.Length - 4; cut += 7)
            Assert.Equal("truncated GIF", Refused(full[..cut]));
        Assert.Equal(pixels, Decoding.Decode((byte[])[.. full[..^1], 0x21, 0xFE, 3, 1]).Pixels);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_image_library_reads_the_same_from_an_opaque_gif(bool interlaced)
    {
        foreach (var image in new[] { GeneratedPictures.Plain, Noise(97, 61) })
        {
            var gif = GeneratedPictures.Vips(image).GifsaveBuffer(dither: 0, interlace: interlaced);
            using var by = Image.GifloadBuffer(gif);
            using var rgb = by.ExtractBand(0, n: 3);
            Assert.Equal(rgb.WriteToMemory<byte>(), Decoding.Decode(gif).Pixels);
        }
    }

    [Fact]
    public void Where_the_frame_of_a_gif_does_not_cover_the_picture_its_transparent_entry_is_seen_or_entry_0()
    {
        // 2 x 1, entries blue and red; the frame is the right pixel alone, red.
        byte[] palette = [0, 0, 255, 255, 0, 0],
            data = [2, 2, 0x4C, 0x01, 0]; // clear, 1, end
        byte[] Gif(params byte[] control) =>
            [
                .. "GIF89a"u8,
                2,
                0,
                1,
                0,
                0x80,
                0,
                0,
                .. palette,
                .. control,
                0x2C,
                1,
                0,
                0,
                0,
                1,
                0,
                1,
                0,
                0,
                .. data,
                0x3B,
            ];
        Assert.Equal([0, 0, 255, 255, 0, 0], Decoding.Decode(Gif()).Pixels);
        byte[] second = Gif(0x21, 0xF9, 4, 1, 0, 0, 1, 0); // red is transparent
        Assert.Equal([255, 0, 0, 255, 0, 0], Decoding.Decode(second).Pixels);
        Assert.Equal([9, 9, 9, 9, 9, 9], Decoding.Decode(second, new() { Background = new Rgb24(9, 9, 9) }).Pixels);
        Assert.Equal((2, 1), Decoding.ReadSize(second));
    }

    [Fact]
    public void A_gif_with_any_damage_gives_pixels_or_a_picture_exception()
    {
        var whole = Fixture("gif/full.gif");
        var chance = new Chance(11);
        for (var round = 0; round < 2000; round++)
        {
            byte[] damaged = [.. whole];
            for (var i = 0; i <= round % 4; i++)
                damaged[4 + chance.Below(round % 2 == 0 ? 60 : damaged.Length - 4)] = (byte)chance.Next();
            try
            {
                Assert.NotEmpty(Decoding.Decode(damaged, new() { MaxPixels = 1_000_000 }).Pixels);
            }
            catch (PictureException) { }
        }
    }

    // BMP

    [Fact]
    public void A_bmp_with_runs_of_8_bits_shows_what_the_plain_one_shows() =>
        Assert.Equal(Decoded("bmp/pal8os2sp.bmp").Pixels, Decoded("bmp/pal8rle.bmp").Pixels);

    [Fact]
    public void A_bmp_with_runs_of_4_bits_shows_the_same_in_fewer_colours()
    {
        var (few, many) = (Decoded("bmp/pal4rle.bmp"), Decoded("bmp/pal8rle.bmp"));
        Assert.Equal((127, 64), (few.Width, few.Height));
        Assert.InRange(few.Pixels.Zip(many.Pixels, (a, b) => Math.Abs(a - b)).Average(), 0, 60);
        Assert.InRange(few.Pixels.Chunk(3).Select(c => (c[0], c[1], c[2])).Distinct().Count(), 8, 16);
    }

    [Fact]
    public void Runs_jumps_plain_pieces_and_row_ends_of_a_bmp()
    {
        byte[] data =
        [
            3,
            1,
            0,
            0, // bottom row: 1 1 1, then its end
            0,
            3,
            2,
            1,
            2,
            0,
            0,
            0, // 2 1 2, with a byte to the whole word, then the end
            0,
            2,
            1,
            0,
            2,
            2, // one jumped over, then 2 2
            0,
            1,
        ];
        Assert.Equal([0, 2, 2, 2, 1, 2, 1, 1, 1], Indices(Runs(3, 3, 8, 1, data)));
        byte[] half = [3, 0x12, 0, 0, 0, 3, 0x21, 0x20, 0, 0, 0, 2, 1, 0, 2, 0x22, 0, 1];
        Assert.Equal([0, 2, 2, 2, 1, 2, 1, 2, 1], Indices(Runs(3, 3, 4, 2, half)));

        static int[] Indices(byte[] bmp) => [.. Decoding.Decode(bmp).Pixels.Chunk(3).Select(c => c[0] / 100)];
    }

    [Theory]
    [InlineData("bmp/pal8rle.bmp")]
    [InlineData("bmp/pal4rle.bmp")]
    [InlineData("bmp/pal8os2sp.bmp")]
    public void A_bmp_that_ends_early_is_refused(string name)
    {
        var whole = Fixture(name);
        for (var cut = 30; cut < whole.Length - 40; cut += 97)
            Assert.Equal("truncated BMP", Refused(whole[..cut]));
    }

    [Theory]
    [InlineData(2, 0, "BMP with 2 bits a pixel, which is not read")]
    [InlineData(64, 0, "BMP with 64 bits a pixel, which is not read")]
    [InlineData(24, 4, "BMP with a JPEG inside, which is not read")]
    [InlineData(24, 5, "BMP with a PNG inside, which is not read")]
    [InlineData(8, 9, "BMP with 8 bits and compression 9, which is not read")]
    public void A_bmp_of_another_kind_is_refused_by_its_kind(short bits, int compression, string reason)
    {
        var bmp = GeneratedPictures.Bmp();
        BitConverter.TryWriteBytes(bmp.AsSpan(28), bits);
        BitConverter.TryWriteBytes(bmp.AsSpan(30), compression);
        Assert.Equal(reason, Refused(bmp));
    }

    // TIFF

    [Theory]
    [InlineData("tiff/flower-rgb-contig-32.tif", "TIFF of 32 bits a channel, which is not read")]
    [InlineData("tiff/flower-minisblack-32.tif", "TIFF of 32 bits a channel, which is not read")]
    [InlineData("tiff/f0.5.tif", "TIFF of floating-point numbers of 32 bits, which is not read")]
    [InlineData("tiff/f0.5rgb.tif", "TIFF of floating-point numbers of 32 bits, which is not read")]
    public void A_tiff_of_more_than_16_bits_is_refused(string name, string reason) =>
        Assert.Equal(reason, Assert.Throws<PictureException>(() => Decoded(name)).Reason);

    [Fact]
    public void A_tiff_of_16_bits_gives_its_high_bytes()
    {
        using var high = (GeneratedPictures.Vips() * 256 + 7)
            .Cast(Enums.BandFormat.Ushort)
            .Copy(interpretation: Enums.Interpretation.Rgb16);
        Assert.Equal(GeneratedPictures.Plain.Pixels, Decoding.Decode(high.TiffsaveBuffer()).Pixels);
        Assert.NotNull(Decoded("tiff/flower-rgb-contig-08.tif"));
    }

    [Theory]
    [InlineData(Enums.BandFormat.Char, "8 bits a channel with a sign")]
    [InlineData(Enums.BandFormat.Short, "16 bits a channel with a sign")]
    [InlineData(Enums.BandFormat.Int, "32 bits a channel with a sign")]
    public void A_tiff_of_signed_or_long_numbers_is_refused(Enums.BandFormat format, string kind)
    {
        using var odd = GeneratedPictures.Vips().Cast(format);
        Assert.Equal($"TIFF of {kind}, which is not read", Refused(odd.TiffsaveBuffer()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(7)]
    public void A_tiff_is_turned_by_its_own_tag_whether_asked_or_not(int orientation)
    {
        using var turned = GeneratedPictures.Vips().Mutate(p => p.Set(GValue.GIntType, "orientation", orientation));
        var tiff = turned.TiffsaveBuffer();
        var expected = Orientation.Apply(GeneratedPictures.Plain, orientation);
        foreach (var asked in new[] { false, true })
        {
            var seen = Decoding.Decode(tiff, new() { HonourExif = asked });
            Assert.Equal((expected.Width, expected.Height), (seen.Width, seen.Height));
            Assert.Equal(expected.Pixels, seen.Pixels);
            Assert.Equal((expected.Width, expected.Height), Decoding.ReadSize(tiff, asked));
        }
    }

    // JPEG, PNG, WebP

    [Theory]
    [InlineData("jpeg")]
    [InlineData("png")]
    [InlineData("webp")]
    public void Exif_turns_a_picture_only_when_it_is_asked(string form)
    {
        using var turned = GeneratedPictures.Vips().Mutate(p => p.Set(GValue.GIntType, "orientation", 6));
        var encoded = form switch
        {
            "jpeg" => turned.JpegsaveBuffer(q: 95),
            "png" => turned.PngsaveBuffer(),
            _ => turned.WebpsaveBuffer(lossless: true),
        };
        Assert.Equal((48, 32), Size(Decoding.Decode(encoded)));
        Assert.Equal((32, 48), Size(Decoding.Decode(encoded, new() { HonourExif = true })));
        Assert.Equal((32, 48), Decoding.ReadSize(encoded, honourExif: true));
    }

    [Fact]
    public void A_webp_with_alpha_is_the_same_fast_and_exact()
    {
        var exact = Decoded("webp/own_lossless.webp");
        Assert.Equal(exact.Pixels, Decoded("webp/own_lossless.webp", new() { NotBelow = new(4, 4) }).Pixels);

        // Colour under transparent pixels, at a size that would be shrunk.
        using var colours = GeneratedPictures.Vips(Noise(640, 480));
        using var alpha = Image.Black(640, 480).Cast(Enums.BandFormat.Uchar);
        using var hidden = colours.Bandjoin(alpha);
        var webp = hidden.WebpsaveBuffer(lossless: true, exact: true);
        var fast = Decoding.Decode(webp, new() { NotBelow = new(64, 64) });
        Assert.Equal(Noise(640, 480).Pixels, fast.Pixels);
    }

    [Fact]
    public void The_first_frame_of_a_moving_webp_or_gif_is_read()
    {
        using var frames = GeneratedPictures
            .Vips()
            .Join(GeneratedPictures.Vips(Noise(48, 32)), Enums.Direction.Vertical)
            .Mutate(p =>
            {
                p.Set(GValue.GIntType, "page-height", 32);
                p.Set(GValue.GIntType, "n-pages", 2);
            });
        Assert.Equal(
            GeneratedPictures.Plain.Pixels,
            Decoding.Decode(frames.WebpsaveBuffer(lossless: true, exact: true)).Pixels
        );
        Assert.Equal(GeneratedPictures.Plain.Pixels, Decoding.Decode(frames.GifsaveBuffer(dither: 0)).Pixels);
    }

    // AVIF

    [Theory]
    [InlineData(8)]
    [InlineData(10)]
    [InlineData(12)]
    public void An_avif_is_read_with_8_10_and_12_bits(int bits)
    {
        using var deep = (GeneratedPictures.Vips() * 257)
            .Cast(Enums.BandFormat.Ushort)
            .Copy(interpretation: Enums.Interpretation.Rgb16);
        var avif = Avif(bits == 8 ? GeneratedPictures.Vips() : deep, bits);
        var difference = Decoding.Decode(avif).Pixels.Zip(GeneratedPictures.Plain.Pixels, (a, b) => Math.Abs(a - b));
        Assert.InRange(difference.Average(), 0, 3);
    }

    [Fact]
    public void An_avif_is_turned_and_mirrored_by_itself_and_never_by_exif()
    {
        var avif = Avif(GeneratedPictures.Vips());
        var plain = Decoding.Decode(avif);
        Assert.Equal((48, 32), Size(plain));
        // irot counts quarters against the clock, imir 1 is left to right (ISO/IEC 23008-12, 6.5.10 and 6.5.12).
        foreach (var (property, orientation) in new[] { ("irot"u8.ToArray(), 8), ("imir"u8.ToArray(), 2) })
        {
            var turned = WithProperty(avif, property, value: 1);
            var expected = Orientation.Apply(plain, orientation);
            foreach (var asked in new[] { false, true })
            {
                var seen = Decoding.Decode(turned, new() { HonourExif = asked });
                Assert.Equal(Size(expected), Size(seen));
                Assert.InRange(seen.Pixels.Zip(expected.Pixels, (a, b) => Math.Abs(a - b)).Average(), 0, 3);
                Assert.Equal(Size(expected), Decoding.ReadSize(turned, asked));
            }
        }
        using var marked = GeneratedPictures.Vips().Mutate(p => p.Set(GValue.GIntType, "orientation", 6));
        Assert.Equal(
            Size(Decoding.Decode(Avif(marked))),
            Size(Decoding.Decode(Avif(marked), new() { HonourExif = true }))
        );
    }

    // What is none of these

    public static TheoryData<byte[], string> Others =>
        new()
        {
            { Ftyp("heic"), "an HEIC picture (as telephones write it), which is not read" },
            { Ftyp("mif1", "heic"), "an HEIC picture (as telephones write it), which is not read" },
            { Ftyp("isom", "mp42"), "a video, which is not read" },
            { [0, 0, 0, 12, .. "JXL \r\n\x87\n"u8], "a JPEG XL picture, which is not read" },
            { [0, 0, 0, 12, .. "jP  \r\n\x87\n"u8], "a JPEG 2000 picture, which is not read" },
            { [.. "8BPS"u8, 0, 1], "a Photoshop file, which is not read" },
            { [0, 0, 1, 0, 1, 0], "an icon (ICO), which is not read" },
            { [.. "PK\x03\x04"u8, 0], "a zip archive, which is not read" },
            { [0x1F, 0x8B, 8], "data packed with gzip, which is not read" },
            { [.. "P6\n2 2\n255\n"u8], "a PNM picture, which is not read" },
            {
                [.. "version https://git-lfs.github.com/spec/v1"u8],
                "a pointer of Git LFS, in place of the file, which is not read"
            },
        };

    [Theory]
    [MemberData(nameof(Others), DisableDiscoveryEnumeration = true)]
    public void A_file_of_another_form_is_called_what_it_is_whatever_its_name(byte[] bytes, string reason) =>
        Assert.Equal(reason, Refused(bytes));

    [Fact]
    public void An_avif_may_say_so_among_its_other_brands()
    {
        var avif = Avif(GeneratedPictures.Vips());
        "mif1"u8.CopyTo(avif.AsSpan(8)); // as some writers have it; avif stands further on
        Assert.Equal((48, 32), Size(Decoding.Decode(avif)));
    }

    private static (int, int) Size(RgbImage image) => (image.Width, image.Height);

    private static byte[] Ftyp(string brand, string? other = null) =>
        [0, 0, 0, (byte)(other is null ? 16 : 20), .. "ftyp"u8, .. Bytes(brand), 0, 0, 0, 0, .. Bytes(other ?? "")];

    private static byte[] Bytes(string text) => System.Text.Encoding.Latin1.GetBytes(text);

    private static byte[] Avif(Image picture, int bits = 8) =>
        picture.HeifsaveBuffer(
            q: 90,
            bitdepth: bits,
            compression: Enums.ForeignHeifCompression.Av1,
            effort: 0,
            subsampleMode: Enums.ForeignSubsample.Off
        );

    /// <summary>
    /// An AVIF whose first item has one more property: a box of one byte in ipco, and its number in ipma.
    /// </summary>
    private static byte[] WithProperty(byte[] avif, byte[] name, byte value)
    {
        List<byte> file = [.. avif];
        int At(string box) => avif.AsSpan().IndexOf(Bytes(box)) - 4;
        int meta = At("meta"),
            iprp = At("iprp"),
            ipco = At("ipco"),
            ipma = At("ipma"),
            iloc = At("iloc");
        int Length(int box) => BinaryPrimitives.ReadInt32BigEndian(avif.AsSpan(box));
        var number = 0;
        for (var at = ipco + 8; at < ipco + Length(ipco); at += Length(at))
            number++;
        byte[] property = [0, 0, 0, 9, .. name, value];
        Assert.True(
            ipma > ipco && avif[ipma + 11] == 0 && BinaryPrimitives.ReadInt32BigEndian(avif.AsSpan(ipma + 12)) >= 1
        );
        var count = ipma + 18; // version and flags, number of entries, item, number of its properties
        file.Insert(count + 1 + avif[count], (byte)(number + 1));
        file[count]++;
        file.InsertRange(ipco + Length(ipco), property);
        byte[] changed = [.. file];
        void Grow(int box, int by) =>
            BinaryPrimitives.WriteInt32BigEndian(
                changed.AsSpan(box),
                BinaryPrimitives.ReadInt32BigEndian(changed.AsSpan(box)) + by
            );
        Grow(meta, property.Length + 1);
        Grow(iprp, property.Length + 1);
        Grow(ipco, property.Length);
        Grow(ipma + property.Length, 1);
        // iloc version 0 or 1 with offsets of four bytes: everything stands behind meta.
        Assert.True(iloc < ipco && avif[iloc + 8] <= 1 && avif[iloc + 12] == 0x44);
        var items = BinaryPrimitives.ReadUInt16BigEndian(avif.AsSpan(iloc + 14));
        var entry = iloc + 16;
        for (var item = 0; item < items; item++)
        {
            entry += avif[iloc + 8] == 1 ? 6 : 4;
            var baseSize = avif[iloc + 13] >> 4;
            if (baseSize == 4)
                Grow(entry, property.Length + 1);
            entry += baseSize;
            var extents = BinaryPrimitives.ReadUInt16BigEndian(changed.AsSpan(entry));
            entry += 2;
            for (var extent = 0; extent < extents; extent++, entry += 8)
                if (baseSize == 0)
                    Grow(entry, property.Length + 1);
        }
        return changed;
    }

    private static byte[] Runs(int width, int height, short bits, int compression, byte[] data)
    {
        byte[] palette = [0, 0, 0, 0, 100, 100, 100, 0, 200, 200, 200, 0];
        var file = new byte[54 + palette.Length + data.Length];
        "BM"u8.CopyTo(file);
        BitConverter.TryWriteBytes(file.AsSpan(10), 54 + palette.Length);
        BitConverter.TryWriteBytes(file.AsSpan(14), 40);
        BitConverter.TryWriteBytes(file.AsSpan(18), width);
        BitConverter.TryWriteBytes(file.AsSpan(22), height);
        BitConverter.TryWriteBytes(file.AsSpan(28), bits);
        BitConverter.TryWriteBytes(file.AsSpan(30), compression);
        BitConverter.TryWriteBytes(file.AsSpan(46), palette.Length / 4);
        palette.CopyTo(file, 54);
        data.CopyTo(file, 54 + palette.Length);
        return file;
    }

    private static RgbImage Noise(int width, int height)
    {
        var chance = new Chance(5);
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(chance.Below(6) * 51);
        return new(width, height, pixels);
    }
}
