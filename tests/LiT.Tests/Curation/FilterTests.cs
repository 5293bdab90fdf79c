using LiT.Curation;
using LiT.Data;

namespace LiT.Tests.Curation;

public sealed class FilterTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Each_rule_has_its_victims_counted_and_shown()
    {
        var picture = Sets.Picture(1, 300, 220);
        var tar = Sets.Tar(
            folder,
            "in.tar",
            [
                ("good", "a brown dog on the beach\nDSC_0012.jpg", picture),
                ("short", "dog", Sets.Picture(2, 300, 220)),
                ("long", string.Join(' ', Enumerable.Repeat("word", 21)), Sets.Picture(3, 300, 220)),
                ("boiler", "Click to enlarge this image", Sets.Picture(4, 300, 220)),
                ("small", "a picture that is small", Sets.Picture(5, 300, 199)),
                ("thin", "a picture of a snake", Sets.Picture(6, 700, 210)),
                .. Enumerable
                    .Range(0, 3)
                    .Select(i =>
                        (
                            $"same{i}",
                            (string?)(i == 1 ? "Buy Now, while it lasts!" : "buy now while it lasts"),
                            Sets.Picture(7 + i, 300, 220)
                        )
                    ),
                ("broken", "a picture that is none", [1, 2, 3]),
                ("none", null, Sets.Picture(20, 300, 220)),
            ]
        );

        var result = DataSets.Filter(
            Samples.Open(tar),
            folder["out"],
            SampleForm.WebDataset,
            new FilterRules { MaxRepeats = 2, NeedsCaption = true },
            cancel: TestContext.Current.CancellationToken
        );

        Assert.Equal((11, 1, 10), (result.Counts.Found, result.Counts.Written, result.Counts.Rejected));
        Assert.Equal(
            [
                "unreadable 1 0",
                "too small 1 0",
                "too long and thin 1 0",
                "no caption 1 0",
                "boilerplate 1 2",
                "too short 1 1",
                "too long 1 1",
                "too frequent 3 3",
            ],
            result.Rules.Select(rule => $"{rule.Rule} {rule.Samples} {rule.Captions}")
        );
        Assert.Contains("long: 21 words", result.Rules[6].Examples[0], StringComparison.Ordinal);
        Assert.Equal(["a brown dog on the beach"], Assert.Single(Samples.Open(folder["out"]).Read(_ => { })).Captions);
        Assert.Equal(10, File.ReadLines(folder["out", "rejected.jsonl"]).Count());
        Assert.Contains(
            "\"rule\":\"too small\",\"how\":\"300 x 199\"",
            File.ReadAllText(folder["out", "rejected.jsonl"]),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Words_that_come_nowhere_else_are_rare()
    {
        var tar = Sets.Tar(
            folder,
            "in.tar",
            [
                .. Enumerable
                    .Range(0, 4)
                    .Select(i =>
                        ($"k{i}", (string?)(i == 3 ? "a small blorfle dog" : "a small dog here"), Sets.Picture(i))
                    ),
            ]
        );
        var rules = new FilterRules
        {
            MinSide = 0,
            MaxRepeats = 0,
            MinTokenCount = 2,
        };
        var result = DataSets.Filter(
            Samples.Open(tar),
            folder["out"],
            SampleForm.WebDataset,
            rules,
            cancel: TestContext.Current.CancellationToken
        );
        Assert.Equal("k3: blorfle, a small blorfle dog", Assert.Single(Assert.Single(result.Rules).Examples));
    }

    [Theory]
    [InlineData("a dog on the beach", 5)]
    [InlineData("  dog -- cat 🙂 ", 2)]
    [InlineData("沙滩上的一只棕色小狗", 5)]
    [InlineData("สุนัข", 3)]
    [InlineData("", 0)]
    public void Words_are_counted_in_scripts_with_and_without_blanks(string caption, int words) =>
        Assert.Equal(words, CaptionWords.Count(caption));

    [Theory]
    [InlineData("IMG_2041", "a file name")]
    [InlineData("beach-house_small.JPG", "a file name")]
    [InlineData("https://example.org/a", "an address")]
    [InlineData("Thumbnail", "thumbnail")]
    [InlineData("Share on Facebook: my holiday", "share on facebook")]
    [InlineData("!!!", "no word")]
    [InlineData("a photo of a thumbnail on a wall", null)]
    [InlineData("a logo design", null)]
    public void Boilerplate_is_told_from_captions(string caption, string? phrase) =>
        Assert.Equal(phrase, new Boilerplate().In(caption));

    [Theory]
    [InlineData("a dog on the beach", "English")]
    [InlineData("ein Hund und eine Katze auf dem Sofa", "German")]
    [InlineData("un chien sur la plage avec les enfants", "French")]
    [InlineData("собака лежит у моря под зонтом и не спит", "Russian")]
    [InlineData("海辺の犬", "Japanese")]
    [InlineData("海滩上的狗", "Chinese")]
    [InlineData("해변의 개", "Korean")]
    [InlineData("كلب على الشاطئ", "Arabic script")]
    [InlineData("Canon EOS", "Latin script, language not told")]
    [InlineData("12 / 7", "no letters")]
    public void Languages_are_told_by_script_and_short_words(string caption, string language) =>
        Assert.Equal(language, LiT.Curation.Languages.Of(caption));
}
