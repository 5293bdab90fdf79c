namespace LiT.Evaluation;

/// <summary>A zero-shot classification as it is reported (field names as in the JSON).</summary>
internal sealed record ClassificationReport
{
    /// <summary>The data.</summary>
    public required string Dataset { get; init; }

    /// <summary>Pictures scored.</summary>
    public required int N { get; init; }

    /// <summary>Number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>Number of templates.</summary>
    public required int Templates { get; init; }

    /// <summary>Share whose best class is the label.</summary>
    public required double Top1 { get; init; }

    /// <summary>Share with the label among the five best.</summary>
    public required double Top5 { get; init; }

    /// <summary>Bootstrap interval of top-1.</summary>
    public required double[] Interval95 { get; init; }

    /// <summary>Bootstrap interval of top-5.</summary>
    public required double[] Top5Interval95 { get; init; }

    /// <summary>Mean of the classes' own top-1.</summary>
    public required double MeanPerClass { get; init; }

    /// <summary>Bootstrap interval of the mean per class.</summary>
    public required double[] MeanPerClassInterval95 { get; init; }

    /// <summary>The number that is published for this set: "top1" or "meanPerClass".</summary>
    public string Metric { get; init; } = "top1";

    /// <summary>1 / classes.</summary>
    public required double Chance { get; init; }

    /// <summary>Each class in index order.</summary>
    public required IReadOnlyList<ClassAccuracy> PerClass { get; init; }

    /// <summary>
    /// Counts, [label][answer]; null over 100 classes, where <see cref="Mistakes"/> has the most frequent.
    /// </summary>
    public int[][]? Confusion { get; init; }

    /// <summary>What was most often taken for what, at most 50 pairs.</summary>
    public required IReadOnlyList<Mistake> Mistakes { get; init; }

    /// <summary>Top-1 with each template alone; null where the prompts were not the product's.</summary>
    public IReadOnlyList<TemplateAccuracy>? PerTemplate { get; init; }

    /// <summary>
    /// How near-duplicates of the test pictures in the training data change the number; null where the training store
    /// is not known.
    /// </summary>
    public LeakSummary? Leaks { get; init; }

    /// <summary>Samples that the data hold.</summary>
    public required int Found { get; init; }

    /// <summary>Samples without a readable picture.</summary>
    public required int Skipped { get; init; }

    /// <summary>Pictures without a label that is a class; not scored.</summary>
    public required int Unlabelled { get; init; }

    /// <summary>The templates' texts.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>Where class names, templates, crop and metric come from.</summary>
    public required EvaluationProtocol Protocol { get; init; }

    /// <summary>Fingerprint of the locked tower; null where only embeddings were given.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>exp(t), with which the probabilities of the answers were made; null where none was given.</summary>
    public double? Temperature { get; init; }

    /// <summary>What the numbers depend on, as hashes.</summary>
    public required EvaluationHashes Hashes { get; init; }

    /// <summary>What computed them.</summary>
    public required EvaluationVersions Versions { get; init; }

    /// <summary>What a reader of the number should know, each in one line.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Seed of the bootstrap.</summary>
    public required int Seed { get; init; }

    /// <summary>Time taken.</summary>
    public required double Seconds { get; init; }
}

/// <summary>Where the parts of an evaluation come from, in words.</summary>
/// <param name="ClassNames">A file, a shipped list, the data's own labels.</param>
/// <param name="Templates">A file or a set's name.</param>
/// <param name="Aliases">"first" or "all".</param>
/// <param name="Labels">"one", or "any of several" (ImageNet-ReaL).</param>
/// <param name="Preprocessing">What happened to pictures, in words; null where only embeddings were given.</param>
internal sealed record EvaluationProtocol(
    string ClassNames,
    string Templates,
    string Aliases,
    string Labels,
    string? Preprocessing
)
{
    /// <summary>The named test set, where one was named.</summary>
    public string? TestSet { get; init; }

    /// <summary>Language of class names or captions, where one was chosen.</summary>
    public string? Language { get; init; }

    /// <summary>The languages that the text tower speaks which read them; null where it does not say.</summary>
    public string? TextTower { get; init; }
}

/// <summary>
/// SHA-256, in hexadecimal: two results with equal hashes asked the same questions of the same model.
/// </summary>
/// <param name="Prompts">Over the prompts with their classes, in order.</param>
/// <param name="Pictures">Over the pictures' keys, labels and (where known) bytes, in order.</param>
/// <param name="TextTower">Over every weight of the text side; null where only embeddings were given.</param>
/// <param name="Embeddings">Over the image embeddings, where they were given as such.</param>
internal sealed record EvaluationHashes(string Prompts, string Pictures, string? TextTower, string? Embeddings);

/// <summary>What computed a result.</summary>
internal sealed record EvaluationVersions(string Lit, string Libtorch, string Device, string Dtype)
{
    /// <summary>The instruction set of the kernels; null in results from before it was told.</summary>
    public string? Isa { get; init; }

    /// <summary>Threads for tensor operations; null in results from before they were told.</summary>
    public int? Threads { get; init; }
}

/// <summary>Test pictures that have a near-duplicate in the training data, and the score without them.</summary>
/// <param name="Training">The training store.</param>
/// <param name="Threshold">The cosine similarity from which two pictures count as the same.</param>
/// <param name="Pictures">Scored test pictures with a training picture at least so similar.</param>
/// <param name="SameBytes">Those of them whose very bytes are there; the others are alike in the tower's eyes only.
/// Told where the test pictures are a store.</param>
/// <param name="Of">Scored test pictures.</param>
/// <param name="Top1Without">Top-1 without them; null where none would be left.</param>
/// <param name="Interval95Without">Its bootstrap interval.</param>
/// <param name="Examples">Up to ten of them with their nearest training picture, most similar first.</param>
internal sealed record LeakSummary(
    string Training,
    double Threshold,
    int Pictures,
    int SameBytes,
    int Of,
    double? Top1Without,
    double[]? Interval95Without,
    IReadOnlyList<LeakExample> Examples
);

/// <summary>A test picture and its near-duplicate, by key.</summary>
internal sealed record LeakExample(string Picture, string TrainingPicture, double Similarity, bool SameBytes);

/// <summary>A retrieval evaluation as it is reported (field names as in the JSON).</summary>
internal sealed record RetrievalReport(
    string Dataset,
    int Images,
    int Texts,
    Recall ImageToText,
    Recall TextToImage,
    BothWays<double> MedianRank,
    BothWays<int> Ties,
    BothWays<double> Chance,
    int Found,
    int Skipped,
    int WithoutText,
    string? Fingerprint,
    double Seconds
)
{
    /// <summary>Bootstrap intervals, over images with all their texts.</summary>
    public required BothWays<RecallIntervals> Intervals95 { get; init; }

    /// <summary>The recalls if every tie went against, or for, the right answer; null where no query is tied.</summary>
    public BothWays<RecallBounds>? TieBounds { get; init; }

    /// <summary>Where captions and crop come from.</summary>
    public required EvaluationProtocol Protocol { get; init; }

    /// <summary>exp(t) of the model; null where none was given.</summary>
    public double? Temperature { get; init; }

    /// <summary>What the numbers depend on, as hashes.</summary>
    public required EvaluationHashes Hashes { get; init; }

    /// <summary>What computed them.</summary>
    public required EvaluationVersions Versions { get; init; }

    /// <summary>What a reader of the number should know, each in one line.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Seed of the bootstrap.</summary>
    public required int Seed { get; init; }
}
