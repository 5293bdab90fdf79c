using System.Diagnostics;
using System.Text.Json;
using LiT.Data;
using LiT.Images;
using LiT.Towers;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Pretraining;

/// <summary>What came of training without labels.</summary>
/// <param name="TowerPath">The finished tower, a file that
/// <see cref="ImageTowerLoader.Load(string, ImageTowerOptions?)"/> reads.</param>
/// <param name="Fingerprint">The tower's fingerprint.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Pictures">Training pictures.</param>
/// <param name="Skipped">Reports of pictures that could not be used.</param>
/// <param name="Collapsed">Whether the teacher said the same of everything at the end: the tower then tells pictures
/// apart no better than one that was never trained.</param>
internal sealed record DinoResult(
    string TowerPath,
    string Fingerprint,
    long Steps,
    int Pictures,
    int Skipped,
    bool Collapsed
);

/// <summary>
/// Trains an image tower without labels by DINO (Caron et al. 2021, arXiv 2104.14294): a student learns to say of any
/// view of a picture what a teacher, its own moving average, says of another. The tower is the teacher's. The run's
/// folder is as that of <see cref="SupervisedPretraining"/>; its checkpoint holds student, teacher, centre, moments and
/// step. Running again in the same folder goes on from it and ends in the same weights, bit by bit, with the same
/// number of threads. Unlike the authors' program it has no stochastic depth.
/// </summary>
internal static class DinoPretraining
{
    /// <summary>The method's name.</summary>
    internal const string Method = "dino";

    private const int LookedAt = 16;

    /// <summary>Trains, or goes on training.</summary>
    /// <param name="options">How.</param>
    /// <param name="train">Pictures; labels are not looked at.</param>
    /// <param name="folder">The run's folder.</param>
    /// <param name="threads">Threads that decode, beside those that torch computes with.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="skip">Told of everything that cannot be used.</param>
    /// <param name="cancel">Stops after the current step, leaving a checkpoint.</param>
    /// <exception cref="UsageException">An option that cannot be.</exception>
    /// <exception cref="LitException">Too few pictures or too small ones, the folder holds another run, or training
    /// diverged.</exception>
    public static DinoResult Run(
        DinoOptions options,
        SampleSource train,
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
        var pictures = LabelledPictures.Unlabelled(train, counted, cancel);
        var views = new DinoViews(options);
        Suit(pictures, views, options, train.Path);
        var batches = new PictureBatches(
            pictures,
            options.Batch,
            options.Preprocessing.Decoding,
            views.ValueCount,
            views.Apply,
            options.Seed,
            threads
        );
        var settings = new RunSettings(pictures.Count, options);
        var run = new PretrainingRun(folder, Method, JsonSerializer.Serialize(settings, PretrainingRun.Json));
        using var training = new Training(options, views, run, batches, folder, progress);
        var first = training.Resume();
        using var metrics = run.OpenMetrics(first);
        training.Run(
            // Stopping is asked for between two steps and not of the batches, so that every stop leaves a checkpoint.
            batches.Shuffled(first, training.End, counted, CancellationToken.None),
            metrics,
            cancel
        );
        if (training.Updates == 0)
            throw new LitException(train.Path, "no batch held two pictures that can be used", "See what was skipped");
        training.SaveTower();
        using var stored = ImageTowerLoader.Load(run.TowerPath);
        return new(run.TowerPath, stored.Fingerprint, training.End, pictures.Count, skipped, training.Collapsed);
    }

    private sealed record RunSettings(int Pictures, DinoOptions Options);

    // A picture that cannot be decoded is told of later, by its batch; one that is too small will not be the only one.
    private static void Suit(IReadOnlyList<LabelledPicture> pictures, DinoViews views, DinoOptions options, string path)
    {
        if (pictures.Count < 2)
            throw new LitException(path, "holds 1 picture, and centring needs several", "Give two or more");
        RgbImage? small = null;
        foreach (var picture in pictures.Take(LookedAt))
        {
            try
            {
                var image = Decoding.Decode(picture.ReadImage(), options.Preprocessing.Decoding, picture.Origin);
                if (Math.Min(image.Width, image.Height) >= views.Smallest)
                    return;
                small ??= image;
            }
            catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
            {
                return;
            }
        }
        throw new LitException(
            path,
            $"its pictures have {small!.Width} x {small.Height} pixels, and the smallest view {views.Smallest} x "
                + $"{views.Smallest}",
            "Give larger pictures, a network for smaller ones, or a smaller `LocalSize`"
        );
    }

    /// <summary>Student, teacher, centre and optimizer, and the steps that move them.</summary>
    private sealed class Training : IDisposable
    {
        private readonly DinoOptions options;
        private readonly DinoViews views;
        private readonly PretrainingRun run;
        private readonly string folder;
        private readonly IProgress<ProgressStep>? progress;
        private readonly int batchSize;
        private readonly long stepsInEpoch;
        private readonly DinoNetwork student,
            teacher;
        private readonly DinoLoss loss;
        private readonly DinoUpdates updates;
        private readonly DinoTally tally = new();

        public Training(
            DinoOptions options,
            DinoViews views,
            PretrainingRun run,
            PictureBatches batches,
            string folder,
            IProgress<ProgressStep>? progress
        )
        {
            (this.options, this.views, this.run) = (options, views, run);
            (batchSize, stepsInEpoch) = (batches.BatchSize, batches.StepsInEpoch);
            (this.folder, this.progress) = (folder, progress);
            (student, teacher) = (new DinoNetwork(options), new DinoNetwork(options));
            loss = new DinoLoss(options.HeadOutputs, options.StudentTemperature, options.CentreMomentum);
            updates = new DinoUpdates(student.Tuned, options.ClipNorm, options.FreezeLastLayer * stepsInEpoch);
            End = options.Epochs * stepsInEpoch;
        }

        /// <summary>Steps in all.</summary>
        public long End { get; }

        /// <summary>Steps that moved something.</summary>
        public long Updates => updates.Steps;

        public bool Collapsed => tally.Collapsed;

        private IEnumerable<(string Name, Tensor Value)> State =>
            student
                .State.Select(one => ("student." + one.Name, one.Value))
                .Concat(teacher.State.Select(one => ("teacher." + one.Name, one.Value)))
                .Concat(updates.State.Select(one => ("adam." + one.Name, one.Value)))
                .Append(("centre", loss.Centre));

        public long Resume()
        {
            long counted = 0;
            var done = run.Resume(State, words => counted = tally.Restore(words));
            updates.GoOn(counted);
            return done;
        }

        public void SaveTower()
        {
            if (options.Float16)
                teacher.Tower.to(ScalarType.Float16);
            run.SaveTower(teacher.Tower, options.Preprocessing);
        }

        public void Run(IEnumerable<PictureBatch> batches, PretrainingRun.MetricsFile metrics, CancellationToken cancel)
        {
            var clock = Stopwatch.StartNew();
            foreach (var batch in batches)
            {
                var rates = RatesAt(batch.Step);
                var (value, gradNorm) = Step(batch, rates);
                if (!double.IsFinite(value) || !double.IsFinite(gradNorm))
                    throw new LitException(
                        folder,
                        $"training diverged at step {batch.Step} (loss {value})",
                        $"Start into a new folder with a smaller `LearningRate` than {options.LearningRate}"
                    );
                var done = batch.Step + 1;
                if (
                    (done % options.LogEvery == 0 || done == End)
                    && tally.Line(
                        done,
                        (double)done / stepsInEpoch,
                        10 * done >= End,
                        rates,
                        gradNorm,
                        clock.Elapsed.TotalSeconds
                    )
                        is { } line
                )
                    metrics.Write(line);
                if (done % options.CheckpointEvery == 0 || done == End || cancel.IsCancellationRequested)
                    run.Save(done, State, tally.InWords(updates.Steps));
                var words = FormattableString.Invariant($"loss {value:F3}{(Collapsed ? ", collapsed" : "")}");
                progress?.Report(new("pre-training", done, End, "steps", words));
                if (done < End)
                    cancel.ThrowIfCancellationRequested();
            }
        }

        private DinoRates RatesAt(long step) =>
            new(
                DinoSchedules.Cosine(
                    options.LearningRate * batchSize / 256,
                    options.LastLearningRate,
                    step,
                    End,
                    (long)(options.Warmup * End)
                ),
                DinoSchedules.Cosine(options.WeightDecay, options.WeightDecayEnd, step, End),
                DinoSchedules.Cosine(options.TeacherMomentum, 1, step, End),
                DinoSchedules.TeacherTemperature(
                    options.TeacherTemperatureStart,
                    options.TeacherTemperature,
                    step / stepsInEpoch,
                    options.TeacherTemperatureWarmup
                )
            );

        private (double Loss, double GradNorm) Step(PictureBatch batch, DinoRates rates)
        {
            if (batch.Count < 2) // statistics of one picture are none
                return (0, 0);
            using var scope = NewDisposeScope();
            var values = tensor(batch.Values, [batch.Count, views.ValueCount]);
            var large = views.Large(values);
            Tensor representation,
                teachers;
            using (no_grad())
                (representation, teachers) = teacher.Of(large);
            var (_, students) = student.Of(views.Small(values) is { } small ? [large, small] : [large]);
            var terms = loss.Of(students, teachers, views.Count, rates.TeacherTemperature);
            updates.Clear();
            terms.Loss.backward();
            var norm = updates.Step(rates.LearningRate, rates.WeightDecay);
            var nats = terms.Loss.item<float>();
            if (double.IsFinite(norm))
            {
                loss.UpdateCentre(teachers);
                teacher.Follow(student, rates.TeacherMomentum);
            }
            tally.Add(batch.Count, nats, terms, DinoTally.TwinsAmong(representation));
            return (nats, norm);
        }

        public void Dispose()
        {
            student.Dispose();
            teacher.Dispose();
            loss.Dispose();
            updates.Dispose();
        }
    }
}
