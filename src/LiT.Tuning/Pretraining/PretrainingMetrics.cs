using System.Text.Json;

namespace LiT.Pretraining;

/// <summary>A line of metrics.jsonl while a tower is pre-trained.</summary>
/// <param name="Step">Updates done.</param>
/// <param name="Epoch">Epochs done, with fraction.</param>
/// <param name="Loss">Mean cross-entropy of the heads since the last line, in nats.</param>
/// <param name="Accuracy">Share of training pictures that each head named rightly since the last line.</param>
/// <param name="Lr">Learning rate of the last update.</param>
/// <param name="GradNorm">Length of the last gradient.</param>
/// <param name="ImagesPerSecond">Pictures trained on a second, since the last line.</param>
/// <param name="Seconds">Since this process began to train.</param>
internal sealed record PretrainingMetrics(
    long Step,
    double Epoch,
    double Loss,
    IReadOnlyDictionary<string, double> Accuracy,
    double Lr,
    double GradNorm,
    double ImagesPerSecond,
    double Seconds
);

/// <summary>The last line of metrics.jsonl: what the stored tower makes of the held-out pictures.</summary>
/// <param name="Step">Updates in all.</param>
/// <param name="Val">Share of the held-out pictures that each head named rightly.</param>
/// <param name="Images">How many there were.</param>
internal sealed record PretrainingValidation(long Step, IReadOnlyDictionary<string, double> Val, int Images);

/// <summary>
/// Sums between two lines of metrics; part of a checkpoint, so that a resumed run writes the lines of a whole one.
/// </summary>
internal sealed class PretrainingTally(int labels)
{
    private double since;

    /// <summary>Pictures named rightly, by label column.</summary>
    public long[] Right { get; set; } = new long[labels];

    /// <summary>Loss times pictures.</summary>
    public double Loss { get; set; }

    /// <summary>Pictures trained on.</summary>
    public long Images { get; set; }

    /// <summary>All of it in one line, as a checkpoint keeps it.</summary>
    public string InWords => JsonSerializer.Serialize(new Sums(Right, Loss, Images), PretrainingRun.Json);

    /// <summary>Takes over what <see cref="InWords"/> gave.</summary>
    public void Restore(string words) =>
        (Right, Loss, Images) = JsonSerializer.Deserialize<Sums>(words, PretrainingRun.Json)!;

    private sealed record Sums(long[] Right, double Loss, long Images);

    public void Add(int label, long right) => Right[label] += right;

    public void Add(int count, float loss)
    {
        Images += count;
        Loss += loss * (double)count;
    }

    /// <summary>The line for what was added since the last one.</summary>
    public PretrainingMetrics Line(
        IReadOnlyList<string> names,
        long step,
        double epoch,
        double rate,
        double gradNorm,
        double seconds
    )
    {
        var accuracy = names
            .Select((name, i) => (name, share: (double)Right[i] / Images))
            .ToDictionary(one => one.name, one => one.share);
        var line = new PretrainingMetrics(
            step,
            epoch,
            Loss / Images,
            accuracy,
            rate,
            gradNorm,
            Images / Math.Max(1e-9, seconds - since),
            seconds
        );
        Array.Clear(Right);
        (Loss, Images, since) = (0, 0, seconds);
        return line;
    }
}
