namespace LiT.Cli;

/// <summary>One label's probability for one picture.</summary>
internal sealed record Answer(string Label, double Probability);

/// <summary>One picture's answers, best first, or why there are none.</summary>
/// <param name="Image">The picture.</param>
/// <param name="Labels">Its best labels.</param>
/// <param name="Error">Why there are none.</param>
/// <param name="ExpectedPrecision">Expected share of pictures that show one of the labels among those that score as
/// high; with --min-precision.</param>
/// <param name="NoneOfThese">Whether that is too low, with --min-precision; or whether the best label is one of which
/// the vocabulary knows no piece.</param>
internal sealed record Classified(
    string Image,
    IReadOnlyList<Answer>? Labels,
    string? Error,
    double? ExpectedPrecision = null,
    bool? NoneOfThese = null
)
{
    /// <summary>
    /// Words of the best label that no caption had: nothing is promised for it.
    /// </summary>
    public IReadOnlyList<string>? UnseenWords { get; init; }
}
