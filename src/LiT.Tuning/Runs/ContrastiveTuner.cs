using System.Diagnostics;
using LiT.Files;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Tuning.Runs;

/// <summary>Numbers that say how good the model is now, on data of the caller's.</summary>
internal interface IValidation
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
}

/// <summary>What guessing gives.</summary>
/// <param name="Share">Right answers to be expected.</param>
/// <param name="Count">Questions.</param>
internal readonly record struct Guessing(double Share, int Count)
{
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

    /// <summary>Numbers on the way, if wanted.</summary>
    public IValidation? Validation { get; init; }

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
        if (towers.Parameters.Count == 0)
            throw new UsageException(
                "Nothing is left to tune: both towers are locked and neither has a head. Unlock one, or add a head."
            );
        var checkpoints = Path.Combine(folder, "checkpoints");
        Directory.CreateDirectory(checkpoints);
        using var alone = RunLock.Take(checkpoints);
        using var session = new TuningSession(
            towers,
            pairs,
            options,
            device,
            new(checkpoints, OnWarning ?? (_ => { }))
        );
        AtomicFile.RemoveLeft(folder);
        OnStart?.Invoke(session.Step);
        using var metrics = new MetricsLog(Path.Combine(folder, "metrics.jsonl"), session.Step);
        var begun = session.Step;
        var resumedAt = session.Step > 0 ? session.Step : (long?)null;
        var doctor = new RunExamination(options, Doctor, OnFinding ?? (_ => { }));
        var before = MetricsLine.ReadAll(Path.Combine(folder, "metrics.jsonl"));
        using var board = new TensorBoardLog(folder, before, Clock.GetUtcNow());
        var line = before.Count == 0 ? null : before[^1];
        var (clock, pairsSince, since) = (Stopwatch.StartNew(), 0L, 0.0);
        var earlier = session.Seconds;
        StepNumbers numbers = default;
        towers.Train(true);
        while (session.Step < options.Steps)
        {
            if (cancel.IsCancellationRequested)
            {
                session.Save();
                cancel.ThrowIfCancellationRequested();
            }
            // On a GPU a step's numbers are read only where a line is due: reading them waits for it.
            var due =
                device.type == TorchSharp.DeviceType.CPU
                || (session.Step + 1) % options.LogEvery == 0
                || session.Step + 1 == options.Steps
                || (
                    Validation is not null
                    && options.ValidateEvery > 0
                    && (session.Step + 1) % options.ValidateEvery == 0
                );
            var (read, rate) = session.Next(due);
            if (read is { } told)
            {
                numbers = told;
                try
                {
                    doctor.Look(session.Step, numbers, session.Temperature);
                }
                catch (DoctorStop stop)
                {
                    throw Stopped(stop, folder, session);
                }
            }
            pairsSince += options.Batch;
            var last = session.Step == options.Steps;
            var validates =
                Validation is not null
                && (last || (options.ValidateEvery > 0 && session.Step % options.ValidateEvery == 0));
            if (last || validates || session.Step % options.LogEvery == 0)
            {
                var now = clock.Elapsed.TotalSeconds;
                line = session.Line(numbers, rate, pairsSince / Math.Max(1e-9, now - since), earlier + now);
                if (validates)
                    line = line with { Val = session.Validate(Validation!) };
                (pairsSince, since) = (0, clock.Elapsed.TotalSeconds);
                metrics.Write(line);
                board.Write(line, Clock.GetUtcNow());
                OnLine?.Invoke(line);
            }
            if (validates)
                try
                {
                    doctor.Look(session.Step, line!.Val!, Validation!.Guessing);
                }
                catch (DoctorStop stop)
                {
                    throw Stopped(stop, folder, session);
                }
            if (session.Step == begun + StepsToJudgePace && options.Steps - session.Step > 0)
                OnPace?.Invoke(
                    TimeSpan.FromSeconds(clock.Elapsed.TotalSeconds / StepsToJudgePace * (options.Steps - begun))
                );
            session.Seconds = earlier + clock.Elapsed.TotalSeconds;
            if (last || session.Step % options.CheckpointEvery == 0)
            {
                metrics.Flush();
                session.Save();
            }
            Progress?.Report(
                new("tuning", session.Step, options.Steps, "steps", Note(numbers, line, session.Temperature, rate))
            );
        }
        var result = session.Finish();
        return new(session.Step, resumedAt, result, session.Temperature, session.Bias, line!);
    }

    private static string Note(StepNumbers numbers, MetricsLine? line, double temperature, double rate) =>
        FormattableString.Invariant(
            $"loss {numbers.Loss:f3}, right {100 * numbers.ImageToText:f0}/{100 * numbers.TextToImage:f0}%, temperature {temperature:f1}, lr {rate:g2}{(line is null ? "" : $", {line.PairsPerSecond:f0} pairs/s")}"
        );

    /// <summary>What the doctor stopped stays resumable, unless its weights are no numbers any more.</summary>
    private static LitException Stopped(DoctorStop stop, string folder, TuningSession session)
    {
        if (stop.Finding.Name != Complaint.NotANumber)
            session.Save();
        return new($"{folder}, {stop.Finding}", stop);
    }
}

/// <summary>A run's folder belongs to one process at a time.</summary>
internal static class RunLock
{
    internal static IDisposable Take(string folder)
    {
        var path = Path.Combine(folder, ".lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException trouble) when (File.Exists(path))
        {
            throw new LitException(
                folder,
                "another run is writing here",
                "Wait for it, stop it, or tune into another folder",
                trouble
            );
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(path, trouble);
        }
    }
}
