using LiT.Compute;
using LiT.Compute.Kernels;
using static TorchSharp.torch;

namespace LiT.Tuning.Optimizers;

/// <summary>
/// Lion (Chen et al. 2023, arXiv 2302.06675, program 1): the direction is the sign of a mixture of the gradient and of
/// past ones, so every weight moves by the learning rate and the memory is half of Adam's. Weight decay is
/// big_vision's, decoupled and not multiplied by the learning rate. On the CPU one pass over memory a tensor.
/// </summary>
internal sealed class Lion : TuningOptimizer
{
    private const long Piece = 1 << 15;

    private readonly Dictionary<string, Tensor> momenta = [];
    private readonly float beta1,
        beta2;

    /// <param name="parameters">What is moved.</param>
    /// <param name="options">Rates and decays; <see cref="OptimizerOptions.Beta2"/> is 0.99 where it is null.</param>
    public Lion(IEnumerable<TunedParameter> parameters, OptimizerOptions options)
        : base(parameters, options)
    {
        (beta1, beta2) = ((float)options.Momentum, (float)(options.Beta2 ?? 0.99));
        foreach (var (name, tensor, _) in Parameters)
            momenta.Add(name, Remember($"{name}:momentum", zeros_like(tensor)));
    }

    private protected override void Update(TunedParameter parameter, Tensor gradient, UpdateFactors factors)
    {
        var momentum = momenta[parameter.Name];
        if (Processor.ComputesInPlace(parameter.Tensor))
            InPlace(parameter.Tensor, gradient, momentum, factors);
        else
            Plain(parameter.Tensor, gradient.Times(factors.Shrink), momentum, factors);
    }

    private void Plain(Tensor parameter, Tensor gradient, Tensor momentum, UpdateFactors factors)
    {
        var mixed = momentum.Times(beta1).PlusInPlace(gradient, 1 - beta1);
        momentum.TimesInPlace(beta2).PlusInPlace(gradient, 1 - beta2);
        factors.Apply(parameter, mixed.sign_());
    }

    private unsafe void InPlace(Tensor parameter, Tensor gradient, Tensor momentum, UpdateFactors factors)
    {
        var (p, g, m) = (Address(parameter), Address(gradient), Address(momentum));
        var (b1, b2, f) = (beta1, beta2, factors);
        Parts.For(parameter.numel(), Piece, (from, to) =>
        {
            float* weights = (float*)p,
                slopes = (float*)g,
                means = (float*)m;
            for (var i = from; i < to; i++)
            {
                var slope = slopes[i] * f.Shrink;
                var mixed = b1 * means[i] + (1 - b1) * slope;
                means[i] = b2 * means[i] + (1 - b2) * slope;
                var sign =
                    mixed > 0 ? 1f
                    : mixed < 0 ? -1f
                    : 0f;
                weights[i] -= f.Schedule * (f.LearningRate * sign + f.WeightDecay * weights[i]);
            }
        });
        GC.KeepAlive(parameter);
        GC.KeepAlive(gradient);
        GC.KeepAlive(momentum);

        static nint Address(Tensor tensor) => (nint)TensorMemory.Address(tensor);
    }
}
