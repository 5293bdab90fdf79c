using LiT.Compute;
using LiT.Tuning.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Pretraining;

/// <summary>
/// Stochastic gradient descent with Nesterov momentum in torch's form: m = µm + g, p -= lr (g + µm), where g is the
/// gradient with the L2 penalty of kernels. Parameters keep their places in memory from construction on.
/// </summary>
internal sealed class MomentumSgd : IWeightUpdates
{
    private readonly List<(string Name, Tensor Parameter, Tensor Momentum, double Decay)> slots = [];
    private readonly double momentum;

    /// <summary>Kernels (two dimensions or more) decay; biases and norms do not.</summary>
    public MomentumSgd(
        IEnumerable<(string Name, TorchSharp.Modules.Parameter Parameter)> parameters,
        double momentum,
        double weightDecay
    )
    {
        this.momentum = momentum;
        using var unrecorded = no_grad();
        foreach (var (name, parameter) in parameters)
            slots.Add(
                (
                    name,
                    parameter,
                    zeros_like(parameter).DetachFromDisposeScope(),
                    parameter.dim() >= 2 ? weightDecay : 0
                )
            );
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Value)> State => slots.Select(slot => (slot.Name, slot.Momentum));

    /// <inheritdoc/>
    public void GoOn(long steps) { }

    /// <inheritdoc/>
    public void Clear()
    {
        foreach (var slot in slots)
            slot.Parameter.grad?.zero_();
    }

    /// <inheritdoc/>
    public double Step(double learningRate)
    {
        using var unrecorded = no_grad();
        using var scope = NewDisposeScope();
        var moving = slots.Where(slot => slot.Parameter.grad is not null).ToList();
        using var length = TuningOptimizer.LengthOf([.. moving.Select(slot => slot.Parameter.grad!)]);
        var norm = length.item<double>();
        if (!float.IsFinite((float)norm))
            return norm;
        // Kept until the end of the step, see Scalars.
        using Scalar mu = momentum.ToScalar(),
            minusRate = (-learningRate).ToScalar();
        foreach (var (_, parameter, velocity, decay) in moving)
        {
            using var penalty = decay.ToScalar();
            var gradient = decay == 0 ? parameter.grad! : parameter.grad!.add(parameter, alpha: penalty);
            velocity.mul_(mu).PlusInPlace(gradient);
            parameter.add_(gradient.add(velocity, alpha: mu), alpha: minusRate);
        }
        return norm;
    }

    public void Dispose()
    {
        foreach (var slot in slots)
            slot.Momentum.Dispose();
    }
}
