using System.Text.RegularExpressions;
using LiT.Drawings;

namespace LiT.Tests.Drawings;

public class CaptionGrammarTests
{
    private static readonly Lazy<List<DrawnDetail>> Pairs = new(() =>
        [.. DrawnDataset.Details(DrawnSplit.Pairs, 6000, seed: 0)]
    );

    private static List<Caption> Captions => [.. Pairs.Value.SelectMany(detail => detail.Captions)];

    [Fact]
    public void No_word_stands_for_two_kinds_or_two_colours()
    {
        var nouns = DrawnVocabulary.Kinds.SelectMany(kind => kind.Nouns.Select(noun => noun.One)).ToList();
        Assert.Equal(nouns.Count, nouns.Distinct().Count());
        for (var kind = 0; kind < DrawnVocabulary.Kinds.Length; kind++)
            foreach (var noun in DrawnVocabulary.Kinds[kind].Nouns)
            {
                Assert.Equal([kind], CaptionWords.KindsIn($"a {noun.One} here"));
                Assert.Equal([kind], CaptionWords.KindsIn($"two {noun.Many} here"));
                Assert.Empty(CaptionWords.ColoursIn($"{noun.One} {noun.Many}"));
            }
        for (var colour = 0; colour < DrawnVocabulary.Colours.Length; colour++)
            foreach (var word in DrawnVocabulary.Colours[colour].Words)
                Assert.Equal([colour], CaptionWords.ColoursIn($"something {word}"));
    }

    [Fact]
    public void Phrasings_and_tags_name_no_kind_and_no_colour()
    {
        foreach (
            var text in CaptionGrammar
                .Frames.Concat(CaptionGrammar.Tags)
                .Concat(CaptionGrammar.Nothings)
                .Concat(DrawnVocabulary.Templates)
        )
        {
            Assert.True(CaptionWords.KindsIn(text).Count == 0, text);
            Assert.True(CaptionWords.ColoursIn(text).Count == 0, text);
        }
    }

    [Fact]
    public void Captions_say_what_their_bond_says()
    {
        foreach (var detail in Pairs.Value)
        foreach (var caption in detail.Captions)
        {
            var (kinds, colours) = (CaptionWords.KindsIn(caption.Text), CaptionWords.ColoursIn(caption.Text));
            Assert.Equal((caption.NamesKind ? 1 : 0, caption.NamesColour ? 1 : 0), (kinds.Count, colours.Count));
            if (caption.Bond == CaptionBond.True)
            {
                if (caption.NamesKind)
                    Assert.Equal(detail.Scene.Kind, kinds[0]);
                if (caption.NamesColour)
                    Assert.Equal(detail.Scene.Colour, colours[0]);
            }
            if (caption.Bond == CaptionBond.Wrong && caption.NamesKind)
                Assert.NotEqual(detail.Scene.Kind, kinds[0]);
        }
    }

    [Fact]
    public void Faults_are_as_frequent_as_on_the_web()
    {
        Assert.InRange(Share(caption => caption.Bond == CaptionBond.Wrong), .055, .085);
        Assert.InRange(Share(caption => caption.Bond == CaptionBond.Empty), .03, .05);
        Assert.InRange(Share(caption => caption is { NamesKind: true, NamesColour: false }), .16, .23);
        Assert.InRange(Share(caption => caption is { NamesKind: false, NamesColour: true }), .04, .08);
        Assert.InRange(Share(caption => caption.Bond == CaptionBond.True), .85, .92);

        static double Share(Func<Caption, bool> holds) => Captions.Count(holds) / (double)Captions.Count;
    }

    [Fact]
    public void Some_pictures_come_twice_with_other_words_and_some_words_with_other_pictures()
    {
        var repeats = Pairs.Value.Where(detail => detail.Repeats is not null).ToList();
        Assert.InRange(repeats.Count / (double)Pairs.Value.Count, .02, .04);
        Assert.All(repeats.Where(detail => Pairs.Value[detail.Repeats!.Value].Repeats is null), detail =>
            Assert.Equal(Pairs.Value[detail.Repeats!.Value].Drawing.Image.Pixels, detail.Drawing.Image.Pixels)
        );
        var sameWords = Captions
            .GroupBy(caption => caption.Text)
            .Where(group => group.Count() > 1)
            .Sum(group => group.Count());
        Assert.InRange(sameWords / (double)Captions.Count, .04, .4);
    }

    [Fact]
    public void Pictures_have_one_to_three_captions_in_more_than_a_dozen_phrasings()
    {
        Assert.Equal([1, 2, 3], Pairs.Value.Select(detail => detail.Captions.Count).Distinct().Order());
        Assert.InRange(Captions.Count / (double)Pairs.Value.Count, 1.4, 1.65);
        var openings = Captions
            .Where(caption => caption.Bond == CaptionBond.True)
            .Select(caption => CaptionWords.Normal(caption.Text).Split(' ')[1])
            .GroupBy(word => word)
            .Count(group => group.Count() > 50);
        Assert.True(openings > 12, $"{openings} frequent openings");
    }

    [Fact]
    public void Every_name_and_every_synonym_is_used()
    {
        var all = string.Concat(Captions.Select(caption => CaptionWords.Normal(caption.Text)));
        foreach (
            var word in DrawnVocabulary
                .Kinds.SelectMany(kind => kind.Nouns.Select(noun => noun.One))
                .Concat(DrawnVocabulary.Colours.SelectMany(colour => colour.Words))
        )
            Assert.Contains(CaptionWords.Normal(word), all);
    }

    [Fact]
    public void The_templates_of_the_zero_shot_test_never_occur_in_a_caption()
    {
        var patterns = DrawnVocabulary
            .Templates.Select(template => new Regex(
                Regex
                    .Escape(CaptionWords.Normal(template.Replace("{}", "qqq")))
                    .Replace("qqq", ".+")
                    .Replace("\\ a\\ ", "\\ (a|an|the)\\ ")
            ))
            .ToList();
        Assert.All(patterns.Zip(DrawnVocabulary.Templates), one =>
            Assert.Matches(one.First, CaptionWords.Normal(one.Second.Replace("{}", "green cat")))
        );
        foreach (var split in new[] { DrawnSplit.Pairs, DrawnSplit.Val, DrawnSplit.Test, DrawnSplit.Compositions })
        foreach (
            var caption in DrawnDataset
                .Draw(split, split == DrawnSplit.Pairs ? 6000 : 500, seed: 0)
                .SelectMany(drawing => drawing.Captions)
        )
            Assert.All(patterns, pattern => Assert.DoesNotMatch(pattern, CaptionWords.Normal(caption)));
        foreach (var frame in CaptionGrammar.Frames)
            Assert.All(patterns, pattern =>
                Assert.DoesNotMatch(
                    pattern,
                    CaptionWords.Normal(frame.Replace("{np}", "a green cat").Replace("{bare}", "green cat"))
                )
            );
    }

    [Theory]
    [InlineData(DrawnSplit.Val)]
    [InlineData(DrawnSplit.Test)]
    [InlineData(DrawnSplit.Compositions)]
    internal void Captions_to_measure_with_are_true_and_name_kind_and_colour(DrawnSplit split)
    {
        foreach (var detail in DrawnDataset.Details(split, 500, seed: 0))
        foreach (var caption in detail.Drawing.Captions)
        {
            Assert.Equal([detail.Scene.Kind], CaptionWords.KindsIn(caption));
            Assert.Equal([detail.Scene.Colour], CaptionWords.ColoursIn(caption));
        }
    }

    [Fact]
    public void Pretraining_has_no_captions() =>
        Assert.All(DrawnDataset.Draw(DrawnSplit.Pretrain, 50, seed: 0), drawing => Assert.Empty(drawing.Captions));
}
