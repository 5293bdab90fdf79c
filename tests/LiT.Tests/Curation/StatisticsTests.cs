using LiT.Curation;
using LiT.Data;
using LiT.Reports;
using LiT.Text;

namespace LiT.Tests.Curation;

public sealed class StatisticsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Counts_sizes_lengths_duplicates_languages_and_what_is_cut()
    {
        var tar = Sets.Tar(
            folder,
            "in.tar",
            [
                ("a", "a dog on the beach\nein Hund und eine Katze", Sets.Picture(1)),
                ("b", "A dog, on the beach!", Sets.Picture(1)),
                ("c", null, Sets.Picture(2, 80, 64)),
                ("d", "one two three four five six seven eight nine ten", [0xff, 0xd8, 0xff, 0]),
                ("e", " ", Sets.Picture(3)),
            ]
        );
        File.WriteAllLines(folder["vocab.txt"], ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "dog", "on", "the", "beach"]);
        var tokenizer = CaptionTokenizer.LitBert(Tokenizers.Open(folder["vocab.txt"]), 6);

        var of = StatisticsRun.Run(
            Samples.Open(tar),
            tokenizer,
            withExamples: true,
            cancel: TestContext.Current.CancellationToken
        );

        Assert.Equal((5, 4, 1, 0), (of.Found, of.Used, of.Skipped, of.Noted));
        Assert.Equal(new Named("empty caption", 1), Assert.Single(of.SkippedBecause));
        Assert.Equal((1, 1), (of.UnreadablePictures, of.DuplicatePictures));
        Assert.Equal([new("Png", 3), new("Jpeg", 1)], of.Formats);
        Assert.Equal((30, 64, 3), (of.ShorterSide!.Least, of.ShorterSide.Most, of.ShorterSide.Count));
        Assert.Equal((4, 1, 1), (of.Captions, of.DuplicateCaptions, of.WithoutCaption));
        Assert.Equal(new Named("A dog, on the beach!", 2), Assert.Single(of.FrequentCaptions));
        Assert.Equal((5, 10), (of.Words!.Least, of.Words.Most));
        Assert.Contains(new Named("German", 1), of.Languages);
        Assert.Equal((6, 2), (of.Tokens!.Length, of.Tokens.Truncated));
        Assert.Equal(3, of.Examples.Count);
        Assert.Contains("<svg", StatisticsReport.Build(of).Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void Quantiles_of_large_numbers_are_right_to_two_percent()
    {
        var tally = new Tally();
        for (var i = 1; i <= 100_000; i++)
            tally.Add(i);
        Assert.Equal((1, 100_000, 100_000), (tally.Result!.Least, tally.Result.Most, tally.Result.Count));
        Assert.InRange(tally.Result.Median, 49_000, 51_000);
        Assert.InRange(tally.Result.Percent95, 93_100, 96_900);
        Assert.Equal(100_000, tally.Between(10, 200, 3000).Sum(range => range.Count));
    }
}
