using LiT.Files;
using LiT.Text.HuggingFace;

namespace LiT.Text;

/// <summary>
/// A <c>tokenizer.json</c> as public repositories of BERT, T5, CLIP, SigLIP and multilingual models carry it; the ids
/// are those of huggingface/tokenizers without special tokens. A component it does not know is an error that names it.
/// </summary>
internal sealed class HuggingFaceTokenizer : ITokenizer
{
    /// <summary>The name of the file in a repository.</summary>
    public const string FileName = "tokenizer.json";

    private readonly byte[] file;
    private readonly ITokenModel model;
    private readonly Func<TextPart, TextPart> normalize;
    private readonly Func<TextPart, IEnumerable<TextPart>> preTokenize;
    private readonly AddedTokens asWritten,
        normalized;
    private readonly Dictionary<string, int> ids;
    private readonly Dictionary<int, string> pieces = [];
    private readonly PostProcessing processing;

    private HuggingFaceTokenizer(byte[] file, JsonPart root)
    {
        this.file = file;
        model = TokenModels.Of(root.Member("model"));
        normalize = root.Optional("normalizer") is { } normalizer ? Normalizers.Of(normalizer) : part => part;
        preTokenize = root.Optional("pre_tokenizer") is { } preTokenizer
            ? PreTokenizers.Of(preTokenizer)
            : part => [part];
        processing = PostProcessing.Of(root.Optional("post_processor"));
        PadId = root.Optional("padding")?.Optional("pad_id")?.Id;

        ids = new(model.Vocabulary, StringComparer.Ordinal);
        var tokens = Added(root, ids);
        asWritten = new(tokens.Where(token => !token.Normalized).Select(token => (token.Content, token)));
        normalized = new(
            tokens.Where(token => token.Normalized).Select(token => (normalize(new(token.Content, true)).Text, token))
        );
        foreach (var (piece, id) in ids)
            pieces[id] = piece;
        VocabularySize = pieces.Count == 0 ? 0 : pieces.Keys.Max() + 1;
        foreach (var id in processing.Before.Concat(processing.After).Append(PadId ?? 0))
            if (id >= VocabularySize)
                throw new LitException(
                    $"{root.Where}: the id {id} of a special token is not in the vocabulary. Give a tokenizer.json as it was published."
                );
    }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <inheritdoc/>
    public int? UnknownId => model.UnknownId;

    /// <summary>The ids that the file puts before a text ([CLS], &lt;s&gt;).</summary>
    public IReadOnlyList<int> StartIds => processing.Before;

    /// <summary>The ids that the file puts after a text ([SEP], &lt;/s&gt;).</summary>
    public IReadOnlyList<int> EndIds => processing.After;

    /// <summary>The id that the file fills rows with, or null where it does not say.</summary>
    public int? PadId { get; }

    /// <summary>Reads a <c>tokenizer.json</c>.</summary>
    /// <exception cref="LitException">The file cannot be read, is broken, or has a component that is not supported.</exception>
    public static HuggingFaceTokenizer Load(string path)
    {
        var (file, json) = VocabularyFile.Json(path);
        using (json)
            return new(file, new(json.RootElement, path));
    }

    /// <summary>The tokenizer of a <c>tokenizer.json</c> in memory.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="where">Names it in messages.</param>
    internal static HuggingFaceTokenizer Of(byte[] file, string where)
    {
        using var json = System.Text.Json.JsonDocument.Parse(file);
        return new(file, new(json.RootElement, where));
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text)
    {
        var encoded = new List<int>();
        foreach (var piece in asWritten.Cut(new(WellFormed(text), AtStart: true)))
        {
            if (piece.Id is { } token)
            {
                encoded.Add(token);
                continue;
            }
            foreach (var part in normalized.Cut(normalize(piece)))
            {
                if (part.Id is { } other)
                    encoded.Add(other);
                else if (part.Text.Length > 0)
                    foreach (var word in preTokenize(part))
                        if (word.Text.Length > 0)
                            model.Tokenize(word.Text, encoded);
            }
        }
        return encoded;
    }

    /// <inheritdoc/>
    public string PieceOf(int id) => pieces.TryGetValue(id, out var piece) ? piece : "";

    /// <inheritdoc/>
    public int? IdOf(string piece) => ids.TryGetValue(piece, out var id) ? id : null;

    /// <inheritdoc/>
    public IReadOnlyList<string> Save(string folder)
    {
        AtomicFile.WriteAllBytes(Path.Combine(folder, FileName), file);
        return [FileName];
    }

    // Components look at UTF-16 units in places, so lone surrogates are replaced once, here.
    private static string WellFormed(string text) =>
        text.AsSpan().ContainsAnyInRange('\ud800', '\udfff') ? string.Concat(text.EnumerateRunes()) : text;

    // A token that the model has keeps its id; the others follow the model's in the order of the file.
    private static List<AddedToken> Added(JsonPart root, Dictionary<string, int> ids)
    {
        var tokens = new List<AddedToken>();
        var next = ids.Count;
        foreach (var part in root.Optional("added_tokens")?.Items() ?? [])
        {
            var content = part.Member("content").Text;
            if (content.Length == 0)
                continue;
            if (!ids.TryGetValue(content, out var id))
                ids[content] = id = next++;
            tokens.Add(
                new(content, id)
                {
                    SingleWord = part.Bool("single_word", false),
                    StripLeft = part.Bool("lstrip", false),
                    StripRight = part.Bool("rstrip", false),
                    Normalized = part.Bool("normalized", !part.Bool("special", false)),
                }
            );
        }
        return tokens;
    }
}
