using LiT.Checkpoints;
using LiT.Drawings;
using LiT.Images;
using LiT.Pretraining;

namespace LiT.Tests.Drawings;

public class DrawnTowerTests
{
    [Fact]
    public void The_tower_that_comes_with_the_library_names_what_it_has_not_seen()
    {
        using var tower = DrawnTower.Load();
        Assert.Equal(DrawnTower.HeadNames, tower.Heads.Select(head => head.Name));
        var test = Accuracy(DrawnSplit.Test, 300);
        Assert.True(test["kind"] > .93, $"kind {test["kind"]:P1}");
        Assert.True(test["colour"] > .97, $"colour {test["colour"]:P1}");
        var compositions = Accuracy(DrawnSplit.Compositions, 300);
        Assert.True(compositions["kind"] > .8, $"kind of held-out compositions {compositions["kind"]:P1}");
        Assert.True(compositions["colour"] > .92, $"colour of held-out compositions {compositions["colour"]:P1}");

        Dictionary<string, double> Accuracy(DrawnSplit split, int count)
        {
            var pictures = LabelledPictures.Read(
                DrawnDataset.Source(split, count, seed: 0),
                DrawnTower.HeadNames,
                [.. tower.Heads.Select(head => head.ClassNames!)],
                skipped => Assert.Fail(skipped.Reason),
                CancellationToken.None
            );
            return SupervisedPretraining.Measure(
                tower,
                pictures.Pictures,
                DrawnTower.HeadNames,
                100,
                2,
                skipped => Assert.Fail(skipped.Reason),
                null,
                CancellationToken.None
            );
        }
    }

    [Fact]
    public void Its_heads_know_every_kind_and_colour_and_it_takes_the_drawings_as_they_are()
    {
        using var tower = DrawnTower.Load();
        Assert.Equal(DrawnVocabulary.KindNames.Order(StringComparer.Ordinal), tower.Heads[0].ClassNames);
        Assert.Equal(DrawnVocabulary.ColourNames.Order(StringComparer.Ordinal), tower.Heads[1].ClassNames);
        Assert.Equal(
            Preprocessing.Cifar with
            {
                Width = DrawnDataset.ImageSize,
                Height = DrawnDataset.ImageSize,
            },
            tower.Preprocessing
        );
    }

    [Fact]
    public void It_is_what_its_file_says_it_is_and_small()
    {
        using var folder = new TemporaryFolder();
        DrawnTower.Write(folder["tower.safetensors"]);
        Assert.InRange(new FileInfo(folder["tower.safetensors"]).Length, 1, 4 << 20);
        using var checkpoint = Checkpoint.Open(folder["tower.safetensors"]);
        using var tower = DrawnTower.Load();
        Assert.Equal(checkpoint.Metadata["lit.fingerprint"], tower.Fingerprint);
    }
}
