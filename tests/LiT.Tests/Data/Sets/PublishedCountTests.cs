using LiT.Data;
using LiT.Evaluation;
using LiT.TestSets;

namespace LiT.Tests.Data.Sets;

/// <summary>The published protocols' own counts, and what is said where a set that is read has others.</summary>
public class PublishedCountTests
{
    /// <summary>From the papers and the sets' own pages.</summary>
    [Theory]
    [InlineData("imagenet", 50_000, null, 1000)]
    [InlineData("imagenet-v2", 10_000, null, 1000)]
    [InlineData("imagenet-real", 46_837, null, null)]
    [InlineData("imagenet-r", 30_000, null, 200)]
    [InlineData("imagenet-a", 7_500, null, 200)]
    [InlineData("imagenet-sketch", 50_889, null, 1000)]
    [InlineData("objectnet", 18_574, null, null)]
    [InlineData("objectnet-own", 18_574, null, 113)]
    [InlineData("cifar10", 10_000, null, 10)]
    [InlineData("cifar100", 10_000, null, 100)]
    [InlineData("caltech101", 9_144, null, 102)]
    [InlineData("dtd", 1_880, null, 47)]
    [InlineData("flowers102", 6_149, null, 102)]
    [InlineData("pets", 3_669, null, 37)]
    [InlineData("svhn", 26_032, null, 10)]
    [InlineData("sun397", 19_850, null, 397)]
    [InlineData("resisc45", 31_500, null, 45)]
    [InlineData("food101", 25_250, null, 101)]
    [InlineData("eurosat", 27_000, null, 10)]
    [InlineData("coco", 5_000, 25_010, null)]
    [InlineData("flickr30k", 1_000, 5_000, null)]
    [InlineData("xm3600", 3_600, null, null)]
    public void A_named_set_knows_its_protocols_count(string name, int pictures, int? captions, int? classes)
    {
        var set = NamedTestSets.Find(name)!;
        Assert.Equal(
            (pictures, captions, classes),
            (set.Published[0].Pictures, set.Published[0].Captions, set.Published[0].Classes)
        );
        if (classes is { } count && set.Names is { } names)
            Assert.Equal(count, names.Count);
    }

    [Fact]
    public void Every_set_but_wit_has_one() =>
        Assert.Equal("wit", Assert.Single(NamedTestSets.All, set => set.Published.Count == 0).Name);

    [Fact]
    public void Another_number_is_said_with_all_that_are_published()
    {
        var set = NamedTestSets.Find("flickr30k")!;
        Sample[] Made(int pictures) =>
            [
                .. Enumerable
                    .Range(0, pictures)
                    .Select(i => new Sample($"{i}", "") { Captions = ["a", "b", "c", "d", "d"] }),
            ];
        Assert.Null(PublishedCount.Difference(set, Made(1000)));
        Assert.Equal(
            "flickr30k: 999 pictures, 4,995 captions, where the published protocol has 1,000 pictures, 5,000 "
                + "captions (Karpathy's test part), "
                + "or 31,783 pictures, 158,915 captions (all). The numbers cannot be compared with published "
                + "ones; check that the set is whole.",
            PublishedCount.Difference(set, Made(999))
        );
    }

    [Fact]
    public void A_class_that_is_missing_is_noticed_where_the_pictures_are_as_many()
    {
        var set = NamedTestSets.Find("cifar10")!;
        Sample[] Made(int classes) =>
            [.. Enumerable.Range(0, 10_000).Select(i => new Sample($"{i}", "") { Label = $"{i % classes}" })];
        Assert.Null(PublishedCount.Difference(set, Made(10)));
        Assert.StartsWith("cifar10: 10,000 pictures, 9 classes", PublishedCount.Difference(set, Made(9)));
    }
}
