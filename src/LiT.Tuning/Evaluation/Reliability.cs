using LiT.Compute;

namespace LiT.Evaluation;

/// <summary>Pictures whose best class got a probability in one range.</summary>
/// <param name="From">Start of the range.</param>
/// <param name="Confidence">Their mean probability.</param>
/// <param name="Accuracy">Share of them that is right.</param>
/// <param name="N">How many.</param>
internal sealed record ReliabilityBin(double From, double Confidence, double Accuracy, int N);

/// <summary>Whether probabilities mean what they say (field names as in the JSON).</summary>
/// <param name="Temperature">exp(t) of the model, which similarities are multiplied by.</param>
/// <param name="CalibrationError">Mean distance of confidence and accuracy over the bins, weighted by pictures (ECE).</param>
/// <param name="Bins">Bins with pictures, from low to high.</param>
/// <param name="FittedTemperature">The exp(t) that makes the right classes most likely, fitted on every other picture.</param>
/// <param name="FittedCalibrationError">With it, on the other pictures.</param>
internal sealed record ReliabilityReport(
    double Temperature,
    double CalibrationError,
    IReadOnlyList<ReliabilityBin> Bins,
    double FittedTemperature,
    double FittedCalibrationError
);

/// <summary>Expected calibration error and a fitted temperature (Guo et al. 2017, arXiv 1706.04599).</summary>
internal static class Reliability
{
    private const int Bins = 15,
        MostFitted = 5000;

    /// <param name="images">zimg of labelled pictures, unit length.</param>
    /// <param name="classes">One embedding a class.</param>
    /// <param name="labels">The right classes of each picture; those without one do not count.</param>
    /// <param name="temperature">exp(t) of the model.</param>
    /// <exception cref="LitException">Fewer than 20 pictures have a label.</exception>
    public static ReliabilityReport Measure(
        Embeddings images,
        Embeddings classes,
        IReadOnlyList<int[]> labels,
        double temperature
    )
    {
        var labelled = Enumerable.Range(0, images.Count).Where(row => labels[row].Length > 0).ToList();
        if (labelled.Count < 20)
            throw new LitException(
                $"{labelled.Count} labelled pictures are too few to say whether probabilities can be trusted. Give 20 or more."
            );
        int[] fitOn = [.. labelled.Where((_, i) => i % 2 == 0).Take(MostFitted)],
            measureOn = [.. labelled.Where((_, i) => i % 2 == 1)];
        var fitted = Fit(images.Select(fitOn), classes, [.. fitOn.Select(row => labels[row])]);
        var all = Confidences(images.Select(labelled), classes, [.. labelled.Select(row => labels[row])], temperature);
        var others = Confidences(images.Select(measureOn), classes, [.. measureOn.Select(row => labels[row])], fitted);
        var bins = InBins(all);
        return new(temperature, Error(bins), bins, fitted, Error(InBins(others)));
    }

    /// <summary>The temperature with the smallest mean negative log-likelihood of the right classes, by golden section in its logarithm.</summary>
    private static double Fit(Embeddings images, Embeddings classes, int[][] labels)
    {
        const double Golden = 0.6180339887498949;
        var scores = new float[images.Count][];
        Similarity.EachRow(images, classes, (row, similarities) => scores[row] = similarities.ToArray());
        double Loss(double log) =>
            scores.Index().Sum(row => -LogLikelihood(row.Item, labels[row.Index], Math.Exp(log)));
        var (low, high) = (Math.Log(0.1), Math.Log(1000));
        var (a, b) = (high - Golden * (high - low), low + Golden * (high - low));
        var (lossA, lossB) = (Loss(a), Loss(b));
        while (high - low > 1e-3)
        {
            if (lossA < lossB)
                (high, b, lossB, a, lossA) = (b, a, lossA, b - Golden * (b - low), double.NaN);
            else
                (low, a, lossA, b, lossB) = (a, b, lossB, a + Golden * (high - a), double.NaN);
            if (double.IsNaN(lossA))
                lossA = Loss(a);
            if (double.IsNaN(lossB))
                lossB = Loss(b);
        }
        return Math.Exp((low + high) / 2);
    }

    private static double LogLikelihood(float[] scores, int[] labels, double temperature)
    {
        var largest = scores.Max();
        double total = 0,
            right = 0;
        for (var c = 0; c < scores.Length; c++)
        {
            var e = Math.Exp(temperature * (scores[c] - largest));
            total += e;
            if (labels.Contains(c))
                right += e;
        }
        return Math.Log(Math.Max(right / total, 1e-300));
    }

    private static List<(double Confidence, bool Right)> Confidences(
        Embeddings images,
        Embeddings classes,
        int[][] labels,
        double temperature
    )
    {
        List<(double, bool)> found = new(images.Count);
        Similarity.EachRow(images, classes, (row, scores) =>
        {
            var best = Similarity.ArgMax(scores);
            var total = 0.0;
            foreach (var score in scores)
                total += Math.Exp(temperature * (score - scores[best]));
            found.Add((1 / total, labels[row].Contains(best)));
        });
        return found;
    }

    private static List<ReliabilityBin> InBins(List<(double Confidence, bool Right)> pictures) =>
        [
            .. pictures
                .GroupBy(picture => Math.Min(Bins - 1, (int)(picture.Confidence * Bins)))
                .OrderBy(bin => bin.Key)
                .Select(bin => new ReliabilityBin(
                    bin.Key / (double)Bins,
                    bin.Average(one => one.Confidence),
                    bin.Count(one => one.Right) / (double)bin.Count(),
                    bin.Count()
                )),
        ];

    private static double Error(List<ReliabilityBin> bins) =>
        bins.Sum(bin => bin.N * Math.Abs(bin.Confidence - bin.Accuracy)) / bins.Sum(bin => bin.N);
}
