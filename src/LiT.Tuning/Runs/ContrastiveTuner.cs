using System.Diagnostics;
using System.Globalization;
using LiT.Files;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Tuning.Runs;

/// <summary>Numbers that say how good the model is now, on data of the caller's.</summary>
internal interface IValidation : IDisposable
{
    /// <summary>Evaluates the towers as they are; they are in evaluation mode and no gradient is recorded.</summary>
    /// <returns>Names and values, as they stand in the metrics line under "val"; the larger the better where one is
    /// kept by.</returns>
    IReadOnlyDictionary<string, double> Validate(long step);

    /// <summary>
    /// What guessing gives for a number by its name, and over how many it is counted; without an entry that is not
    /// known.
    /// </summary>
    IReadOnlyDictionary<string, Guessing> Guessing => new Dictionary<string, Guessing>();

    /// <summary>The number whose best weights are kept where nobody says which; null keeps the last.</summary>
    string? BestBy => null;

    /// <summary>Lets go of the data, where any is held open.</summary>
    void IDisposable.Dispose() { }
}

/// <summary>What guessing gives.</summary>
/// <param name="Share">Right answers to be expected.</param>
/// <param name="Count">Questions.</param>
internal readonly record struct Guessing(double Share, int Count)
{
    /// <summary>How far two shares of right answers to so many questions lie apart by chance: a deviation.</summary>
    public double Between(double share) => Math.Sqrt(2 * Math.Max(0, share * (1 - share)) / Count);

    /// <summary>Whether a share of right answers may well be luck: less than three deviations above chance.</summary>
    public bool Explains(double share) => share <= Share + 3 * Math.Sqrt(Share * (1 - Share) / Count) + 0.5 / Count;
}

/// <summary>What a run came to.</summary>
/// <param name="Steps">Updates done, in all its sessions.</param>
/// <param name="ResumedAt">The step this session went on from, or null where it began.</param>
/// <param name="ResultStep">The step whose weights are the result; an earlier one where the best are kept.</param>
/// <param name="Temperature">exp(t) of the result.</param>
/// <param name="Bias">The sigmoid loss's bias of the result.</param>
/// <param name="Last">The last line of metrics.</param>
internal sealed record TuningOutcome(
    long Steps,
    long? ResumedAt,
    long ResultStep,
    double Temperature,
    double? Bias,
    MetricsLine Last
);

/// <summary>
/// Contrastive tuning (LiT, arXiv 2111.07991, section 3) from the first step to the last, resumable at any moment: the
/// same options, data and towers give the same bits, however often the run was stopped. Not safe for several threads.
/// </summary>
/// <param name="towers">What is tuned; after <see cref="Run"/> they hold the result.</param>
/// <param name="pairs">What it is tuned on.</param>
/// <param name="options">How.</param>
/// <param name="device">Where; the towers are there already.</param>
internal sealed class ContrastiveTuner(TuningTowers towers, TuningPairs pairs, TuningOptions options, Device device)
{
    private const int StepsToJudgePace = 10;

    private TuningOptions options = options;
    private readonly Device device = device;

    private static readonly LockWords Alone = new()
    {
        File = ".lock",
        Stays = true,
        Taken = "another run is writing here",
        Remedy = "Wait for it, stop it, or tune into another folder",
    };

    /// <summary>Numbers on the way, if wanted.</summary>
    public IValidation? Validation { get; init; }

    /// <summary>The processes that share each batch; the first of them writes and validates.</summary>
    public IBatchExchange Exchange { get; init; } = new WholeBatch();

    /// <summary>Tells the time that lines are written at.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Told of every line of metrics.</summary>
    public Action<MetricsLine>? OnLine { get; init; }

    /// <summary>Told of every step.</summary>
    public IProgress<ProgressStep>? Progress { get; init; }

    /// <summary>Told what the user should know.</summary>
    public Action<string>? OnWarning { get; init; }

    /// <summary>
    /// Told once what step the run begins at (0) or goes on from, when the folder is known to be this run's and to be
    /// written to by nobody else.
    /// </summary>
    public Action<long>? OnStart { get; init; }

    /// <summary>What the training doctor does with what it finds.</summary>
    public DoctorMode Doctor { get; init; }

    /// <summary>Told once, after the first steps of this session, how long it will take.</summary>
    public Action<TimeSpan>? OnPace { get; init; }

    /// <summary>Told of what the training doctor finds.</summary>
    public Action<Finding>? OnFinding { get; init; }

    /// <summary>Tunes, or goes on where an earlier run in the folder stopped.</summary>
    /// <param name="folder">Gets <c>metrics.jsonl</c> and <c>checkpoints</c>.</param>
    /// <param name="cancel">Stops after the step at hand, with a checkpoint.</param>
    /// <exception cref="LitException">The run cannot go on: another model's folder, a full disk, a loss that is no
    /// number, collapse, a locked part that moved.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled and can be resumed.</exception>
    public TuningOutcome Run(string folder, CancellationToken cancel = default)
    {
        options.Check(pairs.Count);
        var byItself = options.KeepBest is null;
        options = options with
        {
            KeepBest =
                (options.KeepBest ?? Validation?.BestBy) is { } by && by != TuningOptions.LastWeights ? by : null,
        };
        if (towers.Parameters.Count == 0)
            throw new UsageException(
                "Nothing is left to tune: both towers are locked and neither has a head. Unlock one, or add a head."
            );
        if (options.Batch < Exchange.Processes)
            throw SettingException.Of<TuningOptions>(
                s => s.Batch,
                options.Batch,
                $"{Exchange.Processes} processes share it, and each needs a pair",
                $"Give at least {Exchange.Processes}, or start fewer"
            );
        var first = Exchange.Place == 0;
        var checkpoints = Path.Combine(folder, "checkpoints");
        using var alone = first ? FolderLock.Take(checkpoints, Alone) : null;
        using var session = new TuningSession(
            towers,
            pairs,
            options,
            device,
            new(checkpoints, OnWarning ?? (_ => { })),
            Exchange
        );
        session.Agree();
        var lines = Path.Combine(folder, "metrics.jsonl");
        if (first)
            AtomicFile.RemoveLeft(folder);
        OnStart?.Invoke(session.Step);
        using var metrics = first ? new MetricsLog(lines, session.Step) : null;
        var resumedAt = session.Step > 0 ? session.Step : (long?)null;
        var before = MetricsLine.ReadAll(lines);
        using var board = first ? new TensorBoardLog(folder, before, Clock.GetUtcNow()) : null;
        Loop loop = new(this, folder, session, metrics, board) { Line = before.Count == 0 ? null : before[^1] };
        towers.Train(true);
        while (session.Step < options.Steps)
            loop.Next(cancel);
        var result = session.Finish(byItself ? Last(loop.Line) : null);
        return new(session.Step, resumedAt, result, session.Temperature, session.Bias, loop.Line!);
    }

    /// <summary>
    /// The last validation's number that is kept by, and what it may be below the best by chance: the best of many is
    /// best by luck, too, and weights of early steps have seen less.
    /// </summary>
    private (double Value, Guessing Asked)? Last(MetricsLine? line) =>
        options.KeepBest is { } by
        && line?.Val is { } values
        && values.TryGetValue(by, out var value)
        && Validation!.Guessing.TryGetValue(by, out var asked)
            ? (value, asked)
            : null;

    private bool ValidatesAt(long step) =>
        (Validation is not null || Exchange.Place > 0)
        && (step == options.Steps || (options.ValidateEvery > 0 && step % options.ValidateEvery == 0));

    /// <summary>One step after the other, each with what is looked at, written and told after it.</summary>
    private sealed class Loop(
        ContrastiveTuner tuner,
        string folder,
        TuningSession session,
        MetricsLog? metrics,
        TensorBoardLog? board
    )
    {
        private readonly TuningOptions options = tuner.options;
        private readonly RunExamination doctor = new(tuner.options, tuner.Doctor, tuner.OnFinding ?? (_ => { }));
        private readonly Stopwatch clock = Stopwatch.StartNew();
        private readonly long begun = session.Step;
        private readonly double earlier = session.Seconds;
        private long pairsSince;
        private double since;
        private StepNumbers numbers;
        private bool patient = true; // whether the first process may have more to do than the others

        /// <summary>The last line of metrics.</summary>
        public MetricsLine? Line { get; set; }

        public void Next(CancellationToken cancel)
        {
            if (tuner.Exchange.Any(cancel.IsCancellationRequested, patient))
            {
                session.Save();
                tuner.Exchange.Any(false, patient: true); // none leaves before it is written
                cancel.ThrowIfCancellationRequested();
                throw new OperationCanceledException("another process was asked to stop");
            }
            var (read, rate) = session.Next(IsDue(session.Step + 1));
            if (read is { } told)
            {
                numbers = told;
                Asked(() => doctor.Look(session.Step, numbers, session.Temperature));
            }
            pairsSince += options.Batch;
            var validates = patient = tuner.ValidatesAt(session.Step);
            if (session.Step == options.Steps || validates || session.Step % options.LogEvery == 0)
                Write(rate, validates);
            if (Line?.Val is { } values && validates)
                Asked(() => doctor.Look(session.Step, values, tuner.Validation!.Guessing));
            if (session.Step == begun + StepsToJudgePace && options.Steps - session.Step > 0)
                tuner.OnPace?.Invoke(
                    TimeSpan.FromSeconds(clock.Elapsed.TotalSeconds / StepsToJudgePace * (options.Steps - begun))
                );
            session.Seconds = earlier + clock.Elapsed.TotalSeconds;
            if (session.Step == options.Steps || session.Step % options.CheckpointEvery == 0)
            {
                metrics?.Flush();
                session.Save();
                patient = true;
            }
            tuner.Progress?.Report(
                new("tuning", session.Step, options.Steps, "steps", Note(numbers, Line, session.Temperature, rate))
            );
        }

        /// <summary>
        /// Whether a step's numbers are read: on a GPU only where a line is due, because reading them waits for it.
        /// </summary>
        private bool IsDue(long step) =>
            tuner.device.type == TorchSharp.DeviceType.CPU
            || step % options.LogEvery == 0
            || step == options.Steps
            || tuner.ValidatesAt(step);

        private void Write(double rate, bool validates)
        {
            var now = clock.Elapsed.TotalSeconds;
            var line = session.Line(numbers, rate, pairsSince / Math.Max(1e-9, now - since), earlier + now);
            if (validates && tuner.Validation is { } validation)
                line = line with { Val = session.Validate(validation) };
            Line = line;
            (pairsSince, since) = (0, clock.Elapsed.TotalSeconds);
            metrics?.Write(line);
            board?.Write(line, tuner.Clock.GetUtcNow());
            tuner.OnLine?.Invoke(line);
        }

        private void Asked(Action look)
        {
            try
            {
                look();
            }
            catch (DoctorStop stop)
            {
                throw Stopped(stop, folder, session);
            }
        }
    }

    private static string Note(StepNumbers numbers, MetricsLine? line, double temperature, double rate) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"loss {numbers.Loss:f3}, right "
                + $"{100 * numbers.ImageToText:f0}/{100 * numbers.TextToImage:f0}%, temperature "
                + $"{temperature:f1}, lr "
                + $"{rate:g2}{(line is null ? "" : $", {line.PairsPerSecond:f0} pairs/s")}"
        );

    /// <summary>What the doctor stopped stays resumable, unless its weights are no numbers any more.</summary>
    private static LitException Stopped(DoctorStop stop, string folder, TuningSession session)
    {
        if (stop.Finding.Name != Complaint.NotANumber)
            session.Save();
        return new($"{folder}, {stop.Finding}", stop);
    }
}
