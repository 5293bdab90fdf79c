using LiT.Text.Characters;

namespace LiT.Text.HuggingFace;

/// <summary>The models of a <c>tokenizer.json</c> (huggingface/tokenizers, src/models).</summary>
internal static class TokenModels
{
    internal static ITokenModel Of(JsonPart part) =>
        Type(part) switch
        {
            "BPE" => BytePairModel.Of(part),
            "Unigram" => UnigramModel.Of(part),
            "WordPiece" => new WordPieceModel(part),
            "WordLevel" => new WordLevelModel(part),
            var other => throw part.Unsupported($"the model {other}", "BPE, Unigram, WordLevel, WordPiece"),
        };

    // Old files do not say which model they hold; the reference tries in this order.
    private static string Type(JsonPart part)
    {
        if (part.Optional("type") is { } type)
            return type.Text;
        if (part.Optional("merges") is not null)
            return "BPE";
        if (part.Optional("max_input_chars_per_word") is not null)
            return "WordPiece";
        return part.Member("vocab").Element.ValueKind == System.Text.Json.JsonValueKind.Array ? "Unigram" : "WordLevel";
    }

    internal static int Unknown(JsonPart part, IReadOnlyDictionary<string, int> vocabulary)
    {
        var piece = part.Member("unk_token").Text;
        return vocabulary.TryGetValue(piece, out var id)
            ? id
            : throw new LitException(
                $"{part.Where}.unk_token: \"{piece}\" is not in the vocabulary. Give a tokenizer.json as it "
                    + "was published."
            );
    }
}

internal sealed class WordPieceModel : ITokenModel
{
    private readonly PieceMatcher matcher;
    private readonly int unknown,
        longestWord;

    internal WordPieceModel(JsonPart part)
    {
        var vocabulary = part.Member("vocab").Vocabulary();
        Vocabulary = vocabulary;
        unknown = TokenModels.Unknown(part, vocabulary);
        longestWord = part.Member("max_input_chars_per_word").Count;
        matcher = new(vocabulary, part.Member("continuing_subword_prefix").Text);
    }

    public IReadOnlyDictionary<string, int> Vocabulary { get; }

    public int? UnknownId => unknown;

    public void Tokenize(string word, List<int> into)
    {
        if (word.Length > longestWord && CodePoints.Count(word) > longestWord || !matcher.Cover(word, into))
            into.Add(unknown);
    }
}

internal sealed class WordLevelModel : ITokenModel
{
    private readonly int unknown;

    internal WordLevelModel(JsonPart part)
    {
        Vocabulary = part.Member("vocab").Vocabulary();
        unknown = TokenModels.Unknown(part, Vocabulary);
    }

    public IReadOnlyDictionary<string, int> Vocabulary { get; }

    public int? UnknownId => unknown;

    public void Tokenize(string word, List<int> into) =>
        into.Add(Vocabulary.TryGetValue(word, out var id) ? id : unknown);
}
