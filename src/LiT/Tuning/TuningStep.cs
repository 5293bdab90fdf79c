using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tuning;

/// <summary>What one step was like, in plain numbers.</summary>
/// <param name="Loss">Mean over the batch before the update, in nats.</param>
/// <param name="ImageToText">Share of images whose best text is theirs.</param>
/// <param name="TextToImage">Share of texts whose best image is theirs.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="TextSpread">Mean squared distance of the texts' embeddings from their mean: 0 when all are the same.</param>
internal readonly record struct StepNumbers(double Loss, double ImageToText, double TextToImage, double GradientNorm, double TextSpread);

/// <summary>
/// One optimizer step of contrastive tuning (LiT, section 3): embed both sides, the loss over the whole batch, the
/// gradients back through both sides, one update.
/// </summary>
internal sealed class TuningStep : IDisposable
{
    private readonly TuningTowers tuning;
    private readonly TwoTowers towers;
    private readonly TuningPairs pairs;
    private readonly TuningOptions options;
    private readonly ContrastiveLossOptions loss;
    private readonly Device device;
    private readonly ImagePrefetch images;

    internal TuningStep(TuningTowers tuning, TuningPairs pairs, TuningOptions options, Device device)
    {
        (this.tuning, towers, this.pairs, this.options, this.device) = (tuning, tuning.Towers, pairs, options, device);
        loss = new() { Kind = options.Loss, LocalParts = options.LocalParts, ImageGradient = tuning.ImageMoves };
        var rates = new ParameterRule("^[tb]$", options.TemperatureRate);
        Optimizer = TuningOptimizer.Create(tuning.Parameters, options.Optimizer with { LearningRateRules = [.. options.Optimizer.LearningRateRules, rates] });
        Average = options.AverageDecay is { } decay ? new(tuning.Parameters, decay) : null;
        images = new(pairs, options.Batch);
    }

    internal TuningOptimizer Optimizer { get; }

    internal WeightAverage? Average { get; }

    /// <summary>Everything that a checkpoint keeps besides the optimizer's own.</summary>
    internal IEnumerable<(string Name, Tensor Tensor)> State => tuning.Moving().Concat(Average?.Named ?? []);

    /// <param name="step">Counted from 0; with the seed it decides everything random.</param>
    /// <param name="schedule">Multiplier of the learning rate.</param>
    internal StepNumbers Run(long step, double schedule)
    {
        using var scope = NewDisposeScope();
        var (drawn, inputs) = images.Take(step);
        var seed = Draw.Mixed((ulong)options.Seed, (ulong)step);
        var noise = options.CaptionNoise > 0 && pairs.Foreign.Count > 0 ? new CaptionNoise(pairs.Foreign, options.CaptionNoise, Draw.Mixed(seed, 2)) : null;
        var captions = new CaptionChunks(pairs, drawn.Rows, options.MicroBatch, towers.Text.MasksPadding, noise);
        var imageSide = ImageSide(inputs.to(device), Draw.Mixed(seed, 0));
        var textSide = new EmbeddedSide(part => towers.EmbedTexts(captions.Ids(part, device)), captions.Chunks.Count, tuning.TextMoves, Draw.Mixed(seed, 1));
        var zimg = imageSide.Embed();                                                   // [B, E]
        var distinct = textSide.Embed();                                                // [captions that differ, E]
        var captionOf = tensor(captions.PlaceOfPair, device: device);
        var ztxt = distinct.index_select(0, captionOf);                                 // [B, E]
        // A batch spread over processes would meet here: embeddings and caption numbers of all of them gathered …
        var positives = options.Positives == PositivePairs.Own ? Positives.Own(options.Batch)
            : Positives.Shared(captions.PlaceOfPair, [.. drawn.Images.Select(image => (long)image)]);
        var result = ContrastiveLoss.Compute(zimg, ztxt, towers.LogTemperature, towers.Bias, positives, options: loss);
        foreach (var parameter in tuning.Parameters) parameter.Tensor.grad = null;
        if (tuning.ImageMoves) imageSide.Backward(result.ImageGradient!);
        textSide.Backward(zeros_like(distinct).index_add_(0, captionOf, result.TextGradient, Scalars.One));
        GiveGradient(towers.LogTemperature, result.LogTemperatureGradient);
        GiveGradient(towers.Bias, result.BiasGradient);
        // … and here: the gradients of all of them summed.
        var norm = Optimizer.Step(schedule);
        KeepTemperature();
        Average?.Update();
        return new(result.Loss.item<double>(), result.ImageToText.item<double>(), result.TextToImage.item<double>(), norm,
            captions.Distinct == 1 ? 1 : (distinct - distinct.mean([0])).square().sum([1]).mean().item<float>());
    }

    private EmbeddedSide ImageSide(Tensor inputs, ulong seed)
    {
        var stored = inputs.dim() == 2;
        var parts = stored ? 1 : (int)((inputs.shape[0] + options.MicroBatch - 1) / options.MicroBatch);
        return new(part =>
        {
            var (from, to) = (inputs.shape[0] * part / parts, inputs.shape[0] * (part + 1) / parts);
            var own = inputs.narrow(0, from, to - from);
            return stored ? towers.ProjectImages(own) : towers.EmbedImages(own);
        }, parts, tuning.ImageMoves, seed);
    }

    private static void GiveGradient(Tensor? scalar, Tensor gradient)
    {
        if (scalar is { requires_grad: true }) scalar.grad = gradient.to_type(scalar.dtype).reshape(scalar.shape);
    }

    private void KeepTemperature()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        towers.LogTemperature.clamp_(tensor((float)Math.Log(options.LowestTemperature), device: device), tensor((float)Math.Log(options.HighestTemperature), device: device));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        images.Dispose();
        Average?.Dispose();
        Optimizer.Dispose();
    }
}
