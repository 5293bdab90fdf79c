namespace LiT.Text;

/// <summary>How a vocabulary is read where its file does not say it.</summary>
/// <param name="Rules">How a <c>vocab.txt</c> splits words. Where it is not given: as google-research/bert does when a
/// Hugging Face configuration stands beside the file, else as tensorflow_text does.</param>
/// <param name="LowerCase">Whether a <c>vocab.txt</c> is for lower-cased text. Where it is not given: as the
/// <c>tokenizer_config.json</c> beside it says, else whether no piece has a capital letter.</param>
/// <param name="Words">What else a <c>vocab.txt</c> does to words; null for what stands beside it.</param>
internal sealed record TokenizerReading(
    WordPieceRules? Rules = null,
    bool? LowerCase = null,
    WordPieceOptions? Words = null
)
{
    /// <summary>
    /// The vocabulary is a bundle's, whose model.json says everything: nothing that stands beside it counts.
    /// </summary>
    public bool FromBundle { get; init; }

    /// <summary>Told of what stands beside the vocabulary and is not followed, a sentence each.</summary>
    public Action<string>? Warn { get; init; }
}
