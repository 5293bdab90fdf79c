using System.Text.Json.Nodes;
using LiT.Text.HuggingFace;

namespace LiT.Text;

/// <summary>
/// <c>vocab.json</c> with <c>merges.txt</c> as GPT-2 and RoBERTa have them, made into the <c>tokenizer.json</c> that
/// Hugging Face makes of the two (transformers: convert_slow_tokenizer.py, GPT2Converter and RobertaConverter).
/// </summary>
internal static class GptVocabulary
{
    private static readonly string[] OfRoberta = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];

    private const string EndOfGpt = "<|endoftext|>";

    /// <summary>Whether a vocabulary is of that form and not CLIP's, whose words end in a piece of their own.</summary>
    public static bool Is(IReadOnlyDictionary<string, int> pieces) =>
        !pieces.Keys.Any(piece => piece.EndsWith("</w>", StringComparison.Ordinal))
        && Enumerable.Range(0, 256).All(b => pieces.ContainsKey(ByteLevelAlphabet.Of((byte)b).ToString()));

    /// <summary>The tokenizer of two such files.</summary>
    /// <exception cref="LitException">The files do not belong together, or have no special pieces that are
    /// known.</exception>
    public static HuggingFaceTokenizer Load(string vocabularyPath, TokenizerReading reading)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(vocabularyPath))!;
        var (_, json) = VocabularyFile.Json(vocabularyPath);
        Dictionary<string, int> pieces;
        using (json)
            pieces = new JsonPart(json.RootElement, vocabularyPath).Vocabulary();
        var settings = TokenizerSettings.Beside(vocabularyPath);
        var named = settings.Class;
        if (named is not (null or "RobertaTokenizer" or "GPT2Tokenizer" or "BartTokenizer" or "LongformerTokenizer"))
            reading.Warn?.Invoke(
                $"tokenizer_config.json beside {vocabularyPath}: tokenizer_class {named} is not known "
                    + "for a vocabulary of this form, which is read as GPT-2 reads it. The model's "
                    + "tokenizer.json is sure."
            );
        var (cls, sep) = (
            settings.Piece("cls_token") ?? settings.Piece("bos_token") ?? "<s>",
            settings.Piece("sep_token") ?? settings.Piece("eos_token") ?? "</s>"
        );
        var roberta = named != "GPT2Tokenizer" && pieces.ContainsKey(cls) && pieces.ContainsKey(sep) && cls != sep;
        if (!roberta && !pieces.ContainsKey(EndOfGpt))
            throw new LitException(
                vocabularyPath,
                $"has neither {cls} and {sep}, as RoBERTa's have, nor {EndOfGpt}, as GPT-2's",
                "Give the model's tokenizer.json"
            );
        var prefixed = settings.Flag("add_prefix_space") ?? false;
        JsonObject ByteLevel() =>
            new()
            {
                ["type"] = "ByteLevel",
                ["add_prefix_space"] = prefixed,
                ["trim_offsets"] = true,
                ["use_regex"] = true,
            };
        JsonObject whole = new()
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([
                .. (roberta ? OfRoberta.Union([cls, sep]) : [EndOfGpt])
                    .Where(pieces.ContainsKey)
                    .OrderBy(piece => pieces[piece])
                    .Select(piece => new JsonObject
                    {
                        ["id"] = pieces[piece],
                        ["content"] = piece,
                        ["single_word"] = false,
                        ["lstrip"] = piece == "<mask>",
                        ["rstrip"] = false,
                        ["normalized"] = false,
                        ["special"] = true,
                    }),
            ]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = roberta
                ? new JsonObject
                {
                    ["type"] = "RobertaProcessing",
                    ["sep"] = new JsonArray(sep, pieces[sep]),
                    ["cls"] = new JsonArray(cls, pieces[cls]),
                    ["trim_offsets"] = true,
                    ["add_prefix_space"] = prefixed,
                }
                : ByteLevel(),
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = "",
                ["end_of_word_suffix"] = "",
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["vocab"] = new JsonObject(
                    pieces
                        .OrderBy(piece => piece.Value)
                        .Select(piece => KeyValuePair.Create(piece.Key, (JsonNode?)piece.Value))
                ),
                ["merges"] = new JsonArray([
                    .. VocabularyFile
                        .Lines(Path.Combine(folder, ClipTokenizer.MergesFileName))
                        .Where(line => line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal))
                        .Select(line => (JsonNode?)JsonValue.Create(line)),
                ]),
            },
        };
        var tokenizer = HuggingFaceTokenizer.Of(
            System.Text.Encoding.UTF8.GetBytes(whole.ToJsonString()),
            $"{vocabularyPath} with {ClipTokenizer.MergesFileName}"
        );
        settings.Close(tokenizer, reading.Warn);
        return tokenizer;
    }
}
