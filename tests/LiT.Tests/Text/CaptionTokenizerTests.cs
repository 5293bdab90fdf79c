using System.Text.Json;
using LiT.Text;

namespace LiT.Tests.Text;

public class CaptionTokenizerTests
{
    private static readonly WordPiece Words = new(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "cat", "dog", "##s", "Cat"],
        lowerCase: false
    );

    [Theory]
    [InlineData("a cat", new long[] { 2, 4, 5, 0, 0 }, false)]
    [InlineData("a cat a dog", new long[] { 2, 4, 5, 4, 6 }, false)]
    [InlineData("a cat a dogs", new long[] { 2, 4, 5, 4, 6 }, true)]
    [InlineData("", new long[] { 2, 0, 0, 0, 0 }, false)]
    public void Rows_of_LiT_with_BERT_begin_with_CLS_and_have_no_SEP(string caption, long[] expected, bool cut)
    {
        Assert.Equal(expected, CaptionTokenizer.LitBert(Words, length: 5).Row(caption, out var truncated));
        Assert.Equal(cut, truncated);
    }

    [Theory]
    [InlineData("a cat", new long[] { 4, 5, 3, 0 }, false)]
    [InlineData("a cat a", new long[] { 4, 5, 4, 3 }, false)]
    [InlineData("a cat a dog", new long[] { 4, 5, 4, 3 }, true)]
    public void A_sticky_end_keeps_the_last_place(string caption, long[] expected, bool cut)
    {
        Assert.Equal(
            expected,
            new CaptionTokenizer(Words, TokenLayout.Sticky(end: 3, length: 4, pad: 0)).Row(caption, out var truncated)
        );
        Assert.Equal(cut, truncated);
    }

    [Fact]
    public void An_end_that_is_not_sticky_is_lost_when_the_text_fills_the_row()
    {
        var layout = new TokenLayout(3, null, 3, 0, StickyEnd: false);
        Assert.Equal([4, 5, 3], layout.Row([4, 5], out _));
        Assert.Equal([4, 5, 6], layout.Row([4, 5, 6], out _));
    }

    [Fact]
    public void Case_is_lowered_for_ASCII_only_and_only_when_asked()
    {
        var layout = TokenLayout.LitBert(start: 2, length: 3);
        Assert.Equal([2, 8, 0], new CaptionTokenizer(Words, layout).Row("Cat", out _));
        Assert.Equal([2, 5, 0], new CaptionTokenizer(Words, layout, CaptionCase.AsciiLower).Row("CAT", out _));
    }

    [Fact]
    public void Many_captions_fill_one_buffer_and_are_counted()
    {
        var rows = new long[3 * 4];
        var counts = CaptionTokenizer.LitBert(Words, length: 4).Rows(["a cat", "zebra", "a cat a dog"], rows);
        Assert.Equal(
            [
                2,
                4,
                5,
                0, /**/
                2,
                1,
                0,
                0, /**/
                2,
                4,
                5,
                4,
            ],
            rows
        );
        Assert.Equal(new CaptionCounts(Captions: 3, Truncated: 1, Pieces: 7, Unknown: 1), counts);
        Assert.Equal(counts, CaptionTokenizer.LitBert(Words, length: 4).Count(["a cat", "zebra", "a cat a dog"]));
    }

    [Fact]
    public void A_layout_with_ids_that_the_vocabulary_lacks_is_refused()
    {
        Assert.Contains(
            "end id 9",
            Assert.Throws<LitException>(() => new CaptionTokenizer(Words, TokenLayout.Sticky(end: 9))).Message
        );
        Assert.Contains(
            "needs a place",
            Assert.Throws<LitException>(() => new CaptionTokenizer(Words, TokenLayout.LitBert(2, length: 0))).Message
        );
    }

    [Theory]
    [InlineData("wordpiece")]
    [InlineData("sentencepiece")]
    [InlineData("clip")]
    [InlineData("huggingface")]
    public void A_tokenizer_comes_back_from_a_bundle_as_it_went_in(string kind)
    {
        using var folder = new TemporaryFolder();
        using var bundle = new TemporaryFolder();
        var tokenizer = kind switch
        {
            "wordpiece" => WordPiece.Load(
                TokenizerFixture.Reference("tokenizer_wordpiece/vocab.txt"),
                WordPieceRules.BertRepository,
                lowerCase: false
            ),
            "sentencepiece" => SentencePiece.Load(TokenizerFixture.Reference("tokenizer_sentencepiece/bpe_lit.model")),
            "clip" => Tokenizers.Open(TokenizerFixture.PathOf("clip")),
            _ => Tokenizers.Open(TokenizerFixture.WriteHuggingFace("siglip", folder.Path)),
        };
        var saved = new CaptionTokenizer(tokenizer, TokenLayout.Sticky(end: 1), CaptionCase.AsciiLower);
        var json = JsonSerializer.Serialize(saved.Save(bundle.Path));
        var loaded = CaptionTokenizer.Load(bundle.Path, JsonSerializer.Deserialize<CaptionTokenizerDescription>(json)!);
        Assert.Equal(saved.Layout, loaded.Layout);
        Assert.Equal(saved.Case, loaded.Case);
        Assert.Equal(saved.Row("Zoë's FREE Software—中文!", out _), loaded.Row("Zoë's FREE Software—中文!", out _));
    }

    [Theory]
    [InlineData("../vocab.txt")]
    [InlineData("/etc/passwd")]
    [InlineData("")]
    public void A_description_that_points_out_of_its_bundle_is_refused(string file)
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<LitException>(() => CaptionTokenizer.Load(folder.Path, new(file, TokenLayout.Sticky(1))));
    }
}
