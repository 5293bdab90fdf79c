using LiT.Compute;
using LiT.Compute.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Tests.Compute;

/// <summary>This library's own gradients, each beside autograd's of the plain operations.</summary>
public sealed class GradientKernelTests
{
    private static Tensor Random(int seed, params long[] shape)
    {
        using var random = new Generator((ulong)seed, CPU);
        return randn(shape, generator: random);
    }

    // Where this libtorch has no oneDNN the layer is libtorch's own, and so are its gradients.
    private static Tensor ByOneDnn(Tensor x, Tensor weight, Tensor? bias) =>
        OneDnn.IsAvailable ? DenseGradient.ByOneDnn(x, weight, bias) : DenseGradient.Linear(x, weight, bias);

    /// <summary>The result and the gradient of every input that takes one, by two ways of computing the same.</summary>
    private static void AssertSame(
        Func<Tensor[], Tensor> own,
        Func<Tensor[], Tensor> plain,
        Tensor?[] inputs,
        bool[]? takeGradients = null
    )
    {
        using var scope = NewDisposeScope();
        var (got, expected) = (Run(own), Run(plain));
        foreach (var (one, other) in got.Zip(expected))
        {
            Assert.Equal(other is null, one is null);
            if (other is null)
                continue;
            Assert.Equal(other.shape, one!.shape);
            Assert.True(one.is_contiguous());
            Assert.InRange(
                (one - other).abs().max().item<float>() / other.Squared().mean().sqrt().item<float>(),
                0,
                2e-5
            );
        }

        Tensor?[] Run(Func<Tensor[], Tensor> way)
        {
            var fresh = inputs.Select((input, i) => input?.clone().requires_grad_(takeGradients?[i] ?? true)).ToArray();
            var result = way(fresh!);
            result.backward([Random(9, result.shape)]);
            return [result.detach(), .. fresh.Select(input => input?.grad)];
        }
    }

    [Theory]
    [InlineData(new long[] { 600, 160 }, 96, true)]
    [InlineData(new long[] { 1, 4096 }, 2100, true)]
    [InlineData(new long[] { 7, 65, 150 }, 130, true)]
    [InlineData(new long[] { 1300, 48 }, 140, false)]
    public void A_dense_layer_and_its_gradients_are_libtorchs(long[] shape, int outputs, bool biased)
    {
        using var scope = NewDisposeScope();
        var (x, weight, bias) = (Random(1, shape), Random(2, outputs, shape[^1]), biased ? Random(3, outputs) : null);
        AssertSame(
            of => ByOneDnn(of[0], of[1], of[2]),
            of => nn.functional.linear(of[0], of[1], of[2]),
            [x, weight, bias]
        );
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public void A_dense_layer_gives_gradients_to_what_takes_them_alone(bool x, bool weight, bool bias)
    {
        using var scope = NewDisposeScope();
        AssertSame(
            of => ByOneDnn(of[0], of[1], of[2]),
            of => nn.functional.linear(of[0], of[1], of[2]),
            [Random(1, 1400, 64), Random(2, 96, 64), Random(3, 96)],
            [x, weight, bias]
        );
    }

    [Fact]
    public void Rows_of_a_weight_take_their_part_of_its_gradient()
    {
        using var scope = NewDisposeScope();
        AssertSame(
            of => ByOneDnn(of[0], of[1][1..], null),
            of => nn.functional.linear(of[0], of[1][1..], null),
            [Random(1, 1400, 64), Random(2, 96, 64)]
        );
    }

    [Theory]
    [EveryIsa(3, 5)]
    [EveryIsa(1, 16)]
    [EveryIsa(70, 1001)]
    public void Gelu_and_its_slope_are_libtorchs(string isa, int rows, int columns)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        AssertSame(
            of => GeluGradient.Tanh(of[0]),
            of => nn.functional.gelu(of[0], TorchSharp.Modules.GELU.Approximate.tanh),
            [Random(1, rows, columns).Times(3)]
        );
    }

    [Theory]
    [EveryIsa(1, 16, 2)]
    [EveryIsa(2, 16, 3, 1, 2, 7, 16)]
    [EveryIsa(3, 48, 17, 4, 33)]
    [EveryIsa(2, 64, 40, 2, 128)]
    [EveryIsa(2, 24, 5, 1, 130)] // heads that fill no vector, and a long row
    [EveryIsa(3, 7, 4, 6)]
    public void Attention_inside_rows_and_its_gradients_are_libtorchs(
        string isa,
        int heads,
        int size,
        params int[] lengths
    )
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        var width = heads * size;
        Tensor Plain(Tensor states, Tensor? queries)
        {
            var rows = states.split([.. lengths.Select(length => (long)length)]);
            return cat([
                .. rows.Select(
                    (row, i) =>
                    {
                        Tensor Heads(Tensor of) => of.unflatten(1, [heads, size]).transpose(0, 1); // [H, L, S]
                        var parts = row.split(width, 1);
                        var query = queries is null ? parts[0] : queries.narrow(0, i, 1);
                        return nn
                            .functional.scaled_dot_product_attention(Heads(query), Heads(parts[^2]), Heads(parts[^1]))
                            .transpose(0, 1)
                            .flatten(1);
                    }
                ),
            ]);
        }
        AssertSame(
            of => RowAttention.Mixed(of[0], null, heads, lengths),
            of => Plain(of[0], null),
            [Random(1, lengths.Sum(), 3 * width).Times(2)]
        );
        AssertSame(
            of => RowAttention.Mixed(of[0], of[1], heads, lengths),
            of => Plain(of[0], of[1]),
            [Random(1, lengths.Sum(), 2 * width).Times(2), Random(2, lengths.Length, width)]
        );
    }

    [Fact]
    public void A_step_leaves_no_tensor_behind()
    {
        using var outer = NewDisposeScope();
        var (x, weight, bias) = (
            Random(1, 1000, 96),
            Random(2, 96, 96).requires_grad_(),
            Random(3, 96).requires_grad_()
        );
        List<int> alive = [];
        for (var turn = 0; turn < 4; turn++)
        {
            using (NewDisposeScope())
            {
                var y = ByOneDnn(x, weight, bias);
                for (var layer = 0; layer < 3; layer++)
                    y = ByOneDnn(y.relu(), weight, bias);
                y.sum().backward();
            }
            alive.Add(ThreadLive());
        }
        Assert.Equal(alive[1], alive[3]);

        static int ThreadLive() => (int)DisposeScopeManager.Statistics.ThreadTotalLiveCount;
    }
}
