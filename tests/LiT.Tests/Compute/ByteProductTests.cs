using LiT.Compute;
using LiT.Compute.Kernels;
using static TorchSharp.torch;

namespace LiT.Tests.Compute;

/// <summary>Products of bytes are sums of integers, and every one of them is exact.</summary>
public sealed class ByteProductTests
{
    [Theory]
    [EveryIsa(1, 1, 1)]
    [EveryIsa(7, 19, 33)]
    [EveryIsa(97, 196, 100)]
    [EveryIsa(200, 3072, 64)]
    public void Sums_are_the_integers_that_the_bytes_say(string isa, int rows, int inputs, int outputs)
    {
        using var forced = Processor.Use(isa);
        using var scope = NewDisposeScope();
        using var random = new Generator(3, CPU);
        var x = randint(0, 256, [rows, inputs], ScalarType.Byte, generator: random);
        var weight = randint(-127, 128, [outputs, inputs], ScalarType.Int8, generator: random);
        x[0].fill_(255); // the largest sums there can be, where 16 bits would overflow
        weight[0].fill_(-127);
        var scales = linspace(0.5, 2, outputs);
        var expected =
            x.to(ScalarType.Int64).Plus(-128).matmul(weight.to(ScalarType.Int64).t()).to(ScalarType.Float32) * scales;
        using PairProduct product = new(weight, scales);
        Assert.Equal(expected.data<float>().ToArray(), product.Sums(x).data<float>().ToArray());
    }

    [Fact]
    public void The_library_that_multiplies_bytes_by_one_instruction_gives_the_same_bits()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(3, CPU);
        var x = randint(0, 256, [70, 768], ScalarType.Byte, generator: random);
        var weight = randint(-127, 128, [48, 768], ScalarType.Int8, generator: random);
        var scales = linspace(0.01, 2, 48);
        using PairProduct product = new(weight, scales);
        var own = product.Sums(x).data<float>().ToArray();
        if (!OneDnn.MultipliesBytes) // then it is not asked, and nothing but the integers can be right
            Assert.Equal(
                (
                    x.to(ScalarType.Int64).Plus(-128).matmul(weight.to(ScalarType.Int64).t()).to(ScalarType.Float32)
                    * scales
                )
                    .data<float>()
                    .ToArray(),
                own
            );
        else
            Assert.Equal(
                OneDnn.Codes(x, OneDnn.PackCodes(weight), scales, zeros(48, ScalarType.Int32)).data<float>().ToArray(),
                own
            );
    }
}
