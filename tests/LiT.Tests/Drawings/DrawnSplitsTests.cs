using LiT.Drawings;

namespace LiT.Tests.Drawings;

public class DrawnSplitsTests
{
    /// <summary>More than the committed tower was trained on.</summary>
    private const int MostPictures = 30_000;

    /// <summary>More than quickstart draws of one split.</summary>
    private const int MostPairs = 9_000;

    [Fact]
    public void No_two_pictures_of_any_split_or_seed_start_from_the_same_state()
    {
        var states = new HashSet<ulong>();
        foreach (var seed in new[] { 0, 1, 2, 77, DrawnDataset.LargestSeed })
        foreach (var split in Enum.GetValues<DrawnSplit>())
            for (var index = 0; index < 3000; index++)
            {
                var state = DrawnDataset.StateOf(split, index, seed);
                Assert.True(states.Add(state));
                // The mixing can be undone, so seed, split and number can be read back: equal states are equal pictures.
                Assert.Equal(((ulong)seed << 35) | ((ulong)split << 32) | (uint)index, Unmixed(state));
            }
    }

    [Fact]
    public void Pictures_of_different_splits_are_different()
    {
        var seen = new Dictionary<string, DrawnSplit>();
        foreach (var split in Enum.GetValues<DrawnSplit>())
        foreach (var drawing in DrawnDataset.Draw(split, 400, seed: 0))
        {
            var pixels = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(drawing.Image.Pixels));
            if (seen.TryGetValue(pixels, out var other))
                Assert.Equal(split, other);
            else
                seen.Add(pixels, split);
        }
    }

    [Fact]
    public void The_held_out_compositions_take_one_colour_of_each_kind_and_as_many_kinds_of_each_colour()
    {
        var colours = Enumerable.Range(0, DrawnVocabulary.Kinds.Length).Select(DrawnVocabulary.HeldOutColour).ToList();
        Assert.Equal(DrawnVocabulary.Kinds.Length, DrawnVocabulary.HeldOutCompositions.Distinct().Count());
        Assert.Equal(48 * 12, DrawnVocabulary.AllCompositions.Distinct().Count());
        Assert.Subset(DrawnVocabulary.AllCompositions.ToHashSet(), DrawnVocabulary.HeldOutCompositions.ToHashSet());
        Assert.All(colours.GroupBy(colour => colour), group =>
            Assert.Equal(DrawnVocabulary.Kinds.Length / 12, group.Count())
        );
    }

    [Theory]
    [InlineData(DrawnSplit.Pretrain)]
    [InlineData(DrawnSplit.Pairs)]
    [InlineData(DrawnSplit.Val)]
    [InlineData(DrawnSplit.Test)]
    internal void No_held_out_composition_is_chosen_for_any_picture(DrawnSplit split)
    {
        var seen = new HashSet<(int Kind, int Colour)>();
        for (var index = 0; index < MostPictures; index++)
            seen.Add(DrawnDataset.Subject(split, DrawnDataset.StateOf(split, index, seed: 0)));
        Assert.DoesNotContain(seen, subject => DrawnVocabulary.IsHeldOut(subject.Colour, subject.Kind));
        Assert.Equal(48 * 11, seen.Count);
    }

    [Theory]
    [InlineData(DrawnSplit.Pretrain, 1_000)]
    [InlineData(DrawnSplit.Pairs, MostPairs)]
    [InlineData(DrawnSplit.Val, 1_000)]
    [InlineData(DrawnSplit.Test, 1_000)]
    internal void No_held_out_composition_is_drawn_or_written_about(DrawnSplit split, int count)
    {
        var heldOut = DrawnVocabulary.HeldOutCompositions.ToHashSet();
        foreach (var drawing in DrawnDataset.Draw(split, count, seed: 0))
        {
            Assert.False(drawing.HeldOut);
            Assert.DoesNotContain(drawing.Composition, heldOut);
            foreach (var caption in drawing.Captions)
            foreach (var kind in CaptionWords.KindsIn(caption))
                Assert.False(CaptionWords.ColoursIn(caption).Contains(DrawnVocabulary.HeldOutColour(kind)), caption);
        }
    }

    [Fact]
    public void The_compositions_split_shows_the_held_out_ones_only_and_all_of_them()
    {
        var drawings = DrawnDataset.Draw(DrawnSplit.Compositions, 600, seed: 0).ToList();
        Assert.All(drawings, drawing => Assert.True(drawing.HeldOut && drawing.Label == drawing.Composition));
        Assert.Equal(
            DrawnVocabulary.HeldOutCompositions.Order(),
            drawings.Select(drawing => drawing.Label).Distinct().Order()
        );
    }

    private static ulong Unmixed(ulong z)
    {
        z = UndoShift(z, 31) * Inverse(0x94D049BB133111EB);
        z = UndoShift(z, 27) * Inverse(0xBF58476D1CE4E5B9);
        return UndoShift(z, 30);

        static ulong UndoShift(ulong z, int bits)
        {
            var result = z;
            for (var i = bits; i < 64; i += bits)
                result = z ^ (result >> bits);
            return result;
        }

        static ulong Inverse(ulong odd)
        {
            var inverse = odd; // Newton: correct bits double each time
            for (var i = 0; i < 6; i++)
                inverse *= unchecked(2 - odd * inverse);
            return inverse;
        }
    }
}
