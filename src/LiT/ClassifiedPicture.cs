namespace LiT;

/// <summary>How probable a label is for a picture.</summary>
/// <param name="Label">The label as it was given.</param>
/// <param name="Probability">0 to 1. Softmax over all labels; of a model with a bias (SigLIP), each for itself.</param>
public sealed record LabelProbability(string Label, double Probability);

/// <summary>What a classifier says of one picture.</summary>
/// <param name="Labels">All labels, the most probable first; equally probable ones in the order in which they were
/// given.</param>
/// <param name="ExpectedPrecision">
/// Expected share of pictures that show one of the labels among those that score as high, 0 to 1; null where
/// <see cref="ClassifierOptions.MinPrecision"/> is.
/// </param>
/// <param name="NoneOfThese">
/// Whether that is below <see cref="ClassifierOptions.MinPrecision"/>; true, too, where the model's vocabulary knows no
/// piece of the most probable label. Null where no precision is asked for and the label can be read.
/// </param>
public sealed record ClassifiedPicture(
    IReadOnlyList<LabelProbability> Labels,
    double? ExpectedPrecision,
    bool? NoneOfThese
)
{
    /// <summary>
    /// Words of the most probable label that no caption had which the model was tuned on: no precision is promised for
    /// it, and with <see cref="ClassifierOptions.MinPrecision"/> the answer is "none of these". Empty otherwise.
    /// </summary>
    public IReadOnlyList<string> UnseenWords { get; init; } = [];

    /// <summary>The most probable label; null where none of them fits.</summary>
    public LabelProbability? Best => NoneOfThese == true ? null : Labels[0];
}

/// <summary>What became of one of several files.</summary>
/// <param name="Path">The file.</param>
/// <param name="Picture">The answer; null where there is none.</param>
/// <param name="Problem">Why there is none, in one phrase; null where there is one.</param>
public sealed record ClassifiedFile(string Path, ClassifiedPicture? Picture, string? Problem);
