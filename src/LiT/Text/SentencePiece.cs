using LiT.Files;
using LiT.Text.SentencePieces;

namespace LiT.Text;

/// <summary>
/// A SentencePiece <c>.model</c> (Kudo and Richardson 2018, arXiv 1808.06226), unigram or BPE: the text is rewritten by
/// the rules in the file and cut into pieces, and gives the ids that the reference (google/sentencepiece 0.1.97) gives.
/// </summary>
/// <remarks>
/// Microsoft.ML.Tokenizers 2.0.1, run without ICU, gives the same ids for one of the seven reference models, others on
/// 88 to 219 of 372 strings for five, and cannot open one; see docs/tokenizers.md.
/// </remarks>
internal sealed class SentencePiece : ITokenizer
{
    /// <summary>The name under which <see cref="Save"/> writes the model.</summary>
    public const string FileName = "sentencepiece.model";

    private const long LargestFile = 64 << 20;

    private readonly byte[] file;
    private readonly SentencePieceModel model;
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    private readonly SentencePieceNormalizer normalizer;
    private readonly ISegmentation segmentation;
    private readonly SentencePieceDecoder decoder;
    private readonly int[]? byteIds;

    private SentencePiece(byte[] file, string path)
    {
        this.file = file;
        model = SentencePieceModel.Parse(file, path);
        var pieces = new Dictionary<string, int>(StringComparer.Ordinal);
        var reserved = new Dictionary<string, int>(StringComparer.Ordinal);
        int? unknown = null;
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            var (text, score, type) = model.Pieces[id];
            if (text.Length == 0 || float.IsNaN(score) || !Enum.IsDefined(type))
                throw new LitException(
                    path,
                    $"piece {id} is broken (text, score or type)",
                    "Give the file as it was published"
                );
            var own = type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused ? pieces : reserved;
            if (!own.TryAdd(text, id))
                throw new LitException(
                    path,
                    $"piece {id} is the same as piece {own[text]}",
                    "Give the file as it was published"
                );
            if (type != PieceType.Unknown)
                continue;
            if (unknown is not null)
                throw new LitException(
                    path,
                    $"pieces {unknown} and {id} both stand for the unknown",
                    "Give the file as it was published"
                );
            unknown = id;
        }
        UnknownId = unknown
            ?? throw new LitException(path, "no piece stands for the unknown", "Give the file as it was published");
        foreach (var (text, id) in pieces.Concat(reserved))
            ids[text] = id;
        if (model.ByteFallback)
            byteIds = ByteIds(reserved, path);

        var trie = new ByteTrie(pieces);
        var userDefined = pieces.Where(piece => model.Pieces[piece.Value].Type == PieceType.UserDefined).ToList()
            is { Count: > 0 } symbols
            ? new ByteTrie(symbols)
            : null;
        normalizer = new(model.Normalizer, model.TreatWhitespaceAsSuffix, userDefined, path);
        segmentation = model.Type switch
        {
            ModelType.Unigram => new UnigramSegmentation(model.Pieces, trie, unknown.Value),
            ModelType.Bpe => new BpeSegmentation(
                model.Pieces,
                trie,
                new ByteTrie(reserved),
                userDefined,
                unknown.Value
            ),
            _ => throw new LitException(
                path,
                $"is a {model.Type} model of SentencePiece",
                "Give a unigram or BPE model"
            ),
        };
        decoder = new(model, path);
    }

    /// <inheritdoc/>
    public int VocabularySize => model.Pieces.Count;

    /// <inheritdoc/>
    public int? UnknownId { get; }

    /// <summary>The id that begins a text (bos), or null where the model has none.</summary>
    public int? StartId => Control(model.StartPiece);

    /// <summary>The id that ends a text (eos), or null where the model has none.</summary>
    public int? EndId => Control(model.EndPiece);

    /// <summary>The id that fills rows, or null where the model has none.</summary>
    public int? PadId => Control(model.PadPiece);

    /// <summary>Reads a <c>.model</c> file.</summary>
    /// <exception cref="LitException">The file cannot be read or is no unigram or BPE model.</exception>
    public static SentencePiece Load(string path) => new(VocabularyFile.Bytes(path, LargestFile), path);

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text)
    {
        var normalized = normalizer.Normalize(Utf8.BytesOf(text));
        if (normalized.Length == 0)
            return [];
        var segments = new List<(int Id, int Length)>();
        segmentation.Segment(normalized, segments);
        var encoded = new List<int>(segments.Count);
        var (start, afterUnknown) = (0, false);
        foreach (var (id, length) in segments)
        {
            var isUnknown = id == UnknownId;
            if (isUnknown && byteIds is not null)
                foreach (var b in normalized.AsSpan(start, length))
                    encoded.Add(byteIds[b]);
            else if (!isUnknown || !afterUnknown) // neighbouring unknowns are one
                encoded.Add(id);
            afterUnknown = isUnknown;
            start += length;
        }
        return encoded;
    }

    /// <summary>
    /// The text that ids stand for: control pieces are nothing, bytes become characters, the unknown is " ⁇ ".
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(IEnumerable<int> ids) => decoder.Decode(ids);

    /// <inheritdoc/>
    public string PieceOf(int id) => model.Pieces[id].Text;

    /// <inheritdoc/>
    public int? IdOf(string piece) => ids.TryGetValue(piece, out var id) ? id : null;

    /// <inheritdoc/>
    public IReadOnlyList<string> Save(string folder) => SaveAs(folder, FileName);

    /// <summary>The same under another name.</summary>
    internal IReadOnlyList<string> SaveAs(string folder, string name)
    {
        AtomicFile.WriteAllBytes(Path.Combine(folder, name), file);
        return [name];
    }

    private int? Control(string piece) =>
        ids.TryGetValue(piece, out var id) && model.Pieces[id].Type == PieceType.Control ? id : null;

    private static int[] ByteIds(Dictionary<string, int> reserved, string path)
    {
        var byteIds = new int[256];
        for (var b = 0; b < 256; b++)
        {
            if (!reserved.TryGetValue($"<0x{b:X2}>", out byteIds[b]))
                throw new LitException(
                    path,
                    $"falls back to bytes, but has no piece <0x{b:X2}>",
                    "Give the file as it was published"
                );
        }
        return byteIds;
    }
}
