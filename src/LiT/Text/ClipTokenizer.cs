using LiT.Files;
using LiT.Text.Clip;
using LiT.Text.HuggingFace;

namespace LiT.Text;

/// <summary>
/// CLIP's byte-level byte-pair encoding (Radford et al. 2021, arXiv 2103.00020; openai/CLIP, clip/simple_tokenizer.py)
/// from a <c>vocab.json</c> and the <c>merges.txt</c> beside it, with the cleaning of that file: entities resolved,
/// quotes straightened, white space joined, lower case. Rows are made by <see cref="TokenLayout.Clip"/>.
/// </summary>
/// <remarks>
/// One step is left out: ftfy's repair of text that was decoded with the wrong encoding. A CLIP <c>tokenizer.json</c>
/// read by <see cref="HuggingFaceTokenizer"/> cleans less (NFC, white space, lower case), as its models' own code does.
/// </remarks>
internal sealed class ClipTokenizer : ITokenizer
{
    /// <summary>The name of the file with pieces and ids.</summary>
    public const string VocabularyFileName = "vocab.json";

    /// <summary>The name of the file with pairs to merge, which stands beside the other.</summary>
    public const string MergesFileName = "merges.txt";

    private const string EndOfWord = "</w>";

    private static readonly string[] SpecialPieces = ["<|startoftext|>", "<|endoftext|>"];

    private static readonly TextPattern Pattern = new(
        @"<\|startoftext\|>|<\|endoftext\|>|'[s\u017f]|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    );

    private readonly byte[] vocabulary,
        merges;
    private readonly BytePairModel model;
    private readonly Dictionary<int, string> pieces = [];

    private ClipTokenizer(byte[] vocabulary, byte[] merges, JsonPart ids, string[] lines)
    {
        (this.vocabulary, this.merges) = (vocabulary, merges);
        var where = ids.Where;
        model = new(
            ids.Vocabulary(),
            lines
                .Where(line => line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal))
                .Select(line =>
                    line.Split(' ') is [var left, var right]
                        ? (left, right)
                        : throw new LitException(
                            $"{MergesFileName} beside {where}: \"{line}\" is not two pieces. Give the file as it was published."
                        )
                ),
            unknownPiece: null,
            new() { EndOfWord = EndOfWord },
            where
        );
        foreach (var (piece, id) in model.Vocabulary)
            pieces[id] = piece;
        var characters = Enumerable.Range(0, 256).Select(b => ByteLevelAlphabet.Of((byte)b).ToString());
        foreach (var piece in characters.Concat(characters.Select(c => c + EndOfWord)).Concat(SpecialPieces))
            if (!model.Vocabulary.ContainsKey(piece))
                throw new LitException(
                    $"{where}: has no piece \"{piece}\", so it is not a vocabulary of CLIP. Give CLIP's vocab.json, or a tokenizer.json."
                );
        VocabularySize = pieces.Keys.Max() + 1;
    }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <inheritdoc/>
    public int? UnknownId => null;

    /// <summary>The id that begins a row.</summary>
    public int StartId => model.Vocabulary[SpecialPieces[0]];

    /// <summary>The id that ends a text.</summary>
    public int EndId => model.Vocabulary[SpecialPieces[1]];

    /// <summary>Reads a <c>vocab.json</c> and the <c>merges.txt</c> beside it.</summary>
    /// <exception cref="LitException">A file is missing or broken, or the vocabulary is not one of CLIP.</exception>
    public static ClipTokenizer Load(string vocabularyPath)
    {
        var mergesPath = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(vocabularyPath))!, MergesFileName);
        var (vocabulary, json) = VocabularyFile.Json(vocabularyPath);
        using (json)
            return new(
                vocabulary,
                VocabularyFile.Bytes(mergesPath),
                new(json.RootElement, vocabularyPath),
                VocabularyFile.Lines(mergesPath)
            );
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text)
    {
        var clean = ClipText.Clean(text);
        var encoded = new List<int>();
        foreach (var stretch in Pattern.Stretches(clean))
        {
            if (!stretch.IsMatch)
                continue;
            var word = clean[stretch.Start..stretch.End];
            if (SpecialPieces.Contains(word))
                encoded.Add(model.Vocabulary[word]);
            else
                model.Tokenize(ByteLevelAlphabet.Encode(word), encoded);
        }
        return encoded;
    }

    /// <inheritdoc/>
    public string PieceOf(int id) => pieces.TryGetValue(id, out var piece) ? piece : "";

    /// <inheritdoc/>
    public int? IdOf(string piece) => model.Vocabulary.TryGetValue(piece, out var id) ? id : null;

    /// <inheritdoc/>
    public IReadOnlyList<string> Save(string folder)
    {
        AtomicFile.WriteAllBytes(Path.Combine(folder, VocabularyFileName), vocabulary);
        AtomicFile.WriteAllBytes(Path.Combine(folder, MergesFileName), merges);
        return [VocabularyFileName, MergesFileName];
    }
}
