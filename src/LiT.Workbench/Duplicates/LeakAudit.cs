using LiT.Stores;

namespace LiT.Duplicates;

/// <summary>A test picture that the training data holds too.</summary>
/// <param name="TestRow">First row of the test picture in its store.</param>
/// <param name="TrainRow">First row of the nearest training picture in its store.</param>
/// <param name="Level">The surest level at which the two are one.</param>
/// <param name="Cosine">Cosine of their embeddings, whatever the level.</param>
internal sealed record Leak(long TestRow, long TrainRow, DuplicateLevel Level, double Cosine)
{
    /// <summary>Key of the test picture.</summary>
    public required string TestKey { get; init; }

    /// <summary>Key of the training picture.</summary>
    public required string TrainKey { get; init; }
}

/// <summary>How much of a test set was seen in training.</summary>
/// <param name="Train">Folder of the training store.</param>
/// <param name="Test">Folder of the test store.</param>
/// <param name="TestPictures">Pictures of the test set.</param>
/// <param name="Cosine">Threshold of the scene level.</param>
/// <param name="Leaks">The test pictures with a near-duplicate in the training data, by row.</param>
internal sealed record LeakReport(
    string Train,
    string Test,
    long TestPictures,
    double Cosine,
    IReadOnlyList<Leak> Leaks
)
{
    /// <summary>Test pictures whose bytes are in the training data.</summary>
    public int SameBytes => Leaks.Count(leak => leak.Level == DuplicateLevel.Bytes);

    /// <summary>Test pictures that are in the training data in another size or encoding.</summary>
    public int SamePicture => Leaks.Count(leak => leak.Level == DuplicateLevel.Picture);

    /// <summary>Test pictures of a scene that is in the training data.</summary>
    public int SameScene => Leaks.Count(leak => leak.Level == DuplicateLevel.Scene);

    /// <summary>Share of the test pictures that leaked, at any level.</summary>
    public double Share => TestPictures == 0 ? 0 : (double)Leaks.Count / TestPictures;

    /// <summary>
    /// First rows of the test pictures that leaked: leave these out to measure on what was never seen.
    /// </summary>
    public IReadOnlySet<long> TestRows => Leaks.Select(leak => leak.TestRow).ToHashSet();
}

/// <summary>
/// Which pictures of a test set the training data holds: the same bytes (SHA-256, from the stores' metadata) and the
/// same scene (cosine of the tower's own embeddings). The same picture in another encoding is a scene of cosine near 1
/// here; <c>lit data dedup</c>, which sees the pictures themselves, also tells it apart by perceptual hash.
/// </summary>
/// <example><code>
/// using var train = EmbeddingStore.Open("train-store");
/// using var test = EmbeddingStore.Open("test-store");
/// var report = LeakAudit.Run(train, test, 0.95);
/// foreach (var leak in report.Leaks) Console.WriteLine($"{leak.TestKey} is {leak.TrainKey} ({leak.Level}, cosine
/// {leak.Cosine:F3})");
/// </code></example>
internal static class LeakAudit
{
    /// <summary>
    /// Compares two stores, every picture with every picture. No pair is missed, and cosines are exact.
    /// </summary>
    /// <param name="train">Store of the training pictures. It may be of any size; it is streamed.</param>
    /// <param name="test">Store of the test pictures, of the same tower. Some 800 bytes a picture of 768 numbers are
    /// kept.</param>
    /// <param name="cosine">Cosine from which two pictures show one scene, above 0 to 1.</param>
    /// <param name="progress">Told of rows compared.</param>
    /// <param name="cancel">Stops within about a second.</param>
    /// <returns>The leaks, by test row; each with its surest level and, there, its nearest training picture (of equal
    /// ones the first).</returns>
    /// <exception cref="LitException">The stores are of different towers.</exception>
    /// <exception cref="UsageException">The threshold is out of range.</exception>
    /// <remarks>
    /// Of a picture with several views the first is compared. Deterministic, whatever the number of threads.
    /// </remarks>
    public static LeakReport Run(
        EmbeddingStore train,
        EmbeddingStore test,
        double cosine = 0.95,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        var rules = new DuplicateRules
        {
            Cosine = cosine,
            Levels = new HashSet<DuplicateLevel> { DuplicateLevel.Bytes, DuplicateLevel.Scene },
        }.Checked();
        DuplicateSearch.CheckSameTower(train, test);
        var (testSet, trainSet) = (PictureSet.Of(test), PictureSet.Of(train));
        var (found, _) = DuplicateSearch.Between(testSet, trainSet, rules, progress, cancel);
        float[] a = new float[test.EmbeddingSize],
            b = new float[train.EmbeddingSize];
        var leaks = found
            .Values.Select(match =>
            {
                var (testRow, trainRow) = (testSet.Row(match.Picture), trainSet.Row(match.Of));
                test.ReadRows([testRow], a);
                train.ReadRows([trainRow], b);
                return new Leak(testRow, trainRow, match.Level, SimilarRows.Cosine(a, b))
                {
                    TestKey = test.Key(testRow),
                    TrainKey = train.Key(trainRow),
                };
            })
            .ToList();
        return new(train.Folder, test.Folder, testSet.Count, cosine, leaks);
    }
}
