using LiT.Tuning.Contrastive;

namespace LiT.Tests.Tuning;

/// <summary>Captions of several sentences, and several captions of a picture at once.</summary>
public sealed class CaptionDrawsTests
{
    private const int Count = 40;

    private static readonly string[] Words = ["red", "green", "blue", "dark", "never", "seen", "thing", "a"];

    private static string[] Captions(int image) =>
        [string.Join('\n', Enumerable.Range(0, 3).Select(sentence => Said(image, sentence))), Said(image, 3)];

    private static string Said(int image, int sentence) => $"{Words[image % 8]} {Words[(image / 8 + sentence) % 8]}";

    private static TuningPairs Pairs(CaptionDraws? draws, int captions = 2) =>
        new(new TinyRun.Directions(Count), image => Captions(image)[..captions], TinyRun.Tokenizer(), 3, draws);

    [Theory]
    [InlineData("One sentence.", "One sentence.")]
    [InlineData("One. Two? Three", "One. Two? Three", "Two? Three", "One.", "Two?", "Three")]
    [InlineData("A dog, e.g. a poodle, of 3.5 kg.", "A dog, e.g. a poodle, of 3.5 kg.")]
    [InlineData("犬がいる。猫もいる。", "犬がいる。猫もいる。", "猫もいる。", "犬がいる。", "猫もいる。")]
    [InlineData(
        "first line\nsecond line\n\n",
        "first line\nsecond line\n\n",
        "second line",
        "first line",
        "second line"
    )]
    [InlineData("... !", "... !")]
    [InlineData("", "")]
    public void What_may_stand_in_a_captions_place(string caption, params string[] forms) =>
        Assert.Equal(forms, CaptionDraws.Forms(caption));

    [Fact]
    public void Whole_captions_are_drawn_as_ever()
    {
        var (plain, whole) = (Pairs(null), Pairs(CaptionDraws.Whole));
        Assert.Equal(plain.Fingerprint(), whole.Fingerprint());
        Assert.NotEqual(plain.Fingerprint(), Pairs(new(0.5, 0, 1)).Fingerprint());
        Assert.NotEqual(plain.Fingerprint(), Pairs(new(0, 0, 2)).Fingerprint());
        for (var step = 0; step < 12; step++)
            Assert.Equal(plain.Draw(step, 8).Rows, whole.Draw(step, 8).Rows);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, 0)]
    [InlineData(0, 0.5)]
    [InlineData(0.4, 0.5)]
    [InlineData(1, 1)]
    public void So_many_captions_show_one_sentence_and_so_many_of_the_others_lose_their_first(
        double sentences,
        double first
    )
    {
        const int Epochs = 50;
        var pairs = Pairs(new(sentences, first, 1), captions: 1);
        var tokenizer = TinyRun.Tokenizer();
        var counts = new int[3];
        HashSet<string> singles = [];
        for (var step = 0; step < Epochs * Count / 8; step++)
        {
            var drawn = pairs.Draw(step, 8);
            foreach (var (image, row) in drawn.Images.Zip(drawn.Rows))
            {
                var forms = CaptionDraws.Forms(Captions(image)[0]);
                var form = Enumerable.Range(0, forms.Count).First(i => Row(forms[i]).SequenceEqual(pairs.Tokens(row)));
                counts[Math.Min(form, 2)]++;
                if (form >= 2)
                    singles.Add($"{image} {form}");
            }
        }
        var all = (double)counts.Sum();
        Assert.Equal(sentences, counts[2] / all, 0.04);
        Assert.Equal((1 - sentences) * first, counts[1] / all, 0.04);
        if (sentences > 0)
            Assert.Equal(3 * Count, singles.Count); // each sentence of each picture has its turn

        IEnumerable<int> Row(string text)
        {
            var ids = new long[tokenizer.Layout.Length];
            tokenizer.Rows([text], ids);
            return ids.Select(id => (int)id);
        }
    }

    [Fact]
    public void A_step_is_drawn_alike_whatever_was_drawn_before_it()
    {
        CaptionDraws draws = new(0.5, 0.5, 2);
        var inOrder = Pairs(draws);
        var drawn = Enumerable.Range(0, 25).Select(step => inOrder.Draw(step, 8)).ToList();
        foreach (var step in new[] { 24, 0, 10, 9, 3 })
            Assert.Equal(drawn[step].Rows, Pairs(draws).Draw(step, 8).Rows);
        Assert.Equal(Pairs(draws).Fingerprint(), inOrder.Fingerprint());
    }

    [Fact]
    public void Captions_at_once_are_different_ones_of_one_picture_and_every_picture_comes_once_an_epoch()
    {
        var pairs = Pairs(new(0, 0, 2));
        for (var epoch = 0; epoch < 3; epoch++)
        {
            List<int> seen = [];
            for (var step = epoch * 10; step < (epoch + 1) * 10; step++)
            {
                var drawn = pairs.Draw(step, 8);
                for (var pair = 0; pair < 8; pair += 2)
                {
                    Assert.Equal(drawn.Images[pair], drawn.Images[pair + 1]);
                    Assert.Equal(drawn.Epochs[pair], drawn.Epochs[pair + 1]);
                    Assert.NotEqual(drawn.Rows[pair], drawn.Rows[pair + 1]);
                    seen.Add(drawn.Images[pair]);
                }
            }
            Assert.Equal(Enumerable.Range(0, Count), seen.Order());
        }
    }
}
