using LiT.Compute;
using LiT.Towers;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>What one step was like, in plain numbers.</summary>
/// <param name="Loss">Mean over the batch before the update, in nats.</param>
/// <param name="ImageToText">Share of images whose best text is theirs.</param>
/// <param name="TextToImage">Share of texts whose best image is theirs.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="TextSpread">Mean squared distance of the texts' embeddings from their mean: 0 when all are the same.</param>
internal readonly record struct StepNumbers(
    double Loss,
    double ImageToText,
    double TextToImage,
    double GradientNorm,
    double TextSpread
);

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
    private readonly Device device;
    private readonly IBatchExchange exchange;
    private readonly (int From, int Count) own;
    private readonly ImagePrefetch images;
    private readonly Tensor lowest,
        highest;

    internal TuningStep(
        TuningTowers tuning,
        TuningPairs pairs,
        TuningOptions options,
        Device device,
        IBatchExchange? exchange = null
    )
    {
        (this.tuning, towers, this.pairs, this.options, this.device) = (tuning, tuning.Towers, pairs, options, device);
        this.exchange = exchange ?? new WholeBatch();
        var from = Bound(this.exchange.Place);
        own = (from, Bound(this.exchange.Place + 1) - from);
        var rates = new ParameterRule("^[tb]$", options.TemperatureRate);
        Optimizer = TuningOptimizer.Create(
            tuning.Parameters,
            options.Optimizer with
            {
                LearningRateRules = [.. options.Optimizer.LearningRateRules, rates],
            }
        );
        Average = options.AverageDecay is { } decay ? new(tuning.Parameters, decay) : null;
        images = new(pairs, options.Batch, own.From, own.Count);
        lowest = tensor((float)Math.Log(options.LowestTemperature), device: device).DetachFromDisposeScope();
        highest = tensor((float)Math.Log(options.HighestTemperature), device: device).DetachFromDisposeScope();

        int Bound(int place) => (int)((long)options.Batch * place / this.exchange.Processes);
    }

    internal TuningOptimizer Optimizer { get; }

    internal WeightAverage? Average { get; }

    /// <summary>Everything that a checkpoint keeps besides the optimizer's own.</summary>
    internal IEnumerable<(string Name, Tensor Tensor)> State => tuning.Moving().Concat(Average?.Named ?? []);

    /// <param name="step">Counted from 0; with the seed it decides everything random.</param>
    /// <param name="schedule">Multiplier of the learning rate.</param>
    internal StepNumbers Run(long step, double schedule) => Run(step, schedule, read: true)!.Value;

    /// <param name="step">Counted from 0; with the seed it decides everything random.</param>
    /// <param name="schedule">Multiplier of the learning rate.</param>
    /// <param name="read">Whether the numbers are wanted: on a GPU, reading them waits for the step to be done.</param>
    internal StepNumbers? Run(long step, double schedule, bool read)
    {
        using var scope = NewDisposeScope();
        tuning.At(step);
        var (drawn, inputs) = images.Take(step);
        var seed = Draw.Mixed((ulong)options.Seed, (ulong)step);
        var noise =
            options.CaptionNoise > 0 && pairs.Foreign.Count > 0
                ? new CaptionNoise(pairs.Foreign, options.CaptionNoise, Draw.Mixed(seed, 2))
                : null;
        var captions = new CaptionChunks(
            pairs,
            drawn.Rows[own.From..(own.From + own.Count)],
            options.MicroBatch,
            towers.Text.MasksPadding,
            noise
        );
        var imageSide = ImageSide(inputs.On(device), Draw.Mixed(seed, 0));
        var textSide = new EmbeddedSide(
            part => Computed(() => towers.EmbedTexts(captions.Ids(part))),
            captions.Chunks.Count,
            tuning.TextMoves,
            Draw.Mixed(seed, 1)
        );
        var ownImages = imageSide.Embed(); // [n, E]
        var distinct = textSide.Embed(); // [captions that differ, E]
        var captionOf = tensor(captions.PlaceOfPair).On(device);
        // The batch spread over processes meets here …
        var zimg = exchange.Gather(ownImages); // [B, E]
        var ztxt = exchange.Gather(distinct.index_select(0, captionOf)); // [B, E]
        var positives =
            options.Positives == PositivePairs.Own
                ? Positives.Own(options.Batch)
                : Positives.Shared(
                    [.. drawn.Rows.Select(row => (long)row)],
                    [.. drawn.Images.Select(image => (long)image)]
                );
        var result = ContrastiveLoss.Compute(
            zimg,
            ztxt,
            towers.LogTemperature,
            towers.Bias,
            positives,
            options: new()
            {
                Kind = options.Loss,
                LocalParts = options.LocalParts,
                ImageGradient = tuning.ImageMoves,
            }
        );
        foreach (var parameter in tuning.Parameters)
            parameter.Tensor.grad = null;
        if (tuning.ImageMoves)
            imageSide.Backward(Own(result.ImageGradient!));
        textSide.Backward(zeros_like(distinct).index_add_(0, captionOf, Own(result.TextGradient), Scalars.One));
        // … and here. What follows from the loss alone is whole already.
        exchange.Sum([.. tuning.Parameters.Select(parameter => parameter.Tensor.grad).OfType<Tensor>()]);
        GiveGradient(towers.LogTemperature, result.LogTemperatureGradient);
        GiveGradient(towers.Bias, result.BiasGradient);
        var norm = Optimizer.Move(schedule);
        KeepTemperature();
        Average?.Update();
        if (!read)
            return null;
        return new(
            result.Loss.item<double>(),
            result.ImageToText.item<double>(),
            result.TextToImage.item<double>(),
            norm.item<double>(),
            captions.Distinct == 1 ? 1 : (distinct - distinct.mean([0])).square().sum([1]).mean().item<float>()
        );
    }

    private Tensor Own(Tensor whole) => exchange.Processes == 1 ? whole : whole.narrow(0, own.From, own.Count);

    private EmbeddedSide ImageSide(Tensor inputs, ulong seed)
    {
        if (inputs.dim() == 2)
            return new(_ => towers.ProjectImages(inputs), 1, tuning.ImageMoves, seed);
        var parts = (int)((inputs.shape[0] + options.ImagesAtOnce - 1) / options.ImagesAtOnce);
        if (tuning.ImageTowerMoves)
            return new(
                part => Computed(() => towers.EmbedImages(Part(part))),
                parts,
                tuned: true,
                seed,
                tuning.MovingStatistics()
            );
        // A locked tower's representations are the same every time, so a head on top of them replays without it.
        var representations = new EmbeddedSide(
            part => Computed(() => towers.Image!.call(Part(part))),
            parts,
            tuned: false,
            seed
        ).Embed();
        return new(_ => towers.ProjectImages(representations), 1, tuning.ImageMoves, seed);

        Tensor Part(int part)
        {
            var (from, to) = (inputs.shape[0] * part / parts, inputs.shape[0] * (part + 1) / parts);
            return inputs.narrow(0, from, to - from);
        }
    }

    /// <summary>The towers in the type of the run, what comes out of them in float32: the loss needs every digit.</summary>
    private Tensor Computed(Func<Tensor> embed)
    {
        using var bfloat16 = options.Bfloat16 ? Autocast.To(ScalarType.BFloat16, device) : null;
        var z = embed();
        return z.dtype == ScalarType.BFloat16 ? z.to_type(ScalarType.Float32) : z;
    }

    private static void GiveGradient(Tensor? scalar, Tensor gradient)
    {
        if (scalar is { requires_grad: true })
            scalar.grad = gradient.to_type(scalar.dtype).reshape(scalar.shape);
    }

    private void KeepTemperature()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        towers.LogTemperature.clamp_(lowest, highest);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        images.Dispose();
        Average?.Dispose();
        Optimizer.Dispose();
        lowest.Dispose();
        highest.Dispose();
    }
}
