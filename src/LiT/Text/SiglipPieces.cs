using System.Text;
using LiT.Text.Characters;

namespace LiT.Text;

/// <summary>
/// The pieces of the first SigLIP in Hugging Face's form: a SentencePiece <c>.model</c> whose texts lose capitals and
/// punctuation first (transformers: SiglipTokenizer.canonicalize_text).
/// </summary>
internal sealed class SiglipPieces : ITokenizer
{
    /// <summary>The name of the model in a bundle.</summary>
    public const string FileName = "siglip.model";

    private const string Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    private readonly SentencePiece model;

    private SiglipPieces(SentencePiece model) => this.model = model;

    /// <inheritdoc/>
    public int VocabularySize => model.VocabularySize;

    /// <inheritdoc/>
    public int? UnknownId => model.UnknownId;

    /// <summary>Reads a <c>.model</c>.</summary>
    /// <exception cref="LitException">It cannot be read.</exception>
    public static SiglipPieces Load(string path) => new(SentencePiece.Load(path));

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text) => model.Encode(Canonical(text));

    /// <summary>Lower case, without ASCII punctuation, one blank where there were any between words.</summary>
    internal static string Canonical(string text)
    {
        var kept = new StringBuilder(text.Length);
        var blank = false;
        foreach (var letter in LowerCase.OfText(text))
        {
            if (Punctuation.Contains(letter, StringComparison.Ordinal))
                continue;
            if (char.IsWhiteSpace(letter))
            {
                blank = kept.Length > 0;
                continue;
            }
            if (blank)
                kept.Append(' ');
            blank = false;
            kept.Append(letter);
        }
        return kept.ToString();
    }

    /// <inheritdoc/>
    public string PieceOf(int id) => model.PieceOf(id);

    /// <inheritdoc/>
    public int? IdOf(string piece) => model.IdOf(piece);

    /// <inheritdoc/>
    public IReadOnlyList<string> Save(string folder) => model.SaveAs(folder, FileName);
}
