using System.Text.Json;

namespace LiT.Text;

/// <summary>Opens whatever a path is: a vocabulary file of a known form, or a folder with one.</summary>
internal static class Tokenizers
{
    private const string Known = "tokenizer.json, a SentencePiece .model, vocab.txt, or vocab.json with merges.txt";

    /// <summary>
    /// Opens <c>tokenizer.json</c>, a SentencePiece <c>.model</c>, <c>vocab.txt</c>, or <c>vocab.json</c> with
    /// <c>merges.txt</c>. Of a folder the first of these that it has is opened.
    /// </summary>
    /// <param name="path">File or folder.</param>
    /// <param name="rules">How a <c>vocab.txt</c> splits words. Where it is not given: as google-research/bert does when a
    /// Hugging Face configuration stands beside the file, else as tensorflow_text does.</param>
    /// <param name="lowerCase">Whether a <c>vocab.txt</c> is for lower-cased text. Where it is not given: as the
    /// <c>tokenizer_config.json</c> beside it says, else whether no piece has a capital letter.</param>
    /// <exception cref="LitException">The path is missing, broken, or of no known form.</exception>
    public static ITokenizer Open(string path, WordPieceRules? rules = null, bool? lowerCase = null)
    {
        if (Directory.Exists(path))
            path = FileIn(path);
        else if (!File.Exists(path))
            throw new LitException($"{path}: there is no such file or folder. Give {Known}, or a folder with one.");
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".model" or ".spm" => SentencePiece.Load(path),
            ".txt" => OpenVocabulary(path, rules, lowerCase),
            ".json"
                when Path.GetFileName(path)
                    .EndsWith(ClipTokenizer.VocabularyFileName, StringComparison.OrdinalIgnoreCase) =>
                ClipTokenizer.Load(path),
            ".json" => HuggingFaceTokenizer.Load(path),
            _ => throw new LitException($"{path}: is of no known form. Give {Known}."),
        };
    }

    private static string FileIn(string folder)
    {
        var models = Directory.EnumerateFiles(folder, "*.model").Order(StringComparer.Ordinal).ToList();
        if (
            models.Count > 1
            && models.Find(model =>
                Path.GetFileName(model) is "spiece.model" or SentencePiece.FileName or "tokenizer.model"
            )
                is { } usual
        )
            models = [usual];
        if (models.Count > 1 && !File.Exists(Path.Combine(folder, HuggingFaceTokenizer.FileName)))
            throw new LitException(
                $"{folder}: has {models.Count} .model files ({Path.GetFileName(models[0])}, {Path.GetFileName(models[1])} …). Give the file."
            );
        string[] usually =
        [
            HuggingFaceTokenizer.FileName,
            .. models.Select(model => Path.GetFileName(model)),
            WordPiece.FileName,
            ClipTokenizer.VocabularyFileName,
        ];
        return usually.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new LitException($"{folder}: has no tokenizer. Give a folder with {Known}.");
    }

    private static WordPiece OpenVocabulary(string path, WordPieceRules? rules, bool? lowerCase)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var configuration = Path.Combine(folder, "tokenizer_config.json");
        var isHuggingFace = File.Exists(configuration) || File.Exists(Path.Combine(folder, "config.json"));
        rules ??= isHuggingFace ? WordPieceRules.BertRepository : WordPieceRules.TensorFlowText;
        if (lowerCase is null && File.Exists(configuration))
            lowerCase = SaidBy(configuration);
        var tokenizer = WordPiece.Load(path, rules.Value, lowerCase ?? true);
        return lowerCase is not null || !HasCapitals(tokenizer)
            ? tokenizer
            : WordPiece.Load(path, rules.Value, lowerCase: false);
    }

    private static bool? SaidBy(string configuration)
    {
        var (_, json) = VocabularyFile.Json(configuration);
        using (json)
            return
                json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("do_lower_case", out var said)
                && said.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? said.GetBoolean()
                : null;
    }

    // Special pieces ([CLS]) are in capitals everywhere.
    private static bool HasCapitals(WordPiece tokenizer) =>
        Enumerable
            .Range(0, tokenizer.VocabularySize)
            .Select(tokenizer.PieceOf)
            .Any(piece => !piece.StartsWith('[') && piece.AsSpan().ContainsAnyInRange('A', 'Z'));
}
