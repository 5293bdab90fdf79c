using System.Text.Json.Serialization;
using LiT.Text.Characters;

namespace LiT.Text;

/// <summary>What is done to the case of a caption before its tokenizer sees it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CaptionCase>))]
internal enum CaptionCase
{
    /// <summary>Nothing; the tokenizer may still lower-case (vit_jax's LiT, and everything with WordPiece).</summary>
    AsWritten,

    /// <summary>
    /// A to Z become a to z, other letters stay (big_vision's <c>tokenize</c>, unless <c>lower=False</c>).
    /// </summary>
    AsciiLower,
}

/// <summary>What became of captions that were turned into rows.</summary>
/// <param name="Captions">Captions seen.</param>
/// <param name="Truncated">Captions of which pieces were dropped to make them fit.</param>
/// <param name="Pieces">Pieces of all captions, dropped ones too, without start, end and padding.</param>
/// <param name="Unknown">Those of them that stand for something the vocabulary lacks.</param>
internal readonly record struct CaptionCounts(long Captions, long Truncated, long Pieces, long Unknown)
{
    /// <summary>The counts of both.</summary>
    public static CaptionCounts operator +(CaptionCounts a, CaptionCounts b) =>
        new(a.Captions + b.Captions, a.Truncated + b.Truncated, a.Pieces + b.Pieces, a.Unknown + b.Unknown);
}

/// <summary>What a bundle's <c>model.json</c> says of its tokenizer.</summary>
/// <param name="File">The file to open, relative to the bundle.</param>
/// <param name="Layout">How ids become a row.</param>
/// <param name="Case">What is done to captions first.</param>
internal sealed record CaptionTokenizerDescription(
    string File,
    TokenLayout Layout,
    CaptionCase Case = CaptionCase.AsWritten
)
{
    /// <summary>How texts are split into words; only for <c>vocab.txt</c>, which does not say it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public WordPieceRules? Rules { get; init; }

    /// <summary>Whether the tokenizer lower-cases; only for <c>vocab.txt</c>, which does not say it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? LowerCase { get; init; }

    /// <summary>What is put before every text, where there is something.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Prefix { get; init; }

    /// <summary>
    /// What else it does to words, where that is not what BERT does; only for <c>vocab.txt</c>, which does not say it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public WordPieceOptions? Words { get; init; }
}

/// <summary>
/// Turns captions into rows of ids: a tokenizer, a layout, and what is done to the case first. Safe for several
/// threads.
/// </summary>
internal sealed class CaptionTokenizer
{
    /// <summary>Joins the three.</summary>
    /// <exception cref="LitException">The layout has no place, or an id that the vocabulary lacks.</exception>
    public CaptionTokenizer(ITokenizer tokenizer, TokenLayout layout, CaptionCase captionCase = CaptionCase.AsWritten)
    {
        if (layout.Length < 1)
            throw new LitException($"token length {layout.Length}: a row needs a place. Give at least 1.");
        foreach (var (id, name) in new[] { (layout.Start, "start"), (layout.End, "end"), (layout.Pad, "pad") })
            if (id < 0 || id >= tokenizer.VocabularySize)
                throw new LitException(
                    $"token layout: the {name} id {id} is not among the vocabulary's "
                        + $"{tokenizer.VocabularySize:N0} ids. Give the layout of this vocabulary."
                );
        (Tokenizer, Layout, Case) = (tokenizer, layout, captionCase);
    }

    /// <summary>Ids of a text.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>How ids become a row.</summary>
    public TokenLayout Layout { get; }

    /// <summary>What is done to captions first.</summary>
    public CaptionCase Case { get; }

    /// <summary>What is put before every text: the "query: " of a sentence tower, or nothing.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>LiT with BERT: [CLS] and 15 pieces, filled with [PAD] (vit_jax, preprocess.py).</summary>
    /// <exception cref="LitException">The vocabulary has no [CLS].</exception>
    public static CaptionTokenizer LitBert(ITokenizer tokenizer, int length = 16) =>
        new(tokenizer, TokenLayout.LitBert(Required(tokenizer, "[CLS]"), length, tokenizer.IdOf("[PAD]") ?? 0));

    /// <summary>Opens what <see cref="Save"/> wrote.</summary>
    /// <exception cref="LitException">A file is missing or broken, or does not fit the description.</exception>
    public static CaptionTokenizer Load(string folder, CaptionTokenizerDescription description)
    {
        if (
            description.Layout is null
            || string.IsNullOrEmpty(description.File)
            || Path.IsPathRooted(description.File)
            || description.File.Split('/', '\\').Contains("..")
        )
            throw new LitException(
                folder,
                "the tokenizer's description names no file inside the folder, or no layout",
                "Take the bundle's model.json as it was written"
            );
        var tokenizer = Tokenizers.Open(
            Path.Combine(folder, description.File),
            new TokenizerReading(description.Rules, description.LowerCase, description.Words) { FromBundle = true }
        );
        return new(tokenizer, description.Layout, description.Case) { Prefix = description.Prefix ?? "" };
    }

    /// <summary>Writes the tokenizer's files into a bundle's folder.</summary>
    /// <returns>What <see cref="Load"/> needs to know besides.</returns>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public CaptionTokenizerDescription Save(string folder)
    {
        var wordPiece = Tokenizer as WordPiece;
        return new(Tokenizer.Save(folder)[0], Layout, Case)
        {
            Prefix = Prefix.Length > 0 ? Prefix : null,
            Rules = wordPiece?.Rules,
            LowerCase = wordPiece?.LowerCase,
            Words = wordPiece is { } own && own.Options != WordPieceOptions.Default ? own.Options : null,
        };
    }

    /// <summary>The row of one caption, <see cref="TokenLayout.Length"/> ids.</summary>
    public long[] Row(string caption, out bool truncated) => Layout.Row(Encode(caption), out truncated);

    /// <summary>
    /// The rows of captions one after another, written into <paramref name="rows"/>, [captions, length].
    /// </summary>
    /// <returns>How many were cut, and how much the vocabulary lacks.</returns>
    public CaptionCounts Rows(IReadOnlyList<string> captions, Span<long> rows)
    {
        if (rows.Length != (long)captions.Count * Layout.Length)
            throw new ArgumentException(
                $"{rows.Length} places for {captions.Count} rows of {Layout.Length}.",
                nameof(rows)
            );
        var counts = new CaptionCounts();
        for (var i = 0; i < captions.Count; i++)
        {
            var ids = Encode(captions[i]);
            var truncated = Layout.Fill(rows.Slice(i * Layout.Length, Layout.Length), ids);
            counts += new CaptionCounts(1, truncated ? 1 : 0, ids.Count, Unknowns(ids));
        }
        return counts;
    }

    /// <summary>What would become of captions as rows, without making them.</summary>
    public CaptionCounts Count(IEnumerable<string> captions)
    {
        var counts = new CaptionCounts();
        var row = new long[Layout.Length];
        foreach (var caption in captions)
            counts += Rows([caption], row);
        return counts;
    }

    private IReadOnlyList<int> Encode(string caption) =>
        Tokenizer.Encode(Case == CaptionCase.AsciiLower ? LowerCase.OfAscii(Prefix + caption) : Prefix + caption);

    private int Unknowns(IReadOnlyList<int> ids)
    {
        if (Tokenizer.UnknownId is not { } unknown)
            return 0;
        var count = 0;
        for (var i = 0; i < ids.Count; i++)
            if (ids[i] == unknown)
                count++;
        return count;
    }

    private static int Required(ITokenizer tokenizer, string piece) =>
        tokenizer.IdOf(piece)
        ?? throw new LitException(
            $"vocabulary: has no piece {piece}, which its row layout needs. Give the vocabulary of the model."
        );
}
