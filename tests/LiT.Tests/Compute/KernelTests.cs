using LiT.Compute;
using LiT.Compute.Kernels;
using LiT.Compute.Locked;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Compute;

/// <summary>The fast ways of a locked tower, each beside libtorch's own.</summary>
public sealed class KernelTests
{
    private static Tensor Random(params long[] shape)
    {
        using var random = new Generator(5, CPU);
        return randn(shape, generator: random);
    }

    private static double Difference(Tensor got, Tensor expected)
    {
        Assert.Equal(expected.shape, got.shape);
        return (got - expected).abs().max().item<float>() / expected.Squared().mean().sqrt().item<float>();
    }

    [Theory]
    [EveryIsa(1, 7)]
    [EveryIsa(5, 64)]
    [EveryIsa(197, 48)]
    public void A_locked_dense_layer_gives_the_product_of_the_unlocked(string isa, int rows, int inputs)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        using Dense dense = new(inputs, 33);
        foreach (var parameter in dense.parameters())
            parameter.copy_(Random(parameter.shape));
        dense.eval();
        var x = Random(2, rows, inputs);
        var expected = dense.call(x);
        dense.Target = dense.Target with { Constant = true };
        Assert.True(Difference(dense.call(x), expected) < 1e-5);
        dense.weight.mul_(2f); // unlocked and locked again, it sees its new weight
        dense.Target = dense.Target with { Constant = false };
        expected = dense.call(x);
        dense.Target = dense.Target with { Constant = true };
        Assert.True(Difference(dense.call(x), expected) < 1e-5);
    }

    [Fact]
    public void A_gradient_with_respect_to_the_pictures_passes_a_locked_layer()
    {
        using var scope = NewDisposeScope();
        using Mlp mlp = new(8, 16, Activation.GeluTanh, CPU);
        foreach (var parameter in mlp.parameters())
        {
            using (no_grad())
                parameter.copy_(Random(parameter.shape));
            parameter.requires_grad_(false);
        }
        mlp.eval();
        foreach (var part in mlp.modules().OfType<ICompiled>())
            part.Target = part.Target with { Constant = true };
        var x = Random(3, 8).requires_grad_();
        mlp.call(x).sum().backward();
        Assert.True(x.grad!.abs().sum().item<float>() > 0);
    }

    [Theory]
    [EveryIsa(1, 6, 1, 16)]
    [EveryIsa(3, 1, 1, 16)] // fewer tokens than are done together
    [EveryIsa(2, 5, 2, 8)]
    [EveryIsa(2, 9, 3, 20)] // heads that fill no vector
    [EveryIsa(2, 7, 3, 16)]
    [EveryIsa(1, 16, 2, 32)]
    [EveryIsa(2, 197, 2, 64)]
    [EveryIsa(1, 257, 1, 80)]
    [EveryIsa(1, 50, 1, 128)]
    public void Attention_is_libtorchs(string isa, int batch, int tokens, int heads, int size)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        var qkv = Random(batch, tokens, 3 * heads * size).Times(3);
        var parts = qkv.unflatten(2, [3, heads, -1]).permute(2, 0, 3, 1, 4).unbind(0);
        var expected = nn
            .functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
            .transpose(1, 2)
            .flatten(2);
        Assert.True(Difference(Attention.Mixed(qkv, heads), expected) < 1e-5);
    }

    [Theory]
    [EveryIsa]
    public void Attention_takes_scores_of_any_size(string isa)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        var qkv = Random(1, 20, 48).Times(300); // one score outweighs all others by far more than a float can hold
        var parts = qkv.unflatten(2, [3, 1, -1]).permute(2, 0, 3, 1, 4).unbind(0);
        var expected = nn
            .functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
            .transpose(1, 2)
            .flatten(2);
        Assert.True(Difference(Attention.Mixed(qkv, 1), expected) < 1e-4);
    }

    [Theory]
    [EveryIsa(1)]
    [EveryIsa(16)]
    [EveryIsa(200_003)]
    public void Tanh_gelu_is_libtorchs(string isa, int count)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        var x = linspace(-30, 30, count);
        var expected = nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh);
        Gelu.TanhInPlace(x);
        Assert.True((x - expected).abs().max().item<float>() < 2e-6);
    }

    [Theory]
    [InlineData(3, 20, 7, 2, 3, 30)]
    [InlineData(16, 33, 1, 1, 0, 9)]
    [InlineData(16, 32, 1, 2, 0, 9)]
    [InlineData(8, 24, 3, 1, 1, 14)]
    [InlineData(8, 24, 3, 2, 0, 15)]
    public void A_packed_convolution_is_libtorchs_with_ReLU_and_shortcut(
        int from,
        int to,
        int kernel,
        int stride,
        int padding,
        int side
    )
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var (weight, bias) = (Random(to, from, kernel, kernel), Random(to));
        var folds = 0;
        using var packed = Convolving.For(
            new(CPU, ScalarType.Float32, Constant: true),
            _ => throw new InvalidOperationException(),
            new(stride, padding),
            () =>
            {
                folds++;
                return (weight.alias(), bias.alias());
            }
        );
        // laid out for the first size, right for all
        foreach (var (pictures, height) in new[] { (1, side), (9, side), (2, side + 4) })
        {
            var x = Random(pictures, from, height, side);
            var plain = nn.functional.conv2d(x, weight, bias, strides: [stride, stride], padding: [padding, padding]);
            Assert.True(Difference(packed.Of(x), plain) < 1e-5);
            Assert.True(Difference(packed.Rectified(x), plain.relu()) < 1e-5);
            var shortcut = Random(plain.shape);
            Assert.True(Difference(packed.RectifiedOnto(shortcut.clone(), x), plain.Plus(shortcut).relu()) < 1e-5);
            Assert.True(Difference(packed.Onto(Convolving.ChannelsLast(shortcut), x), plain.Plus(shortcut)) < 1e-5);
        }
        Assert.Equal(1, folds);
    }

    [Theory]
    [EveryIsa(8, 32, 1, 1, 0)]
    [EveryIsa(2, 22, 6, 5, 1)] // channels that fill no vector
    [EveryIsa(32, 64, 5, 7, 0)]
    [EveryIsa(32, 256, 28, 28, 0)]
    [EveryIsa(4, 16, 9, 9, 500)]
    [EveryIsa(3, 48, 9, 9, -500)]
    public void A_group_norm_is_libtorchs_with_ReLU_and_shortcut(
        string isa,
        int groups,
        int channels,
        int height,
        int width,
        float offset
    )
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var norm = new GroupScales(groups, Random(channels), Random(channels).neg(), 1e-5);
        var (x, shortcut) = (
            Random(3, channels, height, width).Plus(offset),
            Random(3, channels, height, width).Times(0.5)
        );
        var exact = nn
            .functional.group_norm(x.to(float64), groups, norm.Weight.to(float64), norm.Bias.to(float64), 1e-5)
            .to(float32);
        // a float32 beside the offset has few digits left
        var (kept, allowed) = (x.clone(), 1e-5 + 2e-7 * Math.Abs(offset));
        Assert.True(Difference(GroupNorms.Of(norm, x, null, inPlace: false), exact.relu()) < allowed);
        Assert.Equal(kept.data<float>().ToArray(), x.data<float>().ToArray());
        Assert.True(Difference(GroupNorms.Of(norm, x, shortcut, inPlace: true), exact.Plus(shortcut).relu()) < allowed);
    }

    [Theory]
    [EveryIsa]
    public void What_is_no_number_stays_none(string isa)
    {
        using var forced = Processor.Use(isa);
        using var x = tensor([float.NaN, float.PositiveInfinity, 1f]);
        Gelu.TanhInPlace(x);
        Assert.True(float.IsNaN(x[0].item<float>()));
        Assert.Equal(float.PositiveInfinity, x[1].item<float>());
    }
}
