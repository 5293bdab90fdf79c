using System.Text;
using LiT.Text;

namespace LiT.Tests.Text;

public class SentencePieceTests
{
    [Fact]
    public void The_best_path_wins_over_the_longest_piece()
    {
        // "▁ab" + "c" costs 3 + 9, "▁a" + "bc" costs 4 + 4.
        var tokenizer = Model(
            [("<unk>", 0, 2), ("▁ab", -3, 1), ("c", -9, 1), ("▁a", -4, 1), ("bc", -4, 1)],
            unigram: true
        );
        Assert.Equal(["▁a", "bc"], Pieces(tokenizer, "abc"));
    }

    [Fact]
    public void Byte_pairs_are_joined_by_score_and_not_from_the_left()
    {
        // "bc" is joined first, so "ab" never is.
        var tokenizer = Model(
            [("<unk>", 0, 2), ("▁", -9, 1), ("a", -9, 1), ("b", -9, 1), ("c", -9, 1), ("ab", -2, 1), ("bc", -1, 1)],
            unigram: false
        );
        Assert.Equal(["▁", "a", "bc"], Pieces(tokenizer, "abc"));
    }

    [Fact]
    public void A_piece_out_of_use_is_taken_apart_again()
    {
        var tokenizer = Model(
            [
                ("<unk>", 0, 2),
                ("▁", -9, 1),
                ("a", -9, 1),
                ("b", -9, 1),
                ("c", -9, 1),
                ("ab", -1, 5),
                ("abc", -2, 1),
                ("▁ab", -3, 5),
            ],
            unigram: false
        );
        Assert.Equal(["▁", "abc"], Pieces(tokenizer, "abc"));
        Assert.Equal(["▁", "a", "b"], Pieces(tokenizer, "ab"));
    }

    [Fact]
    public void Neighbouring_unknown_characters_are_one_unknown()
    {
        var tokenizer = Model([("<unk>", 0, 2), ("▁a", -1, 1)], unigram: true);
        Assert.Equal(["▁a", "<unk>"], Pieces(tokenizer, "axyz"));
        Assert.Equal("a \u2047 ", tokenizer.Decode(tokenizer.Encode("axyz")));
    }

    [Theory]
    [InlineData("unigram_bytefallback_nfkc_cf")]
    [InlineData("bpe_lit")]
    [InlineData("bpe_identity_noprefix")]
    public void Vocabularies_with_bytes_lose_nothing(string name)
    {
        var tokenizer = SentencePiece.Load(TokenizerFixture.Reference($"tokenizer_sentencepiece/{name}.model"));
        const string text = "a 中文 𝕏 photo 🦜";
        var decoded = tokenizer.Decode(tokenizer.Encode(text));
        Assert.Equal(
            name == "bpe_identity_noprefix" ? text : "a 中文 X photo 🦜",
            name == "unigram_bytefallback_nfkc_cf" ? decoded.Replace('x', 'X') : decoded
        );
    }

    [Theory]
    [InlineData(new byte[] { }, "has no pieces")]
    [InlineData(new byte[] { 0x0A, 0x05, 0x0A }, "cut off")]
    [InlineData(new byte[] { 0x0B }, "not a protocol buffer")]
    [InlineData(new byte[] { 0x0A, 0x02, 0x0A, 0x00 }, "piece 0 is broken")]
    [InlineData(new byte[] { 0x0A, 0x03, 0x0A, 0x01, 0x61 }, "no piece stands for the unknown")]
    [InlineData(
        new byte[] { 0x0A, 0x03, 0x0A, 0x01, 0x61, 0x0A, 0x03, 0x0A, 0x01, 0x61 },
        "piece 1 is the same as piece 0"
    )]
    [InlineData(new byte[] { 0x0A, 0x05, 0x0A, 0x01, 0x61, 0x18, 0x02, 0x12, 0x02, 0x18, 0x03 }, "a Word model")]
    [InlineData(
        new byte[] { 0x0A, 0x05, 0x0A, 0x01, 0x61, 0x18, 0x02, 0x12, 0x03, 0x98, 0x02, 0x01 },
        "no piece <0x00>"
    )]
    public void What_is_no_model_is_refused(byte[] file, string expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["x.model"], file);
        Assert.Contains(expected, Assert.Throws<LitException>(() => SentencePiece.Load(folder["x.model"])).Message);
    }

    private static List<string> Pieces(SentencePiece tokenizer, string text) =>
        [.. tokenizer.Encode(text).Select(tokenizer.PieceOf)];

    private static SentencePiece Model((string Text, float Score, byte Type)[] pieces, bool unigram)
    {
        using var folder = new TemporaryFolder();
        using (var file = File.Create(folder["x.model"]))
        {
            foreach (var (text, score, type) in pieces)
            {
                byte[] bytes =
                [
                    0x0A,
                    (byte)Encoding.UTF8.GetByteCount(text),
                    .. Encoding.UTF8.GetBytes(text),
                    0x15,
                    .. BitConverter.GetBytes(score),
                    0x18,
                    type,
                ];
                file.Write([0x0A, (byte)bytes.Length, .. bytes]);
            }
            file.Write([0x12, 0x02, 0x18, unigram ? (byte)1 : (byte)2]);
        }
        return SentencePiece.Load(folder["x.model"]);
    }
}
