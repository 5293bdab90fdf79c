namespace LiT.Text;

/// <summary>What a vocabulary made from captions shall be like.</summary>
/// <param name="Size">Most pieces it may have, special ones and characters among them.</param>
internal sealed record WordPieceTraining(int Size = 8192)
{
    /// <summary>How captions are split into words, now and by the tokenizer that comes of it.</summary>
    public WordPieceRules Rules { get; init; } = WordPieceRules.TensorFlowText;

    /// <summary>Whether captions lose case and accents first.</summary>
    public bool LowerCase { get; init; } = true;

    /// <summary>
    /// What else is done to words, now and by the tokenizer that comes of it; null for what BERT does.
    /// </summary>
    public WordPieceOptions? Words { get; init; }

    /// <summary>Two neighbouring pieces are joined only where they were seen together this many times.</summary>
    public int MinimumCount { get; init; } = 2;

    /// <summary>
    /// Distinct words kept in memory; beyond it the rarest are forgotten (their characters are not). A million words
    /// take about 0.3 GB.
    /// </summary>
    public int MostWords { get; init; } = 1_000_000;
}
