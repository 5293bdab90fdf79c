using CsCheck;
using LiT.Compute;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LiT.Tests.Tuning;

/// <summary>What keeps neighbours through a head, beside its paper written down with autograd.</summary>
public class KeptNeighboursTests
{
    private sealed record Batch(int Rows, int Inputs, int Outputs, int Levels, int Seed);

    private static readonly Gen<Batch> Batches =
        from rows in Gen.Int[1, 20]
        from inputs in Gen.Int[2, 9]
        from outputs in Gen.Int[2, 9]
        from levels in Gen.Int[1, 4]
        from seed in Gen.Int[0, 1000]
        select new Batch(rows, inputs, outputs, levels, seed);

    private static (Tensor Before, Tensor After) Made(Batch batch, ScalarType type)
    {
        using var chance = new Generator((ulong)batch.Seed);
        return (
            randn([batch.Rows, batch.Inputs], type, generator: chance).Times(3),
            normalize(randn([batch.Rows, batch.Outputs], type, generator: chance), dim: 1)
        );
    }

    // arXiv 2506.16895: similarities of centred rows over a temperature, softmax, powers, Jensen-Shannon divergence.
    private static Tensor Plain(Tensor before, Tensor after, int levels)
    {
        var sum = zeros([], before.dtype);
        for (var level = 1; level <= levels; level++)
        {
            var (p, q) = (Shares(before).matrix_power(level), Shares(after).matrix_power(level));
            var middle = p.Plus(q).Over(2);
            var divergence = Kl(p, middle).Plus(Kl(q, middle)).Over(2);
            sum += divergence / level;
        }
        return sum / levels;

        static Tensor Shares(Tensor rows)
        {
            var unit = normalize(rows, dim: 1);
            var centred = unit - unit.mean([0], keepdim: true);
            return softmax(centred.matmul(centred.t()).Over(0.1), 1);
        }

        static Tensor Kl(Tensor of, Tensor from) => (of * (of / from).log()).sum().Over(of.shape[0]);
    }

    [Fact]
    public void The_divergence_and_its_gradient_are_those_of_the_paper_by_autograd() =>
        Batches.Sample(
            batch =>
            {
                using var scope = NewDisposeScope();
                var (before, after) = Made(batch, float64);
                var z = after.clone().requires_grad_();
                var plain = Plain(before, z, batch.Levels);
                plain.backward();
                var (divergence, gradient) = new KeptNeighbours(1, batch.Levels, 100).Of(before, after);
                Assert.Equal(plain.item<double>(), divergence.item<double>(), 1e-9);
                Assert.True((z.grad! - gradient).abs().max().item<double>() < 1e-8);
                Assert.InRange(divergence.item<double>(), -1e-9, Math.Log(2));
            },
            iter: 60,
            threads: 1
        );

    [Fact]
    public void Rows_that_keep_their_likeness_cost_nothing_and_ask_for_nothing()
    {
        using var scope = NewDisposeScope();
        var (before, _) = Made(new(40, 8, 8, 3, 4), float64);
        var turned = normalize(before, dim: 1).matmul(linalg.qr(rand(8, 8, float64)).Q);
        var (divergence, gradient) = new KeptNeighbours(1, 3, 100).Of(before, turned);
        Assert.Equal(0, divergence.item<double>(), 1e-9);
        Assert.True(gradient.abs().max().item<double>() < 1e-9);
    }

    [Fact]
    public void A_large_batch_is_looked_at_in_parts_and_any_number_of_threads_gives_the_same_bits()
    {
        using var scope = NewDisposeScope();
        var (before, after) = Made(new(1100, 12, 6, 2, 7), float32);
        KeptNeighbours kept = new(1, 2, 100);
        float[] With(int threads)
        {
            using var use = Parts.Use(threads);
            return [.. kept.Of(before, after).Gradient.data<float>()];
        }
        var one = With(1);
        Assert.Equal(one, With(3));
        // 1,100 rows are three parts of 366, 367 and 367.
        var (_, first) = kept.Of(before.narrow(0, 0, 366), after.narrow(0, 0, 366));
        var share = 366 / 1100f;
        Assert.True((first * share - tensor(one, 1100, 6).narrow(0, 0, 366)).abs().max().item<float>() < 1e-7);
    }

    [Theory]
    [InlineData(10_000, 0, 0)]
    [InlineData(10_000, 250, 5)]
    [InlineData(10_000, 500, 10)]
    [InlineData(10_000, 9_999, 10)]
    [InlineData(60, 15, 5)]
    [InlineData(60, 30, 10)]
    [InlineData(1, 0, 0)]
    public void The_weight_rises_over_five_hundred_steps_or_half_of_a_short_run(long steps, long step, double weight) =>
        Assert.Equal(weight, new KeptNeighbours(10, 1, steps).WeightAt(step), 1e-12);
}
