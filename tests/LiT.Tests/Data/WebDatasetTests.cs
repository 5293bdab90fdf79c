using System.Formats.Tar;
using LiT.Data;
using static LiT.Tests.Data.Reading;

namespace LiT.Tests.Data;

public sealed class WebDatasetTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_link_in_place_of_a_picture_is_named_as_what_it_is()
    {
        using MemoryStream bytes = new();
        using (
            System.Formats.Tar.TarWriter writer = new(bytes, System.Formats.Tar.TarEntryFormat.Ustar, leaveOpen: true)
        )
        {
            void Add(string name, byte[] content) =>
                writer.WriteEntry(
                    new System.Formats.Tar.UstarTarEntry(System.Formats.Tar.TarEntryType.RegularFile, name)
                    {
                        DataStream = new MemoryStream(content),
                    }
                );
            void Link(string name, string to, System.Formats.Tar.TarEntryType type) =>
                writer.WriteEntry(new System.Formats.Tar.UstarTarEntry(type, name) { LinkName = to });
            Add("0.jpg", Picture);
            Add("0.txt", "one"u8.ToArray());
            Link("1.jpg", "0.jpg", System.Formats.Tar.TarEntryType.HardLink);
            Add("1.txt", "two"u8.ToArray());
            Add("2.jpg", Picture);
            Link("2.txt", "0.txt", System.Formats.Tar.TarEntryType.SymbolicLink);
        }
        var read = Of(folder.Write("x.tar", bytes.ToArray()));
        Assert.Equal("0", read.Keys);
        Assert.Equal(
            [
                "x.tar:1.jpg: 1.jpg: a hard link to 0.jpg, which is not followed; pack the files themselves",
                "x.tar:2.jpg: 2.txt: a symbolic link to 0.txt, which is not followed; pack the files themselves",
            ],
            read.Skipped.Select(one => $"{one.Origin}: {one.Reason}")
        );
    }

    [Fact]
    public void Captions_of_other_endings_count_and_members_of_other_kinds_are_said()
    {
        var tar = new TarBuilder()
            .Add("0.jpg", Picture)
            .Add("0.caption", "one")
            .Add("0.npy", "x")
            .Add("1.jpg", Picture);
        var read = Of(folder.Write("x.tar", tar.ToArray()));
        Assert.Equal((string[])["one"], read["0"].Captions);
        Assert.Equal("0.npy", Assert.Single(read.Source.PassedOver));
    }

    [Fact]
    public void Members_of_one_key_are_one_sample()
    {
        var read = Read(
            new TarBuilder()
                .Add("train/000.jpg", Picture)
                .Add("train/000.txt", "a dog\n a brown dog \n\n")
                .Add("train/000.cls", "1")
                .Add("train/000.json", """{"caption": "a dog", "url": "http://x", "width": 7, "none": null}""")
                .Add("train/001.PNG", Picture),
            new() { Classes = ["cat", "dog"] }
        );

        Assert.Empty(read.Skipped.Concat(read.Notes));
        Assert.Equal("train/000 train/001", read.Keys);
        var first = read["train/000"];
        Assert.Equal(["a dog", "a brown dog"], first.Captions);
        Assert.Equal("dog", first.Label);
        Assert.Equal(["url", "width"], first.Fields.Keys.Order());
        Assert.Equal("a.tar:train/000.jpg", first.Origin);
        Assert.Equal(Picture, first.ReadImage!());
        Assert.Empty(read["train/001"].Captions);
        Assert.Null(read["train/001"].Label);
        Assert.Equal(["cat", "dog"], read.Source.Classes);
    }

    [Theory]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Gnu)]
    [InlineData(TarEntryFormat.Pax)]
    public void Every_kind_of_tar_is_read_with_long_names_and_all(TarEntryFormat format)
    {
        var key =
            string.Join("/", Enumerable.Repeat("a-rather-long-folder", format == TarEntryFormat.Ustar ? 7 : 20)) + "/ü";

        Assert.Equal(key, Read(new TarBuilder(format).Add(key + ".jpg", Picture)).Keys);
    }

    [Fact]
    public void Without_class_names_a_label_is_the_index_in_digits() =>
        Assert.Equal("7", Read(new TarBuilder().Add("0.jpg", Picture).Add("0.cls", "7\n"))["0"].Label);

    [Fact]
    public void A_class_index_without_a_name_is_noted_and_the_sample_used()
    {
        var read = Read(new TarBuilder().Add("0.jpg", Picture).Add("0.cls", "2"), new() { Classes = ["cat", "dog"] });

        Assert.Null(read["0"].Label);
        Assert.Equal("a.tar:0.jpg: 0.cls: class index 2 where 2 classes are named", read.OnlyNote);
    }

    [Fact]
    public void A_list_of_captions_in_json_is_several_captions() =>
        Assert.Equal(
            ["one", "two"],
            Read(new TarBuilder().Add("0.jpg", Picture).Add("0.json", """{"caption": ["one", "two"]}"""))["0"].Captions
        );

    [Fact]
    public void The_caption_may_have_another_name()
    {
        var read = Read(
            new TarBuilder().Add("0.jpg", Picture).Add("0.json", """{"alt": "a cat", "caption": "x"}"""),
            new() { CaptionColumn = "alt" }
        );

        Assert.Equal(["a cat"], read["0"].Captions);
        Assert.Equal("x", read["0"].Fields["caption"]);
    }

    [Fact]
    public void Shards_are_named_by_a_brace_range_a_glob_or_their_folder_and_may_be_compressed()
    {
        for (var i = 8; i < 12; i++)
            folder.Write($"s-{i:000}.tar.gz", new TarBuilder().Add($"{i}.jpg", Picture).ToGzip());

        foreach (var name in new[] { "s-{008..011}.tar.gz", "s-*.tar.gz", "s-0{08,09,10,11}.tar.gz", "." })
            Assert.Equal("8 9 10 11", Of(folder[name]).Keys);
        Assert.Equal("9 10", Of(folder["s-{009..010}.tar.gz"]).Keys);
    }

    [Fact]
    public void A_missing_shard_of_a_range_is_said_before_anything_is_read()
    {
        folder.Write("s-0.tar", new TarBuilder().Add("0.jpg", Picture).ToArray());

        var trouble = Assert.Throws<LitException>(() => Samples.Open(folder["s-{0..3}.tar"]));

        Assert.Contains("3 of 4 files are missing, the first is", trouble.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_key_in_another_shard_is_another_sample()
    {
        folder.Write("0.tar", new TarBuilder().Add("a.jpg", Picture).ToArray());
        folder.Write("1.tar", new TarBuilder().Add("a.jpg", Picture).Add("b.jpg", Picture).ToArray());

        Assert.Equal("a 1.tar/a b", Of(folder.Path).Keys);
    }

    [Fact]
    public void The_same_key_twice_in_a_shard_is_reported()
    {
        var read = Read(
            new TarBuilder().Add("a.jpg", Picture).Add("b.jpg", Picture).Add("a.jpg", Picture).Add("a.txt", "x")
        );

        Assert.Equal("a b", read.Keys);
        Assert.Equal("a.tar:a.jpg: duplicate key", read.OnlySkipped);
    }

    [Fact]
    public void Captions_without_a_picture_are_reported() =>
        Assert.StartsWith(
            "a.tar:b.txt: captions with no picture",
            Read(new TarBuilder().Add("a.jpg", Picture).Add("b.txt", "x")).OnlySkipped,
            StringComparison.Ordinal
        );

    [Fact]
    public void An_empty_caption_loses_a_sample_that_has_nothing_else_to_say()
    {
        var read = Read(
            new TarBuilder()
                .Add("a.jpg", Picture)
                .Add("a.txt", " \n")
                .Add("b.jpg", Picture)
                .Add("b.txt", "")
                .Add("b.cls", "3")
        );

        Assert.Equal("b", read.Keys);
        Assert.Equal("a.tar:a.jpg: a.txt: empty caption", read.OnlySkipped);
        Assert.Equal("a.tar:b.jpg: b.txt: empty caption", read.OnlyNote);
    }

    [Fact]
    public void A_caption_of_two_megabytes_is_reported_and_not_kept()
    {
        var read = Read(
            new TarBuilder()
                .Add("a.jpg", Picture)
                .Add("a.txt", new string('x', 2 << 20))
                .Add("b.jpg", Picture)
                .Add("b.txt", $"short\n{new string('x', 70_000)}")
        );

        Assert.Equal("a.tar:a.jpg: a.txt: 2,097,152 bytes of text where at most 1,048,576 are read", read.OnlySkipped);
        Assert.Equal(["short"], read["b"].Captions);
        Assert.Equal("a.tar:b.jpg: b.txt: caption of 70,000 bytes where at most 65,536 are used", read.OnlyNote);
    }

    [Fact]
    public void Invalid_utf8_is_mended_and_noted()
    {
        var read = Read(new TarBuilder().Add("a.jpg", Picture).Add("a.txt", [(byte)'c', (byte)'a', (byte)'f', 0xe9]));

        Assert.Equal(["caf\uFFFD"], read["a"].Captions);
        Assert.Contains("not valid UTF-8", read.OnlyNote, StringComparison.Ordinal);
    }

    [Fact]
    public void Broken_json_is_noted_when_other_words_are_there()
    {
        var read = Read(
            new TarBuilder()
                .Add("a.jpg", Picture)
                .Add("a.txt", "x")
                .Add("a.json", "{\"caption\": ")
                .Add("b.jpg", Picture)
                .Add("b.json", "[]")
        );

        Assert.Equal("a.tar:a.jpg: a.json: not JSON", read.OnlyNote);
        Assert.Equal("a.tar:b.jpg: b.json: not a JSON object", read.OnlySkipped);
    }

    [Fact]
    public void A_picture_above_the_limit_is_reported_and_not_read()
    {
        var read = Read(
            new TarBuilder().Add("a.jpg", new byte[1001]).Add("b.jpg", new byte[1000]),
            new() { ImageLimit = 1000 }
        );

        Assert.Equal("b", read.Keys);
        Assert.Contains("1,001 bytes where at most 1,000", read.OnlySkipped, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../etc/passwd.jpg", "leads out of the data set")]
    [InlineData("two\nlines.jpg", "line break or control character")]
    public void A_dangerous_name_is_refused(string name, string reason)
    {
        var read = Read(new TarBuilder().Add(name, Picture).Add("b.jpg", Picture));

        Assert.Equal("b", read.Keys);
        Assert.Contains(reason, read.OnlySkipped, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', read.OnlySkipped);
    }

    [Fact]
    public void Hidden_files_and_other_members_are_no_samples()
    {
        var read = Read(
            new TarBuilder().Add("._a.jpg", Picture).Add("a.jpg", Picture).Add("a.flac", "la").Add("README", "x")
        );

        Assert.Equal("a", read.Keys);
        Assert.Empty(read.Skipped);
    }

    [Fact]
    public void Of_two_pictures_the_plainly_named_one_is_taken()
    {
        var mask = new byte[] { 9 };
        var read = Read(new TarBuilder().Add("a.mask.png", mask).Add("a.jpg", Picture).Add("a.png", mask));

        Assert.Equal(Picture, read["a"].ReadImage!());
        Assert.Equal("a.tar:a.jpg: a.png: a second picture of the sample is not used", read.OnlyNote);
    }

    [Fact]
    public void A_tar_without_samples_says_what_a_sample_is()
    {
        folder.Write("a.tar", new TarBuilder().Add("README", "x").ToArray());

        var trouble = Assert.Throws<LitException>(() => Samples.Open(folder["a.tar"]).Read(_ => { }).Count());

        Assert.Contains("no sample in this archive", trouble.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shard_that_is_no_tar_is_reported_and_the_others_are_read()
    {
        folder.Write("0.tar", "this is a web page and not an archive");
        folder.Write("1.tar", new TarBuilder().Add("a.jpg", Picture).ToArray());

        var read = Of(folder.Path);

        Assert.Equal("a", read.Keys);
        Assert.Equal("0.tar: not a tar archive, or an empty one", read.OnlySkipped);
    }

    [Fact]
    public void Samples_that_are_done_with_are_let_go_of_however_many_there_are()
    {
        var tar = new TarBuilder(TarEntryFormat.Ustar);
        for (var i = 0; i < 1000; i++)
            tar.Add($"{i:0000}.jpg", new byte[5000]).Add($"{i:0000}.txt", $"caption {i}");
        List<WeakReference> pictures = [];
        var mostAlive = 0;

        foreach (var sample in Samples.Open(folder.Write("a.tar", tar.ToArray())).Read(_ => { }))
        {
            pictures.Add(new(sample.ReadImage!()));
            if (pictures.Count % 250 != 0)
                continue;
            GC.Collect();
            mostAlive = Math.Max(mostAlive, pictures.Count(picture => picture.IsAlive));
        }

        Assert.Equal(1000, pictures.Count);
        Assert.InRange(mostAlive, 1, 3); // the one at hand, and the next that is being gathered
    }

    private Reading Read(TarBuilder tar, SampleOptions? options = null) =>
        Of(folder.Write("a.tar", tar.ToArray()), options);
}
