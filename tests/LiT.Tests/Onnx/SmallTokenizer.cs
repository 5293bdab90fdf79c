using System.Text.Json;

namespace LiT.Tests.Onnx;

/// <summary>
/// A tokenizer.json of 47 pieces as Hugging Face writes BERT's: letters, and letters inside words.
/// </summary>
internal static class SmallTokenizer
{
    private const string Inside = "etaoinshrdlucmwyf";

    public static string Write(string path)
    {
        File.WriteAllText(path, Json());
        return path;
    }

    public static string Json()
    {
        string[] pieces =
        [
            "[PAD]",
            "[UNK]",
            "[CLS]",
            "[SEP]",
            .. Enumerable.Range('a', 26).Select(letter => $"{(char)letter}"),
            .. Inside.Select(letter => $"##{letter}"),
        ];
        var template = """
            {"type": "TemplateProcessing", "pair": [],
             "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                        {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
             "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                                "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}}
            """;
        var vocabulary = JsonSerializer.Serialize(
            pieces.Select((piece, id) => (piece, id)).ToDictionary(entry => entry.piece, entry => entry.id)
        );
        return $$$"""
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
             "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                            "strip_accents": null, "lowercase": true},
             "pre_tokenizer": {"type": "BertPreTokenizer"},
             "post_processor": {{{template}}},
             "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                       "max_input_chars_per_word": 100, "vocab": {{{vocabulary}}}}}
            """;
    }
}
