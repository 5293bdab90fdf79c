using LiT.Compute;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Pretraining;

/// <summary>
/// AdamW as DINO uses it: rate and decay follow schedules of their own, gradients are shortened weight by weight, and
/// the head's last layer begins later.
/// </summary>
internal sealed class DinoUpdates : IDisposable
{
    private readonly AdamW adam;
    private readonly double longest;

    /// <param name="parameters">What is moved.</param>
    /// <param name="clip">Longest gradient of one weight; 0 leaves all as they are.</param>
    /// <param name="frozen">Updates that leave the last layer alone.</param>
    public DinoUpdates(IEnumerable<TunedParameter> parameters, double clip, long frozen)
    {
        longest = clip;
        adam = new AdamW(
            parameters,
            new OptimizerOptions
            {
                Kind = OptimizerKind.AdamW,
                LearningRate = 1,
                WeightDecay = 1,
                ClipNorm = null,
                UnlockRules = [new($"^head\\.{DinoHead.Last}$", frozen)],
            }
        );
    }

    /// <summary>Updates done.</summary>
    public long Steps => adam.Steps;

    /// <summary>What it remembers between updates, by name: live tensors.</summary>
    public IEnumerable<(string Name, Tensor Value)> State => adam.State.Select(one => (one.Key, one.Value));

    /// <summary>Told, when <see cref="State"/> has been filled from a checkpoint, how many updates made it.</summary>
    public void GoOn(long steps) => adam.Restore(steps, adam.State);

    /// <summary>Forgets the gradients.</summary>
    public void Clear() => adam.ClearGradients();

    /// <summary>p -= rate · (direction + decay · p), for the weights that decay.</summary>
    /// <returns>Length of the whole gradient before any was shortened; where it is no number, nothing has
    /// moved.</returns>
    public double Step(double rate, double decay)
    {
        using var unrecorded = no_grad();
        using var scope = NewDisposeScope();
        var gradients = adam.Parameters.Select(one => one.Tensor.grad).OfType<Tensor>().ToList();
        var norm = TuningOptimizer.LengthOf(gradients).item<double>();
        if (!double.IsFinite(norm))
            return norm;
        if (longest > 0)
            foreach (var gradient in gradients)
            {
                var shrink = longest / (TuningOptimizer.LengthOf([gradient]).item<double>() + 1e-6);
                if (shrink < 1)
                    gradient.TimesInPlace(shrink);
            }
        adam.DecayMultiplier = decay;
        adam.Step(rate);
        return norm;
    }

    public void Dispose() => adam.Dispose();
}
