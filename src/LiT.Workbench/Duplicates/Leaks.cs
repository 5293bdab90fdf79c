using LiT.Compute;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Stores;

namespace LiT.Duplicates;

/// <summary>
/// How many test pictures have a near-duplicate among the training pictures, by the locked tower's own embeddings, and
/// the score without them (as in CLIP, arXiv 2103.00020, section 5, and LiT's appendix on de-duplication).
/// </summary>
internal static class Leaks
{
    /// <summary>The cosine similarity from which two pictures count as the same.</summary>
    public const double Threshold = 0.99;

    private const int RowsAtOnce = 4096,
        MostExamples = 10;

    /// <summary>The same classification with its audit, where the options name the training store.</summary>
    /// <exception cref="LitException">No store, or one of another tower.</exception>
    public static ClassificationRun Audited(
        ClassificationRun run,
        EvaluationOptions options,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    ) =>
        options.TrainingStore is { } training
            ? run with
            {
                Report = run.Report with { Leaks = Audit(run, training, options.Seed, progress, cancel) },
            }
            : run;

    /// <param name="run">A classification of pictures in the tower's own representations.</param>
    /// <param name="training">The store that the text tower was tuned on.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <param name="progress">Told after every block of training pictures.</param>
    /// <param name="cancel">Stops between two blocks.</param>
    /// <exception cref="LitException">No store, or one of another tower.</exception>
    public static LeakSummary Audit(
        ClassificationRun run,
        string training,
        int seed,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        using var store = EmbeddingStore.Open(training);
        var found = EmbeddingStore.IsStore(run.Set.Path)
            ? BetweenStores(run.Set.Path, store, progress, cancel)
            : Embedded(run.Set, store, progress, cancel);
        var scored = run.Score.Answers.Where(answer => answer.Labels.Length > 0).ToList();
        var leaked = scored
            .Where(answer => found.ContainsKey(answer.Row))
            .OrderBy(answer => found[answer.Row].SameBytes ? 0 : 1)
            .ThenByDescending(answer => found[answer.Row].Similarity)
            .ThenBy(answer => answer.Row)
            .ToList();
        bool[] kept = [.. scored.Where(answer => !found.ContainsKey(answer.Row)).Select(answer => answer.Right)];
        return new(
            training,
            Threshold,
            leaked.Count,
            leaked.Count(answer => found[answer.Row].SameBytes),
            scored.Count,
            kept.Length == 0 ? null : kept.Count(hit => hit) / (double)kept.Length,
            kept.Length == 0 ? null : Bootstrap.Interval95(kept, seed),
            [.. leaked.Take(MostExamples).Select(answer => found[answer.Row])]
        );
    }

    /// <summary>Pictures of a store, by bytes and by embedding (<see cref="LeakAudit"/>).</summary>
    private static Dictionary<int, LeakExample> BetweenStores(
        string test,
        EmbeddingStore training,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        using var store = EmbeddingStore.Open(test);
        return LeakAudit
            .Run(training, store, Threshold, progress, cancel)
            .Leaks.ToDictionary(
                leak => (int)(leak.TestRow / store.Views),
                leak => new LeakExample(leak.TestKey, leak.TrainKey, leak.Cosine, leak.Level == DuplicateLevel.Bytes)
            );
    }

    /// <summary>Pictures that were embedded just now, by embedding.</summary>
    private static Dictionary<int, LeakExample> Embedded(
        ImageSet set,
        EmbeddingStore training,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var test = set.ReadAll().ToUnit();
        if (training.EmbeddingSize != test.Size)
            throw new LitException(
                training.Folder,
                $"rows of {training.EmbeddingSize} numbers, where the test pictures have {test.Size}",
                "Give the store that the model was tuned on"
            );
        var (best, nearest) = (new float[test.Count], new long[test.Count]);
        var values = new float[RowsAtOnce * training.EmbeddingSize];
        for (var first = 0L; first < training.Rows; first += RowsAtOnce)
        {
            cancel.ThrowIfCancellationRequested();
            var count = (int)Math.Min(RowsAtOnce, training.Rows - first);
            training.ReadRows([.. Enumerable.Range(0, count).Select(row => first + row)], values);
            Embeddings some = new(values.AsSpan(0, count * training.EmbeddingSize).ToArray(), training.EmbeddingSize);
            Similarity.EachRow(test, some, (row, scores) =>
            {
                var at = Similarity.ArgMax(scores);
                if (scores[at] > best[row])
                    (best[row], nearest[row]) = (scores[at], first + at);
            });
            progress?.Report(new("auditing", first + count, training.Rows, "training pictures"));
        }
        return Enumerable
            .Range(0, test.Count)
            .Where(row => best[row] >= Threshold)
            .ToDictionary(
                row => row,
                row => new LeakExample(set.Samples[row].Key, training.Key(nearest[row]), best[row], SameBytes: false)
            );
    }
}
