namespace LiT.Text;

/// <summary>What a SentencePiece model made from captions shall be like.</summary>
/// <param name="Size">Most pieces it may have, reserved ones and characters among them.</param>
internal sealed record SentencePieceTraining(int Size = 8000)
{
    /// <summary>A unigram language model (Kudo 2018, arXiv 1804.10959) in place of byte-pair encoding.</summary>
    public bool Unigram { get; init; }

    /// <summary>Whether A to Z become a to z before anything is counted, as the rows of captions are made later.</summary>
    public bool LowerCase { get; init; } = true;

    /// <summary>
    /// Whether characters that the model lacks fall into bytes, so that no text is unknown; takes 256 pieces. Null does so
    /// where they are at most a quarter.
    /// </summary>
    public bool? ByteFallback { get; init; }

    /// <summary>Share of all characters that get a piece of their own; the rarest rest is unknown, or bytes.</summary>
    public double CharacterCoverage { get; init; } = 0.9995;

    /// <summary>Two neighbouring pieces are joined only where they were seen together this many times.</summary>
    public int MinimumCount { get; init; } = 2;
}
