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
/// <param name="TextSpread">Mean squared distance of the texts' embeddings from their mean: 0 when all are the
/// same.</param>
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
    // Pictures, and rows for a head, that are one part; the sums of a step are cut here, not by threads.
    private const int ImagesApart = 8,
        RowsApart = 256;

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
            noise,
            towers.Text.Width
        );
        using var imageSide = ImageSide(inputs.On(device), Draw.Mixed(seed, 0));
        using var textSide = new EmbeddedSide(
            part => Computed(() => towers.EmbedTexts(captions.Ids(part))),
            captions.Chunks.Count,
            device.type == TorchSharp.DeviceType.CPU ? captions.Lanes : 1,
            tuning.MovingNow("text"),
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
        var ofDistinct = zeros_like(distinct);
        Parts.Run(1, _ => ofDistinct.index_add_(0, captionOf, Own(result.TextGradient), Scalars.One));
        textSide.Backward(ofDistinct);
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
            captions.Distinct == 1 ? 1 : Spread(distinct)
        );
    }

    /// <summary>Mean squared distance from the mean.</summary>
    private static double Spread(Tensor embeddings)
    {
        Tensor? spread = null;
        void Compute() => spread = (embeddings - embeddings.mean([0])).Squared().sum([1]).mean();
        if (embeddings.device_type == TorchSharp.DeviceType.CPU)
            Parts.Run(1, _ => Compute()); // libtorch cuts sums where its threads are
        else
            Compute();
        return spread!.item<float>();
    }

    private Tensor Own(Tensor whole) => exchange.Processes == 1 ? whole : whole.narrow(0, own.From, own.Count);

    private EmbeddedSide ImageSide(Tensor inputs, ulong seed)
    {
        var size = (int)inputs.shape[0];
        if (inputs.dim() == 2)
            return Projected(inputs);
        if (tuning.ImageTowerMoves)
        {
            // Statistics of a batch norm are those of a part: the memory of a part sets its size, nothing else.
            var statistics = tuning.MovingStatistics();
            var lanes = statistics.Count > 0 ? 1 : Math.Clamp(Math.Min(size, options.ImagesAtOnce) / ImagesApart, 1, 8);
            var parts = Math.Min(size, (size + options.ImagesAtOnce - 1) / options.ImagesAtOnce * lanes);
            return new(
                part => Computed(() => towers.EmbedImages(Part(inputs, part, parts))),
                parts,
                lanes,
                tuning.MovingNow("image"),
                seed,
                statistics
            );
        }
        // A locked tower's representations are the same every time, so a head on top of them replays without it.
        var pieces = (size + ImagesApart - 1) / ImagesApart;
        using var locked = new EmbeddedSide(
            part => Computed(() => towers.Image!.call(Part(inputs, part, pieces))),
            pieces,
            pieces,
            [],
            seed
        );
        return Projected(locked.Embed());

        EmbeddedSide Projected(Tensor representations)
        {
            var parts = Math.Clamp(size / RowsApart, 1, 8);
            return new(
                part => towers.ProjectImages(Part(representations, part, parts)),
                parts,
                parts,
                tuning.MovingNow("image"),
                seed
            );
        }

        static Tensor Part(Tensor all, int part, int parts)
        {
            var (from, to) = (all.shape[0] * part / parts, all.shape[0] * (part + 1) / parts);
            return all.narrow(0, from, to - from);
        }
    }

    /// <summary>
    /// The towers in the type of the run, what comes out of them in float32: the loss needs every digit.
    /// </summary>
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
