using LiT.Data;
using static LiT.Tests.Data.Reading;

namespace LiT.Tests.Data;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Class_folders_give_labels_and_sorted_classes()
    {
        Files("dog/1.jpg", "dog/deep/2.png", "cat/1.JPG", "cat/1.txt", "empty/.keep", "classes.txt", ".git/x.jpg");
        folder.Write("cat/1.txt", "a cat\nsitting");

        var read = Of(folder.Path);

        Assert.Equal("class folders", read.Source.Form);
        Assert.Equal(["cat", "dog", "empty"], read.Source.Classes);
        Assert.Equal("cat/1.JPG dog/1.jpg dog/deep/2.png", read.Keys);
        Assert.Equal(["cat", "dog", "dog"], read.Samples.Select(s => s.Label));
        Assert.Equal(["a cat", "sitting"], read["cat/1.JPG"].Captions);
        Assert.Equal(Picture, read["dog/deep/2.png"].ReadImage!());
        Assert.Empty(read.Skipped);
    }

    [Fact]
    public void Images_with_texts_of_the_same_stem_have_a_caption_a_line()
    {
        Files("b.jpg", "a.png", "sub/c.webp", "README.txt");
        folder.Write("a.txt", "one\r\n\r\ntwo\r\n");

        var read = Of(folder.Path);

        Assert.Equal("folder of images", read.Source.Form);
        Assert.Equal("a.png b.jpg sub/c.webp", read.Keys);
        Assert.Equal(["one", "two"], read["a.png"].Captions);
        Assert.Null(read["sub/c.webp"].Label);
        Assert.Empty(read.Skipped);
    }

    [Fact]
    public void Everything_that_cannot_be_used_is_said()
    {
        Files("a.jpg", "b.heic", "two\nlines.jpg");
        folder.Write("a.txt", "x");
        folder.Write("alone.txt", "nobody's caption");
        folder.Write("empty.jpg", "");
        folder.Write("mute.jpg", Picture);
        folder.Write("mute.txt", "  \n");
        File.CreateSymbolicLink(folder["gone.jpg"], folder["nowhere.jpg"]);
        File.CreateSymbolicLink(folder["round.jpg"], folder["round.jpg"]);

        var read = Of(folder.Path, new() { ImageLimit = 1000 });

        Assert.Equal("a.jpg", read.Keys);
        Assert.Equal(
            [
                "alone.txt: captions with no picture",
                "b.heic: a picture of a form that is not read; convert it to .jpg, .png, .webp, .gif, "
                    + ".bmp, .tif or .avif",
                "empty.jpg: the file is empty",
                "gone.jpg: the file that this link points to is not there",
                "mute.jpg: mute.txt: empty caption",
                "round.jpg: is a link that leads back to itself",
                @"two\u000alines.jpg: the name holds a line break or control character; rename it",
            ],
            read.Skipped.Select(s => $"{s.Origin}: {s.Reason}")
        );
    }

    [Fact]
    public void Links_that_lead_in_circles_are_followed_once()
    {
        Files("a/1.jpg", "b/2.jpg");
        Directory.CreateSymbolicLink(folder["a", "up"], folder.Path);
        Directory.CreateSymbolicLink(folder["a", "b"], folder["b"]);
        Directory.CreateSymbolicLink(folder["b", "a"], folder["a"]);
        Directory.CreateSymbolicLink(folder["b", "self"], folder["b", "self"]);

        var read = Of(folder.Path);

        Assert.Equal("a/1.jpg a/b/2.jpg b/2.jpg b/a/1.jpg", read.Keys);
        Assert.Contains(read.Notes, note => note.Origin == "a/up");
        Assert.Contains(read.Notes, note => note.Origin == "a/b/a");
        Assert.Empty(read.Skipped);
    }

    [Fact]
    public void A_picture_beside_class_folders_has_no_label()
    {
        Files("cat/1.jpg", "dog/1.jpg", "preview.png");

        var read = Of(folder.Path);

        Assert.Equal("class folders", read.Source.Form);
        Assert.Equal([null, "cat", "dog"], read.Samples.Select(s => s.Label));
    }

    [Theory]
    [InlineData("train/cat/1.jpg", "test/cat/1.jpg")]
    [InlineData("set-train-000.tar", "set-test-000.tar")]
    [InlineData("train/000.tar", "test/000.tar")]
    [InlineData("data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet")]
    public void Training_and_test_data_in_one_folder_are_not_mixed(string train, string test)
    {
        Files(train, test);

        var trouble = Assert.Throws<LitException>(() => Samples.Open(folder.Path));

        Assert.Contains(
            "holds the parts test, train. Name one of them, for example",
            trouble.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_folder_without_pictures_says_so()
    {
        Files("a.doc", "sub/b.doc");

        Assert.Contains(
            "holds no picture",
            Assert.Throws<LitException>(() => Of(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Single_pictures_and_globs_of_pictures_are_sources_too()
    {
        Files("a.jpg", "b.jpg", "c.png");

        Assert.Equal(folder["c.png"], Of(folder["c.png"]).Keys);
        Assert.Equal(2, Of(folder["*.jpg"]).Samples.Count);
    }

    [Theory]
    [InlineData("nowhere", "there is no such file or folder")]
    [InlineData("*.nothing", "no file matches")]
    [InlineData("x.zip", "this kind of archive is not read")]
    [InlineData("x.docx", "not a known form of data")]
    [InlineData("s-{5..2}.tar", "is not a range")]
    public void What_cannot_be_opened_is_said_with_what_to_do(string name, string what)
    {
        Files("x.zip", "x.docx");

        Assert.Contains(
            what,
            Assert.Throws<LitException>(() => Samples.Open(folder[name])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_single_part_is_no_class()
    {
        Files("train/cat/1.jpg");

        Assert.Contains(
            "holds the parts train. Name one of them, for example",
            Assert.Throws<LitException>(() => Samples.Open(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    private void Files(params string[] names)
    {
        foreach (var name in names)
            folder.Write(name, Picture);
    }
}
