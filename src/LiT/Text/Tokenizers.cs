using System.Text.Json;
using LiT.Files;
using LiT.Text.HuggingFace;

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
    /// <param name="rules">How a <c>vocab.txt</c> splits words. Where it is not given: as google-research/bert does
    /// when a Hugging Face configuration stands beside the file, else as tensorflow_text does.</param>
    /// <param name="lowerCase">Whether a <c>vocab.txt</c> is for lower-cased text. Where it is not given: as the
    /// <c>tokenizer_config.json</c> beside it says, else whether no piece has a capital letter.</param>
    /// <exception cref="LitException">The path is missing, broken, or of no known form.</exception>
    public static ITokenizer Open(string path, WordPieceRules? rules = null, bool? lowerCase = null) =>
        Open(path, new TokenizerReading(rules, lowerCase));

    /// <summary>The same, told more of how to read and whom to tell what is not followed.</summary>
    /// <param name="path">File or folder.</param>
    /// <param name="reading">What the file does not say.</param>
    /// <exception cref="LitException">The path is missing, broken, or of no known form; or what stands beside it asks
    /// for something that is not built here.</exception>
    public static ITokenizer Open(string path, TokenizerReading reading)
    {
        if (Directory.Exists(path))
            path = FileIn(path);
        else if (!File.Exists(path))
            throw new LitException(path, "there is no such file or folder", $"Give {Known}, or a folder with one");
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".model" or ".spm" => OpenSentencePiece(path, reading),
            ".txt" => OpenVocabulary(path, reading),
            ".json"
                when Path.GetFileName(path)
                    .EndsWith(ClipTokenizer.VocabularyFileName, StringComparison.OrdinalIgnoreCase) => OpenWithMerges(
                path,
                reading
            ),
            ".json" => OpenWhole(path, reading),
            _ => throw new LitException(path, "is of no known form", $"Give {Known}"),
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
                folder,
                $"has {models.Count} .model files ({Path.GetFileName(models[0])}, {Path.GetFileName(models[1])} …)",
                "Give the file"
            );
        string[] usually =
        [
            HuggingFaceTokenizer.FileName,
            .. models.Select(model => Path.GetFileName(model)),
            WordPiece.FileName,
            ClipTokenizer.VocabularyFileName,
        ];
        return usually.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new LitException(folder, "has no tokenizer", $"Give a folder with {Known}");
    }

    // The classes whose vocab.txt is read as BERT reads it.
    private static readonly string[] LikeBert =
    [
        "BertTokenizer",
        "BasicTokenizer",
        "ElectraTokenizer",
        "DistilBertTokenizer",
        "MobileBertTokenizer",
        "ConvBertTokenizer",
        "LayoutLMTokenizer",
        "SqueezeBertTokenizer",
        "RetriBertTokenizer",
        "DPRQuestionEncoderTokenizer",
        "DPRContextEncoderTokenizer",
        "MPNetTokenizer",
        "PreTrainedTokenizer",
    ];

    // The classes whose ids are those of the .model.
    private static readonly string[] LikeT5 = ["T5Tokenizer", "MT5Tokenizer", "UMT5Tokenizer"];

    // The classes that shift the ids of the .model, or rewrite texts before it.
    private static readonly string[] UnlikeTheirModel =
    [
        "CamembertTokenizer",
        "MBartTokenizer",
        "MBart50Tokenizer",
        "NllbTokenizer",
        "XGLMTokenizer",
        "BarthezTokenizer",
        "PegasusTokenizer",
        "AlbertTokenizer",
        "XLNetTokenizer",
        "BigBirdTokenizer",
        "DebertaV2Tokenizer",
        "M2M100Tokenizer",
        "MarianTokenizer",
        "FNetTokenizer",
        "RemBertTokenizer",
        "LlamaTokenizer",
        "GemmaTokenizer",
    ];

    private static WordPiece OpenVocabulary(string path, TokenizerReading reading)
    {
        if (reading.FromBundle)
            return WordPiece.Load(
                path,
                reading.Rules ?? WordPieceRules.TensorFlowText,
                reading.LowerCase ?? true,
                reading.Words
            );
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var settings = TokenizerSettings.Beside(path);
        var isHuggingFace = settings.IsThere || File.Exists(Path.Combine(folder, "config.json"));
        var rules = reading.Rules ?? (isHuggingFace ? WordPieceRules.BertRepository : WordPieceRules.TensorFlowText);
        var said = settings.Flag("do_lower_case");
        var lowerCase = reading.LowerCase ?? said;
        if (settings.Class is { } named && !LikeBert.Contains(named, StringComparer.Ordinal))
            throw settings.NotBuilt(
                "tokenizer_class",
                "a vocab.txt of BertTokenizer, or the model's whole tokenizer.json,"
            );
        if (settings.Flag("do_basic_tokenize") == false)
            throw settings.NotBuilt("do_basic_tokenize", "true");
        if (settings.Any("never_split") is { ValueKind: JsonValueKind.Array } kept && kept.GetArrayLength() > 0)
            throw settings.NotBuilt("never_split", "an empty list");
        if (settings.Word("wordpieces_prefix") is { } prefix && prefix != "##")
            throw settings.NotBuilt("wordpieces_prefix", "\"##\"");
        var words = reading.Words
            ?? new WordPieceOptions
            {
                StripAccents = settings.Flag("strip_accents"),
                SplitChinese = settings.Flag("tokenize_chinese_chars") ?? true,
                UnknownPiece = settings.Piece("unk_token") ?? WordPieceOptions.Default.UnknownPiece,
            };
        var tokenizer = WordPiece.Load(path, rules, lowerCase ?? true, words);
        settings.Close(tokenizer, reading.Warn);
        return lowerCase is not null || !HasCapitals(tokenizer)
            ? tokenizer
            : WordPiece.Load(path, rules, lowerCase: false, words);
    }

    private static ITokenizer OpenSentencePiece(string path, TokenizerReading reading)
    {
        var fairseq = Path.GetFileName(path) == FairseqPieces.FileName;
        if (reading.FromBundle)
            return fairseq ? FairseqPieces.Load(path)
                : Path.GetFileName(path) == SiglipPieces.FileName ? SiglipPieces.Load(path)
                : SentencePiece.Load(path);
        var settings = TokenizerSettings.Beside(path);
        if (
            settings.Class is "XLMRobertaTokenizer"
            || (
                settings.Class is null
                && fairseq
                && SettingsFile.In(path, "config.json").Any("model_type") is { ValueKind: JsonValueKind.String } kind
                && kind.ValueEquals("xlm-roberta")
            )
        )
        {
            var moved = FairseqPieces.Load(path);
            CheckSentencePiece(settings);
            settings.Close(moved, reading.Warn);
            return moved;
        }
        if (settings.Class is "SiglipTokenizer")
        {
            if (settings.Flag("do_lower_case") == false)
                throw settings.NotBuilt("do_lower_case", "true");
            var canonical = SiglipPieces.Load(path);
            settings.Close(canonical, reading.Warn);
            return canonical;
        }
        var tokenizer = SentencePiece.Load(path);
        if (settings.Class is { } named && !LikeT5.Contains(named, StringComparer.Ordinal))
        {
            if (UnlikeTheirModel.Contains(named, StringComparer.Ordinal))
                throw settings.NotBuilt(
                    "tokenizer_class",
                    "the model's tokenizer.json, since this class gives other ids than the .model alone,"
                );
            reading.Warn?.Invoke(
                $"tokenizer_config.json beside {path}: tokenizer_class {named} is not known; the ids "
                    + "are those of the .model alone. The model's tokenizer.json is sure."
            );
        }
        else if (settings.Class is null && fairseq)
            reading.Warn?.Invoke(
                $"{path}: is called as XLM-R, CamemBERT and mBART call theirs, whose ids are not "
                    + "those of the .model alone. If it is one of theirs, give the model's tokenizer.json."
            );
        CheckSentencePiece(settings);
        settings.Close(tokenizer, reading.Warn);
        return tokenizer;
    }

    private static void CheckSentencePiece(TokenizerSettings settings)
    {
        if (settings.Flag("do_lower_case") == true)
            throw settings.NotBuilt("do_lower_case", "false beside a .model, or the model's tokenizer.json,");
        if (
            settings.Any("sp_model_kwargs") is { ValueKind: JsonValueKind.Object } given
            && given.EnumerateObject().Any()
        )
            throw settings.NotBuilt("sp_model_kwargs", "an empty object");
        foreach (var key in (string[])["keep_accents", "remove_space", "split_by_punct"])
            if (settings.Has(key))
                throw settings.NotBuilt(key, "a file without it, or the model's tokenizer.json,");
        if (settings.Flag("add_prefix_space") == false)
            throw settings.NotBuilt("add_prefix_space", "what the .model itself says, or the model's tokenizer.json,");
    }

    private static ITokenizer OpenWithMerges(string path, TokenizerReading reading)
    {
        var (_, json) = VocabularyFile.Json(path);
        bool gpt;
        using (json)
            gpt = GptVocabulary.Is(new JsonPart(json.RootElement, path).Vocabulary());
        if (gpt)
            return GptVocabulary.Load(path, reading);
        var tokenizer = ClipTokenizer.Load(path);
        if (reading.FromBundle)
            return tokenizer;
        var settings = TokenizerSettings.Beside(path);
        if (settings.Class is { } named and not "CLIPTokenizer")
            throw settings.NotBuilt("tokenizer_class", "CLIPTokenizer, or the model's whole tokenizer.json,");
        if (settings.Flag("do_lower_case") == false)
            throw settings.NotBuilt("do_lower_case", "true");
        if (settings.Flag("add_prefix_space") == true)
            throw settings.NotBuilt("add_prefix_space", "false");
        settings.Close(tokenizer, reading.Warn);
        return tokenizer;
    }

    private static HuggingFaceTokenizer OpenWhole(string path, TokenizerReading reading)
    {
        var tokenizer = HuggingFaceTokenizer.Load(path);
        if (!reading.FromBundle)
            WholeTokenizer.Compare(path, TokenizerSettings.Beside(path), reading.Warn);
        return tokenizer;
    }

    // Special pieces ([CLS]) are in capitals everywhere.
    private static bool HasCapitals(WordPiece tokenizer) =>
        Enumerable
            .Range(0, tokenizer.VocabularySize)
            .Select(tokenizer.PieceOf)
            .Any(piece => !piece.StartsWith('[') && piece.AsSpan().ContainsAnyInRange('A', 'Z'));
}
