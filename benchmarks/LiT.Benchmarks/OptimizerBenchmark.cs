using LiT.Towers;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>One update of every weight of a BERT base (110 million), three ways in turns.</summary>
internal static class OptimizerBenchmark
{
    // PyTorch's own fused kernel, which TorchSharp does not name but TorchScript reaches.
    private const string Script = """
        def update(p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], s: List[Tensor]) -> Tensor:
            torch._fused_adamw_(p, g, m, v, [], s, lr=0.001, beta1=0.9, beta2=0.999, weight_decay=0.0001, eps=1e-8, amsgrad=False, maximize=False)
            return p[0]

        """;

    // PyTorch's kernel takes no norm; ours needs it to clip, and before anything moves by what is no number.
    private static readonly string[] Ways =
    [
        "Adafactor, clipped",
        "AdamW, clipped",
        "AdamW",
        "torch._fused_adamw_",
        "the gradient's norm alone",
    ];

    public static int Run(string[] options, Results results)
    {
        var spec = options.Length > 0 ? options[0] : "bert:base";
        using var towers = TuningData.Towers(spec, 768);
        var parameters = Parameters(towers);
        using var adafactor = TuningOptimizer.Create(parameters, new());
        using var adam = TuningOptimizer.Create(parameters, new() { Kind = OptimizerKind.AdamW });
        using var adamUnclipped = TuningOptimizer.Create(
            parameters,
            new() { Kind = OptimizerKind.AdamW, ClipNorm = null }
        );
        using var script = jit.compile(Script);
        Tensor[] Like(Func<Tensor, Tensor> make) => [.. parameters.Select(parameter => make(parameter.Tensor))];
        var (p, g, m, v, s) = (
            Like(tensor => tensor),
            Like(tensor => tensor.grad!),
            Like(tensor => zeros_like(tensor)),
            Like(tensor => zeros_like(tensor)),
            Like(_ => zeros([]))
        );
        var median = Rounds.MedianSpent(
            7,
            () => adafactor.Step(1),
            () => adam.Step(1),
            () => adamUnclipped.Step(1),
            () =>
            {
                using var noGradient = no_grad();
                script.invoke("update", p, g, m, v, s);
            },
            () => TuningOptimizer.LengthOf(g)
        );
        if (m[0].abs().max().item<float>() == 0)
            throw new InvalidOperationException("PyTorch's kernel was not run.");
        Console.WriteLine(
            $"one update of {parameters.Sum(parameter => parameter.Tensor.numel()):N0} weights ({spec}), "
                + $"{get_num_threads()} threads, median of 7"
        );
        foreach (var (way, spent) in Ways.Zip(median))
        {
            Console.WriteLine(
                FormattableString.Invariant(
                    $"  {way, -24} {spent.Seconds, 7:F3} s, {spent.Processor, 7:F3} s of processors"
                )
            );
            results.Time(
                $"one update of {spec}",
                way,
                spent,
                way == Ways[^1] ? [] : [("torch._fused_adamw_", median[3])]
            );
        }
        return 0;
    }

    /// <summary>What an update of all weights takes.</summary>
    internal static Spent Update(TwoTowers towers, OptimizerOptions options)
    {
        using var optimizer = TuningOptimizer.Create(Parameters(towers), options);
        return Spent.Median(Enumerable.Range(0, 5).Select(_ => Spent.Of(() => optimizer.Step(1))).ToList());
    }

    private static List<TunedParameter> Parameters(TwoTowers towers)
    {
        List<TunedParameter> parameters = [.. TunedParameter.Of(towers, "")];
        foreach (var parameter in parameters)
        {
            parameter.Tensor.requires_grad = true;
            parameter.Tensor.grad = randn_like(parameter.Tensor).mul_(1e-3);
        }
        return parameters;
    }
}
