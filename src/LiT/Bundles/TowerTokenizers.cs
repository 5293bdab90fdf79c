using LiT.Text;
using LiT.Towers;

namespace LiT.Bundles;

/// <summary>Which vocabulary belongs to a text tower that others published, and how its rows are laid out.</summary>
internal static class TowerTokenizers
{
    private const int LitLength = 16;
    private const int BigVisionPad = 1; // big_vision fills rows with 1, which is </s> in its own vocabularies

    // The whole tokenizer first: beside it a vocab.txt or .model says only a part of it.
    private static readonly string[] Usual =
    [
        HuggingFaceTokenizer.FileName,
        WordPiece.FileName,
        "spiece.model",
        SentencePiece.FileName,
        FairseqPieces.FileName,
        ClipTokenizer.VocabularyFileName,
    ];

    /// <summary>
    /// The rows that a tower was trained with: LiT's with BERT and with a text transformer, SigLIP's, T5's.
    /// </summary>
    /// <param name="config">The text tower.</param>
    /// <param name="path">Its vocabulary.</param>
    /// <param name="length">Ids in a row; null for what the tower was trained with, 16 where its file does not say
    /// it.</param>
    /// <param name="sigmoid">Whether it is the text side of a model with a bias (SigLIP), whose captions lose their
    /// capitals.</param>
    /// <exception cref="LitException">It is no vocabulary, or not one of this kind of tower.</exception>
    public static CaptionTokenizer For(TextTowerConfig config, string path, int? length = null, bool sigmoid = false)
    {
        switch (config)
        {
            case TextTransformerConfig { CausalEnd: not null } clip:
                return Clip(clip, Tokenizers.Open(path), path, length);
            case TextTransformerConfig text when sigmoid && Tokenizers.Open(path) is var read && IsSiglip(read):
                return Siglip(text, read, path, length);
            case TextTransformerConfig text:
                var pieces = Tokenizers.Open(path);
                return new(
                    pieces,
                    TokenLayout.Sticky(End(pieces, path), length ?? text.MaxLength, sigmoid ? BigVisionPad : null),
                    sigmoid ? CaptionCase.AsciiLower : CaptionCase.AsWritten
                );
            case T5Config t5:
                var tokenizer = Tokenizers.Open(path);
                return new(tokenizer, TokenLayout.T5(End(tokenizer, path), length ?? LitLength, t5.Padding));
            default:
                return CaptionTokenizer.LitBert(Tokenizers.Open(path), length ?? LitLength);
        }
    }

    /// <summary>CLIP's rows: start, text, end; what stands behind the end is not read.</summary>
    /// <exception cref="LitException">The vocabulary has no such pieces, or ends texts with another id.</exception>
    public static CaptionTokenizer Clip(TextTransformerConfig config, ITokenizer tokenizer, string path, int? length)
    {
        var (start, end) = (tokenizer.IdOf("<|startoftext|>"), tokenizer.IdOf("<|endoftext|>"));
        if (start is not { } first || end is not { } last || last != config.CausalEnd)
            throw new LitException(
                path,
                start is null || end is null
                    ? "lacks the pieces that begin and end CLIP's texts"
                    : $"ends texts with the id {end}, and the tower reads the state of {config.CausalEnd}",
                "Give the vocabulary that the text tower was trained with"
            );
        return new(tokenizer, TokenLayout.Clip(first, last, length ?? config.MaxLength));
    }

    /// <summary>Whether a vocabulary is SigLIP's in Hugging Face's form, or that of SigLIP 2.</summary>
    public static bool IsSiglip(ITokenizer tokenizer) => tokenizer is SiglipPieces || GemmaEnd(tokenizer) is not null;

    /// <summary>
    /// SigLIP's rows in Hugging Face's form: text without capitals, end, and padding to the last place, whose state is
    /// read. SigLIP 2 has Gemma's vocabulary (big_vision: lower-case letters are ASCII's there).
    /// </summary>
    /// <exception cref="LitException">The vocabulary has no end.</exception>
    public static CaptionTokenizer Siglip(TextTransformerConfig config, ITokenizer tokenizer, string path, int? length)
    {
        var gemma = GemmaEnd(tokenizer);
        return new(
            tokenizer,
            TokenLayout.Sticky(
                gemma ?? End(tokenizer, path),
                length ?? config.MaxLength,
                gemma is null ? BigVisionPad : tokenizer.IdOf("<pad>") ?? 0
            ),
            tokenizer is SiglipPieces ? CaptionCase.AsWritten : CaptionCase.AsciiLower
        );
    }

    private static int? GemmaEnd(ITokenizer tokenizer) =>
        tokenizer.IdOf("</s>") is null || tokenizer.IdOf("<start_of_turn>") is not null
            ? tokenizer.IdOf("<eos>")
            : null;

    /// <summary>
    /// The vocabulary of a checkpoint: beside it under its own or a usual name, or downloaded with the published model
    /// of that name.
    /// </summary>
    /// <param name="path">The checkpoint's file or folder.</param>
    /// <returns>The vocabulary's path, or null where none is found.</returns>
    public static string? Beside(string path)
    {
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        var stem = Path.GetFileNameWithoutExtension(path);
        var published = ModelCatalogue.All.FirstOrDefault(model => ModelCache.PathOf(model) == path)
            ?? ModelCatalogue.Find(stem);
        return new[] { Path.Combine(folder, stem + ".txt"), Path.Combine(folder, stem + ".model") }
            .Concat(
                published
                    ?.Files.Skip(1)
                    .Where(IsVocabulary)
                    .SelectMany(file =>
                        new[]
                        {
                            Path.Combine(folder, file.Name),
                            Path.Combine(ModelCache.FolderOf(published), file.Name),
                        }
                    )
                    ?? []
            )
            .Concat(Usual.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
    }

    private static bool IsVocabulary(CataloguedFile file) => Path.GetExtension(file.Name) is ".txt" or ".model";

    private static int End(ITokenizer tokenizer, string path) =>
        tokenizer.IdOf("</s>")
        ?? throw new LitException(
            path,
            "has no piece </s>, which ends the rows of this text tower",
            "Give the tower's own vocabulary"
        );
}
