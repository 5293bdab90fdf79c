using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;

namespace LiT.Tuning.Runs;

/// <summary>Why a choice was made.</summary>
/// <param name="Option">The option of <c>lit tune</c> that overrides it.</param>
/// <param name="Words">One line.</param>
internal sealed record TuningReason(string Option, string Words);

/// <summary>What a run does when the user says nothing, and why, in a line of words for each choice.</summary>
/// <param name="Options">The choices.</param>
/// <param name="Reasons">One line each.</param>
internal sealed record TuningDefaults(TuningOptions Options, IReadOnlyList<TuningReason> Reasons)
{
    private const double GentleRate = 1e-4;
    private const long PixelsAtOnce = 1_000_000;

    /// <summary>A pre-trained image tower takes small steps.</summary>
    public static IReadOnlyList<ParameterRule> ImageRate(LockSetting setting, double rate, Action<string> say)
    {
        if (setting.Image != TowerStart.Unlocked || rate <= GentleRate)
            return [];
        say(
            FormattableString.Invariant(
                $"the image tower is pre-trained and takes steps of {GentleRate:G}, whatever --lr is; --lr-mult '^image\\.=1' gives it the whole"
            )
        );
        return [new(@"^image\.", GentleRate / rate)];
    }

    /// <summary>Pictures at once: as many as keep the activations of a usual tower within a few hundred megabytes; null for stored ones.</summary>
    public static int? ImagesAtOnce(TuningPairs pairs) =>
        pairs.Pictures.Shape is [_, var height, var width]
            ? (int)Math.Clamp(PixelsAtOnce / (height * width), 8, 256)
            : null;

    /// <summary>Warm-up for a run of so many steps: a twentieth of it.</summary>
    public static long Warmup(long steps) => Math.Min(Math.Max(1, steps / 20), steps - 1);

    /// <summary>Choices for the size of the data.</summary>
    /// <param name="pairs">The data.</param>
    /// <param name="batch">The batch that the user asked for, or null.</param>
    /// <param name="fromScratch">Whether the text tower starts from random weights.</param>
    public static TuningDefaults For(TuningPairs pairs, int? batch = null, bool fromScratch = true)
    {
        List<TuningReason> reasons = [];
        var size = batch
            ?? Math.Min(
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
        if (batch is null)
            reasons.Add(
                new(
                    "--batch",
                    $"batch {size}: {pairs.Count:N0} pairs give {pairs.Count / Math.Max(1, size):N0} steps an epoch; small data is better served by more steps than by more negatives"
                )
            );
        // From a few hundred steps on small data to the two dozen epochs of the paper's public models on large. Of 80 epochs
        // in place of 40 for a few thousand pairs docs/tuning.md has the measurement.
        var steps = Math.Max(
            600,
            (long)
                Math.Ceiling(
                    (
                        pairs.Count < 5_000 ? 80.0
                        : pairs.Count < 50_000 ? 8
                        : 20
                    )
                        * pairs.Count
                        / size
                )
        );
        reasons.Add(new("--steps", $"{steps:N0} steps, {steps * (double)size / pairs.Count:F0} epochs"));
        var rate = fromScratch ? (size <= 1024 ? 3e-3 : 1e-3) : (size <= 1024 ? 1e-4 : 1e-3);
        reasons.Add(
            new(
                "--lr",
                fromScratch
                    ? $"learning rate {rate:G}: the text tower starts from scratch, the image side is fixed"
                    : $"learning rate {rate:G}: the text tower is pre-trained, and small batches that take large steps make it forget"
            )
        );
        var repeat = pairs.Captions / (double)pairs.DistinctRows;
        reasons.Add(
            new(
                "--positives",
                $"equal captions are positives of each other: {pairs.Captions:N0} captions, {pairs.DistinctRows:N0} of them distinct"
            )
        );
        var noise = fromScratch && (pairs.DistinctRows < 20_000 || repeat > 5) ? 0.5 : 0;
        if (noise > 0)
            reasons.Add(
                new(
                    "--caption-noise",
                    $"caption noise {noise:G}: half the captions get words that none of them uses, so that the tower passes over unknown words of a prompt"
                )
            );
        return new(
            new TuningOptions
            {
                Batch = size,
                MicroBatch = Math.Min(size, 1024),
                Steps = steps,
                WarmupSteps = Warmup(steps),
                CheckpointEvery = Math.Clamp(steps / 10, 50, 1000),
                LogEvery = Math.Clamp(steps / 500, 1, 50),
                CaptionNoise = noise,
                Optimizer = new() { LearningRate = rate },
            },
            reasons
        );
    }
}
