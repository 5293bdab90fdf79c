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
        RowsApart = 256,
        RowsAtMost = 2048; // the width inside a gated head times so many rows is what a lane keeps of its last part

    private readonly TuningTowers tuning;
    private readonly TwoTowers towers;
    private readonly TuningPairs pairs;
    private readonly TuningOptions options;
    private readonly Device device;
    private readonly IBatchExchange exchange;
    private readonly BatchShare share;
    private readonly ImagePrefetch images;
    private readonly BackwardStages? stages;
    private readonly NestedSizes? nested;
    private readonly KeptNeighbours? neighbours;
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
        share = new(options.Batch, this.exchange.Place, this.exchange.Processes);
        var rates = new ParameterRule("^[tb]$", options.TemperatureRate);
        Optimizer = TuningOptimizer.Create(
            tuning.Parameters,
            options.Optimizer with
            {
                LearningRateRules = [.. options.Optimizer.LearningRateRules, rates],
            }
        );
        Average = options.AverageDecay is { } decay ? new(tuning.Parameters, decay) : null;
        images = new(pairs, options.Batch, share.From, share.Count);
        stages = this.exchange.Processes > 1 ? new(towers.Text) : null;
        nested = options.Nested.Count > 0 ? new(options.Nested, tuning.Rotation) : null;
        neighbours = options.Structure > 0 ? new(options.Structure, options.StructureLevels, options.Steps) : null;
        lowest = tensor((float)Math.Log(options.LowestTemperature), device: device).DetachFromDisposeScope();
        highest = tensor((float)Math.Log(options.HighestTemperature), device: device).DetachFromDisposeScope();
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
            drawn.Rows[share.From..(share.From + share.Count)],
            options.MicroBatch,
            towers.Text.MasksPadding,
            noise,
            towers.Text.Width
        );
        var (pixels, represented) = Represented(inputs.On(device), Draw.Mixed(seed, 0));
        using var imageSide = ImageSide(pixels, represented, Draw.Mixed(seed, 0));
        using var textSide = new EmbeddedSide(
            part => Computed(() => towers.EmbedTexts(captions.Ids(part))),
            captions.Chunks.Count,
            device.type == TorchSharp.DeviceType.CPU ? captions.Lanes : 1,
            tuning.MovingNow("text"),
            Draw.Mixed(seed, 1),
            stages: stages is null ? null : (stages, stages.Apart(tuning.NamedNow("text")))
        );
        var ownImages = imageSide.Embed(); // [n, E]
        var distinct = textSide.Embed(); // [captions that differ, E]
        var captionOf = tensor(captions.PlaceOfPair).On(device);
        var texts = distinct.index_select(0, captionOf);
        var result = Loss(ownImages, texts, PositivesOf(drawn));
        if (pairs.Teacher is { } teacher)
            result = teacher.Shared(
                result,
                (exchange.Gather(ownImages, share.Counts), exchange.Gather(texts, share.Counts)),
                towers.LogTemperature,
                drawn.Images,
                share
            );
        if (options.LossOver == LossOver.Pairs)
            result = result.DividingGradients(options.Batch);
        if (pairs.Taught is { } taught)
            result = taught.Added(result, texts, drawn.Rows.AsSpan(share.From, share.Count), options.Batch);
        if (neighbours?.WeightAt(step) is > 0 and var weight)
            KeepNeighbours(result, weight, (represented, ownImages), (() => TextRows(captions, captionOf), texts));
        foreach (var parameter in tuning.Parameters)
            parameter.Tensor.grad = null;
        if (tuning.ImageMoves)
        {
            imageSide.Backward(result.ImageGradient!);
            exchange.BeginSum(Gradients(tuning.MovingNow("image"))); // while the texts' are computed
        }
        var ofDistinct = zeros_like(distinct);
        Parts.Run(1, _ => ofDistinct.index_add_(0, captionOf, result.TextGradient, Scalars.One));
        // What is near the output travels while the rest is computed.
        textSide.Backward(ofDistinct, some => exchange.BeginSum(Gradients(some)));
        exchange.EndSums();
        KeepStatisticsEqual();
        // What follows from the loss alone is whole already.
        GiveGradient(towers.LogTemperature, result.LogTemperatureGradient);
        GiveGradient(towers.Bias, result.BiasGradient);
        var norm = Optimizer.Move(schedule);
        KeepTemperature();
        Average?.Update(step);
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

    /// <summary>Adds what the neighbours of locked rows ask of the heads behind them to the gradients.</summary>
    private void KeepNeighbours(
        LossResult result,
        double weight,
        (Tensor? Before, Tensor After) images,
        (Func<Tensor> Before, Tensor After) texts
    )
    {
        var (image, text) = tuning.HeadsAlone;
        var each = weight / (image && text ? 2 : 1);
        if (image)
            Add(result.ImageGradient!, images.Before!, images.After);
        if (text)
            Add(result.TextGradient, texts.Before(), texts.After);

        void Add(Tensor gradient, Tensor before, Tensor after)
        {
            var asked = neighbours!
                .Of(exchange.Gather(before, share.Counts), exchange.Gather(after, share.Counts))
                .Gradient.narrow(0, share.From, share.Count);
            Parts.Run(1, _ => gradient.PlusInPlace(asked, each));
        }
    }

    /// <summary>What a locked text tower gives for the captions of each pair, [n, W].</summary>
    private Tensor TextRows(CaptionChunks captions, Tensor captionOf)
    {
        using EmbeddedSide locked = new(
            part => Computed(() => towers.Text.call(captions.Ids(part))),
            captions.Chunks.Count,
            device.type == TorchSharp.DeviceType.CPU ? captions.Lanes : 1,
            [],
            0
        );
        return locked.Embed().index_select(0, captionOf);
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

    private static List<Tensor> Gradients(IEnumerable<Tensor> parameters) =>
        [.. parameters.Select(parameter => parameter.grad).OfType<Tensor>()];

    private Positives PositivesOf(DrawnPairs drawn) =>
        options.Positives == PositivePairs.Own
            ? Positives.Own(options.Batch)
            : Positives.Shared(
                [.. drawn.Rows.Select(row => (long)row)],
                [.. drawn.Images.Select(image => (long)image)]
            );

    /// <summary>
    /// The loss of the whole batch at every width that is asked for, with the gradients of this process's own rows.
    /// </summary>
    private LossResult Loss(Tensor zimg, Tensor ztxt, Positives positives) =>
        nested is null
            ? LossOf(zimg, ztxt, positives)
            : nested.Mean(zimg, ztxt, (images, texts) => LossOf(images, texts, positives));

    private LossResult LossOf(Tensor zimg, Tensor ztxt, Positives positives)
    {
        ContrastiveLossOptions how = new()
        {
            Kind = options.Loss,
            LocalParts = options.LocalParts,
            ImageGradient = tuning.ImageMoves,
        };
        if (exchange.Processes > 1 && options.LocalParts == 1 && LossStrip.Knows(options.Loss))
            return LossStrip.Compute((zimg, ztxt), (towers.LogTemperature, towers.Bias), positives, how, exchange);
        // Parts of a batch lie across processes; they are small, and every process computes them all. So is a loss
        // that compares each pair with itself alone.
        var whole = ContrastiveLoss.Compute(
            exchange.Gather(zimg, share.Counts), // [B, E]
            exchange.Gather(ztxt, share.Counts), // [B, E]
            towers.LogTemperature,
            towers.Bias,
            positives,
            options: how
        );
        return exchange.Processes == 1
            ? whole
            : whole with
            {
                ImageGradient = whole.ImageGradient?.narrow(0, share.From, share.Count),
                TextGradient = whole.TextGradient.narrow(0, share.From, share.Count),
            };
    }

    /// <summary>Statistics of batch norms, which each process moves by its own pictures, become their mean.</summary>
    private void KeepStatisticsEqual()
    {
        if (exchange.Processes == 1)
            return;
        using var noGradient = no_grad();
        List<Tensor> moved = [.. tuning.MovingStatistics().Where(one => one.is_floating_point())];
        exchange.BeginSum(moved);
        exchange.EndSums();
        foreach (var one in moved)
            one.TimesInPlace(1.0 / exchange.Processes);
    }

    /// <summary>Pixels, and what a locked tower gives for them; rows of a store are that already.</summary>
    private (Tensor Pixels, Tensor? Represented) Represented(Tensor inputs, ulong seed)
    {
        if (inputs.dim() == 2)
            return (inputs, inputs);
        if (tuning.ImageTowerMoves)
            return (inputs, null);
        // A locked tower's representations are the same every time, so a head on top of them replays without it.
        var pieces = (int)((inputs.shape[0] + ImagesApart - 1) / ImagesApart);
        using var locked = new EmbeddedSide(
            part => Computed(() => towers.Image!.call(Part(inputs, part, pieces))),
            pieces,
            pieces,
            [],
            seed
        );
        return (inputs, locked.Embed());
    }

    private EmbeddedSide ImageSide(Tensor inputs, Tensor? represented, ulong seed)
    {
        var size = (int)inputs.shape[0];
        if (represented is null)
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
        var rowLanes = Math.Clamp(size / RowsApart, 1, 8);
        var rowParts = Math.Max(rowLanes, (size + RowsAtMost - 1) / RowsAtMost);
        return new(
            part => towers.ProjectImages(Part(represented, part, rowParts)),
            rowParts,
            rowLanes,
            tuning.MovingNow("image"),
            seed
        );
    }

    private static Tensor Part(Tensor all, int part, int parts)
    {
        var (from, to) = (all.shape[0] * part / parts, all.shape[0] * (part + 1) / parts);
        return all.narrow(0, from, to - from);
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
        stages?.Dispose();
        Average?.Dispose();
        Optimizer.Dispose();
        lowest.Dispose();
        highest.Dispose();
    }
}
