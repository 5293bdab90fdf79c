using System.Text;
using LiT.Files;
using LiT.Text.Characters;

namespace LiT.Text;

/// <summary>
/// WordPiece (BERT, Devlin et al. 2018, arXiv 1810.04805): a text is cleaned and split into words by
/// <see cref="WordPieceRules"/>, and each word is covered from the left by the longest pieces of a <c>vocab.txt</c>;
/// a word that cannot be covered is [UNK] as a whole. Special tokens written in a text are split like any other word.
/// </summary>
/// <remarks>
/// Microsoft.ML.Tokenizers 2.0.1, run without ICU, gives other ids on 144 (lower-cased) and 121 (cased) of the 372
/// reference strings by the rules of BERT, and on 163 and 119 by those of tensorflow_text; see docs/tokenizers.md.
/// </remarks>
internal sealed class WordPiece : ITokenizer
{
    /// <summary>
    /// The name of the file that BERT checkpoints carry: one piece a line, its id the number of the line.
    /// </summary>
    public const string FileName = "vocab.txt";

    private readonly string[] pieces;
    private readonly PieceMatcher matcher;
    private readonly int unknown;

    /// <summary>
    /// A tokenizer over pieces that stand at their ids; where a piece stands twice, the later id is used.
    /// </summary>
    /// <exception cref="LitException">The piece for the unknown, [UNK], is not among the pieces.</exception>
    public WordPiece(
        IReadOnlyList<string> vocabulary,
        WordPieceRules rules = WordPieceRules.TensorFlowText,
        bool lowerCase = true,
        WordPieceOptions? options = null
    )
        : this(vocabulary, rules, lowerCase, options, "vocabulary") { }

    private WordPiece(
        IReadOnlyList<string> vocabulary,
        WordPieceRules rules,
        bool lowerCase,
        WordPieceOptions? options,
        string where
    )
    {
        pieces = [.. vocabulary];
        (Rules, LowerCase, Options) = (rules, lowerCase, options ?? WordPieceOptions.Default);
        matcher = new PieceMatcher(pieces, "##");
        unknown = matcher.IdOf(Options.UnknownPiece)
            ?? throw new LitException(
                where,
                $"no line is {Options.UnknownPiece}",
                "Give the vocab.txt of a BERT checkpoint, one piece a line"
            );
    }

    /// <summary>How texts are split into words.</summary>
    public WordPieceRules Rules { get; }

    /// <summary>Whether texts lose case and accents first ("uncased" checkpoints).</summary>
    public bool LowerCase { get; }

    /// <summary>What else is done to words.</summary>
    public WordPieceOptions Options { get; }

    /// <inheritdoc/>
    public int VocabularySize => pieces.Length;

    /// <inheritdoc/>
    public int? UnknownId => unknown;

    /// <summary>Reads a <c>vocab.txt</c>.</summary>
    /// <exception cref="LitException">The file cannot be read, is not UTF-8, or has no [UNK].</exception>
    public static WordPiece Load(
        string path,
        WordPieceRules rules = WordPieceRules.TensorFlowText,
        bool lowerCase = true,
        WordPieceOptions? options = null
    ) => new(VocabularyFile.Lines(path), rules, lowerCase, options, path);

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text)
    {
        var words = Words.Of(text, Rules, LowerCase, Options);
        var ids = new List<int>(words.Places.Count + 4);
        foreach (var (start, length) in words.Places)
        {
            var word = words.Text.AsSpan(start, length);
            if (IsTooLong(word, Rules) || !matcher.Cover(word, ids))
                ids.Add(unknown);
        }
        return ids;
    }

    /// <inheritdoc/>
    public string PieceOf(int id) => pieces[id];

    /// <inheritdoc/>
    public int? IdOf(string piece) => matcher.IdOf(piece);

    /// <summary>
    /// Writes <c>vocab.txt</c>. The rules and the case are not in it: <see cref="CaptionTokenizer"/> keeps them.
    /// </summary>
    /// <inheritdoc/>
    public IReadOnlyList<string> Save(string folder)
    {
        AtomicFile.Write(Path.Combine(folder, FileName), stream =>
        {
            using var lines = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
            foreach (var piece in pieces)
                lines.WriteLine(piece);
        });
        return [FileName];
    }

    internal static bool IsTooLong(ReadOnlySpan<char> word, WordPieceRules rules) =>
        rules switch
        {
            WordPieceRules.TensorFlowText => word.Length > 33 && Encoding.UTF8.GetByteCount(word) > 100,
            _ => word.Length > 200 && CodePoints.Count(word) > 200,
        };
}
