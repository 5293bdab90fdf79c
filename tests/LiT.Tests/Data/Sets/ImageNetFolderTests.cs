using LiT.Classification;
using LiT.Evaluation;
using LiT.TestSets;

namespace LiT.Tests.Data.Sets;

/// <summary>ImageNet and its relatives, on miniatures of the folders in which they are published.</summary>
public sealed class ImageNetFolderTests : IDisposable
{
    private const string Tench = "n01440764",
        Goldfish = "n01443537",
        Toilet = "n15075141"; // classes 0, 1, 999
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("imagenetv2-threshold0.7-format-val")]
    [InlineData("imagenetv2-top-images-format-val")]
    public void Another_sample_of_v2_is_not_matched_frequency(string name)
    {
        folder.Write($"{name}/0/a.jpg", SetFolders.Picture(1));
        foreach (var path in new[] { folder.Path, folder[name] })
            Assert.Contains(
                "matched frequency",
                Assert.Throws<LitException>(() => SetFolders.Read("imagenet-v2", path)).Message
            );
        folder.Write("imagenetv2-matched-frequency-format-val/1/b.jpg", SetFolders.Picture(1));
        Assert.Equal("1/b.jpg", Assert.Single(SetFolders.Read("imagenet-v2", folder.Path)).Key);
    }

    [Fact]
    public void Folders_of_synsets_are_the_classes()
    {
        folder.Write($"val/{Goldfish}/ILSVRC2012_val_00000002.JPEG", SetFolders.Picture(2));
        folder.Write($"val/{Tench}/ILSVRC2012_val_00000001.JPEG", SetFolders.Picture(1));
        folder.Write("val/README/x.png", SetFolders.Picture(3));
        Assert.Equal(
            [$"{Tench}/ILSVRC2012_val_00000001.JPEG: {Tench}", $"{Goldfish}/ILSVRC2012_val_00000002.JPEG: {Goldfish}"],
            SetFolders.Labels(SetFolders.Read("imagenet", folder.Path))
        );
    }

    [Theory]
    [InlineData("kaggle")]
    [InlineData("caffe")]
    [InlineData("devkit")]
    public void Flat_pictures_take_their_labels_from_the_lists_that_are_published(string form)
    {
        foreach (var i in new[] { 1, 2 })
            folder.Write(
                (form == "kaggle" ? "ILSVRC/Data/CLS-LOC/val" : "ILSVRC2012_img_val")
                    + $"/ILSVRC2012_val_{i:00000000}.JPEG",
                SetFolders.Picture((byte)i)
            );
        if (form == "kaggle")
            folder.Write(
                "LOC_val_solution.csv",
                $"ImageId,PredictionString\nILSVRC2012_val_00000001,{Toilet} 1 2 3 4 {Toilet} 5 6 7 "
                    + $"8\nILSVRC2012_val_00000002,{Tench} 1 2 3 4\n"
            );
        else if (form == "caffe")
            folder.Write("val.txt", "ILSVRC2012_val_00000001.JPEG 999\nILSVRC2012_val_00000002.JPEG 0\n");
        else
        {
            folder.Write("ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", "490\n1\n");
            folder.Write(
                "ILSVRC2012_devkit_t12/data/meta.mat",
                MatBytes.File(
                    true,
                    MatBytes.Table(
                        "synsets",
                        ["ILSVRC2012_ID", "WNID", "words"],
                        [MatBytes.Numbers("", 1), MatBytes.Text("", Tench), MatBytes.Text("", "tench")],
                        [MatBytes.Numbers("", 490), MatBytes.Text("", Toilet), MatBytes.Text("", "toilet tissue")]
                    )
                )
            );
        }
        Assert.Equal(
            [$"ILSVRC2012_val_00000001.JPEG: {Toilet}", $"ILSVRC2012_val_00000002.JPEG: {Tench}"],
            SetFolders.Labels(SetFolders.Read("imagenet", folder.Path))
        );
    }

    [Fact]
    public void Flat_pictures_without_a_list_are_refused_with_what_is_missing()
    {
        folder.Write("val/ILSVRC2012_val_00000001.JPEG", SetFolders.Picture(1));
        Assert.Contains(
            "LOC_val_solution.csv, val.txt or the devkit's",
            Assert.Throws<LitException>(() => SetFolders.Read("imagenet", folder.Path)).Message
        );
    }

    [Fact]
    public void Version_2_numbers_its_folders()
    {
        folder.Write("imagenetv2-matched-frequency-format-val/999/a.jpeg", SetFolders.Picture(1));
        folder.Write("imagenetv2-matched-frequency-format-val/0/b.jpeg", SetFolders.Picture(2));
        Assert.Equal(
            [$"0/b.jpeg: {Tench}", $"999/a.jpeg: {Toilet}"],
            SetFolders.Labels(SetFolders.Read("imagenet-v2", folder.Path))
        );
    }

    [Theory]
    [InlineData("imagenet-r", "imagenet-r")]
    [InlineData("imagenet-a", "imagenet-a")]
    [InlineData("imagenet-sketch", "sketch")]
    public void Relatives_have_folders_of_synsets(string set, string inside)
    {
        folder.Write($"{inside}/{Goldfish}/art_1.jpg", SetFolders.Picture(1));
        folder.Write($"{inside}/README.txt", "read me");
        Assert.Equal([$"{Goldfish}/art_1.jpg: {Goldfish}"], SetFolders.Labels(SetFolders.Read(set, folder.Path)));
        Assert.Equal([$"{Goldfish}/art_1.jpg: {Goldfish}"], SetFolders.Labels(SetFolders.Read(set, folder[inside])));
    }

    [Fact]
    public void ReaL_gives_several_labels_by_the_number_in_the_name_and_none_to_some()
    {
        folder.Write($"val/{Tench}/ILSVRC2012_val_00000003.JPEG", SetFolders.Picture(3));
        folder.Write("val/ILSVRC2012_val_00000001.JPEG", SetFolders.Picture(1));
        folder.Write("real.json", "[[0, 999], [1], []]");
        var samples = SetFolders.Read("imagenet-real", folder.Path);
        var labels = Labels.Match(
            samples,
            "real",
            new ClassNames([.. ShippedClasses.ImageNetIds.Select((_, i) => $"name {i}")], ShippedClasses.ImageNetIds),
            several: true
        );
        Assert.Equal([0, 999], labels.All[0]);
        Assert.Empty(labels.All[1]);
        Assert.Equal(1, labels.Unmatched);
    }

    [Fact]
    public void ObjectNet_is_mapped_to_ImageNets_classes_and_its_border_is_cut_off()
    {
        ObjectNetFolder();
        // the object that ImageNet lacks is left out
        var sample = Assert.Single(SetFolders.Read("objectnet", folder.Path));
        Assert.Equal("Backpack", sample.Label);
        Assert.Equal($"[\"{Tench}\",\"{Toilet}\"]", sample.Fields[Labels.SeveralField]);
        Assert.Equal((4, 4), (SetFolders.Decoded(sample).Width, SetFolders.Decoded(sample).Height));
        Assert.Equal([7, 50, 100], SetFolders.Decoded(sample).Pixels[..3]);
        Assert.Equal("Backpack", Assert.Single(SetFolders.Read("objectnet-own", folder.Path)).Label);
    }

    [Fact]
    public void A_subset_keeps_only_the_classes_that_occur_and_the_list_must_have_them_all()
    {
        folder.Write($"{Goldfish}/a.jpg", SetFolders.Picture(1));
        folder.Write($"{Toilet}/b.jpg", SetFolders.Picture(2));
        var names = folder.Write("names.txt", string.Concat(Enumerable.Range(0, 1000).Select(i => $"name {i}\n")));
        var (data, options) = EvaluationSetup.Choose(new(folder.Path, "imagenet-a", names, null, null), new());
        Assert.Equal($"imagenet-a={folder.Path}", data);
        Assert.Equal(1000, options.Classes!.Names.Count);
        Assert.Equal("clip_paper", options.TemplatesFrom);
        var short_ = folder.Write("short.txt", "a\nb\n");
        Assert.Contains(
            "short.txt: 2 class names, where imagenet-a has 1000 classes",
            Assert
                .Throws<LitException>(() =>
                    EvaluationSetup.Choose(new(folder.Path, "imagenet-a", short_, null, null), new())
                )
                .Message
        );
        Assert.Contains(
            "Give them with `Classes`",
            Assert
                .Throws<LitException>(() =>
                    EvaluationSetup.Choose(new(folder.Path, "imagenet-a", null, null, null), new())
                )
                .Message
        );
        folder.Write(
            "LOC_synset_mapping.txt",
            string.Concat(ShippedClasses.ImageNetIds.Reverse().Select((id, i) => $"{id} thing {i}\n"))
        );
        Assert.Equal(
            "thing 999",
            EvaluationSetup.Choose(new(folder.Path, "imagenet-a", null, null, null), new()).Options.Classes!.Names[0]
        );
    }

    private void ObjectNetFolder()
    {
        var red = SetFolders.Picture(255, 8);
        var inner = LiT.Images.Decoding.Decode(red);
        for (var y = 2; y < 6; y++)
        for (var x = 2; x < 6; x++)
            inner.Pixels[(y * 8 + x) * 3] = 7;
        folder.Write("objectnet-1.0/images/backpack/1.png", LiT.Drawings.Png.Encode(inner));
        folder.Write("objectnet-1.0/images/air_freshener/2.png", red);
        folder.Write(
            "objectnet-1.0/mappings/folder_to_objectnet_label.json",
            """{"backpack": "Backpack", "air_freshener": "Air freshener"}"""
        );
        folder.Write(
            "objectnet-1.0/mappings/objectnet_to_imagenet_1k.json",
            """{"Backpack": "tench, Tinca tinca; toilet tissue"}"""
        );
        folder.Write("objectnet-1.0/mappings/imagenet_to_label_2012_v2", "toilet tissue\ntench, Tinca tinca\n");
        folder.Write("objectnet-1.0/mappings/pytorch_to_imagenet_2012_id.json", """{"0": 1, "999": 0}""");
    }
}
