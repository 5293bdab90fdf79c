using LiT.Data;

namespace LiT.Tests.Data.Sets;

/// <summary>Retrieval sets, on miniatures of the folders in which they are published.</summary>
public sealed class CaptionSetTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Coco_takes_the_test_part_of_Karpathys_split_with_every_caption()
    {
        folder.Write("val2014/COCO_val2014_000000391895.jpg", SetFolders.Picture(1));
        folder.Write("val2014/COCO_val2014_000000060623.jpg", SetFolders.Picture(2));
        folder.Write(
            "dataset_coco.json",
            """
            {"images": [
              {"filepath": "val2014", "filename": "COCO_val2014_000000391895.jpg", "split": "test", "sentences": [{"raw": "A man. "}, {"raw": "A dirt bike"}]},
              {"filepath": "val2014", "filename": "COCO_val2014_000000060623.jpg", "split": "restval", "sentences": [{"raw": "A girl"}]},
              {"filepath": "val2014", "filename": "COCO_val2014_000000000001.jpg", "split": "test", "sentences": [{"raw": "gone"}]}], "dataset": "coco"}
            """
        );
        List<Skipped> skipped = [];
        var sample = Assert.Single(SetFolders.Read("coco", folder.Path, skipped));
        Assert.Equal(["A man.", "A dirt bike"], sample.Captions);
        // a caption file that names a missing picture
        Assert.Equal("val2014/COCO_val2014_000000000001.jpg", Assert.Single(skipped).Key);
    }

    [Fact]
    public void A_caption_that_a_picture_has_twice_counts_twice_as_the_protocol_has_it()
    {
        folder.Write("val2014/a.jpg", SetFolders.Picture(1));
        folder.Write(
            "dataset_coco.json",
            """{"images": [{"filepath": "val2014", "filename": "a.jpg", "split": "test", "sentences": [{"raw": "A dog"}, {"raw": "A dog"}, {"raw": "A cat"}]}]}"""
        );
        Assert.Equal(
            (string[])["A dog", "A dog", "A cat"],
            Assert.Single(SetFolders.Read("coco", folder.Path)).Captions
        );
    }

    [Fact]
    public void Coco_takes_val2017_where_there_is_no_split_file()
    {
        folder.Write("val2017/000000000139.jpg", SetFolders.Picture(1));
        folder.Write(
            "annotations/captions_val2017.json",
            """
            {"images": [{"id": 139, "file_name": "000000000139.jpg"}], "annotations": [{"image_id": 139, "caption": "A room"}, {"image_id": 139, "caption": "A woman\n"}]}
            """
        );
        Assert.Equal(["A room", "A woman"], Assert.Single(SetFolders.Read("coco", folder.Path)).Captions);
    }

    [Fact]
    public void Flickr_takes_Karpathys_split_or_the_token_file()
    {
        folder.Write("flickr30k-images/1000092795.jpg", SetFolders.Picture(1));
        folder.Write("flickr30k-images/2.jpg", SetFolders.Picture(2));
        folder.Write(
            "results_20130124.token",
            "1000092795.jpg#0\tTwo men .\n1000092795.jpg#1\tFriends\n2.jpg#0\tA dog\n"
        );
        Assert.Equal([2, 1], SetFolders.Read("flickr30k", folder.Path).Select(sample => sample.Captions.Count));
        folder.Write(
            "dataset_flickr30k.json",
            """{"images": [{"filename": "2.jpg", "split": "test", "sentences": [{"raw": "A dog"}]}]}"""
        );
        Assert.Equal("2.jpg", Assert.Single(SetFolders.Read("flickr30k", folder.Path)).Key);
    }

    [Fact]
    public void Crossmodal_has_captions_by_language()
    {
        folder.Write("images/0000d67245642c5f.jpg", SetFolders.Picture(1));
        folder.Write(
            "captions.jsonl",
            """
            {"image/key": "0000d67245642c5f", "image/locale": "bn", "en": {"caption": ["A map", "Signs"], "caption/tokenized": ["A map"]}, "de": {"caption": ["Eine Karte"]}}
            """
        );
        var sample = Assert.Single(SetFolders.Read("xm3600", folder.Path));
        Assert.Equal(["A map", "Signs"], sample.Captions);
        Assert.Equal(["de", "en"], CaptionLanguages.In([sample]));
        Assert.Equal(["Eine Karte"], CaptionLanguages.Of(sample, "de"));
        Assert.Empty(CaptionLanguages.Of(sample, "fr"));
    }

    [Fact]
    public void Wit_has_reference_captions_by_language()
    {
        folder.Write("images/Big Ben.jpg", SetFolders.Picture(1));
        folder.Write(
            "wit_v1.test.all-00000-of-00005.tsv",
            "language\tpage_url\timage_url\tcaption_reference_description\n"
                + "en\tp\thttps://upload/a/b/Big%20Ben.jpg\tThe "
                + "clock\nde\tp\thttps://upload/a/b/Big%20Ben.jpg\tDie "
                + "Uhr\nfr\tp\thttps://upload/a/b/Big%20Ben.jpg\t\n"
        );
        var sample = Assert.Single(SetFolders.Read("wit", folder.Path));
        Assert.Equal(["de", "en"], CaptionLanguages.In([sample]));
        Assert.Equal(["Die Uhr"], CaptionLanguages.Of(sample, "de"));
    }

    [Theory]
    [InlineData(
        "flickr30k",
        "results_20130124.token",
        "picture caption\n",
        "results_20130124.token, line 1: not 'picture.jpg#0 TAB caption'"
    )]
    [InlineData(
        "coco",
        "dataset_coco.json",
        "{\"images\": [{\"split\": \"test\"}]}",
        "dataset_coco.json: not in the published form"
    )]
    [InlineData("coco", "dataset_coco.json", "{", "dataset_coco.json: no valid JSON")]
    [InlineData("xm3600", "captions.jsonl", "{}\n", "captions.jsonl, line 1: no 'image/key'")]
    [InlineData(
        "coco",
        "x",
        "",
        "dataset_coco.json (Karpathy's split) or annotations/captions_val2017.json is missing"
    )]
    public void Damaged_files_are_named(string set, string file, string content, string expected)
    {
        folder.Write(file, content);
        Assert.Contains(expected, Assert.Throws<LitException>(() => SetFolders.Read(set, folder.Path)).Message);
    }
}
