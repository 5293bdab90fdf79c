using System.Text.Json;
using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Pretraining;

/// <summary>
/// A line of metrics.jsonl while a tower is trained by DINO; means are over the steps since the last line.
/// </summary>
/// <param name="Step">Steps done.</param>
/// <param name="Epoch">Epochs done, with fraction.</param>
/// <param name="Loss">Mean cross-entropy, in nats.</param>
/// <param name="TeacherEntropy">Mean entropy of what the teacher says of a view, in nats.</param>
/// <param name="Information">What the teacher tells about which view it was, in nats (<see cref="DinoTerms"/>).</param>
/// <param name="Twins">Share of pictures whose two large views are nearest neighbours in the teacher's representation
/// among those of the batch.</param>
/// <param name="Collapsed">Whether the teacher says the same of everything (<see cref="DinoTally.LeastInformation"/>).
/// </param>
/// <param name="Lr">Learning rate of the last update.</param>
/// <param name="WeightDecay">Weight decay of the last update.</param>
/// <param name="TeacherMomentum">What the teacher last kept of itself.</param>
/// <param name="TeacherTemperature">The teacher's temperature.</param>
/// <param name="GradNorm">Length of the last gradient.</param>
/// <param name="ImagesPerSecond">Pictures trained on a second, since the last line.</param>
/// <param name="Seconds">Since this process began to train.</param>
internal sealed record DinoMetrics(
    long Step,
    double Epoch,
    double Loss,
    double TeacherEntropy,
    double Information,
    double Twins,
    bool Collapsed,
    double Lr,
    double WeightDecay,
    double TeacherMomentum,
    double TeacherTemperature,
    double GradNorm,
    double ImagesPerSecond,
    double Seconds
);

/// <summary>The schedules' values at one step.</summary>
internal readonly record struct DinoRates(
    double LearningRate,
    double WeightDecay,
    double TeacherMomentum,
    double TeacherTemperature
);

/// <summary>
/// Sums between two lines of metrics; part of a checkpoint, so that a resumed run writes the lines of a whole one.
/// </summary>
internal sealed class DinoTally
{
    /// <summary>A teacher that tells less than this, in nats, says the same of everything.</summary>
    internal const double LeastInformation = 0.01;

    private double since;
    private Sums sums = new(0, 0, 0, 0, 0, 0);

    /// <summary>The last line said that the run has collapsed.</summary>
    public bool Collapsed { get; private set; }

    /// <summary>All of it in one line, as a checkpoint keeps it.</summary>
    /// <param name="updates">The optimizer's count, which is kept with it.</param>
    public string InWords(long updates) =>
        JsonSerializer.Serialize(new Kept(updates, Collapsed, sums), PretrainingRun.Json);

    /// <summary>Takes over what <see cref="InWords"/> gave.</summary>
    /// <returns>The optimizer's count.</returns>
    public long Restore(string words)
    {
        var kept = JsonSerializer.Deserialize<Kept>(words, PretrainingRun.Json)!;
        (sums, Collapsed) = (kept.Sums, kept.Collapsed);
        return kept.Updates;
    }

    public void Add(int pictures, double loss, DinoTerms terms, long twins) =>
        sums = new(
            sums.Steps + 1,
            sums.Images + pictures,
            sums.Loss + loss * pictures,
            sums.Entropy + terms.TeacherEntropy * pictures,
            sums.Information + terms.Information * pictures,
            sums.Twins + twins
        );

    /// <summary>The line for what was added since the last one; null where nothing was.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="epoch">Epochs done.</param>
    /// <param name="begun">Whether the run is far enough for the teacher to tell anything.</param>
    /// <param name="rates">Of the last step.</param>
    /// <param name="gradNorm">Of the last step.</param>
    /// <param name="seconds">Since the process began to train.</param>
    public DinoMetrics? Line(long step, double epoch, bool begun, DinoRates rates, double gradNorm, double seconds)
    {
        if (sums.Images == 0)
            return null;
        double n = sums.Images;
        Collapsed = begun && sums.Information / n < LeastInformation;
        var line = new DinoMetrics(
            step,
            epoch,
            sums.Loss / n,
            sums.Entropy / n,
            sums.Information / n,
            sums.Twins / n,
            Collapsed,
            rates.LearningRate,
            rates.WeightDecay,
            rates.TeacherMomentum,
            rates.TeacherTemperature,
            gradNorm,
            n / Math.Max(1e-9, seconds - since),
            seconds
        );
        (sums, since) = (new(0, 0, 0, 0, 0, 0), seconds);
        return line;
    }

    /// <summary>
    /// How many pictures have the second large view nearest to the first, by cosine, among the second views of all.
    /// </summary>
    /// <param name="representation">Of the first views, then of the second, [2 B, D].</param>
    public static long TwinsAmong(Tensor representation)
    {
        using var unrecorded = no_grad();
        using var scope = NewDisposeScope();
        var unit = representation.div(
            representation.Squared().sum(1, keepdim: true).sqrt().With(1e-12, (x, least) => x.clamp_min(least))
        );
        var views = unit.chunk(2);
        var nearest = views[0].matmul(views[1].t()).argmax(1); // [B]
        return nearest.eq(Scalars.Numbers(nearest.shape[0], ScalarType.Int64, CPU)).sum().item<long>();
    }

    private sealed record Sums(long Steps, long Images, double Loss, double Entropy, double Information, long Twins);

    private sealed record Kept(long Updates, bool Collapsed, Sums Sums);
}
