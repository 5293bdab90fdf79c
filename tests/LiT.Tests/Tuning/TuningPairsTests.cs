using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;

namespace LiT.Tests.Tuning;

public class TuningPairsTests
{
    private static TuningPairs Pairs(int images = 40, long seed = 3) =>
        new(new TinyRun.Directions(images), TinyRun.Captions, TinyRun.Tokenizer(), seed);

    [Fact]
    public void Every_epoch_sees_every_image_once()
    {
        var pairs = Pairs();
        for (var epoch = 0; epoch < 3; epoch++)
        {
            var seen = Enumerable.Range(epoch * 5, 5).SelectMany(step => pairs.Draw(step, 8).Images).ToList();
            Assert.Equal(Enumerable.Range(0, 40), seen.Order());
        }
    }

    [Fact]
    public void A_step_is_drawn_alike_whatever_was_drawn_before_it()
    {
        var inOrder = Pairs();
        var drawn = Enumerable.Range(0, 12).Select(step => inOrder.Draw(step, 7)).ToList();
        foreach (var step in new[] { 11, 0, 5, 6, 6, 3 })
        {
            var alone = Pairs().Draw(step, 7);
            Assert.Equal(drawn[step].Images, alone.Images);
            Assert.Equal(drawn[step].Rows, alone.Rows);
            Assert.Equal(drawn[step].Epochs, alone.Epochs);
            Assert.Equal(alone.Rows, inOrder.Draw(step, 7).Rows);
        }
        Assert.NotEqual(drawn[0].Images, Pairs(seed: 4).Draw(0, 7).Images);
    }

    [Fact]
    public void Several_captions_of_an_image_take_turns()
    {
        var pairs = Pairs();
        var captionsOfImage8 = Enumerable
            .Range(0, 4)
            .Select(epoch =>
                Enumerable
                    .Range(epoch * 5, 5)
                    .Select(step => pairs.Draw(step, 8))
                    .SelectMany(drawn => drawn.Images.Zip(drawn.Rows))
                    .Single(pair => pair.First == 8)
                    .Second
            )
            .ToList();
        Assert.NotEqual(captionsOfImage8[0], captionsOfImage8[1]);
        Assert.Equal(captionsOfImage8[0], captionsOfImage8[2]);
        Assert.Equal(captionsOfImage8[1], captionsOfImage8[3]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(1)]
    public void A_share_of_the_pairs_borrows_the_caption_of_a_picture_that_looks_alike(double share)
    {
        // Pictures are six directions; every picture's caption is its own, so that one sees whose a caption is.
        const int Count = 60;
        string[] words = ["red", "green", "blue", "dark", "never", "seen", "thing", "a"];
        string Own(int image) => $"{words[image % 8]} {words[image / 8]}";
        TuningPairs own = new(new TinyRun.Directions(Count), image => [Own(image)], TinyRun.Tokenizer(), 3);
        var pairs = own.Borrowing(share, count: 5);
        var ownRow = Enumerable
            .Range(0, Count / 10)
            .Select(step => own.Draw(step, 10))
            .SelectMany(drawn => drawn.Images.Zip(drawn.Rows))
            .ToDictionary(pair => pair.First, pair => pair.Second);
        var of = ownRow.ToDictionary(pair => pair.Value, pair => pair.Key);
        const int Epochs = 40;
        var borrowed = 0;
        for (var step = 0; step < Epochs * Count / 10; step++)
        {
            var drawn = pairs.Draw(step, 10);
            Assert.Equal(own.Draw(step, 10).Images, drawn.Images);
            foreach (var (image, row) in drawn.Images.Zip(drawn.Rows).Where(pair => ownRow[pair.First] != pair.Second))
            {
                Assert.Equal(image % 6, of[row] % 6); // it looks alike
                borrowed++;
            }
        }
        Assert.Equal(share, borrowed / (double)(Epochs * Count), 0.03);
        Assert.Equal(pairs.Draw(7, 10).Rows, own.Borrowing(share, count: 5).Draw(7, 10).Rows);
    }

    [Fact]
    public void Captions_that_the_tower_cannot_tell_apart_are_one()
    {
        string[][] captions =
        [
            ["a red thing"],
            ["A red thing"],
            ["a never thing"],
            ["a red thing", "blue"],
        ];
        var pairs = new TuningPairs(new TinyRun.Directions(4), image => captions[image], TinyRun.Tokenizer(), 0);
        Assert.Equal((4, 5, 4, 3), (pairs.Count, pairs.Captions, pairs.DistinctTexts, pairs.DistinctRows));
        Assert.Equal((4 * 4 + 2) / 5.0, pairs.MeanLength, 12);
    }

    [Fact]
    public void A_row_is_what_the_tokenizer_gives_with_its_padding_and_without()
    {
        string[] captions = ["a red thing", "blue", "", "never seen a red thing, blue or green", "blue"];
        var tokenizer = TinyRun.Tokenizer();
        var pairs = new TuningPairs(new TinyRun.Directions(5), image => [captions[image]], tokenizer, 0);
        var drawn = pairs.Draw(0, 5);
        foreach (var (image, row) in drawn.Images.Zip(drawn.Rows))
        {
            var expected = new long[tokenizer.Layout.Length];
            tokenizer.Rows([captions[image]], expected);
            Assert.Equal(expected.Select(id => (int)id), pairs.Tokens(row));
            Assert.Equal(pairs.Tokens(row)[..pairs.LengthOf(row)], pairs.Written(row));
            Assert.All(pairs.Tokens(row)[pairs.LengthOf(row)..], id => Assert.Equal(pairs.Padding, id));
        }
        Assert.Equal(4, pairs.DistinctRows);
    }

    [Fact]
    public void Images_without_a_caption_are_left_out_and_none_with_one_is_an_error()
    {
        var pairs = new TuningPairs(
            new TinyRun.Directions(10),
            image => image % 3 == 0 ? [] : ["red"],
            TinyRun.Tokenizer(),
            0
        );
        Assert.Equal((6, 4), (pairs.Count, pairs.WithoutCaption));
        Assert.DoesNotContain(pairs.Draw(0, 6).Images, image => image % 3 == 0);
        Assert.Contains(
            "None of the 10 images",
            Assert
                .Throws<LitException>(() =>
                    new TuningPairs(new TinyRun.Directions(10), _ => [], TinyRun.Tokenizer(), 0)
                )
                .Message
        );
    }

    [Fact]
    public void Ids_that_no_caption_uses_are_known()
    {
        var tokenizer = TinyRun.Tokenizer();
        Assert.Equal(["[UNK]", "never", "seen"], Pairs().Foreign.Select(tokenizer.Tokenizer.PieceOf));
    }

    [Theory]
    [InlineData(400, 600, 64)] // never fewer steps than 600
    [InlineData(900, 1125, 64)] // 80 epochs while there are few
    [InlineData(3_000, 1875, 128)]
    [InlineData(20_000, 625, 256)] // 8 where an epoch is long enough
    public void The_length_of_a_run_fits_the_data(int images, long steps, int batch)
    {
        var (options, reasons) = UsualOptions.For(Pairs(images));
        Assert.Equal((steps, batch), (options.Steps, options.Batch));
        Assert.Contains(reasons, reason =>
            reason.Setting == "Steps"
            && reason.Words.Contains($"{Math.Round(steps * (double)batch / images)} epochs", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData(3_000, 1, 1875)]
    [InlineData(3_000, 2, 3750)]
    [InlineData(3_000, 15, 5625)] // no more than three times as long
    [InlineData(20_000, 15, 625)]
    public void Languages_that_share_the_steps_of_small_data_get_more_of_them(int images, int languages, long steps)
    {
        var (options, reasons) = UsualOptions.For(Pairs(images), languages: languages);

        Assert.Equal(steps, options.Steps);
        Assert.Equal(
            languages > 1,
            reasons.Any(one => one.Words.EndsWith($"which {languages} languages share", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData(40)]
    [InlineData(500)]
    [InlineData(20_000)]
    public void Defaults_fit_the_data_and_are_explained(int images)
    {
        var pairs = Pairs(images);
        var (options, reasons) = UsualOptions.For(pairs);
        options.Check(pairs.Count);
        Assert.Contains(reasons, reason =>
            reason.Setting == "Batch" && reason.Words.Contains($"batch {options.Batch}", StringComparison.Ordinal)
        );
        Assert.All(reasons, reason =>
            Assert.True(reason.Words.Length > 10 && !reason.Words.Contains('\n', StringComparison.Ordinal))
        );
        Assert.Equal(32, UsualOptions.For(pairs, batch: 32).Options.Batch);
    }
}
