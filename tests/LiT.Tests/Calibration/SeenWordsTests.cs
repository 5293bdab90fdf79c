using LiT.Classification;

namespace LiT.Tests.Calibration;

public class SeenWordsTests
{
    private static readonly SeenWords Seen = SeenWords.Of(["A red Bicycle, outside!", "zwei_Katzen", "猫が好き"])!;

    [Theory]
    [InlineData("a bicycle")]
    [InlineData("RED, katzen")] // as prompts are written: lower case, no punctuation
    [InlineData("好猫")] // letters, where no spaces stand between words
    [InlineData("")]
    public void Words_that_a_caption_had_are_seen(string text) => Assert.Empty(Seen.Missing(text));

    [Theory]
    [InlineData("a qwerty bicycle", "qwerty")]
    [InlineData("bicycles", "bicycles")] // another word, though all its pieces were seen
    [InlineData("qwerty and qwerty", "qwerty", "and")]
    [InlineData("猫犬", "犬")]
    public void Other_words_are_named_once(string text, params string[] missing) =>
        Assert.Equal(missing, Seen.Missing(text));

    [Fact]
    public void They_are_kept_in_a_bundle_and_joined_with_those_of_the_run_before()
    {
        var folder = Directory.CreateTempSubdirectory("lit-test-").FullName;
        try
        {
            Assert.Null(SeenWords.Load(folder));
            SeenWords.Of(["a dog"], Seen)!.Write(folder);
            Assert.Empty(SeenWords.Load(folder)!.Missing("a red dog"));
            Assert.Equal(["blue"], SeenWords.Load(folder)!.Missing("a blue dog"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
