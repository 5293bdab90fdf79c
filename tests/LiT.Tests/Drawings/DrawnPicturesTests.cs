using LiT.Drawings;
using LiT.Images;

namespace LiT.Tests.Drawings;

public class DrawnPicturesTests
{
    private const ulong Seed = 20;

    [Fact]
    public void Equal_seeds_give_equal_pictures_and_captions()
    {
        var first = DrawnDataset.Draw(DrawnSplit.Pairs, 60, seed: 4).ToList();
        var second = DrawnDataset.Draw(DrawnSplit.Pairs, 60, seed: 4).ToList();
        Assert.Equal(first.Select(Text), second.Select(Text));

        static string Text(Drawing drawing) =>
            $"{drawing.Key} {drawing.Label} {drawing.Colour} {drawing.Count} {string.Join('|', drawing.Captions)} {Convert.ToHexString(drawing.EncodePng())}";
    }

    [Fact]
    public void A_picture_does_not_depend_on_how_many_are_drawn()
    {
        var few = DrawnDataset.Draw(DrawnSplit.Test, 5, seed: 0).Last();
        var many = DrawnDataset.Draw(DrawnSplit.Test, 30, seed: 0).ElementAt(4);
        Assert.Equal(few.Image.Pixels, many.Image.Pixels);
        Assert.Equal(few.Captions, many.Captions);
    }

    [Fact]
    public void Another_seed_gives_other_pictures()
    {
        var one = DrawnDataset
            .Draw(DrawnSplit.Val, 20, seed: 0)
            .Select(drawing => Convert.ToHexString(drawing.Image.Pixels));
        var other = DrawnDataset
            .Draw(DrawnSplit.Val, 20, seed: 1)
            .Select(drawing => Convert.ToHexString(drawing.Image.Pixels));
        Assert.Empty(one.Intersect(other));
    }

    [Fact]
    public void There_are_at_least_forty_kinds_and_twelve_colours_with_synonyms()
    {
        Assert.True(DrawnVocabulary.KindNames.Count >= 40);
        Assert.Equal(12, DrawnVocabulary.ColourNames.Count);
        Assert.All(DrawnVocabulary.Kinds, kind => Assert.True(kind.Nouns.Length >= 2, $"{kind.Name} has no synonym."));
        Assert.All(DrawnVocabulary.Colours, colour =>
            Assert.True(colour.Words.Length >= 2, $"{colour.Name} has no synonym.")
        );
    }

    [Fact]
    public void Every_kind_shows_its_colour_in_every_colour()
    {
        using var studio = new Studio();
        for (var kind = 0; kind < DrawnVocabulary.Kinds.Length; kind++)
        for (var colour = 0; colour < DrawnVocabulary.Colours.Length; colour++)
        {
            var shown = Enumerable
                .Range(0, 4)
                .Max(i =>
                {
                    studio.Draw(kind, colour, Seed + (ulong)i, out var image);
                    return ShareNear(image, colour);
                });
            Assert.True(
                shown > .02,
                $"{DrawnVocabulary.Composition(colour, kind)}: {shown:P1} of the picture has the colour."
            );
        }
    }

    [Fact]
    public void No_two_kinds_look_alike_in_the_same_colour_before_the_same_backdrop()
    {
        using var studio = new Studio();
        for (var colour = 0; colour < DrawnVocabulary.Colours.Length; colour++)
        {
            var pictures = DrawnVocabulary
                .Kinds.Select(
                    (_, kind) =>
                    {
                        studio.Draw(kind, colour, Seed, out var image);
                        return (byte[])image.Pixels.Clone();
                    }
                )
                .ToList();
            for (var one = 0; one < pictures.Count; one++)
            for (var other = 0; other < one; other++)
            {
                var difference = MeanDifference(pictures[one], pictures[other]);
                Assert.True(
                    difference > 1.5,
                    $"{DrawnVocabulary.KindNames[one]} and {DrawnVocabulary.KindNames[other]} in "
                        + $"{DrawnVocabulary.ColourNames[colour]} differ by {difference:F2} of 255."
                );
            }
        }
    }

    [Fact]
    public void No_two_colours_look_alike_on_the_same_kind()
    {
        var means = DrawnVocabulary.Colours.Select(colour => Centre(colour.Range)).ToList();
        for (var one = 0; one < means.Count; one++)
        for (var other = 0; other < one; other++)
            Assert.True(
                Distance(means[one], means[other]) > 60,
                $"{DrawnVocabulary.ColourNames[one]} and {DrawnVocabulary.ColourNames[other]}"
            );
    }

    [Fact]
    public void Poses_sizes_counts_and_backdrops_all_occur()
    {
        var scenes = DrawnDataset.Details(DrawnSplit.Pretrain, 600, seed: 0).Select(detail => detail.Scene).ToList();
        Assert.Equal([1, 2, 3], scenes.Select(scene => scene.Count).Distinct().Order());
        Assert.Equal(Enum.GetValues<Backdrop>(), scenes.Select(scene => scene.Backdrop).Distinct().Order());
        Assert.Equal(Enum.GetValues<Tilt>(), scenes.Select(scene => scene.Tilt).Distinct().Order());
        Assert.Equal(Enum.GetValues<LiT.Drawings.Place>(), scenes.Select(scene => scene.Place).Distinct().Order());
        Assert.Equal(Enum.GetValues<Extent>(), scenes.Select(scene => scene.Extent).Distinct().Order());
        Assert.Equal(DrawnVocabulary.Kinds.Length, scenes.Select(scene => scene.Kind).Distinct().Count());
        Assert.InRange(scenes.Count(scene => scene.DarkBackdrop), 60, 300);
    }

    [Fact]
    public void The_png_is_the_picture_without_loss()
    {
        var drawing = DrawnDataset.Draw(DrawnSplit.Test, 3, seed: 0).Last();
        var decoded = Decoding.Decode(drawing.EncodePng());
        Assert.Equal((DrawnDataset.ImageSize, DrawnDataset.ImageSize), (decoded.Width, decoded.Height));
        Assert.Equal(drawing.Image.Pixels, decoded.Pixels);
    }

    private static double ShareNear(RgbImage image, int colour)
    {
        var centre = Centre(DrawnVocabulary.Colours[colour].Range);
        var near = 0;
        for (var i = 0; i < image.Pixels.Length; i += 3)
            if (Distance(centre, (image.Pixels[i], image.Pixels[i + 1], image.Pixels[i + 2])) < 60)
                near++;
        return near / (double)(image.Width * image.Height);
    }

    private static (int R, int G, int B) Centre(ColourRange range)
    {
        var colour = SkiaSharp.SKColor.FromHsl(
            ((range.HueLow + range.HueHigh) / 2 + 360) % 360,
            (range.SaturationLow + range.SaturationHigh) / 2,
            (range.LightLow + range.LightHigh) / 2
        );
        return (colour.Red, colour.Green, colour.Blue);
    }

    private static double Distance((int R, int G, int B) a, (int R, int G, int B) b) =>
        Math.Sqrt(Math.Pow(a.R - b.R, 2) + Math.Pow(a.G - b.G, 2) + Math.Pow(a.B - b.B, 2));

    private static double MeanDifference(byte[] one, byte[] other)
    {
        long sum = 0;
        for (var i = 0; i < one.Length; i++)
            sum += Math.Abs(one[i] - other[i]);
        return sum / (double)one.Length;
    }
}
