using LiT.Data;
using LiT.TestSets;

namespace LiT.Tests.Data.Sets;

/// <summary>The smaller sets, on miniatures of the folders in which they are published.</summary>
public sealed class SmallSetTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(10, "cifar-10-batches-bin/test_batch.bin", "airplane", "truck")]
    [InlineData(100, "cifar-100-binary/test.bin", "apple", "willow_tree")]
    public void Cifars_binary_version_is_read(int classes, string file, string first, string second)
    {
        byte[] labels = classes == 10 ? [0, 9] : [0, 96];
        folder.Write(
            file,
            [
                .. labels.SelectMany(
                    (label, i) =>
                        (byte[])[.. classes == 10 ? Array.Empty<byte>() : [5], label, .. CifarPickle.Planes(i)]
                ),
            ]
        );
        Check($"cifar{classes}", first, second);
    }

    [Theory]
    [InlineData(10, "cifar-10-batches-py/test_batch", "airplane", "truck")]
    [InlineData(100, "cifar-100-python/test", "apple", "willow_tree")]
    public void Cifars_pickles_are_read_as_data(int classes, string file, string first, string second)
    {
        folder.Write(
            file,
            CifarPickle.Batch(classes == 10 ? "labels" : "fine_labels", classes == 10 ? [0, 9] : [0, 96])
        );
        Check($"cifar{classes}", first, second);
    }

    [Fact]
    public void A_batch_of_the_other_cifar_or_a_cut_one_is_refused()
    {
        folder.Write("test_batch", CifarPickle.Batch("fine_labels", [0, 96]));
        Assert.Contains(
            "no batch of CIFAR",
            Assert.Throws<LitException>(() => SetFolders.Read("cifar10", folder.Path)).Message
        );
        folder.Write("test_batch", CifarPickle.Batch("labels", [0, 96]));
        Assert.Contains(
            "picture 1 has the label 96",
            Assert.Throws<LitException>(() => SetFolders.Read("cifar10", folder.Path)).Message
        );
        folder.Write("test_batch.bin", new byte[3000]);
        Assert.Contains(
            "no whole number of pictures",
            Assert.Throws<LitException>(() => SetFolders.Read("cifar10", folder.Path)).Message
        );
        folder.Write("test_batch.bin", [0x80]);
        File.Delete(folder["test_batch.bin"]);
        folder.Write(
            "test_batch",
            [0x80, 2, (byte)'c', (byte)'o', (byte)'s', (byte)'\n', (byte)'s', (byte)'\n', (byte)'.']
        );
        Assert.Contains(
            "not a batch of CIFAR",
            Assert.Throws<LitException>(() => SetFolders.Read("cifar10", folder.Path)).Message
        );
    }

    [Fact]
    public void Class_folders_of_cifar_are_taken_too()
    {
        folder.Write("test/truck/1.png", SetFolders.Picture(1));
        folder.Write("train/cat/1.png", SetFolders.Picture(2));
        Assert.Equal(["truck/1.png: truck"], SetFolders.Labels(SetFolders.Read("cifar10", folder.Path)));
    }

    [Fact]
    public void Dtd_has_the_test_part_of_its_first_split()
    {
        folder.Write("dtd/images/banded/banded_0002.jpg", SetFolders.Picture(1));
        folder.Write("dtd/images/banded/banded_0003.jpg", SetFolders.Picture(2));
        folder.Write(
            "dtd/labels/test1.txt",
            "banded/banded_0003.jpg\nbanded/missing.jpg\n../../etc/x.jpg\n/etc/passwd\n"
        );
        List<Skipped> skipped = [];
        Assert.Equal(
            ["banded/banded_0003.jpg: banded"],
            SetFolders.Labels(SetFolders.Read("dtd", folder.Path, skipped))
        );
        Assert.Equal(
            ["there is no such file", "the name leads out of the data set (..)", "the name leads out of the data set"],
            skipped.Select(one => one.Reason)
        );
    }

    [Fact]
    public void Flowers_take_labels_and_split_from_matlab_files()
    {
        foreach (var i in new[] { 1, 2, 3 })
            folder.Write($"jpg/image_{i:00000}.jpg", SetFolders.Picture((byte)i));
        folder.Write("imagelabels.mat", MatBytes.File(true, MatBytes.SmallNumbers("labels", 77, 1, 102)));
        folder.Write(
            "setid.mat",
            MatBytes.File(
                true,
                MatBytes.SmallNumbers("trnid", 2),
                MatBytes.SmallNumbers("valid"),
                MatBytes.SmallNumbers("tstid", 3, 1)
            )
        );
        Assert.Equal(
            ["jpg/image_00003.jpg: 102", "jpg/image_00001.jpg: 77"],
            SetFolders.Labels(SetFolders.Read("flowers102", folder.Path))
        );
        Assert.Equal(
            ("passion flower", "blackberry lily"),
            (NamedTestSets.Find("flowers102")!.Names![76], NamedTestSets.Find("flowers102")!.Names![101])
        );
    }

    [Fact]
    public void Pets_are_named_by_their_files()
    {
        folder.Write("images/Abyssinian_201.jpg", SetFolders.Picture(1));
        folder.Write("images/english_setter_7.jpg", SetFolders.Picture(2));
        folder.Write(
            "annotations/test.txt",
            "#Image CLASS-ID SPECIES BREED ID\nAbyssinian_201 1 1 1\nenglish_setter_7 14 2 9\n"
        );
        Assert.Equal(
            ["Abyssinian_201.jpg: Abyssinian", "english_setter_7.jpg: english_setter"],
            SetFolders.Labels(SetFolders.Read("pets", folder.Path))
        );
    }

    [Fact]
    public void Svhn_is_column_major_and_ten_stands_for_nought()
    {
        var x = new byte[2 * 3 * 3 * 2]; // 2 rows, 3 columns, RGB, two pictures
        for (var i = 0; i < x.Length; i++)
            x[i] = (byte)i;
        folder.Write(
            "test_32x32.mat",
            MatBytes.File(true, MatBytes.Bytes("X", x, 2, 3, 3, 2), MatBytes.SmallNumbers("y", 10, 4))
        );
        var samples = SetFolders.Read("svhn", folder.Path);
        Assert.Equal(["test/00000: 0", "test/00001: 4"], SetFolders.Labels(samples));
        var image = SetFolders.Decoded(samples[1]);
        Assert.Equal((3, 2), (image.Width, image.Height));
        Assert.Equal([18, 24, 30, 20, 26, 32], image.Pixels[..6]); // row 0: (0, 0) and (0, 1); a column is 2, a channel 6 apart
    }

    [Fact]
    public void Sun_scenes_with_parts_are_named_by_all_of_them()
    {
        folder.Write("SUN397/a/abbey/sun_1.jpg", SetFolders.Picture(1));
        folder.Write("SUN397/c/church/indoor/sun_2.jpg", SetFolders.Picture(2));
        Assert.Equal(
            ["a/abbey/sun_1.jpg: abbey", "c/church/indoor/sun_2.jpg: church indoor"],
            SetFolders.Labels(SetFolders.Read("sun397", folder.Path))
        );
        folder.Write("Partitions/Testing_01.txt", "/c/church/indoor/sun_2.jpg\n");
        Assert.Equal(
            ["c/church/indoor/sun_2.jpg: church indoor"],
            SetFolders.Labels(SetFolders.Read("sun397", folder.Path))
        );
    }

    [Fact]
    public void Food_has_the_test_part()
    {
        folder.Write("food-101/images/apple_pie/1011328.jpg", SetFolders.Picture(1));
        folder.Write("food-101/images/apple_pie/2.jpg", SetFolders.Picture(2));
        folder.Write("food-101/meta/test.txt", "apple_pie/1011328\n");
        Assert.Equal(["apple_pie/1011328.jpg: apple_pie"], SetFolders.Labels(SetFolders.Read("food101", folder.Path)));
    }

    [Theory]
    [InlineData("caltech101", "101_ObjectCategories/BACKGROUND_Google", "BACKGROUND_Google")]
    [InlineData("resisc45", "NWPU-RESISC45/baseball_diamond", "baseball_diamond")]
    [InlineData("eurosat", "2750/AnnualCrop", "AnnualCrop")]
    public void Sets_of_class_folders_know_their_classes(string set, string inside, string label)
    {
        folder.Write($"{inside}/image_0001.jpg", SetFolders.Picture(1));
        folder.Write($"{inside}/../notes/x.jpg", SetFolders.Picture(2));
        Assert.Equal(label, Assert.Single(SetFolders.Read(set, folder.Path)).Label);
        Assert.Contains(label, NamedTestSets.Find(set)!.Ids!);
    }

    [Fact]
    public void Every_shipped_list_has_its_published_number_of_classes_and_no_name_twice()
    {
        foreach (
            var (name, count) in new[]
            {
                ("cifar10", 10),
                ("cifar100", 100),
                ("caltech101", 102),
                ("dtd", 47),
                ("flowers102", 102),
                ("pets", 37),
                ("svhn", 10),
                ("resisc45", 45),
                ("food101", 101),
                ("eurosat", 10),
                ("imagenet", 1000),
            }
        )
        {
            var set = NamedTestSets.Find(name)!;
            Assert.Equal(count, set.Ids!.Distinct().Count());
            if (set.Names is not null)
                Assert.Equal(count, set.Names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
            Assert.All(set.ClipTemplates ?? [], template => Assert.Equal(2, template.Split("{}").Length));
        }
        Assert.Equal(ShippedClasses.ImageNetIds.Order(StringComparer.Ordinal), ShippedClasses.ImageNetIds);
    }

    [Fact]
    public void A_name_that_is_no_set_is_said_with_those_that_are() =>
        Assert.Contains(
            "Known are imagenet, imagenet-v2",
            Assert.Throws<LitException>(() => Samples.Open("imagenet-x=/tmp")).Message
        );

    [Fact]
    public void A_folder_that_holds_something_else_is_said_with_what_is_needed()
    {
        folder.Write("x.txt", "");
        Assert.Contains(
            "It needs 2750/",
            Assert.Throws<LitException>(() => SetFolders.Read("eurosat", folder.Path)).Message
        );
        Assert.Contains(
            "annotations/test.txt is missing",
            Assert.Throws<LitException>(() => SetFolders.Read("pets", folder.Path)).Message
        );
        Assert.Contains(
            "there is no such folder",
            Assert.Throws<LitException>(() => SetFolders.Read("pets", folder["nowhere"])).Message
        );
    }

    private void Check(string set, string first, string second)
    {
        var samples = SetFolders.Read(set, folder.Path);
        Assert.Equal([$"test/00000: {first}", $"test/00001: {second}"], SetFolders.Labels(samples));
        var image = SetFolders.Decoded(samples[1]);
        Assert.Equal((32, 32), (image.Width, image.Height));
        Assert.Equal([2, 12, 22, 3, 12, 22], image.Pixels[..6]);
    }
}
