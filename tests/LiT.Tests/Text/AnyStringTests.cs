using CsCheck;
using LiT.Text;

namespace LiT.Tests.Text;

/// <summary>What holds for every tokenizer and every string.</summary>
public class AnyStringTests
{
    private static readonly Lazy<List<(string Name, ITokenizer Tokenizer)>> All = new(() => [.. Open()]);

    private static readonly string[] Telling =
    [
        "[CLS]",
        "<s>",
        "</s>",
        "<0x41>",
        "\u2581",
        "##",
        "&amp;",
        "<|endoftext|>",
        " ",
        "\0",
        "\ud83e\udd9c",
        "é",
    ];

    // Strings of everything: lone surrogates, NUL, marks, spaces, markup of special pieces.
    private static readonly Gen<string> AnyString = Gen.OneOf(
        Gen.String,
        Gen.Char['\0', '@'].Array[0, 40].Select(c => new string(c)),
        Gen.Char['\ud7f0', '\ue010'].Array[0, 20].Select(c => new string(c)),
        Gen.Char['\u0300', '\u0340'].Array[0, 60].Select(c => new string(c)),
        Gen.Int[0, Telling.Length - 1].Select(i => Telling[i]).Array[0, 20].Select(string.Concat)
    );

    [Fact]
    public void Every_string_has_ids_below_the_size_of_the_vocabulary() =>
        AnyString.Sample(
            text =>
                All.Value.All(one =>
                    one.Tokenizer.Encode(text).All(id => id >= 0 && id < one.Tokenizer.VocabularySize)
                ),
            iter: 1000
        );

    [Fact]
    public void The_same_string_has_the_same_ids_on_every_thread() =>
        AnyString
            .Array[20]
            .Sample(
                texts =>
                    All.Value.All(one =>
                        texts.AsParallel().AsOrdered().Select(one.Tokenizer.Encode).ToList() is var together
                        && texts
                            .Select(one.Tokenizer.Encode)
                            .Zip(together)
                            .All(pair => pair.First.SequenceEqual(pair.Second))
                    ),
                iter: 10
            );

    [Fact]
    public void Every_piece_is_found_by_its_id_and_its_id_by_the_piece()
    {
        foreach (var (name, tokenizer) in All.Value)
            for (var id = 0; id < tokenizer.VocabularySize; id++)
                Assert.True(
                    tokenizer.PieceOf(id) is ""
                        || tokenizer.IdOf(tokenizer.PieceOf(id)) is { } found
                            && tokenizer.PieceOf(found) == tokenizer.PieceOf(id),
                    $"{name} {id}"
                );
    }

    public static TheoryData<string> LongTexts() =>
        [" ", "a", "\u0301", "a\u0301\u0323", "\u2581", "<", "&amp;", "amp;", "\ud800", "\0", "Σ'", "don't ", "\u1100"];

    // Anything quadratic would not come to an end here.
    [Theory(Timeout = 120_000)]
    [MemberData(nameof(LongTexts))]
    public async Task A_long_run_of_anything_is_tokenized(string unit)
    {
        var text = string.Concat(Enumerable.Repeat(unit, (1 << 17) / unit.Length));
        await Task.Run(
            () =>
                Assert.All(All.Value, one =>
                    Assert.All(one.Tokenizer.Encode(text), id =>
                        Assert.InRange(id, 0, one.Tokenizer.VocabularySize - 1)
                    )
                ),
            TestContext.Current.CancellationToken
        );
    }

    private static IEnumerable<(string, ITokenizer)> Open()
    {
        var vocabulary = TokenizerFixture.Reference("tokenizer_wordpiece/vocab.txt");
        foreach (var rules in Enum.GetValues<WordPieceRules>())
        foreach (var lowerCase in new[] { false, true })
            yield return ($"{rules} {lowerCase}", WordPiece.Load(vocabulary, rules, lowerCase));
        foreach (
            var model in Directory.EnumerateFiles(TokenizerFixture.Reference("tokenizer_sentencepiece"), "*.model")
        )
            yield return (Path.GetFileName(model), SentencePiece.Load(model));
        yield return ("clip", Tokenizers.Open(TokenizerFixture.PathOf("clip")));
        using var folder = new TemporaryFolder();
        foreach (var name in HuggingFaceTokenizerTests.Names())
            yield return (
                name.Data,
                HuggingFaceTokenizer.Load(TokenizerFixture.WriteHuggingFace(name.Data, folder.Path))
            );
    }
}
