namespace LiT.Evaluation;

/// <summary>How one class fared.</summary>
/// <param name="Class">Its name.</param>
/// <param name="N">Images that carry the label.</param>
/// <param name="Top1">Share of them whose first answer is the label; null where there are none.</param>
public sealed record ClassAccuracy(string Class, int N, double? Top1);

/// <summary>The numbers of one zero-shot classification.</summary>
/// <param name="N">Images counted.</param>
/// <param name="Top1">Share whose best class is (one of) the label(s).</param>
/// <param name="Top5">Share with a label among the five best classes.</param>
/// <param name="MeanPerClass">Mean of the classes' own top-1, over classes that have images.</param>
/// <param name="Interval95">Bootstrap interval of <paramref name="Top1"/> over images.</param>
/// <param name="PerClass">One entry a class, in index order.</param>
/// <param name="Confusion">Counts, [label][answer], by the first label of each image.</param>
/// <param name="Predictions">The best class of each image, in the order of the images.</param>
public sealed record ClassificationScore(
    int N, double Top1, double Top5, double MeanPerClass, double[] Interval95,
    IReadOnlyList<ClassAccuracy> PerClass, int[][] Confusion, int[] Predictions);

/// <summary>
/// Zero-shot classification as the paper's evaluation does it (big_vision discriminative_classifier.py): a class is
/// the normalised mean of its prompts' normalised embeddings; an image's class is the most similar one.
/// </summary>
public static class ZeroShot
{
    private const double Epsilon = 1e-8;

    /// <param name="prompts">Embeddings of unit length, one a prompt.</param>
    /// <param name="classOf">The class of each prompt.</param>
    /// <param name="classes">Number of classes.</param>
    /// <returns>One embedding a class: mean / (1e-8 + length of the mean).</returns>
    /// <exception cref="LitException">A class has no prompt.</exception>
    public static Embeddings ClassEmbeddings(Embeddings prompts, IReadOnlyList<int> classOf, int classes)
    {
        var means = new double[classes, prompts.Size];
        var counts = new int[classes];
        foreach (var c in classOf) counts[c]++;
        for (var i = 0; i < prompts.Count; i++)
        {
            var row = prompts[i];
            for (var j = 0; j < row.Length; j++) means[classOf[i], j] += (double)row[j] / counts[classOf[i]];
        }
        var values = new float[classes * prompts.Size];
        for (var c = 0; c < classes; c++)
        {
            if (counts[c] == 0) throw new LitException($"Class {c} has no prompt. Give every class a name and at least one template.");
            var squares = 0.0;
            for (var j = 0; j < prompts.Size; j++) squares += means[c, j] * means[c, j];
            var length = Epsilon + Math.Sqrt(squares);
            for (var j = 0; j < prompts.Size; j++) values[c * prompts.Size + j] = (float)(means[c, j] / length);
        }
        return new(values, prompts.Size);
    }

    /// <param name="images">Embeddings of unit length.</param>
    /// <param name="classes">What <see cref="ClassEmbeddings"/> gives.</param>
    /// <param name="labels">The right classes of each image: one, or several of which any counts (ImageNet-ReaL).
    /// Images without a label are left out.</param>
    /// <param name="names">The classes' names.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <exception cref="LitException">No image has a label.</exception>
    public static ClassificationScore Score(
        Embeddings images, Embeddings classes, IReadOnlyList<int[]> labels, IReadOnlyList<string> names, int seed = 0)
    {
        var predictions = new int[images.Count];
        List<bool> hits = [];
        var inTop5 = 0;
        var confusion = names.Select(_ => new int[names.Count]).ToArray();
        Similarity.EachRow(images, classes, (row, scores) =>
        {
            var best = predictions[row] = ArgMax(scores);
            if (labels[row].Length == 0) return;
            hits.Add(labels[row].Contains(best));
            confusion[labels[row][0]][best]++;
            foreach (var label in labels[row])
            {
                if (Similarity.RankOf(scores, label) >= 5) continue;
                inTop5++;
                break;
            }
        });
        if (hits.Count == 0)
            throw new LitException("No image has a label that is one of the classes, so there is nothing to score. Compare the data's labels with the class names.");

        var perClass = names.Select((name, c) =>
        {
            var n = confusion[c].Sum();
            return new ClassAccuracy(name, n, n == 0 ? null : (double)confusion[c][c] / n);
        }).ToList();
        return new(
            hits.Count, hits.Count(hit => hit) / (double)hits.Count, inTop5 / (double)hits.Count,
            perClass.Average(c => c.Top1)!.Value, Bootstrap.Interval95(hits, seed), perClass, confusion, predictions);
    }

    /// <summary>The best class; of equally similar ones the lowest index.</summary>
    private static int ArgMax(ReadOnlySpan<float> scores)
    {
        var best = 0;
        for (var j = 1; j < scores.Length; j++) if (scores[j] > scores[best]) best = j;
        return best;
    }
}
