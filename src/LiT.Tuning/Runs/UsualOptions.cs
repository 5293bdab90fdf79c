using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;

namespace LiT.Tuning.Runs;

/// <summary>What suits data of a size.</summary>
internal static class UsualOptions
{
    private const int MostTimesAsLong = 3,
        FewCaptions = 20_000;
    private const double OftenRepeated = 5,
        UsualNoise = 0.5;

    /// <summary>Choices for the size of the data.</summary>
    /// <param name="pairs">The data.</param>
    /// <param name="batch">The batch that the user asked for, or null.</param>
    /// <param name="fromScratch">Whether the text tower starts from random weights.</param>
    /// <param name="imageMoves">Whether the image tower is tuned, too.</param>
    /// <param name="languages">How many languages the captions are in.</param>
    public static TuningDefaults For(
        TuningPairs pairs,
        int? batch = null,
        bool fromScratch = true,
        bool imageMoves = false,
        int languages = 1
    )
    {
        List<TuningReason> reasons = [];
        var size = batch ?? Batch(pairs, reasons);
        var steps = Steps(pairs, size, languages, reasons);
        var rate = Rate(size, fromScratch, imageMoves, reasons);
        reasons.Add(
            new(
                nameof(TuningOptions.Positives),
                $"equal captions are positives of each other: {pairs.Captions:N0} captions, "
                    + $"{pairs.DistinctRows:N0} of them distinct"
            )
        );
        return new(
            new TuningOptions
            {
                Batch = size,
                MicroBatch = Math.Min(size, 1024),
                Steps = steps,
                WarmupSteps = TuningDefaults.Warmup(steps),
                CheckpointEvery = Math.Clamp(steps / 10, 50, 1000),
                LogEvery = Math.Clamp(steps / 500, 1, 50),
                CaptionNoise = fromScratch ? Noise(pairs, reasons) : 0,
                Optimizer = new() { LearningRate = rate },
            },
            reasons
        );
    }

    private static int Batch(TuningPairs pairs, List<TuningReason> reasons)
    {
        var size = Math.Min(
            pairs.Count,
            pairs.Count switch
            {
                < 1_000 => 64,
                < 5_000 => 128,
                < 50_000 => 256,
                < 500_000 => 1024,
                < 3_000_000 => 4096,
                _ => 16_384,
            }
        );
        reasons.Add(
            new(
                nameof(TuningOptions.Batch),
                $"batch {size}: {pairs.Count:N0} pairs give {pairs.Count / Math.Max(1, size):N0} "
                    + "steps an epoch; small data is better served by more steps than by more negatives"
            )
        );
        return size;
    }

    /// <summary>
    /// From a few hundred steps on small data to the two dozen epochs of the paper's public models on large. Of 80
    /// epochs in place of 40 for a few thousand pairs docs/tuning.md has the measurement. A step draws one caption of a
    /// picture, so that languages share the steps: docs/languages.md has what thrice as many give them.
    /// </summary>
    private static long Steps(TuningPairs pairs, int size, int languages, List<TuningReason> reasons)
    {
        var epochs =
            pairs.Count < 5_000 ? 80.0 * Math.Min(languages, MostTimesAsLong)
            : pairs.Count < 50_000 ? 8
            : 20;
        var steps = Math.Max(600, (long)Math.Ceiling(epochs * pairs.Count / size));
        reasons.Add(
            new(
                nameof(TuningOptions.Steps),
                $"{steps:N0} steps, {steps * (double)size / pairs.Count:F0} epochs"
                    + (languages > 1 ? $", which {languages} languages share" : "")
            )
        );
        return steps;
    }

    private static double Rate(int size, bool fromScratch, bool imageMoves, List<TuningReason> reasons)
    {
        var rate =
            size > 1024 ? 1e-3
            : fromScratch ? 3e-3
            : 1e-4;
        reasons.Add(
            new(
                nameof(OptimizerOptions.LearningRate),
                fromScratch
                    ? $"learning rate {rate:G}: the text tower starts from scratch, "
                        + (imageMoves ? "and the image tower is tuned with it" : "the image side is fixed")
                    : $"learning rate {rate:G}: the text tower is pre-trained, and small batches that "
                        + "take large steps make it forget"
            )
        );
        return rate;
    }

    private static double Noise(TuningPairs pairs, List<TuningReason> reasons)
    {
        if (pairs.DistinctRows >= FewCaptions && pairs.Captions <= OftenRepeated * pairs.DistinctRows)
            return 0;
        reasons.Add(
            new(
                nameof(TuningOptions.CaptionNoise),
                $"caption noise {UsualNoise:G}: half the captions get words that none of them uses, so "
                    + "that the tower passes over unknown words of a prompt"
            )
        );
        return UsualNoise;
    }
}
