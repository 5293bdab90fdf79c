using LiT.Text;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;

namespace LiT.Tuning.Runs;

/// <summary>What a run is expected to take, roughly.</summary>
/// <param name="Memory">Bytes, at the most.</param>
/// <param name="Disk">Bytes of checkpoints and model.</param>
internal readonly record struct RunNeeds(long Memory, long Disk)
{
    private const long Runtime = 400_000_000;

    /// <summary>Numbers that a tower keeps for the gradient of one text: 16 or so a block, token and channel.</summary>
    internal static long OfText(TextTower tower, int length) =>
        16L * Math.Max(1, tower.named_parameters().Count() / 12) * tower.Width * length;

    /// <param name="tuned">Weights that are tuned.</param>
    /// <param name="held">Weights in memory, locked ones too.</param>
    /// <param name="activations">Numbers that a micro-batch keeps for its gradient.</param>
    /// <param name="embedding">E.</param>
    /// <param name="options">The run's.</param>
    internal static RunNeeds Of(long tuned, long held, long activations, int embedding, TuningOptions options)
    {
        // Adafactor keeps bfloat16 momentum and factored squares, Adam two float32 a weight; gradients and the average
        // one each.
        var state = options.Optimizer.Kind == OptimizerKind.AdamW ? 8.0 : 2.1;
        var average = options.AverageDecay is null ? 0 : 4;
        var memory =
            Runtime + 4.0 * held + tuned * (4 + state + average) + 4.0 * activations + 24.0 * options.Batch * embedding;
        var disk = 3 * tuned * (4 + state + average) + 4.0 * held; // two checkpoints and one being made; the bundle
        return new((long)memory, (long)disk);
    }

    /// <summary>What a run with these towers takes.</summary>
    internal static RunNeeds Of(
        TuningTowers tuning,
        TuningSource source,
        CaptionTokenizer tokenizer,
        TuningOptions options
    )
    {
        var towers = tuning.Towers;
        var texts = OfText(towers.Text, tokenizer.Layout.Length) * Math.Min(options.MicroBatch, options.Batch);
        // An image tower keeps about 600 numbers a pixel for its gradient.
        var pictures = source.Images.Shape is [_, var height, var width]
            ? 600 * height * width * Math.Min(options.ImageMicroBatch ?? options.MicroBatch, options.Batch)
            : 0;
        return Of(
            tuning.Parameters.Sum(parameter => parameter.Tensor.numel()),
            towers.parameters().Sum(parameter => parameter.numel()),
            texts + pictures,
            towers.EmbeddingSize,
            options
        );
    }
}
