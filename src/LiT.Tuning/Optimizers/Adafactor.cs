using LiT.Compute;
using LiT.Compute.Kernels;
using static TorchSharp.torch;

namespace LiT.Tuning.Optimizers;

/// <summary>
/// Adafactor (arXiv 1804.04235) as "Scaling Vision Transformers" (arXiv 2106.04560, section 3.4) modifies it: momentum
/// in bfloat16 without bias correction, beta2 capped, no clipping of updates, no scaling by the parameter. The second
/// moment of a matrix is the product of its row means and column means, so that it costs next to no memory.
/// </summary>
internal sealed class Adafactor : TuningOptimizer
{
    private const double Smallest = 1e-30;
    private readonly Dictionary<string, Memory> memories = [];

    /// <param name="parameters">What is moved.</param>
    /// <param name="options">Rates and decays.</param>
    public Adafactor(IEnumerable<TunedParameter> parameters, OptimizerOptions options)
        : base(parameters, options)
    {
        foreach (var (name, tensor, _) in Parameters)
        {
            var momentum = Remember($"{name}:momentum", MomentumLike(tensor, halfByDefault: true));
            memories.Add(
                name,
                FactoredAxes(tensor.shape, options.SmallestFactored) is var (largest, second)
                    ? new(
                        momentum,
                        null,
                        Remember($"{name}:row", Without(largest)),
                        Remember($"{name}:column", Without(second)),
                        largest,
                        second
                    )
                    : new(momentum, Remember($"{name}:square", zeros_like(tensor)), null, null, 0, 0)
            );

            Tensor Without(int axis) =>
                zeros([.. tensor.shape.Where((_, i) => i != axis)], tensor.dtype, tensor.device);
        }
    }

    /// <summary>
    /// The average of squares keeps this share of its past at update <paramref name="number"/>, counted from 1.
    /// </summary>
    internal double Beta2(long number) => Math.Min(Options.Beta2 ?? 0.999, 1 - Math.Pow(number, -Options.DecayRate));

    /// <summary>
    /// The largest axis and the second largest, of equal ones the last first; or null where the second is too small to
    /// gain from. Row means leave out the largest, column means the second.
    /// </summary>
    internal static (int Largest, int Second)? FactoredAxes(long[] shape, int smallest)
    {
        if (shape.Length < 2)
            return null;
        int[] byLength = [.. Enumerable.Range(0, shape.Length).OrderBy(axis => shape[axis])];
        return shape[byLength[^2]] < smallest ? null : (byLength[^1], byLength[^2]);
    }

    private protected override void Update(TunedParameter parameter, Tensor gradient, UpdateFactors factors)
    {
        var memory = memories[parameter.Name];
        var beta2 = (float)Beta2(factors.Number);
        var fused = Processor.ComputesInPlace(parameter.Tensor);
        if (memory.Square is { } square)
        {
            if (fused)
            {
                FusedUpdate.AdafactorWhole(parameter.Tensor, gradient, memory.Momentum, square, Mixing, beta2, factors);
                return;
            }
            gradient = gradient.Times(factors.Shrink);
            Average(square, gradient.Squared().PlusInPlace(Smallest), beta2);
            Move(parameter.Tensor, gradient / square.sqrt(), memory.Momentum, factors);
            return;
        }
        var (largest, second) = (memory.Largest, memory.Second);
        var (row, column) = (memory.Row!, memory.Column!);
        if (fused && gradient.dim() == 2)
        {
            var (ofRows, ofColumns) = FusedUpdate.SquareMeans(gradient, factors.Shrink);
            var byRows = largest == 1;
            Tensor? rowFactor = null,
                columnFactor = null;
            // On one thread: libtorch cuts sums and the ends of vectors where its threads are.
            Parts.Run(1, _ =>
            {
                Average(row, byRows ? ofRows : ofColumns, beta2);
                Average(column, byRows ? ofColumns : ofRows, beta2);
                (rowFactor, columnFactor) = ((row / row.mean()).rsqrt_(), column.rsqrt());
            });
            FusedUpdate.AdafactorMatrix(
                parameter.Tensor,
                gradient,
                memory.Momentum,
                byRows ? rowFactor! : columnFactor!,
                byRows ? columnFactor! : rowFactor!,
                Mixing,
                factors
            );
            return;
        }
        gradient = gradient.Times(factors.Shrink);
        var squares = gradient.Squared().PlusInPlace(Smallest);
        Average(row, squares.mean([largest]), beta2);
        Average(column, squares.mean([second]), beta2);
        var secondInRow = largest < second ? second - 1 : second;
        Move(
            parameter.Tensor,
            gradient
                * (row / row.mean([secondInRow], keepdim: true)).rsqrt_().unsqueeze(largest)
                * column.rsqrt().unsqueeze(second),
            memory.Momentum,
            factors
        );
    }

    private static void Average(Tensor memory, Tensor now, float beta2) =>
        memory.TimesInPlace(beta2).PlusInPlace(now, 1 - beta2);

    private void Move(Tensor parameter, Tensor direction, Tensor momentum, UpdateFactors factors)
    {
        var mean = Mixing.Mix(momentum, direction);
        momentum.copy_(mean);
        factors.Apply(parameter, mean);
    }

    private sealed record Memory(Tensor Momentum, Tensor? Square, Tensor? Row, Tensor? Column, int Largest, int Second);
}
