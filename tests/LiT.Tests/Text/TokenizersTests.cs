using LiT.Text;

namespace LiT.Tests.Text;

public class TokenizersTests
{
    private static readonly string Vocabulary = TokenizerFixture.Reference("tokenizer_wordpiece/vocab.txt");
    private static readonly string Model = TokenizerFixture.Reference("tokenizer_sentencepiece/unigram_t5.model");

    [Fact]
    public void A_file_is_opened_by_what_it_is()
    {
        using var folder = new TemporaryFolder();
        Assert.IsType<WordPiece>(Tokenizers.Open(Vocabulary));
        Assert.IsType<SentencePiece>(Tokenizers.Open(Model));
        Assert.IsType<ClipTokenizer>(Tokenizers.Open(TokenizerFixture.PathOf("clip/vocab.json")));
        Assert.IsType<HuggingFaceTokenizer>(Tokenizers.Open(TokenizerFixture.WriteHuggingFace("t5", folder.Path)));
    }

    [Fact]
    public void A_folder_is_opened_by_the_most_telling_file_in_it()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("has no tokenizer", Assert.Throws<LitException>(() => Tokenizers.Open(folder.Path)).Message);
        File.Copy(Vocabulary, folder["vocab.txt"]);
        Assert.IsType<WordPiece>(Tokenizers.Open(folder.Path));
        File.Copy(Model, folder["spiece.model"]);
        Assert.IsType<SentencePiece>(Tokenizers.Open(folder.Path));
        TokenizerFixture.WriteHuggingFace("t5", folder.Path);
        Assert.IsType<HuggingFaceTokenizer>(Tokenizers.Open(folder.Path));
    }

    [Fact]
    public void A_vocabulary_without_capitals_is_for_lower_case()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllLines(folder["vocab.txt"], ["[UNK]", "cat"]);
        Assert.True(Assert.IsType<WordPiece>(Tokenizers.Open(folder.Path)).LowerCase);
        File.WriteAllLines(folder["vocab.txt"], ["[UNK]", "cat", "Cat"]);
        Assert.False(Assert.IsType<WordPiece>(Tokenizers.Open(folder.Path)).LowerCase);
    }

    [Fact]
    public void A_Hugging_Face_configuration_says_case_and_rules()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllLines(folder["vocab.txt"], ["[UNK]", "cat"]);
        Assert.Equal(WordPieceRules.TensorFlowText, Assert.IsType<WordPiece>(Tokenizers.Open(folder.Path)).Rules);
        File.WriteAllText(folder["tokenizer_config.json"], """{"do_lower_case": false}""");
        var tokenizer = Assert.IsType<WordPiece>(Tokenizers.Open(folder.Path));
        Assert.Equal(WordPieceRules.BertRepository, tokenizer.Rules);
        Assert.False(tokenizer.LowerCase);
    }

    [Theory]
    [InlineData("nothing.txt", "there is no such file")]
    [InlineData("picture.png", "of no known form")]
    public void What_cannot_be_opened_is_said(string name, string expected)
    {
        using var folder = new TemporaryFolder();
        if (name != "nothing.txt")
            File.WriteAllText(folder[name], "x");
        Assert.Contains(expected, Assert.Throws<LitException>(() => Tokenizers.Open(folder[name])).Message);
    }

    [Fact]
    public void A_vocabulary_without_an_unknown_piece_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllLines(folder["vocab.txt"], ["cat"]);
        Assert.Contains(
            "no line is [UNK]",
            Assert.Throws<LitException>(() => Tokenizers.Open(folder["vocab.txt"])).Message
        );
    }

    [Fact]
    public void A_vocabulary_that_is_not_UTF_8_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["vocab.txt"], [.. "[UNK]\n"u8, 0xE9, (byte)'\n']);
        Assert.Contains(
            "byte 6 is not UTF-8",
            Assert.Throws<LitException>(() => Tokenizers.Open(folder["vocab.txt"])).Message
        );
    }
}
