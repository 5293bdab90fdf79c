using LiT.Data;

namespace LiT.Evaluation;

/// <summary>The number that is published for a test set.</summary>
internal enum TestSetMetric
{
    /// <summary>Share of right first answers.</summary>
    Top1,

    /// <summary>Mean of the classes' own shares.</summary>
    MeanPerClass,

    /// <summary>Recall@k both ways.</summary>
    Recall,
}

/// <summary>A public test set by name: where it comes from, what its folder looks like, how it is scored.</summary>
internal sealed record TestSet
{
    /// <summary>What it is called where data are named, as in NAME=DIR.</summary>
    public required string Name { get; init; }

    /// <summary>Its full name.</summary>
    public required string Title { get; init; }

    /// <summary>Where it is published.</summary>
    public required string From { get; init; }

    /// <summary>What DIR must hold.</summary>
    public required string Layout { get; init; }

    /// <summary>What is scored.</summary>
    public TestSetMetric Metric { get; init; }

    /// <summary>
    /// The crop that the paper's evaluation makes; null leaves it to the model ("resize" for retrieval and the small
    /// sets).
    /// </summary>
    public string? Crop { get; init; }

    /// <summary>What labels call the classes, in index order; null where the data say it.</summary>
    public IReadOnlyList<string>? Ids { get; init; }

    /// <summary>The classes' names; null where a list must be given (ImageNet) or the labels are the names.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>
    /// Whether only the classes count that occur in the data (ImageNet-A and -R use 200 of the 1,000).
    /// </summary>
    public int? Subset { get; init; }

    /// <summary>Whether a picture has several labels of which any counts.</summary>
    public bool Several { get; init; }

    /// <summary>CLIP's own prompt templates for it.</summary>
    public IReadOnlyList<string>? ClipTemplates { get; init; }

    /// <summary>
    /// Keys under which files with several lists (CLIP_benchmark) hold its class names and templates.
    /// </summary>
    public IReadOnlyList<string> ListKeys { get; init; } = [];

    /// <summary>The published protocols' own numbers of pictures, captions and classes; none where they vary.</summary>
    public IReadOnlyList<PublishedCount> Published { get; init; } = [];

    /// <summary>
    /// What names a pre-training on labels that hold these very classes: in the catalogue's words, or in a file's name.
    /// </summary>
    public IReadOnlyList<string> TrainedTowers { get; init; } = [];

    internal Func<string, SampleOptions, IEnumerable<TestPicture>> Read { get; init; } = (_, _) => [];
}

/// <summary>One picture as a test set's files describe it.</summary>
/// <param name="Key">Its name inside the set.</param>
/// <param name="Label">Its class's id; null where it has none.</param>
/// <param name="Bytes">Reads the encoded picture.</param>
internal sealed record TestPicture(string Key, string? Label, Func<byte[]> Bytes)
{
    /// <summary>Several labels, of which any counts.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Captions.</summary>
    public IReadOnlyList<string> Captions { get; init; } = [];

    /// <summary>Captions by language.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? ByLanguage { get; init; }

    /// <summary>Why it cannot be used, or null.</summary>
    public string? Trouble { get; init; }

    /// <summary>A picture in a file, which may turn out to be missing.</summary>
    public static TestPicture InFile(string path, string key, string? label, SampleOptions options) =>
        new(key, label, () => Pictures.Bytes(path))
        {
            Trouble = Path.IsPathRooted(key)
                ? "the name leads out of the data set"
                : Pictures.Refusal(key) ?? Pictures.Trouble(path, options),
        };
}
