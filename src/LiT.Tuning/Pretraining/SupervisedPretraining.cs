using System.Diagnostics;
using System.Text.Json;
using LiT.Data;
using LiT.Towers;
using LiT.Tuning.Optimizers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Pretraining;

/// <summary>What came of pre-training.</summary>
/// <param name="TowerPath">The finished tower, a file that
/// <see cref="ImageTowerLoader.Load(string, ImageTowerOptions?)"/> reads.</param>
/// <param name="Fingerprint">The tower's fingerprint.</param>
/// <param name="Steps">Updates in all.</param>
/// <param name="Pictures">Training pictures.</param>
/// <param name="Skipped">Reports of pictures that could not be used.</param>
/// <param name="ValidationPictures">Held-out pictures that were measured.</param>
/// <param name="Accuracy">Share of the held-out pictures that each head of the stored tower names rightly; null without
/// held-out pictures.</param>
internal sealed record PretrainingResult(
    string TowerPath,
    string Fingerprint,
    long Steps,
    int Pictures,
    int Skipped,
    int ValidationPictures,
    IReadOnlyDictionary<string, double>? Accuracy
);

/// <summary>
/// Trains an image tower on labels: the pre-training that LiT takes for granted (paper, section 3: "supervised on image
/// annotations"), for when no tower is at hand. The run's folder holds <c>checkpoint.safetensors</c> (weights, momenta
/// and step; replaced as a whole), <c>metrics.jsonl</c> and, at the end, <c>tower.safetensors</c>. Running again in the
/// same folder goes on from the checkpoint and ends in the same weights, bit by bit, with the same number of threads.
/// </summary>
internal static class SupervisedPretraining
{
    /// <summary>The method's name.</summary>
    internal const string Method = "supervised";

    private sealed record RunSettings(int Pictures, PretrainingOptions Options);

    // Weights and momenta under the names that a checkpoint has for them.
    private static IEnumerable<(string Name, Tensor Value)> StateOf(ImageTower tower, IWeightUpdates updates) =>
        tower
            .state_dict()
            .Select(entry => ("tower." + entry.Key, entry.Value))
            .Concat(updates.State.Select(entry => ("momentum." + entry.Name, entry.Value)));

    /// <summary>Trains, or goes on training, and measures on held-out pictures.</summary>
    /// <param name="options">How.</param>
    /// <param name="train">Pictures with labels.</param>
    /// <param name="validation">Held-out pictures with the same labels, or null.</param>
    /// <param name="folder">The run's folder.</param>
    /// <param name="threads">Threads that decode, beside those that torch computes with.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="skip">Told of everything that cannot be used.</param>
    /// <param name="cancel">Stops after the current step, leaving a checkpoint.</param>
    /// <exception cref="UsageException">An option that cannot be.</exception>
    /// <exception cref="LitException">The data has no such labels, the folder holds another run, or training
    /// diverged.</exception>
    public static PretrainingResult Run(
        PretrainingOptions options,
        SampleSource train,
        SampleSource? validation,
        string folder,
        int threads = 1,
        IProgress<ProgressStep>? progress = null,
        Action<Skipped>? skip = null,
        CancellationToken cancel = default
    )
    {
        options.Check();
        var skipped = 0;
        Action<Skipped> counted = one =>
        {
            Interlocked.Increment(ref skipped);
            skip?.Invoke(one);
        };
        var pictures = LabelledPictures.Read(train, options.Labels, known: null, counted, cancel);
        using var tower = WithHeads(options, pictures).Create(options.Seed);
        using IWeightUpdates updates =
            options.Rule == PretrainingRule.AdamW
                ? new AdamUpdates(tower, options)
                : new MomentumSgd(tower.named_parameters(), options.Momentum, options.WeightDecay);
        var settings = new RunSettings(pictures.Pictures.Count, options);
        var run = new PretrainingRun(folder, Method, JsonSerializer.Serialize(settings, PretrainingRun.Json));
        var tally = new PretrainingTally(options.Labels.Count);
        var first = run.Resume(StateOf(tower, updates), tally.Restore);
        updates.GoOn(first);
        using var metrics = run.OpenMetrics(first);
        var batches = new PictureBatches(
            pictures.Pictures,
            options.Batch,
            options.Preprocessing,
            options.Augmentation,
            options.Seed,
            threads
        );
        var end = options.Epochs * batches.StepsInEpoch;
        Skipped? unread = null;
        // Stopping is asked for between two steps and not of the batches, so that every stop leaves a checkpoint.
        var shuffled = batches.Shuffled(first, end, one => counted(unread = one), CancellationToken.None);
        var steps = new Training(options, tower, updates, run, tally, metrics, folder, progress).Run(
            shuffled,
            end,
            batches.StepsInEpoch,
            cancel
        );
        if (first == 0 && steps == 0)
            throw Undecoded(train.Path, pictures.Pictures.Count, unread);
        if (options.Float16)
            tower.to(ScalarType.Float16);
        run.SaveTower(tower, options.Preprocessing);
        using var stored = ImageTowerLoader.Load(run.TowerPath);
        var held = validation is null
            ? null
            : LabelledPictures.Read(validation, options.Labels, pictures.ClassNames, counted, cancel);
        var accuracy = held is null
            ? null
            : Measure(stored, held.Pictures, options.Labels, options.Batch, threads, counted, progress, cancel);
        if (accuracy is not null)
            metrics.Write(new PretrainingValidation(end, accuracy, held!.Pictures.Count));
        return new(
            run.TowerPath,
            stored.Fingerprint,
            end,
            pictures.Pictures.Count,
            skipped,
            held?.Pictures.Count ?? 0,
            accuracy
        );
    }

    private static ImageTowerConfig WithHeads(PretrainingOptions options, LabelledPictures pictures) =>
        options.Tower with
        {
            Heads =
            [
                .. options.Labels.Select(
                    (label, i) => new HeadConfig(label, pictures.ClassNames[i].Count, pictures.ClassNames[i])
                ),
            ],
        };

    /// <summary>The steps, each with what is written after it.</summary>
    private sealed class Training(
        PretrainingOptions options,
        ImageTower tower,
        IWeightUpdates updates,
        PretrainingRun run,
        PretrainingTally tally,
        PretrainingRun.MetricsFile metrics,
        string folder,
        IProgress<ProgressStep>? progress
    )
    {
        /// <returns>Steps that moved something.</returns>
        public long Run(IEnumerable<PictureBatch> batches, long end, long stepsInEpoch, CancellationToken cancel)
        {
            var moved = 0L;
            tower.train();
            var schedule = new LearningRate(LearningRateShape.Cosine, end)
            {
                WarmupSteps = (long)(options.Warmup * end),
            };
            var clock = Stopwatch.StartNew();
            foreach (var batch in batches)
            {
                var rate = options.LearningRate * schedule.At(batch.Step);
                var (loss, gradNorm) = Step(tower, updates, batch, options, rate, tally);
                if (!double.IsFinite(loss) || !double.IsFinite(gradNorm))
                    throw new LitException(
                        folder,
                        $"training diverged at step {batch.Step} (loss {loss})",
                        $"Start into a new folder with a smaller `LearningRate` than {options.LearningRate}"
                    );
                moved++;
                var done = batch.Step + 1;
                if (done % options.LogEvery == 0 || done == end)
                    metrics.Write(
                        tally.Line(
                            options.Labels,
                            done,
                            (double)done / stepsInEpoch,
                            rate,
                            gradNorm,
                            clock.Elapsed.TotalSeconds
                        )
                    );
                if (done % options.CheckpointEvery == 0 || done == end || cancel.IsCancellationRequested)
                    run.Save(done, StateOf(tower, updates), tally.InWords);
                progress?.Report(
                    new("pre-training", done, end, "steps", FormattableString.Invariant($"loss {loss:F3}"))
                );
                if (done < end)
                    cancel.ThrowIfCancellationRequested();
            }
            return moved;
        }
    }

    private static LitException Undecoded(string path, int pictures, Skipped? last) =>
        new(
            path,
            FormattableString.Invariant($"none of its {pictures:N0} pictures can be decoded")
                + (last is null ? "" : $", {last.Origin} for example: {last.Reason.TrimEnd('.')}"),
            "Give pictures that can be read"
        );

    private static (double Loss, double GradNorm) Step(
        ImageTower tower,
        IWeightUpdates updates,
        PictureBatch batch,
        PretrainingOptions options,
        double rate,
        PretrainingTally tally
    )
    {
        using var scope = NewDisposeScope();
        var images = tensor(batch.Values, [batch.Count, 3, options.Preprocessing.Height, options.Preprocessing.Width]);
        var representation = tower.call(images); // [B, D]
        var losses = new Tensor[options.Labels.Count];
        for (var i = 0; i < losses.Length; i++)
        {
            var classes = tensor(batch.Classes[i]);
            var logits = tower.Logits(options.Labels[i], representation); // [B, classes]
            losses[i] = functional.cross_entropy(logits, classes, label_smoothing: options.LabelSmoothing);
            tally.Add(i, logits.argmax(1).eq(classes).sum().item<long>());
        }
        var loss = stack(losses).mean();
        updates.Clear();
        loss.backward();
        var norm = updates.Step(rate);
        var nats = loss.item<float>();
        tally.Add(batch.Count, nats);
        return (nats, norm);
    }

    /// <summary>The share of pictures whose class each head of a tower ranks first.</summary>
    internal static Dictionary<string, double> Measure(
        LockedTower locked,
        IReadOnlyList<LabelledPicture> pictures,
        IReadOnlyList<string> labels,
        int batchSize,
        int threads,
        Action<Skipped> skip,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        using var unrecorded = no_grad();
        var right = new long[labels.Count];
        long seen = 0;
        var batches = new PictureBatches(
            pictures,
            batchSize,
            locked.Preprocessing,
            augmentation: null,
            seed: 0,
            threads
        );
        foreach (var batch in batches.InOrder(skip, cancel))
        {
            using var scope = NewDisposeScope();
            var images = tensor(
                batch.Values,
                [batch.Count, 3, locked.Preprocessing.Height, locked.Preprocessing.Width]
            );
            var representation = locked.Tower.call(images);
            for (var i = 0; i < right.Length; i++)
                right[i] += locked
                    .Tower.Logits(labels[i], representation)
                    .argmax(1)
                    .eq(tensor(batch.Classes[i]))
                    .sum()
                    .item<long>();
            seen += batch.Count;
            progress?.Report(new("measuring", seen, pictures.Count, "images"));
        }
        if (seen == 0)
            throw Undecoded("validation", pictures.Count, null);
        return labels
            .Select((label, i) => (label, share: (double)right[i] / seen))
            .ToDictionary(one => one.label, one => one.share);
    }
}
