using System.Diagnostics;
using LiT.Compute;
using LiT.Compute.Kernels;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// The library's own kernels on one thread with the vectors of every instruction set at hand, in turns: the least time
/// of many.
/// </summary>
internal static class KernelBenchmark
{
    private const int Turns = 25;

    public static int Run(Results results)
    {
        using var threads = Parts.Use(1);
        using var scope = NewDisposeScope();
        var kernels = Kernels();
        var least = kernels.Select(_ => Processor.Available.Select(_ => double.MaxValue).ToArray()).ToArray();
        for (var turn = 0; turn < Turns; turn++)
        for (var kernel = 0; kernel < kernels.Count; kernel++)
        for (var isa = 0; isa < Processor.Available.Count; isa++)
        {
            using var inside = NewDisposeScope();
            using var forced = Processor.Use(Processor.Available[isa]);
            var watch = Stopwatch.StartNew();
            kernels[kernel].Run();
            if (turn > 0)
                least[kernel][isa] = Math.Min(least[kernel][isa], watch.Elapsed.TotalMilliseconds);
        }
        Console.WriteLine($"{"ms, one thread", -44}{string.Concat(Processor.Available.Select(isa => $"{isa, 10}"))}");
        foreach (var (kernel, times) in kernels.Zip(least))
        {
            Console.WriteLine(
                $"{kernel.Name, -44}"
                    + string.Concat(times.Select(time => FormattableString.Invariant($"{time, 10:F3}")))
            );
            foreach (var (isa, time) in Processor.Available.Zip(times))
                results.Time(kernel.Name.Trim(), Processor.NameOf(isa), new Spent(time / 1000, time / 1000));
        }
        return 0;
    }

    private static List<(string Name, Action Run)> Kernels()
    {
        List<(string, Action)> all = [];
        RowAttentions(all, "row attention, 128 x 4..16 tokens, 12 x 64", 128, 12, 64);
        RowAttentions(all, "row attention, 256 x 4..16 tokens, 4 x 32", 256, 4, 32);
        var qkv = randn(4, 197, 3 * 768);
        all.Add(("attention, 4 x 197 tokens, 12 x 64", () => Attention.Mixed(qkv, 12)));
        var numbers = randn(1 << 20);
        all.Add(("GELU, 1 M, in place", () => Gelu.TanhInPlace(numbers)));
        var (x, dy) = (randn(1 << 20).requires_grad_(), randn(1 << 20));
        all.Add(("GELU with gradient, 1 M", () => autograd.grad([GeluGradient.Tanh(x)], [x], [dy])));
        var maps = randn(4, 28, 28, 256).permute(0, 3, 1, 2);
        GroupScales scales = new(32, rand(256), rand(256), 1e-5);
        all.Add(("group norm, 4 x 256 x 28 x 28", () => GroupNorms.Of(scales, maps, null, false)));
        all.Add(("group norm with shortcut", () => GroupNorms.Of(scales, maps, maps, false)));
        Logits(all);
        Updates(all);
        var (weight, factors) = (randn(3072, 768), rand(768));
        all.Add(("weight codes, 3072 x 768", () => WeightCodes.Of(weight, factors)));
        all.Add(("largest of columns, 3072 x 768", () => WeightCodes.LargestOfColumns(weight)));
        return all;
    }

    private static void RowAttentions(List<(string, Action)> all, string name, int rows, int heads, int size)
    {
        int[] lengths = [.. Enumerable.Range(0, rows).Select(row => 4 + 13 * row / rows)];
        var states = randn(lengths.Sum(), 3 * heads * size).requires_grad_();
        var gradient = randn(lengths.Sum(), heads * size);
        all.Add((name, () =>
            {
                using var unrecorded = no_grad();
                RowAttention.Mixed(states, null, heads, lengths);
            }));
        all.Add(
            ($"  {name}, with gradient", () =>
                autograd.grad([RowAttention.Mixed(states, null, heads, lengths)], [states], [gradient])
            )
        );
    }

    private static void Logits(List<(string, Action)> all)
    {
        const int side = 1024;
        var logits = randn(side, side);
        FusedLogits.Margin row = Margin(),
            column = Margin();
        var perPair = zeros(side, ScalarType.Float64);
        all.Add(("sums of logits, 1024 x 1024", () => FusedLogits.AddToSums(logits, 0, 0, row, column)));
        all.Add(("shares of logits", () => FusedLogits.ToShares(logits.clone(), 0, 0, row, column)));
        all.Add(("sigmoids of logits", () => FusedLogits.ToSigmoids(logits.clone(), -1, 0, 0, row, column, perPair)));

        static FusedLogits.Margin Margin() => new(full([side], float.NegativeInfinity), zeros(side), zeros(side));
    }

    private static void Updates(List<(string, Action)> all)
    {
        UpdateFactors factors = new(10, 0.5f, 1e-3f, 1e-4f, 1);
        var (p, g, square) = (randn(3072, 768), randn(3072, 768), zeros(3072, 768));
        var (half, whole) = (zeros(3072, 768, ScalarType.BFloat16), zeros(3072, 768));
        AdamConstants adam = new(MomentumMixing.Of(0.9, false), 0.999f, 0.001f, 0.5f, 0.1f, 1e-8f);
        all.Add(("AdamW, 2.4 M", () => FusedUpdate.Adam(p, g, whole, square, adam, factors)));
        all.Add(("Adafactor, square means, 3072 x 768", () => FusedUpdate.SquareMeans(g, 0.5f)));
        var (row, column) = (rand(3072), rand(768));
        var mixing = MomentumMixing.Of(0.9, true);
        all.Add(("Adafactor, matrix", () => FusedUpdate.AdafactorMatrix(p, g, half, row, column, mixing, factors)));
    }
}
