using System.Text;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Images;
using LiT.Stores;
using LiT.Tests.Data;
using LiT.Tests.Images;
using LiT.Towers;
using Parquet.Serialization;

namespace LiT.Tests.Pipeline;

/// <summary>
/// What is wrong with a sample is counted, named and passed over, whatever it is: found = embedded + skipped, a line of
/// skipped.jsonl for each, and what stands beside it is embedded.
/// </summary>
public sealed class EmbedFaultTests : IDisposable
{
    private static readonly LockedTower Tower = ImageTowerLoader.Load("cifar-resnet:8");
    private static readonly byte[] Jpeg = GeneratedPictures.Jpeg(),
        Png = GeneratedPictures.Png();
    private readonly TemporaryFolder temporary = new();

    public void Dispose() => temporary.Dispose();

    public static TheoryData<string, byte[], string> BrokenPictures() =>
        new()
        {
            { "zero length", [], "the file is empty" },
            { "zeros", new byte[500], "the file holds zeros only" },
            { "text renamed", "this is no picture at all"u8.ToArray(), "not a JPEG, PNG" },
            { "web page", "<!DOCTYPE html><html>404</html>"u8.ToArray(), "a web page, not a picture" },
            { "truncated scan", Jpeg[..(Jpeg.Length * 2 / 3)], "truncated JPEG" },
            { "head only", Jpeg[..3], "truncated JPEG" },
            { "bad marker", Changed(Jpeg, Marker(0xDB) + 1, 0x02), "corrupt or unsupported JPEG" },
            { "lying segment length", Changed(Jpeg, Marker(0xC4) + 2, 0xff, 0xff), "corrupt or unsupported JPEG" },
            {
                "bad huffman table",
                Changed(Jpeg, Marker(0xC4) + 5, [.. Enumerable.Repeat((byte)0xff, 16)]),
                "corrupt or unsupported JPEG"
            },
            { "no quantisation table", Changed(Jpeg, Marker(0xDB) + 1, 0xFE), "corrupt or unsupported JPEG" },
            { "higher than its scan", Changed(Jpeg, Marker(0xC0) + 5, 0x00, 0x40), "the picture data end early" },
            {
                "cut scan with an end put to it",
                [.. Jpeg[..(Marker(0xDA) + 30)], 0xFF, 0xD9],
                "the picture data end early"
            },
            { "sizes of zero", Changed(Jpeg, Marker(0xC0) + 5, 0, 0, 0, 0), "corrupt or unsupported JPEG" },
            {
                "a size that its data cannot have",
                Changed(Jpeg, Marker(0xC0) + 5, 0xEA, 0x60, 0xEA, 0x60),
                "60000 x 60000 is more than 100000000 pixels"
            },
            { "png with a wrong checksum", Changed(Png, 29, [(byte)(Png[29] ^ 0x55)]), "corrupt or unsupported PNG" },
            {
                "png with changed data",
                Changed(Png, Data + 20, [(byte)(Png[Data + 20] ^ 0x55)]),
                "corrupt or unsupported PNG"
            },
            { "truncated png", Png[..(Png.Length / 2)], "truncated PNG" },
            {
                "picture bomb",
                GeneratedPictures.PngHeader(40_000, 40_000),
                "40000 x 40000 is more than 100000000 pixels"
            },
            { "svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"u8.ToArray(), "an SVG drawing, not a picture" },
        };

    [Theory]
    [MemberData(nameof(BrokenPictures))]
    public void A_broken_picture_is_skipped_with_its_reason_and_the_others_are_embedded(
        string what,
        byte[] bytes,
        string reason
    )
    {
        temporary.Write("pictures/a.jpg", Jpeg);
        temporary.Write("pictures/b.jpg", bytes);
        temporary.Write("pictures/c.png", Png);

        var skipped = Embed("pictures", embedded: 2, skipped: 1, what);

        Assert.Contains("b.jpg", skipped[0], StringComparison.Ordinal);
        Assert.Contains(reason, skipped[0], StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_references_decoders_let_pass_is_embedded()
    {
        temporary.Write("pictures/a.jpg", Jpeg);
        temporary.Write("pictures/b.jpg", [.. Jpeg, 1, 2, 3, 4]); // bytes after the end
        temporary.Write("pictures/c.jpg", [.. Jpeg[..^2], 1, 2, 3, .. Jpeg[^2..]]); // bytes before the last marker
        temporary.Write("pictures/d.jpg", [.. Jpeg[..Marker(0xDB)], 0, 0, .. Jpeg[Marker(0xDB)..]]); // and between two segments

        Embed("pictures", embedded: 4, skipped: 0);
    }

    [Fact]
    public void A_picture_bomb_is_refused_by_its_header_and_the_limit_can_be_set()
    {
        temporary.Write("pictures/a.png", Png);
        temporary.Write("pictures/b.png", GeneratedPictures.Png(new RgbImage(200, 100, new byte[60_000])));

        Assert.Contains(
            "200 x 100 is more than 19999 pixels",
            Embed("pictures", 1, 1, options: new() { MaxPixels = 19_999 })[0],
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("cut in a member", "the archive ends")]
    [InlineData("cut between members", null)]
    [InlineData("lying length", "")]
    [InlineData("negative length", "")]
    [InlineData("damaged head", "")]
    public void A_damaged_archive_gives_what_is_sound(string damage, string? reason)
    {
        TarBuilder builder = new(System.Formats.Tar.TarEntryFormat.Ustar);
        for (var i = 0; i < 4; i++)
            builder.Add($"{i}.png", GeneratedPictures.Png(Noise(i))).Add($"{i}.txt", $"caption {i}");
        var tar = builder.ToArray();
        var third = tar.AsSpan().IndexOf("2.png\0"u8);
        var changed = damage switch
        {
            "cut in a member" => tar[..(third + 700)],
            "cut between members" => tar[..third],
            "lying length" => WithSize(tar, third, "77777777777\0"),
            "negative length" => WithSize(tar, third, "-0000000001\0"),
            _ => Changed(tar, third + 148, [.. "999999\0 "u8]),
        };
        temporary.Write("a.tar", changed);
        temporary.Write("b.tar", new TarBuilder().Add("9.png", Png).Add("9.txt", "nine").ToArray());

        var result = EmbedRun.Run(
            Tower,
            "tower",
            Samples.Open(temporary["*.tar"]),
            temporary["store"],
            new(),
            ComputeDevice.Cpu
        );

        Assert.Equal(reason is null ? 0 : 1, result.Counts.Skipped);
        Assert.InRange(result.Counts.Embedded, 3, 4); // the two before, the other archive's, perhaps the one after
        using var store = EmbeddingStore.Open(temporary["store"]);
        Assert.Equal(
            ["0", "1", "9"],
            Enumerable.Range(0, (int)store.Rows).Select(row => store.Key(row)).Where(key => key != "3")
        );
        if (reason is not null)
            Assert.Contains(reason, File.ReadAllText(temporary["store", "skipped.jsonl"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Strange_words_and_names_are_counted_one_by_one()
    {
        TarBuilder builder = new();
        void Add(string key, byte[] text) =>
            builder
                .Add($"{key}.png", GeneratedPictures.Png(Noise(key.GetHashCode(StringComparison.Ordinal) & 63)))
                .Add($"{key}.txt", text);
        Add("good", "a caption"u8.ToArray());
        Add("not-utf8", [0x61, 0xff, 0xfe, 0x62]);
        Add("long", Encoding.UTF8.GetBytes(new string('a', 2_000_000)));
        Add("new\nline", "a caption"u8.ToArray());
        Add("good", "the same key twice"u8.ToArray());
        Add("zero", [0x61, 0, 0x62]);
        temporary.Write("a.tar", builder.ToArray());

        var skipped = Embed("a.tar", embedded: 3, skipped: 3);

        Assert.Contains(
            "2,000,000 bytes of text where at most 1,048,576 are read",
            skipped[0],
            StringComparison.Ordinal
        );
        Assert.Contains("the name holds a line break", skipped[1], StringComparison.Ordinal);
        Assert.Contains("duplicate key", skipped[2], StringComparison.Ordinal);
        using var store = EmbeddingStore.Open(temporary["store"]);
        Assert.Equal(["good", "not-utf8", "zero"], Enumerable.Range(0, 3).Select(row => store.Key(row)));
        Assert.Equal(["a caption"], store.Captions(0));
        Assert.Equal(["a\uFFFD\uFFFDb"], store.Captions(1));
        Assert.Contains(
            "not valid UTF-8",
            Assert.Single(File.ReadAllLines(temporary["store", "notes.jsonl"])),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Nulls_in_parquet_are_counted_one_by_one()
    {
        using MemoryStream bytes = new();
        await ParquetSerializer.SerializeAsync(
            [
                new Row
                {
                    key = "whole",
                    jpg = Jpeg,
                    caption = "a dog",
                },
                new Row
                {
                    key = "no picture",
                    jpg = null,
                    caption = "a cat",
                },
                new Row
                {
                    key = "no words",
                    jpg = Png,
                    caption = null,
                },
                new Row
                {
                    key = "broken",
                    jpg = [1, 2, 3],
                    caption = "a cow",
                },
                new Row
                {
                    key = null,
                    jpg = Png,
                    caption = "a hen",
                },
            ],
            bytes,
            cancellationToken: TestContext.Current.CancellationToken
        );
        temporary.Write("rows.parquet", bytes.ToArray());

        var skipped = Embed("rows.parquet", embedded: 2, skipped: 3, options: new() { MaxBad = 1 });

        Assert.Contains("row 1", skipped[0], StringComparison.Ordinal);
        Assert.Contains("no picture (null)", skipped[0], StringComparison.Ordinal);
        Assert.Contains("empty caption", skipped[1], StringComparison.Ordinal);
        Assert.Contains("not a JPEG, PNG", skipped[2], StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_changes_while_it_is_read_gives_counts_that_add_up()
    {
        for (var i = 0; i < 60; i++)
            temporary.Write($"pictures/{i:00}.png", GeneratedPictures.Png(Noise(i)));
        var done = false;

        var result = EmbedRun.Run(
            Tower,
            "tower",
            Samples.Open(temporary["pictures"]),
            temporary["store"],
            new() { BatchSize = 4 },
            ComputeDevice.Cpu,
            new Change(() =>
            {
                if (done)
                    return;
                done = true;
                for (var i = 30; i < 40; i++)
                    File.Delete(temporary["pictures", $"{i}.png"]);
                for (var i = 40; i < 45; i++)
                    temporary.Write($"pictures/{i}.png", "half a pict");
                for (var i = 60; i < 70; i++)
                    temporary.Write($"pictures/{i}.png", GeneratedPictures.Png(Noise(i)));
            })
        );

        Assert.True(done);
        Assert.Equal((45, 15), (result.Counts.Embedded, result.Counts.Skipped)); // names were listed before; files are read as they come
        var lines = File.ReadAllLines(temporary["store", "skipped.jsonl"]);
        Assert.Equal(
            10,
            lines.Count(line =>
                line.Contains("there is no such file", StringComparison.Ordinal)
                || line.Contains("cannot be read", StringComparison.Ordinal)
            )
        );
        Assert.Equal(5, lines.Count(line => line.Contains("not a JPEG", StringComparison.Ordinal)));
        var mended = EmbedRun.Run(
            Tower,
            "tower",
            Samples.Open(temporary["pictures"]),
            temporary["store"],
            new() { BatchSize = 4, Update = true },
            ComputeDevice.Cpu
        );
        Assert.Equal((10, 45, 5), (mended.EmbeddedNow, mended.Reused, mended.Counts.Skipped));
    }

    private string[] Embed(string data, int embedded, int skipped, string? what = null, EmbedOptions? options = null)
    {
        var source = Samples.Open(temporary[data]);
        var result = EmbedRun.Run(Tower, "tower", source, temporary["store"], options ?? new(), ComputeDevice.Cpu);
        Assert.True((embedded, skipped) == (result.Counts.Embedded, result.Counts.Skipped), $"{what}: {result.Counts}");
        Assert.Equal(result.Counts.Found, source.ReadAll().Count(found => found.Skipped is not { InPart: true }));
        var lines = File.ReadAllLines(temporary["store", "skipped.jsonl"]);
        Assert.Equal(skipped, lines.Length);
        return lines;
    }

    private static RgbImage Noise(int seed)
    {
        var chance = Chance.For(seed, 1, 1);
        var pixels = new byte[32 * 32 * 3];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)chance.Below(256);
        return new(32, 32, pixels);
    }

    private static int Data => Png.AsSpan().IndexOf("IDAT"u8);

    private static int Marker(byte marker) => Jpeg.AsSpan().IndexOf([(byte)0xFF, marker]);

    private static byte[] Changed(byte[] bytes, int at, params byte[] others)
    {
        byte[] changed = [.. bytes];
        others.CopyTo(changed, at);
        return changed;
    }

    /// <summary>Another size in a member's head, with the checksum that goes with it.</summary>
    private static byte[] WithSize(byte[] tar, int head, string size)
    {
        var changed = Changed(tar, head + 124, Encoding.ASCII.GetBytes(size));
        "        "u8.CopyTo(changed.AsSpan(head + 148));
        var sum = 0;
        foreach (var b in changed.AsSpan(head, 512))
            sum += b;
        return Changed(changed, head + 148, Encoding.ASCII.GetBytes($"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 "));
    }

    private sealed class Change(Action change) : IProgress<ProgressStep>
    {
        public void Report(ProgressStep value) => change();
    }

#pragma warning disable IDE1006 // the members are named as the columns are
    internal sealed class Row
    {
        public string? key { get; set; }
        public byte[]? jpg { get; set; }
        public string? caption { get; set; }
    }
#pragma warning restore IDE1006
}
