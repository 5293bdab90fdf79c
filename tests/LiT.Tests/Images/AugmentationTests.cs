using LiT.Images;

namespace LiT.Tests.Images;

public class AugmentationTests
{
    private static readonly Preprocessing Small = Preprocessing.LiT(8);

    private static readonly RgbImage Gradient = new(8, 8, [.. Enumerable.Range(0, 192).Select(i => (byte)(i + 32))]);

    [Fact]
    public void The_same_seed_epoch_and_sample_give_the_same_picture_and_others_do_not()
    {
        var augmentation = Augmentation.Inception(0.2) with { Jitter = 0.8, Grayscale = 0.1, Padding = 2 };
        var pictures = (
            from seed in Enumerable.Range(0, 3)
            from epoch in Enumerable.Range(0, 3)
            from sample in Enumerable.Range(0, 3)
            select Convert.ToHexString(Changed(augmentation, Chance.For(seed, epoch, sample)).Pixels)
        ).ToList();
        Assert.Equal(27, pictures.Distinct().Count());
        Assert.Equal(pictures[^1], Convert.ToHexString(Changed(augmentation, Chance.For(2, 2, 2)).Pixels));
    }

    [Fact]
    public void No_augmentation_is_the_preprocessing_alone()
    {
        var chance = new Chance(3);
        var (augmented, plain) = (new float[Small.ValueCount], new float[Small.ValueCount]);
        var cropped = Small with { Fit = ResizeFit.ShorterSide, ShorterSide = 9 };
        Augmentation.None.Apply(GeneratedPictures.Plain, cropped, ref chance, augmented);
        cropped.Apply(GeneratedPictures.Plain, plain);
        Assert.Equal(plain, augmented);
    }

    [Fact]
    public void Shifted_and_mirrored_floats_are_what_shifted_and_mirrored_pixels_become()
    {
        var black = new float[Small.ValueCount];
        Small.Apply(new RgbImage(8, 8, new byte[192]), black);
        for (ulong seed = 0; seed < 50; seed++)
        {
            var (first, second) = (new Chance(seed), new Chance(seed));
            var (before, expected, got) = (
                new float[Small.ValueCount],
                new float[Small.ValueCount],
                new float[Small.ValueCount]
            );
            Small.Apply(Gradient, before);
            Augmentation.Cifar.Apply(Gradient, Small, ref first, expected);
            Augmentation.Cifar.ShiftAndFlip(before, 8, 8, black[0], ref second, got);
            Assert.Equal(expected, got);
        }
    }

    [Fact]
    public void Padding_moves_the_picture_by_up_to_its_size_in_every_direction_and_half_are_mirrored()
    {
        var seen = new HashSet<string>();
        for (ulong seed = 0; seed < 4000; seed++)
            seen.Add(Convert.ToHexString(Changed(Augmentation.Cifar, new Chance(seed)).Pixels));
        Assert.Equal(9 * 9 * 2, seen.Count);
    }

    [Fact]
    public void A_random_crop_keeps_at_least_the_part_that_is_asked_for()
    {
        // A ramp from 0 to 255 along both sides: what a crop shows of it tells how much it kept.
        var ramp = new RgbImage(
            256,
            256,
            [.. Enumerable.Range(0, 256 * 256).SelectMany(i => new[] { (byte)(i % 256), (byte)(i / 256), (byte)0 })]
        );
        for (ulong seed = 0; seed < 60; seed++)
        {
            var chance = new Chance(seed);
            var view = (Augmentation.Inception(0.25) with { Flip = 0 }).Apply(ramp, Preprocessing.LiT(32), ref chance);
            double width = view.Pixels[31 * 3] - view.Pixels[0],
                height = view.Pixels[31 * 32 * 3 + 1] - view.Pixels[1];
            Assert.InRange(width * height / (248.0 * 248.0), 0.23, 1.02);
        }
    }

    [Fact]
    public void Colours_change_within_bounds_and_gray_is_gray()
    {
        var jitter = new Augmentation
        {
            Jitter = 1,
            Brightness = 0.5,
            Contrast = 0,
            Saturation = 0,
        };
        for (ulong seed = 0; seed < 30; seed++)
        {
            var changed = Changed(jitter, new Chance(seed)).Pixels;
            var factor = changed[0] / (double)Gradient.Pixels[0];
            Assert.InRange(factor, 0.47, 1.53);
            for (var i = 0; i < 100; i++)
                Assert.InRange(
                    changed[i],
                    Math.Min(254, Gradient.Pixels[i] * factor * 0.95 - 1),
                    Gradient.Pixels[i] * factor * 1.05 + 1
                );
        }
        var gray = Changed(new Augmentation { Grayscale = 1 }, new Chance(0)).Pixels;
        Assert.All(Enumerable.Range(0, 64), i =>
            Assert.True(gray[3 * i] == gray[3 * i + 1] && gray[3 * i] == gray[3 * i + 2])
        );
    }

    [Fact]
    public void Chance_is_even()
    {
        var chance = new Chance(11);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
            counts[chance.Below(7)]++;
        Assert.All(counts, count => Assert.InRange(count, 9_500, 10_500));
        Assert.InRange(Enumerable.Range(0, 10_000).Count(_ => chance.Happens(0.25)), 2_300, 2_700);
    }

    private static RgbImage Changed(Augmentation augmentation, Chance chance) =>
        augmentation.Apply(Gradient, Small, ref chance);
}
