using LiT.Checkpoints;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Tuning.Runs;

/// <summary>A run in memory: the step at hand, what it stands on, and its way to and from checkpoints.</summary>
internal sealed class TuningSession : IDisposable
{
    private const string Best = "best";
    private readonly TuningTowers towers;
    private readonly TuningPairs pairs;
    private readonly TuningOptions options;
    private readonly TuningCheckpoints checkpoints;
    private readonly TuningStep step;
    private readonly LearningRate schedule;
    private readonly string data,
        locked;
    private (long Step, double Value)? best;
    private long savedAt = -1;

    internal TuningSession(
        TuningTowers towers,
        TuningPairs pairs,
        TuningOptions options,
        Device device,
        TuningCheckpoints checkpoints
    )
    {
        (this.towers, this.pairs, this.options, this.checkpoints) = (towers, pairs, options, checkpoints);
        (schedule, data, locked) = (options.LearningRate(), pairs.Fingerprint(), towers.LockedFingerprint());
        step = new(towers, pairs, options, device);
        try
        {
            if (checkpoints.Newest() is var (state, folder))
                Restore(state, folder);
        }
        catch
        {
            step.Dispose();
            throw;
        }
    }

    /// <summary>Updates done.</summary>
    internal long Step { get; private set; }

    /// <summary>Time spent on them.</summary>
    internal double Seconds { get; set; }

    internal double Temperature => towers.Towers.Temperature;

    internal double? Bias => towers.Towers.Bias?.item<float>();

    /// <summary>Does the next step.</summary>
    /// <param name="read">Whether its numbers are wanted.</param>
    internal (StepNumbers? Numbers, double Rate) Next(bool read)
    {
        var multiplier = schedule.At(Step);
        var numbers = step.Run(Step, multiplier, read);
        Step++;
        return (numbers, multiplier * options.Optimizer.LearningRate);
    }

    internal MetricsLine Line(StepNumbers numbers, double rate, double pairsPerSecond, double seconds) =>
        new(
            Step,
            Step * (double)options.Batch / pairs.Count,
            numbers.Loss,
            Temperature,
            Bias,
            rate,
            numbers.ImageToText,
            numbers.TextToImage,
            numbers.GradientNorm,
            pairsPerSecond,
            seconds
        );

    /// <summary>Evaluates what the run would give if it ended here; the best so far is written down.</summary>
    internal IReadOnlyDictionary<string, double> Validate(IValidation validation)
    {
        using var noGradient = no_grad();
        towers.Train(false);
        step.Average?.Swap();
        var values = validation.Validate(Step);
        if (options.KeepBest is { } by)
        {
            if (!values.TryGetValue(by, out var value))
                throw SettingException.Of<TuningOptions>(
                    s => s.KeepBest,
                    by,
                    $"validation gives {string.Join(", ", values.Keys)}",
                    "Name one of these"
                );
            if (best is null || value > best.Value.Value)
            {
                best = (Step, value);
                checkpoints.Write(Best, State, towers.Moving(), optimizer: null);
            }
        }
        step.Average?.Swap();
        towers.Train(true);
        return values;
    }

    /// <summary>Writes a checkpoint of this step unless there is one.</summary>
    internal void Save()
    {
        if (savedAt == Step || Step == 0)
            return;
        checkpoints.WriteStep(State, step.State, step.Optimizer.State.Select(one => (one.Key, one.Value)));
        savedAt = Step;
    }

    /// <summary>Leaves the result in the towers: the best weights, the average, or the last ones.</summary>
    /// <returns>The step they are of.</returns>
    internal long Finish()
    {
        if (towers.LockedFingerprint() != locked)
            throw new LitException(
                "A locked part of the model has changed while it was tuned. Nothing of this run can "
                    + "be trusted; please report it with the command."
            );
        towers.Train(false);
        if (best is var (at, _) && checkpoints.Read(Best) is not null)
        {
            using var weights = TuningCheckpoints.Weights(checkpoints.Place(Best));
            Load(towers.Moving(), weights);
            return at;
        }
        step.Average?.Swap();
        return Step;
    }

    private TuningState State => new(Step, Seconds, options, data, locked, best?.Step, best?.Value);

    private void Restore(TuningState state, string folder)
    {
        if (Difference(state) is { } other)
            throw new LitException(
                folder,
                $"this run was begun with {other}",
                "Go on with the same command, or tune into another folder"
            );
        using (var weights = TuningCheckpoints.Weights(folder))
            Load(step.State, weights);
        using (var saved = TuningCheckpoints.OptimizerState(folder))
        {
            using var scope = NewDisposeScope();
            step.Optimizer.Restore(state.Step, saved.Tensors.Keys.ToDictionary(name => name, saved.Read));
        }
        (Step, Seconds, savedAt) = (state.Step, state.Seconds, state.Step);
        if (state is { BestStep: { } at, BestValue: { } value })
            best = (at, value);
    }

    private string? Difference(TuningState state)
    {
        if (state.Data != data)
            return "other data or another tokenizer";
        if (state.Locked != locked)
            return "another locked tower";
        return state.Options.FirstDifference(options) is { } option ? $"another value of {option}" : null;
    }

    private static void Load(IEnumerable<(string Name, Tensor Tensor)> into, Checkpoint from)
    {
        using var noGradient = no_grad();
        foreach (var (name, tensor) in into)
        {
            using var scope = NewDisposeScope();
            if (!from.Tensors.TryGetValue(name, out var saved) || !saved.Shape.SequenceEqual(tensor.shape))
                throw new LitException(
                    from.Path,
                    $"{name} is missing or of another shape; the run is of another model",
                    "Tune into another folder"
                );
            tensor.copy_(from.Read(name));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => step.Dispose();
}
