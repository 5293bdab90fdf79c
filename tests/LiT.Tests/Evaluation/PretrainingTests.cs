using LiT.Evaluation;
using LiT.TestSets;

namespace LiT.Tests.Evaluation;

public class PretrainingTests
{
    [Theory]
    [InlineData("cifar10", "towers/resnet20-12fca82f.th", true)]
    [InlineData("cifar100", "towers/resnet20-12fca82f.th", false)]
    [InlineData("cifar10", "cifar-resnet:20", false)] // from scratch
    [InlineData("imagenet", "vit-b16-augreg-in21k", true)]
    [InlineData("imagenet-r", "Ti_16-i21k-300ep-lr_0.001-aug_none-wd_0.03-do_0.0-sd_0.0.npz", true)]
    [InlineData("imagenet", "dino-vitb16", false)] // ImageNet's pictures, without its labels
    [InlineData("pets", "vit-b16-augreg-in21k", false)]
    public void A_tower_that_learned_the_sets_classes_is_known(string set, string tower, bool expected) =>
        Assert.Equal(expected, PretrainingOverlap.TrainedOn(NamedTestSets.Find(set)!, tower) is not null);
}
