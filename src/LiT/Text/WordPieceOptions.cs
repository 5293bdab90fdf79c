namespace LiT.Text;

/// <summary>
/// What a <c>vocab.txt</c> does to words beside its rules and its case, where that is not what BERT does.
/// </summary>
internal sealed record WordPieceOptions
{
    /// <summary>
    /// Whether letters lose their accents; null for as they lose their capitals, which is what BERT does.
    /// </summary>
    public bool? StripAccents { get; init; }

    /// <summary>Whether every Chinese character is a word of its own.</summary>
    public bool SplitChinese { get; init; } = true;

    /// <summary>The piece that stands for what the vocabulary lacks.</summary>
    public string UnknownPiece { get; init; } = "[UNK]";

    internal static WordPieceOptions Default { get; } = new();
}
