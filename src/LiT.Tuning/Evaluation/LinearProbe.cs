using LiT.Compute;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LiT.Evaluation;

/// <summary>A regularisation that was tried, and what it reached on the held-out part.</summary>
internal sealed record ProbeTrial(double Penalty, double Top1);

/// <summary>The result of a linear probe.</summary>
/// <param name="N">Test images.</param>
/// <param name="Top1">Share of the test images that it answers rightly.</param>
/// <param name="Interval95">Bootstrap interval of <paramref name="Top1"/>.</param>
/// <param name="Penalty">The weight of the L2 penalty that was best on the held-out part of the training rows.</param>
internal sealed record ProbeScore(int N, double Top1, double[] Interval95, double Penalty)
{
    /// <summary>Mean of the classes' own shares.</summary>
    public required double MeanPerClass { get; init; }

    /// <summary>What was tried, in order of the penalty.</summary>
    public required IReadOnlyList<ProbeTrial> Trials { get; init; }
}

/// <summary>The mean of several draws of few images a class.</summary>
/// <param name="Shots">Images a class to fit on.</param>
/// <param name="Draws">How often they were drawn.</param>
/// <param name="Top1">Mean over the draws.</param>
/// <param name="Deviation">Standard deviation over the draws.</param>
/// <param name="Each">The draws.</param>
internal sealed record FewShotScore(int Shots, int Draws, double Top1, double Deviation, IReadOnlyList<double> Each)
{
    /// <summary>
    /// Images of the class with the fewest that were fitted on: less than asked for where it has no more.
    /// </summary>
    public int Least { get; init; }

    /// <summary>Images of the class with the most.</summary>
    public int Most { get; init; }
}

/// <summary>
/// What the locked tower itself could do: multinomial logistic regression on its representations, fitted by L-BFGS,
/// with the L2 penalty swept on a held-out fifth of the training rows, in steps of ten from 1e-6 to 0.1 and then finer
/// around the best, after the protocol of CLIP (arXiv 2103.00020, A.3).
/// </summary>
internal static class LinearProbe
{
    // Rows that are one part at least, and parts at most: each holds a gradient of its own.
    private const int RowsApart = 256,
        MostParts = 8;
    private const int Iterations = 200,
        FewShotDraws = 5;
    private const double FewShotPenalty = 1e-3;
    private static readonly double[] Coarse = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

    /// <param name="train">The tower's representations of the training images, N x D.</param>
    /// <param name="trainLabels">Their classes.</param>
    /// <param name="test">The tower's representations of the test images, M x D.</param>
    /// <param name="testLabels">Their classes.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="seed">Seed of the split that chooses the penalty.</param>
    /// <param name="progress">Told after every fit.</param>
    /// <param name="cancel">Stops between two fits.</param>
    /// <exception cref="LitException">There are too few images.</exception>
    public static ProbeScore Score(
        Embeddings train,
        IReadOnlyList<int> trainLabels,
        Embeddings test,
        IReadOnlyList<int> testLabels,
        int classes,
        int seed = 0,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        if (train.Count < 10 || test.Count == 0)
            throw new LitException(
                $"A linear probe needs labelled images: at least 10 to train on (there are {train.Count}) "
                    + $"and one to test (there are {test.Count})."
            );
        using var scope = NewDisposeScope();
        var (x, unseen) = Standardised(train, test);
        var y = tensor(trainLabels.Select(label => (long)label).ToArray());

        var order = Enumerable.Range(0, train.Count).Select(i => (long)i).ToArray();
        new Random(seed).Shuffle(order);
        var held = tensor(order[..(order.Length / 5)]);
        var kept = tensor(order[(order.Length / 5)..]);
        var (keptRows, keptLabels, heldRows, heldLabels) = (x[kept], y[kept], x[held], y[held]);
        var tried = new SortedDictionary<double, double>();
        void Try(double penalty)
        {
            cancel.ThrowIfCancellationRequested();
            if (tried.ContainsKey(penalty))
                return;
            using var inner = NewDisposeScope();
            tried[penalty] =
                Answers(heldRows, Fit(keptRows, keptLabels, classes, penalty)).eq(heldLabels).sum().item<long>()
                / (double)heldLabels.shape[0];
            progress?.Report(new("fitting", tried.Count, Coarse.Length + 4, "fits"));
        }
        foreach (var penalty in Coarse)
            Try(penalty);
        double Best() => tried.MaxBy(trial => trial.Value).Key; // of equal ones the weakest
        foreach (var step in new[] { Math.Sqrt(10), Math.Pow(10, 0.25) })
        {
            var centre = Best();
            Try(centre / step);
            Try(centre * step);
        }
        var answers = Answers(unseen, Fit(x, y, classes, Best())).data<long>().ToArray();
        var hits = answers.Select((answer, i) => answer == testLabels[i]).ToList();
        return new(hits.Count, hits.Count(hit => hit) / (double)hits.Count, Bootstrap.Interval95(hits, seed), Best())
        {
            MeanPerClass = Neighbours.PerClass(hits, testLabels, Math.Max(classes, testLabels.Max() + 1)),
            Trials = [.. tried.Select(trial => new ProbeTrial(trial.Key, trial.Value))],
        };
    }

    /// <summary>
    /// The same fitted on a few images a class, drawn several times; there is too little to sweep, so the penalty is
    /// fixed at 0.001.
    /// </summary>
    /// <param name="train">The tower's representations of the training images, N x D.</param>
    /// <param name="trainLabels">Their classes.</param>
    /// <param name="test">The tower's representations of the test images, M x D.</param>
    /// <param name="testLabels">Their classes.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="shots">Images a class, for each number one score; a class with fewer gives all it has.</param>
    /// <param name="draws">How often images are drawn.</param>
    /// <param name="seed">Of the draws.</param>
    /// <param name="progress">Told after every fit.</param>
    /// <param name="cancel">Stops between two fits.</param>
    public static IReadOnlyList<FewShotScore> FewShot(
        Embeddings train,
        IReadOnlyList<int> trainLabels,
        Embeddings test,
        IReadOnlyList<int> testLabels,
        int classes,
        IReadOnlyList<int> shots,
        int draws = FewShotDraws,
        int seed = 0,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        if (train.Count == 0 || test.Count == 0)
            throw new LitException(
                $"Few-shot needs labelled images to draw from (there are {train.Count}) and to test (there "
                    + $"are {test.Count})."
            );
        int[][] ofClass =
        [
            .. Enumerable
                .Range(0, classes)
                .Select(c => Enumerable.Range(0, train.Count).Where(row => trainLabels[row] == c).ToArray()),
        ];
        List<FewShotScore> scores = [];
        foreach (var count in shots)
        {
            List<double> each = [];
            for (var draw = 0; draw < draws; draw++)
            {
                cancel.ThrowIfCancellationRequested();
                var random = new Random(HashCode(seed, count, draw));
                int[] chosen =
                [
                    .. ofClass.SelectMany(rows =>
                    {
                        var mixed = rows.ToArray();
                        random.Shuffle(mixed);
                        return mixed.Take(count);
                    }),
                ];
                var answers = Few(train.Select(chosen), [.. chosen.Select(row => trainLabels[row])], test, classes);
                each.Add(answers.Where((answer, i) => answer == testLabels[i]).Count() / (double)test.Count);
                progress?.Report(new("fitting", scores.Count * draws + each.Count, shots.Count * draws, "fits"));
            }
            var mean = each.Average();
            scores.Add(
                new(count, draws, mean, Math.Sqrt(each.Average(one => (one - mean) * (one - mean))), each)
                {
                    Least = ofClass.Min(rows => Math.Min(rows.Length, count)),
                    Most = ofClass.Max(rows => Math.Min(rows.Length, count)),
                }
            );
        }
        return scores;
    }

    /// <summary>What a probe that was fitted on few images says of others.</summary>
    /// <param name="train">The tower's representations of the few, N x D.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="test">The tower's representations of the others, M x D.</param>
    /// <param name="classes">Number of classes.</param>
    /// <returns>The class of each of the others.</returns>
    internal static long[] Few(Embeddings train, IReadOnlyList<int> labels, Embeddings test, int classes)
    {
        using var scope = NewDisposeScope();
        var (x, unseen) = Standardised(train, test);
        var y = tensor(labels.Select(label => (long)label).ToArray());
        return Answers(unseen, Fit(x, y, classes, FewShotPenalty)).data<long>().ToArray();
    }

    /// <summary>The class with the largest sum for each row, [N].</summary>
    private static Tensor Answers(Tensor rows, Tensor weights)
    {
        var sums = empty(rows.shape[0], weights.shape[1], rows.dtype);
        Products.Write(sums, rows, weights.t());
        return sums.argmax(1);
    }

    private static int HashCode(int seed, int shots, int draw) => unchecked((seed * 31 + shots) * 31 + draw);

    /// <summary>
    /// Both sets in float64 with the training set's mean and deviation taken out, and a column of ones.
    /// </summary>
    private static (Tensor Train, Tensor Test) Standardised(Embeddings train, Embeddings test)
    {
        var raw = train.ToTensor().to_type(ScalarType.Float64);
        Tensor mean = null!,
            deviation = null!;
        // On one thread: libtorch cuts sums where its threads are.
        Parts.Run(1, _ =>
        {
            mean = raw.mean([0], keepdim: true);
            deviation = (raw - mean).Squared().mean([0], keepdim: true).sqrt();
        });
        // a number that never changes says nothing
        deviation = where(deviation.With(1e-6, (x, least) => x.gt(least)), deviation, ones_like(deviation));
        return (
            WithOnes((raw - mean) / deviation),
            WithOnes((test.ToTensor().to_type(ScalarType.Float64) - mean) / deviation)
        );
    }

    private static Tensor WithOnes(Tensor x) => cat([x, ones(x.shape[0], 1, dtype: x.dtype)], dim: 1);

    /// <summary>
    /// Minimises mean cross-entropy + penalty x |weights|^2 from zero: convex, so the start does not matter.
    /// </summary>
    /// <returns>Weights and, in the last row, biases, [D + 1, classes].</returns>
    internal static Tensor Fit(Tensor x, Tensor y, int classes, double penalty)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var target = one_hot(y, classes).to_type(ScalarType.Float64);
        var isWeight = cat([
            ones(x.shape[1] - 1, 1, dtype: ScalarType.Float64),
            zeros(1, 1, dtype: ScalarType.Float64),
        ]);
        var parts = (int)Math.Clamp(x.shape[0] / RowsApart, 1, MostParts);
        var (losses, slopes) = (new double[parts], new Tensor[parts]);
        var solution = Lbfgs.Minimise(
            new double[x.shape[1] * classes],
            (at, gradient) =>
            {
                using var inner = NewDisposeScope();
                var weights = tensor(at, x.shape[1], classes);
                Parts.Run(parts, part =>
                {
                    using var own = NewDisposeScope();
                    using var unrecorded = no_grad();
                    var (from, to) = (x.shape[0] * part / parts, x.shape[0] * (part + 1) / parts);
                    var (rows, wanted) = (x.narrow(0, from, to - from), target.narrow(0, from, to - from));
                    var logProbabilities = rows.matmul(weights).log_softmax(1);
                    losses[part] = (logProbabilities * wanted).sum().item<double>();
                    slopes[part] = rows.t().matmul(logProbabilities.exp() - wanted).DetachFromDisposeScope();
                });
                var loss = -losses.Sum() / x.shape[0];
                var penalised = weights * isWeight;
                double[]? slope = null;
                // On one thread: libtorch cuts sums and the ends of vectors where its threads are.
                Parts.Run(1, _ =>
                {
                    using var own = NewDisposeScope();
                    using var unrecorded = no_grad();
                    loss += penalty * penalised.Squared().sum().item<double>();
                    var whole = slopes[0];
                    foreach (var other in slopes.Skip(1))
                        whole.PlusInPlace(other);
                    slope = [.. whole.Over(x.shape[0]).Plus(penalised.Times(2 * penalty)).contiguous().data<double>()];
                    foreach (var one in slopes)
                        one.Dispose();
                });
                slope.CopyTo(gradient);
                return loss;
            },
            Iterations
        );
        return tensor(solution, x.shape[1], classes).MoveToOuterDisposeScope();
    }
}
