using LiT.Compute;
using LiT.Compute.Kernels;
using static TorchSharp.torch;

namespace LiT.Tuning.Optimizers;

/// <summary>
/// Adam (arXiv 1412.6980) with bias correction on both moments, as optax scale_by_adam, and big_vision's decoupled
/// weight decay. The momentum may be stored in bfloat16, rounded as JAX rounds it. On the CPU one pass over memory a
/// tensor.
/// </summary>
internal sealed class AdamW : TuningOptimizer
{
    private readonly Dictionary<string, (Tensor Momentum, Tensor Square)> moments = [];
    private readonly double beta2;

    /// <param name="parameters">What is moved.</param>
    /// <param name="options">Rates and decays.</param>
    public AdamW(IEnumerable<TunedParameter> parameters, OptimizerOptions options)
        : base(parameters, options)
    {
        beta2 = options.Beta2 ?? 0.999;
        foreach (var (name, tensor, _) in Parameters)
            moments.Add(
                name,
                (
                    Remember($"{name}:momentum", MomentumLike(tensor, halfByDefault: false)),
                    Remember($"{name}:square", zeros_like(tensor))
                )
            );
    }

    private protected override void Update(TunedParameter parameter, Tensor gradient, UpdateFactors factors)
    {
        var (momentum, square) = moments[parameter.Name];
        var constants = new AdamConstants(
            Mixing,
            (float)beta2,
            (float)(1 - beta2),
            (float)(1 - Math.Pow(Options.Momentum, factors.Number)),
            (float)(1 - Math.Pow(beta2, factors.Number)),
            (float)Options.Epsilon
        );
        if (Processor.ComputesInPlace(parameter.Tensor))
            FusedUpdate.Adam(parameter.Tensor, gradient, momentum, square, constants, factors);
        else
            Plain(parameter.Tensor, gradient.Times(factors.Shrink), momentum, square, constants, factors);
    }

    private static void Plain(
        Tensor parameter,
        Tensor gradient,
        Tensor momentum,
        Tensor square,
        AdamConstants constants,
        UpdateFactors factors
    )
    {
        var mean = constants.Mixing.Mix(momentum, gradient);
        momentum.copy_(mean);
        square.TimesInPlace(constants.Beta2).PlusInPlace(gradient.Squared(), constants.NewSquare);
        var root = square.Times(1 / constants.SquareCorrection).sqrt_().PlusInPlace(constants.Epsilon);
        factors.Apply(parameter, mean.Times(1 / constants.MomentumCorrection).div_(root));
    }
}
