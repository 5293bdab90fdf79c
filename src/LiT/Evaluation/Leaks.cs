using LiT.Stores;

namespace LiT.Evaluation;

/// <summary>
/// How many test pictures have a near-duplicate among the training pictures, by the locked tower's own embeddings, and the
/// score without them (as in CLIP, arXiv 2103.00020, section 5, and LiT's appendix on de-duplication).
/// </summary>
public static class Leaks
{
    /// <summary>The cosine similarity from which two pictures count as the same.</summary>
    public const double Threshold = 0.99;

    private const int RowsAtOnce = 4096, MostExamples = 10;

    /// <param name="run">A classification of pictures in the tower's own representations.</param>
    /// <param name="training">The store that the text tower was tuned on.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <param name="progress">Told after every block of training pictures.</param>
    /// <param name="cancel">Stops between two blocks.</param>
    /// <exception cref="LitException">No store, or one of another size.</exception>
    public static LeakReport Audit(ClassificationRun run, string training, int seed, IProgress<ProgressStep>? progress = null, CancellationToken cancel = default)
    {
        using var store = EmbeddingStore.Open(training);
        var test = run.Set.Representations.ToUnit();
        if (store.EmbeddingSize != test.Size)
            throw new LitException($"{training}: rows of {store.EmbeddingSize} numbers, where the test pictures have {test.Size}. Give the store that the model was tuned on.");
        var (best, nearest) = (new float[test.Count], new long[test.Count]);
        var values = new float[RowsAtOnce * store.EmbeddingSize];
        for (var first = 0L; first < store.Rows; first += RowsAtOnce)
        {
            cancel.ThrowIfCancellationRequested();
            var count = (int)Math.Min(RowsAtOnce, store.Rows - first);
            long[] rows = [.. Enumerable.Range(0, count).Select(row => first + row)];
            store.ReadRows(rows, values);
            Embeddings some = new(values.AsSpan(0, count * store.EmbeddingSize).ToArray(), store.EmbeddingSize);
            Similarity.EachRow(test, some, (row, scores) =>
            {
                var at = Similarity.ArgMax(scores);
                if (scores[at] > best[row]) (best[row], nearest[row]) = (scores[at], first + at);
            });
            progress?.Report(new("auditing", first + count, store.Rows, "training pictures"));
        }
        var scored = run.Score.Answers.Where(answer => answer.Labels.Length > 0).ToList();
        var found = scored.Where(answer => best[answer.Row] >= Threshold).OrderByDescending(answer => best[answer.Row]).ThenBy(answer => answer.Row).ToList();
        bool[] kept = [.. scored.Where(answer => best[answer.Row] < Threshold).Select(answer => answer.Right)];
        return new(training, Threshold, found.Count, scored.Count,
            kept.Length == 0 ? null : kept.Count(hit => hit) / (double)kept.Length, kept.Length == 0 ? null : Bootstrap.Interval95(kept, seed),
            [.. found.Take(MostExamples).Select(answer => new LeakExample(run.Set.Samples[answer.Row].Key, store.Key(nearest[answer.Row]), best[answer.Row]))]);
    }
}
