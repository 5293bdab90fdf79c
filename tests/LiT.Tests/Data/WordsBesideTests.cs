using System.Text;
using LiT.Data;
using static LiT.Tests.Data.Reading;

namespace LiT.Tests.Data;

/// <summary>Words that lie beside pictures in other ways than most: read, or said.</summary>
public sealed class WordsBesideTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static string Fixture(params string[] parts) =>
        Path.Combine([AppContext.BaseDirectory, "Fixtures", "data", .. parts]);

    private static SourceGlance Glance(string path) => SourceGlance.Of(LiT.Data.Samples.Open(path));

    [Fact]
    public void A_text_may_bear_the_pictures_whole_name_another_ending_or_capitals()
    {
        foreach (var name in new[] { "a.jpg", "b.JPG", "c.jpg", "d.jpg", "e.jpg" })
            folder.Write(name, Picture);
        folder.Write("a.jpg.txt", "one");
        folder.Write("b.TXT", "two");
        folder.Write("c.caption", "three");
        folder.Write("d.json", """{"caption": "four", "score": 0.5}""");

        var read = Of(folder.Path);

        Assert.Equal(
            ["one", "two", "three", "four", ""],
            read.Samples.Select(sample => string.Join("|", sample.Captions))
        );
        Assert.Equal("0.5", read["d.jpg"].Fields["score"]);
        Assert.Empty(read.Skipped);
        Assert.Empty(read.Source.PassedOver);
    }

    [Fact]
    public void Texts_of_letters_that_differ_in_case_belong_to_their_own_pictures()
    {
        folder.Write("a.jpg", Picture);
        folder.Write("A.jpg", Picture);
        folder.Write("a.txt", "small");
        folder.Write("A.txt", "large");

        var read = Of(folder.Path);

        Assert.Equal((string[])["large"], read["A.jpg"].Captions);
        Assert.Equal((string[])["small"], read["a.jpg"].Captions);
    }

    [Fact]
    public void A_json_without_words_is_passed_over_and_counted()
    {
        folder.Write("a.jpg", Picture);
        folder.Write("a.json", """{"shapes": [1, 2], "imageData": "abc"}""");
        folder.Write("b.jpg", Picture);
        folder.Write("b.json", "no JSON");

        var read = Of(folder.Path);

        Assert.Equal("a.jpg b.jpg", read.Keys);
        Assert.Empty(read["a.jpg"].Fields);
        Assert.Equal("2 .json without a caption or label (first a.json)", Assert.Single(read.Source.PassedOver));
    }

    [Theory]
    [InlineData("utf-16", true)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-32", true)]
    [InlineData("utf-8", true)]
    [InlineData("utf-8", false)]
    public void A_text_is_read_in_every_form_of_unicode_that_says_which_it_is(string encoding, bool marked)
    {
        var form = Encoding.GetEncoding(encoding);
        folder.Write("a.jpg", Picture);
        folder.Write(
            "a.txt",
            [.. marked ? form.GetPreamble() : [], .. form.GetBytes("ein grüner Hund\r\nзелёный\r\n")]
        );

        Assert.Equal((string[])["ein grüner Hund", "зелёный"], Of(folder.Path)["a.jpg"].Captions);
    }

    [Fact]
    public void A_text_in_utf_16_without_its_mark_is_told_and_not_guessed()
    {
        folder.Write("a.jpg", Picture);
        folder.Write("a.txt", Encoding.Unicode.GetBytes("a dog"));

        Assert.Equal(
            "a.jpg: a.txt: looks like UTF-16 text without its mark; save it as UTF-8",
            Of(folder.Path).OnlySkipped
        );
    }

    [Fact]
    public void Lines_may_end_as_on_an_old_macintosh()
    {
        folder.Write("a.jpg", Picture);
        folder.Write("a.txt", "one\rtwo\r");
        Assert.Equal((string[])["one", "two"], Of(folder.Path)["a.jpg"].Captions);
    }

    [Fact]
    public void Metadata_in_sub_folders_counts_for_the_pictures_beneath_it_and_the_nearest_counts()
    {
        folder.Write("cat/a.jpg", Picture);
        folder.Write("cat/deep/b.jpg", Picture);
        folder.Write("cat/deep/own/c.jpg", Picture);
        folder.Write("dog/d.jpg", Picture);
        folder.Write("dog/e.jpg", Picture);
        folder.Write("plain/f.jpg", Picture);
        folder.Write("plain/f.txt", "a text beside it");
        folder.Write(
            "cat/metadata.csv",
            "file_name,text\na.jpg,a cat\ndeep/b.jpg,deeper\ndeep/own/c.jpg,farther away\n"
        );
        folder.Write("cat/deep/own/metadata.jsonl", """{"file_name": "c.jpg", "text": "nearest"}""");
        folder.Write("dog/metadata.jsonl", """{"file_name": "d.jpg", "text": "a dog", "label": "hound"}""");

        var read = Of(folder.Path);

        Assert.Equal("folders with metadata files", read.Source.Form);
        Assert.Equal(
            "cat/a.jpg=a cat/cat cat/deep/b.jpg=deeper/cat cat/deep/own/c.jpg=nearest/cat dog/d.jpg=a dog/hound "
                + "plain/f.jpg=a text beside it/plain",
            string.Join(" ", read.Samples.Select(s => $"{s.Key}={string.Join("|", s.Captions)}/{s.Label}"))
        );
        Assert.Equal(
            "cat/metadata.csv, line 4: the metadata file in cat/deep/own/ is nearer to the picture and counts",
            read.OnlySkipped
        );
        Assert.Contains(
            "pictures without a row in dog/metadata.jsonl (first dog/e.jpg)",
            Assert.Single(read.Source.PassedOver)
        );
    }

    [Fact]
    public void Root_metadata_counts_the_pictures_that_no_row_names_and_the_second_metadata_file()
    {
        folder.Write("a.jpg", Picture);
        folder.Write("sub/b.jpg", Picture);
        folder.Write("metadata.jsonl", """{"file_name": "a.jpg", "text": "a", "prompt": "p"}""");
        folder.Write("metadata.csv", "file_name,text\na.jpg,other\n");

        var read = Of(folder.Path);

        Assert.Equal("a.jpg", read.Keys);
        Assert.Equal((string[])["a"], read["a.jpg"].Captions);
        Assert.Equal("p", read["a.jpg"].Fields["prompt"]);
        Assert.Equal(
            ["metadata.csv", "1 pictures without a row in metadata.jsonl (first sub/b.jpg)"],
            read.Source.PassedOver
        );
    }

    [Theory]
    [InlineData("captions.txt", "image,caption\n1.jpg,\"a dog, running\"\n1.jpg,a brown dog\n2.jpg,a cat\n")]
    [InlineData(
        "results.csv",
        "image_name| comment_number| comment\n1.jpg| 0| a dog, running\n1.jpg| 1| a brown dog\n2.jpg| 0| a cat\n"
    )]
    [InlineData("Flickr8k.token.txt", "1.jpg#0\ta dog, running\n1.jpg#1\ta brown dog\n2.jpg#0\ta cat\n")]
    [InlineData("results_20130124.token", "1.jpg#0\ta dog, running\n1.jpg#1\ta brown dog\n2.jpg#0\ta cat\n")]
    [InlineData(
        "captions.jsonl",
        "{\"image\": \"1.jpg\", \"text\": [\"a dog, running\", \"a brown dog\"]}\n{\"image\": \"2.jpg\", "
            + "\"text\": \"a cat\"}\n"
    )]
    public void A_folder_of_pictures_beside_the_table_that_names_them(string name, string table)
    {
        folder.Write("Images/1.jpg", Picture);
        folder.Write("Images/2.jpg", Picture);
        folder.Write("Images/3.jpg", Picture);
        folder.Write(name, table);

        foreach (var path in new[] { folder.Path, folder[name] })
        {
            var read = Of(path);
            Assert.Contains("with its pictures in Images/", read.Source.Form);
            Assert.Equal("1.jpg 2.jpg", read.Keys);
            Assert.Equal((string[])["a dog, running", "a brown dog"], read["1.jpg"].Captions);
            Assert.Null(read["1.jpg"].Label);
        }
        Assert.Equal(
            $"1 pictures without a row in {name} (first 3.jpg)",
            Assert.Single(Of(folder.Path).Source.PassedOver)
        );
    }

    [Fact]
    public void What_img2dataset_writes_as_files_is_read_with_its_words()
    {
        var read = Of(Fixture("img2dataset_files"));

        Assert.Equal(3, read.Samples.Count);
        Assert.All(read.Samples, sample => Assert.Single(sample.Captions));
        Assert.All(read.Samples, sample => Assert.Null(sample.Label));
        Assert.Equal(["00000_stats.json", "00000.parquet"], read.Source.PassedOver);
    }

    [Fact]
    public void Numbers_that_python_writes_and_json_has_not_do_not_lose_the_caption()
    {
        var read = Of(Fixture("python_nan.tar"));
        Assert.Equal((string[])["only in json"], read["003"].Captions);
        Assert.False(read["003"].Fields.ContainsKey("similarity"));

        folder.Write("a.jpg", Picture);
        folder.Write(
            "metadata.jsonl",
            """{"file_name": "a.jpg", "text": "says NaN, \"-Infinity\"", "x": NaN, "y": [Infinity, -Infinity, 1]}"""
        );
        var row = Of(folder.Path)["a.jpg"];
        Assert.Equal((string[])["says NaN, \"-Infinity\""], row.Captions);
        Assert.Equal("[null, null, 1]", row.Fields["y"]);
    }

    [Fact]
    public void A_glance_says_what_is_there_and_why_captions_may_be_missing()
    {
        folder.Write("val2017/1.jpg", Picture);
        folder.Write("captions_val2017.json", "{}");
        var glance = Glance(folder.Path);
        Assert.Equal(
            $"{folder.Path}: class folders; 1 picture, none with a caption, all with a label; passed over: "
                + $"captions_val2017.json",
            glance.InWords()
        );
        Assert.True(glance is { MayMissCaptions: true, Whole: true });
        Assert.Contains("its one picture has no caption", glance.WhyNoCaptions());
        Assert.Contains("`Data` coco=DIR", glance.WhyNoCaptions());

        folder.Write("other/a.jpg", Picture);
        folder.Write("other/metadata.csv", "file_name,words\na.jpg,hello\n");
        glance = Glance(folder["other"]);
        Assert.Contains("kept as fields: words", glance.InWords());
        Assert.Contains("`CaptionColumn`", glance.WhyNoCaptions());

        folder.Write("labelled/cat/a.jpg", Picture);
        Assert.False(Glance(folder["labelled"]).MayMissCaptions);
        Assert.Contains("none with a caption", Glance(folder["labelled"]).InWords());
    }

    [Fact]
    public void A_glance_stops_after_a_thousand_samples()
    {
        folder.Write(
            "list.csv",
            "image,caption\n"
                + string.Concat(Enumerable.Range(0, 1500).Select(i => $"{i}.jpg,{(i < 1200 ? "" : "late")}\n"))
        );
        for (var i = 0; i < 1500; i++)
            folder.Write($"{i}.jpg", Picture);
        var glance = Glance(folder["list.csv"]);
        Assert.False(glance.Whole);
        Assert.Equal(1000, glance.Pictures + glance.Skipped);
    }

    [Fact]
    public void Bytes_that_are_no_UTF_8_are_told_before_they_are_used()
    {
        foreach (var name in new[] { "a.jpg", "b.jpg" })
            folder.Write(name, Picture);
        folder.Write("a.txt", Encoding.Latin1.GetBytes("schöner Hund"));
        folder.Write("b.txt", "a cat");

        Assert.Contains(
            "1 noted, the first is a.jpg: a.txt: not valid UTF-8; the bytes that are none were replaced",
            Glance(folder.Path).InWords(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("""{"en": "a dog", "de": "ein Hund"}""")]
    [InlineData("true")]
    [InlineData("""["a dog", {"score": 1}]""")]
    public void What_is_no_text_becomes_no_caption(string value)
    {
        folder.Write("a.jpg", Picture);
        folder.Write("b.jpg", Picture);
        folder.Write(
            "metadata.jsonl",
            $$"""
            {"file_name": "a.jpg", "text": {{value}}}
            {"file_name": "b.jpg", "text": [{"raw": "a cat"}, {"raw": "one more"}]}
            """
        );

        var read = Of(folder.Path);

        Assert.Equal(["a cat", "one more"], Assert.Single(read.Samples).Captions);
        Assert.Contains("'text' holds something else than a text", read.Skipped[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_of_labels_beside_pictures_is_named_where_it_is_not_read()
    {
        folder.Write("a.jpg", Picture);
        folder.Write("labels.csv", "image,label\na.jpg,dog\n");

        Assert.Contains("passed over: labels.csv", Glance(folder.Path).InWords(), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_a_file_that_can_be_given_as_data_is_advised_as_such()
    {
        folder.Write("a.jpg", Picture);
        folder.Write("captions.json", """{"a.jpg": "a dog"}""");
        Assert.DoesNotContain("give that file", Glance(folder.Path).WhyNoCaptions(), StringComparison.Ordinal);
        folder.Write("words.parquet", "PAR1");
        Assert.Contains("give that file as `Data`", Glance(folder.Path).WhyNoCaptions(), StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_without_a_row_in_a_nested_metadata_file_are_counted_once()
    {
        folder.Write("x/a.jpg", Picture);
        folder.Write("x/b.jpg", Picture);
        folder.Write("x/metadata.jsonl", """{"file_name": "a.jpg", "text": "a dog"}""");

        Assert.Equal(["1 pictures without a row in x/metadata.jsonl (first x/b.jpg)"], Glance(folder.Path).PassedOver);
    }
}
