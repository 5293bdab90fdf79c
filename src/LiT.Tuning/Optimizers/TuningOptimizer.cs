using LiT.Compute;
using LiT.Compute.Kernels;
using static TorchSharp.torch;

namespace LiT.Tuning.Optimizers;

/// <summary>
/// One update of every tuned parameter: p -= schedule · (learning rate · direction + weight decay · p), the
/// direction being the subclass's. Gradients are read from the parameters and left there. The same gradients in the
/// same order give the same bits, whatever the number of threads.
/// </summary>
internal abstract class TuningOptimizer : IDisposable
{
    private const long WorthCutting = 1 << 19;

    private readonly List<Slot> slots = [];
    private readonly Dictionary<string, Tensor> state = [];

    private protected TuningOptimizer(IEnumerable<TunedParameter> parameters, OptimizerOptions options)
    {
        Options = options;
        foreach (var parameter in parameters)
        {
            var rate = ParameterRule.For(parameter.Name, options.LearningRateRules);
            var decay = ParameterRule.For(parameter.Name, options.WeightDecayRules)?.Multiplier
                ?? (parameter.Decays ? 1 : 0);
            if (rate?.Multiplier is 0)
                continue;
            slots.Add(
                new(
                    parameter,
                    options.LearningRate * (rate?.Multiplier ?? 1),
                    options.WeightDecay * decay,
                    UnlockRule.For(parameter.Name, options.UnlockRules)
                )
            );
        }
    }

    /// <summary>
    /// The optimizer that the options name, for parameters that keep their places in memory from now on.
    /// </summary>
    public static TuningOptimizer Create(IEnumerable<TunedParameter> parameters, OptimizerOptions options) =>
        options.Kind switch
        {
            OptimizerKind.Adafactor => new Adafactor(parameters, options),
            OptimizerKind.Lion => new Lion(parameters, options),
            _ => new AdamW(parameters, options),
        };

    /// <summary>The settings.</summary>
    public OptimizerOptions Options { get; }

    /// <summary>Parameters that the optimizer moves; those with a multiplier of 0 are not among them.</summary>
    public IEnumerable<TunedParameter> Parameters => slots.Select(slot => slot.Parameter);

    /// <summary>
    /// What the weight decay is multiplied by, beside the schedule: it may follow one of its own.
    /// </summary>
    public double DecayMultiplier { get; set; } = 1;

    /// <summary>Updates done.</summary>
    public long Steps { get; private set; }

    /// <summary>What the optimizer remembers between updates, by name: live tensors, not copies.</summary>
    public IReadOnlyDictionary<string, Tensor> State => state;

    /// <summary>Sets every gradient to zero, in its place.</summary>
    public void ClearGradients()
    {
        foreach (var parameter in Parameters)
            parameter.Tensor.grad?.zero_();
    }

    /// <summary>Moves every parameter that has a gradient.</summary>
    /// <param name="schedule">The schedule's multiplier at this step (<see cref="LearningRate.At"/>).</param>
    /// <returns>Length of the whole gradient before clipping.</returns>
    public double Step(double schedule)
    {
        using var norm = Move(schedule);
        return norm.item<double>();
    }

    /// <summary>As <see cref="Step"/>, with the length as a tensor: on a GPU nothing waits until it is read.</summary>
    /// <param name="schedule">The schedule's multiplier at this step.</param>
    /// <param name="waits">Whether the length is read on the way; null where that costs nothing.</param>
    internal Tensor Move(double schedule, bool? waits = null)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var moving = slots
            .Where(slot => Steps >= slot.FromStep && slot.Parameter.Tensor.grad is not null)
            .Select(slot => (Slot: slot, Gradient: slot.Parameter.Tensor.grad!.contiguous()))
            .ToList();
        var length = LengthOf([.. moving.Select(one => one.Gradient)]);
        if (!(waits ?? length.device_type == TorchSharp.DeviceType.CPU))
            return MoveUnread(moving, length, schedule).MoveToOuterDisposeScope();
        var norm = length.item<double>();
        var shrink = Options.ClipNorm is { } longest && norm >= longest ? longest / norm : 1;
        Steps++;
        // A gradient that is not a number would spoil weights and state for good; the caller is told and nothing moves.
        if (!double.IsFinite(norm))
            return length.MoveToOuterDisposeScope();
        // A large tensor is cut into pieces by its update; of the others, and of what is no kernel's, each is one part.
        var whole = moving
            .Where(one => one.Gradient.numel() < WorthCutting || !Processor.ComputesInPlace(one.Slot.Parameter.Tensor))
            .ToList();
        if (length.device_type == TorchSharp.DeviceType.CPU)
            Parts.Run(whole.Count, i => Update(whole[i]));
        else
            whole.ForEach(Update);
        foreach (var one in moving.Except(whole))
            Update(one);
        return length.MoveToOuterDisposeScope();

        void Update((Slot Slot, Tensor Gradient) one)
        {
            using var inside = NewDisposeScope();
            var (slot, gradient) = one;
            this.Update(
                slot.Parameter,
                gradient,
                new(
                    Steps - slot.FromStep,
                    (float)shrink,
                    (float)slot.LearningRate,
                    (float)(slot.WeightDecay * DecayMultiplier),
                    (float)schedule
                )
            );
        }
    }

    /// <summary>
    /// Length of all gradients together, float64: sums of squares over fixed pieces, added in their order.
    /// </summary>
    internal static Tensor LengthOf(IReadOnlyList<Tensor> gradients)
    {
        if (gradients.Count == 0)
            return zeros([], ScalarType.Float64);
        if (gradients.All(Processor.ComputesInPlace))
            return tensor(Math.Sqrt(SquareSums.Of(gradients)), ScalarType.Float64);
        Tensor? length = null;
        void Sum() => length = stack([.. gradients.Select(one => one.Squared().sum(ScalarType.Float64))]).sum().sqrt();
        if (gradients[0].device_type == TorchSharp.DeviceType.CPU)
            Parts.Run(1, _ => Sum());
        else
            Sum();
        return length!;
    }

    /// <summary>
    /// The same without knowing the length: gradients are shortened by a tensor. Where it is no number they count as
    /// zero, which keeps weights and state finite until the length is read and the run stopped.
    /// </summary>
    private Tensor MoveUnread(List<(Slot Slot, Tensor Gradient)> moving, Tensor length, double schedule)
    {
        Steps++;
        var longest = Scalars.Filled(1, Options.ClipNorm ?? double.MaxValue, ScalarType.Float64, length.device);
        var shrink = where(length.isfinite(), longest.div(length).minimum(ones_like(longest)), zeros_like(longest))
            .reshape([]);
        foreach (var (slot, gradient) in moving)
        {
            using var scope = NewDisposeScope();
            Update(
                slot.Parameter,
                gradient.contiguous().nan_to_num(0, 0, 0).mul_(shrink.to_type(gradient.dtype)),
                new(
                    Steps - slot.FromStep,
                    1,
                    (float)slot.LearningRate,
                    (float)(slot.WeightDecay * DecayMultiplier),
                    (float)schedule
                )
            );
        }
        return length;
    }

    /// <summary>Goes back to a remembered state.</summary>
    /// <exception cref="LitException">The state is of other parameters, or of another optimizer.</exception>
    public void Restore(long steps, IReadOnlyDictionary<string, Tensor> state)
    {
        using var noGradient = no_grad();
        var wrong = State
            .Keys.Where(name =>
                !state.TryGetValue(name, out var saved)
                || saved.dtype != State[name].dtype
                || !saved.shape.SequenceEqual(State[name].shape)
            )
            .Concat(state.Keys.Where(name => !State.ContainsKey(name)))
            .ToList();
        if (wrong.Count > 0)
            throw new LitException(
                $"The saved optimizer state does not fit ({wrong.Count} tensors, first {wrong[0]}): it is of another "
                    + "model or optimizer. Tune into a new folder, or go on with the options the run began with."
            );
        foreach (var (name, tensor) in State)
            tensor.copy_(state[name]);
        Steps = steps;
    }

    /// <summary>How this optimizer averages directions.</summary>
    private protected MomentumMixing Mixing { get; private set; }

    /// <summary>An empty momentum for a parameter, in the precision that the options ask for.</summary>
    private protected Tensor MomentumLike(Tensor parameter, bool halfByDefault)
    {
        var half = Options.HalfMomentum ?? halfByDefault;
        Mixing = MomentumMixing.Of(Options.Momentum, half);
        return zeros_like(parameter, dtype: half ? ScalarType.BFloat16 : parameter.dtype);
    }

    /// <summary>Keeps a tensor as part of <see cref="State"/>.</summary>
    private protected Tensor Remember(string name, Tensor tensor)
    {
        state.Add(name, tensor.DetachFromDisposeScope());
        return tensor;
    }

    /// <summary>Moves one parameter along one gradient.</summary>
    private protected abstract void Update(TunedParameter parameter, Tensor gradient, UpdateFactors factors);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in State.Values)
            tensor.Dispose();
        GC.SuppressFinalize(this);
    }

    private sealed record Slot(TunedParameter Parameter, double LearningRate, double WeightDecay, long FromStep);
}
