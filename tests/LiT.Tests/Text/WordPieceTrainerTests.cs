using LiT.Text;

namespace LiT.Tests.Text;

public class WordPieceTrainerTests
{
    private static readonly string[] Captions =
    [
        "a photo of a cat",
        "a photo of a dog",
        "A photo, of two cats!",
        "dogs and cats",
        "the café",
        "a cat 👍🏽 中文",
    ];

    [Fact]
    public void The_special_pieces_come_first_and_padding_is_id_0()
    {
        var tokenizer = Train(Captions);
        Assert.Equal(WordPieceTrainer.Specials, Enumerable.Range(0, 5).Select(tokenizer.PieceOf));
        Assert.Equal("[PAD]", tokenizer.PieceOf(0));
        Assert.Equal(1, tokenizer.UnknownId);
    }

    [Fact]
    public void The_most_frequent_pair_is_joined_first()
    {
        var tokenizer = Train(["abab abab abc"], new(Size: 12) { MinimumCount = 1 });
        // 5 special; a b c ##a ##b ##c; (a,##b) seen 3 times, before (##a,##b) and (##b,##a), seen twice.
        Assert.Equal(["a", "b", "c", "##a", "##b", "##c", "ab"], Enumerable.Range(5, 7).Select(tokenizer.PieceOf));
    }

    [Fact]
    public void Frequent_words_become_one_piece()
    {
        var tokenizer = Train(Captions);
        Assert.Equal(["a", "photo", "of", "a", "cat"], tokenizer.Encode("A photo of a CAT").Select(tokenizer.PieceOf));
    }

    [Fact]
    public void Every_word_made_of_characters_that_were_seen_has_pieces()
    {
        var tokenizer = Train(Captions, new(Size: 60));
        Assert.DoesNotContain(tokenizer.UnknownId!.Value, tokenizer.Encode("ntgsd atac éo! 文中 🏽👍 ,"));
        Assert.Contains(tokenizer.UnknownId.Value, tokenizer.Encode("zebra"));
    }

    [Fact]
    public void The_vocabulary_does_not_depend_on_the_order_of_the_captions()
    {
        var forward = Train(Captions);
        var backward = Train(Captions.Reverse());
        Assert.Equal(Pieces(forward), Pieces(backward));
    }

    [Fact]
    public void The_vocabulary_is_never_larger_than_asked_and_stops_where_no_pair_repeats()
    {
        Assert.Equal(45, Train(Captions, new(Size: 45)).VocabularySize);
        Assert.True(Train(Captions, new(Size: 100_000)).VocabularySize < 120);
    }

    [Fact]
    public void Characters_that_do_not_fit_are_left_out_from_the_rarest_on_and_counted()
    {
        var trainer = new WordPieceTrainer(new(Size: 16));
        foreach (var caption in Captions)
            trainer.Add(caption);
        var tokenizer = trainer.Train(TestContext.Current.CancellationToken);
        Assert.True(tokenizer.VocabularySize <= 16);
        Assert.NotEqual(0, trainer.CharactersLeftOut);
        Assert.NotNull(tokenizer.IdOf("a"));
    }

    [Fact]
    public void Forgetting_rare_words_keeps_the_frequent_ones_and_every_character()
    {
        var rare = Enumerable.Range(0, 500).Select(i => $"w{i}x");
        var captions = Enumerable.Repeat("cats", 20).Concat(rare).Append("Ω");
        var tokenizer = Train(captions, new(Size: 60) { MostWords = 100 });
        Assert.NotNull(tokenizer.IdOf("cats"));
        Assert.DoesNotContain(tokenizer.UnknownId!.Value, tokenizer.Encode("w0987654321x ω"));
    }

    [Fact]
    public void A_vocabulary_saved_and_opened_again_gives_the_same_ids()
    {
        using var folder = new TemporaryFolder();
        var made = CaptionTokenizer.LitBert(Train(Captions));
        var description = made.Save(folder.Path);
        var opened = CaptionTokenizer.Load(folder.Path, description);
        Assert.Equal(Pieces(made.Tokenizer), Pieces(opened.Tokenizer));
        Assert.Equal(made.Row("Two dogs!", out _), opened.Row("Two dogs!", out _));
    }

    [Fact]
    public void A_size_without_room_for_characters_is_an_error() =>
        Assert.Contains("larger", Assert.Throws<LitException>(() => new WordPieceTrainer(new(Size: 5))).Message);

    private static WordPiece Train(IEnumerable<string> captions, WordPieceTraining? options = null) =>
        WordPieceTrainer.Train(captions, options, TestContext.Current.CancellationToken);

    private static List<string> Pieces(ITokenizer tokenizer) =>
        [.. Enumerable.Range(0, tokenizer.VocabularySize).Select(tokenizer.PieceOf)];
}
