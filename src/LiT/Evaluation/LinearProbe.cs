using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LiT.Evaluation;

/// <summary>The result of a linear probe.</summary>
/// <param name="N">Test images.</param>
/// <param name="Top1">Share of the test images that it answers rightly.</param>
/// <param name="Interval95">Bootstrap interval of <paramref name="Top1"/>.</param>
/// <param name="Penalty">The weight of the L2 penalty that was best on the held-out part of the training rows.</param>
public sealed record ProbeScore(int N, double Top1, double[] Interval95, double Penalty);

/// <summary>
/// What the locked tower itself could do: multinomial logistic regression on its representations, fitted by L-BFGS,
/// with the L2 penalty swept on a held-out fifth of the training rows (the protocol of CLIP, arXiv 2103.00020, A.3).
/// </summary>
public static class LinearProbe
{
    private static readonly double[] Penalties = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

    /// <param name="train">The tower's representations of the training images, N x D.</param>
    /// <param name="trainLabels">Their classes.</param>
    /// <param name="test">The tower's representations of the test images, M x D.</param>
    /// <param name="testLabels">Their classes.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="seed">Seed of the split that chooses the penalty.</param>
    /// <exception cref="LitException">There are too few images.</exception>
    public static ProbeScore Score(
        Embeddings train, IReadOnlyList<int> trainLabels, Embeddings test, IReadOnlyList<int> testLabels, int classes, int seed = 0)
    {
        if (train.Count < 10 || test.Count == 0)
            throw new LitException($"A linear probe needs labelled images: at least 10 to train on (there are {train.Count}) and one to test (there are {test.Count}).");
        using var scope = NewDisposeScope();
        var raw = train.ToTensor().to_type(ScalarType.Float64);
        var mean = raw.mean([0], keepdim: true);
        var deviation = (raw - mean).square().mean([0], keepdim: true).sqrt() + 1e-6;
        var x = WithOnes((raw - mean) / deviation);
        var y = tensor(trainLabels.Select(label => (long)label).ToArray());

        var order = Enumerable.Range(0, train.Count).Select(i => (long)i).ToArray();
        new Random(seed).Shuffle(order);
        var held = tensor(order[..(order.Length / 5)]);
        var kept = tensor(order[(order.Length / 5)..]);
        var penalty = Penalties.MaxBy(candidate =>
        {
            using var inner = NewDisposeScope();
            return x[held].matmul(Fit(x[kept], y[kept], classes, candidate)).argmax(1).eq(y[held]).sum().item<long>();
        });

        var unseen = WithOnes((test.ToTensor().to_type(ScalarType.Float64) - mean) / deviation);
        var answers = unseen.matmul(Fit(x, y, classes, penalty)).argmax(1).data<long>().ToArray();
        var hits = answers.Select((answer, i) => answer == testLabels[i]).ToList();
        return new(hits.Count, hits.Count(hit => hit) / (double)hits.Count, Bootstrap.Interval95(hits, seed), penalty);
    }

    private static Tensor WithOnes(Tensor x) => cat([x, ones(x.shape[0], 1, dtype: x.dtype)], dim: 1);

    /// <summary>Minimises mean cross-entropy + penalty x |weights|^2 from zero: convex, so the start does not matter.</summary>
    /// <returns>Weights and, in the last row, biases, [D + 1, classes].</returns>
    private static Tensor Fit(Tensor x, Tensor y, int classes, double penalty)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var target = one_hot(y, classes).to_type(ScalarType.Float64);
        var isWeight = cat([ones(x.shape[1] - 1, 1, dtype: ScalarType.Float64), zeros(1, 1, dtype: ScalarType.Float64)]);
        var solution = Lbfgs.Minimise(new double[x.shape[1] * classes], (at, gradient) =>
        {
            using var inner = NewDisposeScope();
            var weights = tensor(at, x.shape[1], classes);
            var logProbabilities = x.matmul(weights).log_softmax(1);
            var penalised = weights * isWeight;
            var loss = -(logProbabilities * target).sum() / x.shape[0] + penalty * penalised.square().sum();
            var slope = x.t().matmul(logProbabilities.exp() - target) / x.shape[0] + 2 * penalty * penalised;
            slope.contiguous().data<double>().CopyTo(gradient);
            return loss.item<double>();
        });
        return tensor(solution, x.shape[1], classes).MoveToOuterDisposeScope();
    }
}
