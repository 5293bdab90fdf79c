using System.Security.Cryptography;
using System.Text.Json;
using LiT.Checkpoints;
using LiT.Compute;
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
    private readonly IBatchExchange exchange;
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
        TuningCheckpoints checkpoints,
        IBatchExchange? exchange = null
    )
    {
        (this.towers, this.pairs, this.options, this.checkpoints) = (towers, pairs, options, checkpoints);
        (schedule, data, locked) = (options.LearningRate(), pairs.Fingerprint(), towers.LockedFingerprint());
        this.exchange = exchange ?? new WholeBatch();
        step = new(towers, pairs, options, device, this.exchange);
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
        savedAt = Step;
        Alike([("weights", Weights())]);
        if (exchange.Place > 0)
            return;
        checkpoints.WriteStep(State, step.State, step.Optimizer.State.Select(one => (one.Key, one.Value)));
    }

    /// <summary>Makes sure that all processes begin the same run at the same step.</summary>
    /// <exception cref="LitException">Which process begins otherwise, and in what.</exception>
    internal void Agree() =>
        Alike([
            ("the step that it goes on from", $"{Step}"),
            ("the pairs", data),
            ("what is locked", locked),
            ("the options", JsonSerializer.Serialize(options with { KeepBest = null }, TuningOptions.Json)),
            ("the instruction set", Processor.NameOf(Processor.Isa)),
            ("the weights", Weights()),
        ]);

    /// <summary>Compares what every process has; each hears of the first that has something else.</summary>
    private void Alike(IReadOnlyList<(string What, string Value)> own)
    {
        if (exchange.Processes == 1)
            return;
        var all = exchange
            .Gather(JsonSerializer.Serialize(own.Select(one => one.Value)))
            .Select(words => JsonSerializer.Deserialize<string[]>(words)!)
            .ToList();
        for (var process = 1; process < all.Count; process++)
        for (var i = 0; i < own.Count; i++)
            if (all[process][i] != all[0][i])
                throw new LitException(
                    $"process {process}",
                    $"{own[i].What}: it has {Short(all[process][i])}, and process 0 {Short(all[0][i])}",
                    "All machines have to see the same data and the same `Out`, with one version of the program and "
                        + "one instruction set (LIT_ISA)"
                );

        static string Short(string value) => value.Length > 40 ? value[..12] + "…" : value;
    }

    /// <summary>SHA-256 of everything that moves.</summary>
    private string Weights()
    {
        if (exchange.Processes == 1)
            return "";
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (_, tensor) in towers.Moving())
        {
            using var scope = NewDisposeScope();
            TensorMemory.ForEachPiece(tensor.detach().cpu().contiguous(), hash.AppendData);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Leaves the result in the towers: the best weights, the average, or the last ones.</summary>
    /// <param name="last">What the last ones reach where they are the result unless the best are clearly better; null
    /// where the best are wanted in any case.</param>
    /// <returns>The step they are of.</returns>
    internal long Finish((double Value, Guessing Asked)? last = null)
    {
        if (towers.LockedFingerprint() != locked)
            throw new LitException(
                "A locked part of the model has changed while it was tuned. Nothing of this run can "
                    + "be trusted; please report it with the command."
            );
        towers.Train(false);
        var lastAreAsGood = last is var (value, asked) && best is var (_, most) && most <= value + asked.Between(most);
        if (!lastAreAsGood && best is var (at, _) && checkpoints.Read(Best) is not null)
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
