using LiT.Images;

namespace LiT.Tests.Images;

public class RandAugmentTests
{
    private static RgbImage Picture() =>
        GeneratedPictures.Plain with
        {
            Pixels = (byte[])GeneratedPictures.Plain.Pixels.Clone(),
        };

    private static byte[] Changed(int operation, double strength, ulong seed = 1)
    {
        var (image, chance) = (Picture(), new Chance(seed));
        RandAugment.Change(image, operation, strength, ref chance);
        return image.Pixels;
    }

    [Fact]
    public void Every_one_of_the_sixteen_operations_changes_a_picture_and_none_its_size()
    {
        Assert.Equal(16, RandAugment.Count);
        for (var operation = 0; operation < RandAugment.Count; operation++)
        {
            var changed = Changed(operation, 9);
            Assert.Equal(GeneratedPictures.Plain.Pixels.Length, changed.Length);
            Assert.False(changed.AsSpan().SequenceEqual(GeneratedPictures.Plain.Pixels), $"operation {operation}");
        }
    }

    [Theory]
    [InlineData(3)] // turned
    [InlineData(10)] // sheared
    [InlineData(11)]
    [InlineData(12)] // moved
    [InlineData(13)]
    [InlineData(14)] // cut out
    [InlineData(15)] // nothing added to the dark
    public void Strength_zero_of_what_moves_or_covers_changes_nothing(int operation) =>
        Assert.Equal(GeneratedPictures.Plain.Pixels, Changed(operation, 0));

    [Fact]
    public void Turned_left_as_often_as_right()
    {
        var kinds = Enumerable
            .Range(0, 40)
            .Select(seed => Convert.ToHexString(Changed(3, 5, (ulong)seed)))
            .CountBy(one => one)
            .ToList();
        Assert.Equal(2, kinds.Count);
        Assert.All(kinds, kind => Assert.InRange(kind.Value, 8, 32));
    }

    [Fact]
    public void Inverting_twice_gives_the_picture_back()
    {
        var (image, chance) = (Picture(), new Chance(1));
        RandAugment.Change(image, 2, 5, ref chance);
        Assert.Equal(255 - GeneratedPictures.Plain.Pixels[7], image.Pixels[7]);
        RandAugment.Change(image, 2, 5, ref chance);
        Assert.Equal(GeneratedPictures.Plain.Pixels, image.Pixels);
    }

    [Theory]
    [InlineData("none", 1, 0, 0)]
    [InlineData("flip+randaug", 1, 0.5, 2)]
    [InlineData("crop=0.05+flip", 0.05, 0.5, 0)]
    [InlineData("crop+randaug=3,7", 0.25, 0, 3)]
    public void Changes_are_read_from_words(string text, double smallestCrop, double flip, int operations)
    {
        var augmentation = Augmentation.Parse(text);
        Assert.Equal(
            (smallestCrop, flip, operations),
            (augmentation.SmallestCrop, augmentation.Flip, augmentation.RandAugmentCount)
        );
    }

    [Theory]
    [InlineData("flop")]
    [InlineData("crop=2")]
    [InlineData("randaug=2")]
    [InlineData("randaug=2,11")]
    [InlineData("")]
    public void Words_that_are_no_change_are_refused_with_those_that_are(string text) =>
        Assert.Contains(
            "crop, crop=0.25, flip",
            Assert.ThrowsAny<UsageException>(() => Augmentation.Parse(text)).Message
        );
}
