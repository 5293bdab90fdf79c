namespace LiT.Reports;

/// <summary>An accuracy with what it has to be compared with.</summary>
/// <param name="Name">What was asked: "classes never seen in training".</param>
/// <param name="Accuracy">Share of right answers.</param>
/// <param name="Chance">What guessing gives.</param>
/// <param name="Count">Number of questions.</param>
/// <param name="Low">Lower end of the 95% interval.</param>
/// <param name="High">Upper end of the 95% interval.</param>
/// <param name="Supervised">What the tower's own supervised head reaches on the same pictures, where it has one for them.</param>
/// <param name="Explanation">In a sentence, what was asked and what was not shown in training.</param>
internal sealed record AccuracyResult(
    string Name,
    double Accuracy,
    double Chance,
    int Count,
    double? Low = null,
    double? High = null,
    double? Supervised = null,
    string? Explanation = null
);

/// <summary>Recall in one direction of retrieval.</summary>
/// <param name="Direction">"words → pictures".</param>
/// <param name="R1">Share found at the first place.</param>
/// <param name="R5">Within the first five.</param>
/// <param name="R10">Within the first ten.</param>
/// <param name="Candidates">Among how many.</param>
/// <param name="MedianRank">The middle place of the right one, from 1.</param>
internal sealed record RecallResult(
    string Direction,
    double R1,
    double R5,
    double R10,
    int Candidates,
    double? MedianRank = null
);

/// <summary>
/// What a quickstart has found out, as plain data. Every part may be missing; what is missing is left out of the page.
/// </summary>
internal sealed record QuickstartResults
{
    /// <summary>The heading.</summary>
    public string Title { get; init; } = "LiT quickstart";

    /// <summary>A sentence or two on what was done.</summary>
    public string? Lead { get; init; }

    /// <summary>Facts: tower, pairs, seed, time.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts { get; init; } = [];

    /// <summary>Numbers in large type at the top; made from the accuracies where empty.</summary>
    public IReadOnlyList<KeyNumber> Headline { get; init; } = [];

    /// <summary>Zero-shot classification.</summary>
    public IReadOnlyList<AccuracyResult> Accuracies { get; init; } = [];

    /// <summary>Whether the parts of a name are understood: colour, number, place.</summary>
    public IReadOnlyList<AccuracyResult> Composition { get; init; } = [];

    /// <summary>Retrieval, both ways.</summary>
    public IReadOnlyList<RecallResult> Retrieval { get; init; } = [];

    /// <summary>Loss by step.</summary>
    public IReadOnlyList<Series> Loss { get; init; } = [];

    /// <summary>Recall or accuracy by step.</summary>
    public IReadOnlyList<Series> Recall { get; init; } = [];

    /// <summary>Pictures with the words the model gives them.</summary>
    public IReadOnlyList<NamedPicture> Pictures { get; init; } = [];

    /// <summary>What was taken for what.</summary>
    public ConfusionPicture? Confusion { get; init; }

    /// <summary>What to type next.</summary>
    public IReadOnlyList<CommandBlock> Commands { get; init; } = [];
}
