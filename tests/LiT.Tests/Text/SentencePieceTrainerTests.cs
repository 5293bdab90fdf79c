using LiT.Text;

namespace LiT.Tests.Text;

public class SentencePieceTrainerTests
{
    private static readonly string[] Captions =
    [
        "a photo of a cat",
        "a photo of a dog",
        "A photo, of two cats!",
        "dogs and cats",
        "the café",
        "##tags ##tags",
        "a cat 👍🏽 中文",
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Frequent_words_become_one_piece_and_the_reserved_ids_are_those_of_the_published_vocabulary(bool unigram)
    {
        var tokenizer = Train(Captions, new(120) { Unigram = unigram });
        Assert.Equal(["<pad>", "</s>", "<unk>", "<s>"], Enumerable.Range(0, 4).Select(tokenizer.PieceOf));
        Assert.Equal(
            (0, 1, 2, 3),
            (tokenizer.PadId!.Value, tokenizer.EndId!.Value, tokenizer.UnknownId!.Value, tokenizer.StartId!.Value)
        );
        Assert.Equal(
            ["▁a", "▁photo", "▁of", "▁a", "▁cat"],
            tokenizer.Encode("a photo of a cat").Select(tokenizer.PieceOf)
        );
        Assert.Equal("##tags", tokenizer.Decode(tokenizer.Encode("##tags")));
        Assert.True(tokenizer.VocabularySize <= 120);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_file_does_not_depend_on_the_order_of_the_captions(bool unigram) =>
        Assert.Equal(
            SentencePieceTrainer.Train(Captions, new(60) { Unigram = unigram }, TestContext.Current.CancellationToken),
            SentencePieceTrainer.Train(
                Captions.Reverse(),
                new(60) { Unigram = unigram },
                TestContext.Current.CancellationToken
            )
        );

    [Fact]
    public void The_most_frequent_pair_is_joined_first()
    {
        var tokenizer = Train(["abab abab abc"], new(12) { MinimumCount = 1, ByteFallback = false });
        // (a, b) is seen 5 times, then (▁, ab) 3 times, then (▁ab, ab) twice.
        Assert.Equal(["ab", "▁ab", "▁abab"], Enumerable.Range(4, 3).Select(tokenizer.PieceOf));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void With_bytes_every_text_comes_back_whole(bool unigram)
    {
        var tokenizer = Train(Captions, new(400) { Unigram = unigram, ByteFallback = true });
        foreach (var text in new[] { "zebra quagga", "ñandú 🦙", "中 文", "a" })
        {
            Assert.DoesNotContain(tokenizer.UnknownId!.Value, tokenizer.Encode(text));
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }
    }

    [Fact]
    public void A_unigram_model_prefers_whole_words_to_their_parts()
    {
        var tokenizer = Train(Enumerable.Repeat("blue bird", 50).Append("bl ue bi rd"), new(30) { Unigram = true });
        Assert.Equal(["▁blue", "▁bird"], tokenizer.Encode("blue bird").Select(tokenizer.PieceOf));
    }

    [Fact]
    public void Where_there_is_no_room_or_no_word_it_is_said()
    {
        Assert.Contains(
            "Give at least 12",
            Assert.ThrowsAny<UsageException>(() => new SentencePieceTrainer(new(5))).Message
        );
        Assert.Contains(
            "No caption has a word",
            Assert
                .Throws<LitException>(() =>
                    SentencePieceTrainer.Train(["  "], cancel: TestContext.Current.CancellationToken)
                )
                .Message
        );
    }

    private static SentencePiece Train(IEnumerable<string> captions, SentencePieceTraining options)
    {
        using var folder = new TemporaryFolder();
        return SentencePiece.Load(
            folder.Write(
                "made.model",
                SentencePieceTrainer.Train(captions, options, TestContext.Current.CancellationToken)
            )
        );
    }
}
