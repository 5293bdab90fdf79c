using LiT.Compute;

namespace LiT.Evaluation;

/// <summary>The result of a k-nearest-neighbour classification.</summary>
/// <param name="N">Test images.</param>
/// <param name="K">Neighbours that vote.</param>
/// <param name="Temperature">The vote of a neighbour is exp(similarity / temperature).</param>
/// <param name="Top1">Share answered rightly.</param>
/// <param name="Interval95">Bootstrap interval of <paramref name="Top1"/>.</param>
/// <param name="Top5">Share with the label among the five classes of most votes.</param>
/// <param name="MeanPerClass">Mean of the classes' own shares.</param>
internal sealed record NeighbourScore(
    int N,
    int K,
    double Temperature,
    double Top1,
    double[] Interval95,
    double Top5,
    double MeanPerClass
);

/// <summary>
/// k nearest neighbours by cosine similarity, votes weighted by exp(similarity / 0.07): the protocol of Wu et al. 2018 (arXiv 1805.01978)
/// that DINO's evaluation follows.
/// </summary>
internal static class Neighbours
{
    /// <param name="train">The tower's representations of the training images, N x D.</param>
    /// <param name="trainLabels">Their classes.</param>
    /// <param name="test">Those of the test images, M x D.</param>
    /// <param name="testLabels">Their classes.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="k">Neighbours that vote, for each number one score; fewer where there are fewer training images.</param>
    /// <param name="temperature">Of the votes.</param>
    /// <param name="seed">Of the bootstrap.</param>
    public static IReadOnlyList<NeighbourScore> Score(
        Embeddings train,
        IReadOnlyList<int> trainLabels,
        Embeddings test,
        IReadOnlyList<int> testLabels,
        int classes,
        IReadOnlyList<int> k,
        double temperature = 0.07,
        int seed = 0
    )
    {
        if (train.Count == 0 || test.Count == 0)
            throw new LitException(
                $"Nearest neighbours need labelled images to look among (there are {train.Count}) and to ask for (there are {test.Count})."
            );
        int[] sizes = [.. k.Select(one => Math.Min(one, train.Count)).Distinct().Order()];
        var (hits, near) = (
            sizes.Select(_ => new bool[test.Count]).ToArray(),
            sizes.Select(_ => new bool[test.Count]).ToArray()
        );
        var best = new int[sizes[^1]];
        var votes = new float[classes];
        Similarity.EachRow(test.ToUnit(), train.ToUnit(), (row, scores) =>
        {
            Similarity.Best(scores, best);
            Array.Clear(votes);
            for (int i = 0, size = 0; i < best.Length; i++)
            {
                votes[trainLabels[best[i]]] += (float)Math.Exp((scores[best[i]] - scores[best[0]]) / temperature);
                if (i + 1 != sizes[size])
                    continue;
                var rank = Similarity.RankOf(votes, testLabels[row]);
                (hits[size][row], near[size][row]) = (rank == 0, rank < 5 && votes[testLabels[row]] > 0);
                size++;
            }
        });
        return
        [
            .. sizes.Select(
                (size, i) =>
                    new NeighbourScore(
                        test.Count,
                        size,
                        temperature,
                        Share(hits[i]),
                        Bootstrap.Interval95(hits[i], seed),
                        Share(near[i]),
                        PerClass(hits[i], testLabels, classes)
                    )
            ),
        ];
    }

    internal static double PerClass(IReadOnlyList<bool> hits, IReadOnlyList<int> labels, int classes)
    {
        var (right, all) = (new int[classes], new int[classes]);
        for (var i = 0; i < hits.Count; i++)
        {
            all[labels[i]]++;
            if (hits[i])
                right[labels[i]]++;
        }
        return Enumerable.Range(0, classes).Where(c => all[c] > 0).Average(c => right[c] / (double)all[c]);
    }

    private static double Share(bool[] hits) => hits.Count(hit => hit) / (double)hits.Length;
}
