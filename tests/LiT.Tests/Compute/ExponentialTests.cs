using System.Runtime.Intrinsics;
using LiT.Compute;
using LiT.Compute.Kernels;

namespace LiT.Tests.Compute;

/// <summary>The one exponential, to base e and to base 2.</summary>
public sealed class ExponentialTests
{
    private static float[] Computed(string isa, float[] x, bool natural)
    {
        using var forced = Processor.Use(isa);
        float[] padded = [.. x, .. new float[Vectors.Lanes]];
        Vectors.Run(new Exponentials(padded, natural));
        return padded[..x.Length];
    }

    private readonly unsafe struct Exponentials(float[] x, bool natural) : IKernel
    {
        public void Run<V>()
            where V : unmanaged, IVec<V>
        {
            fixed (float* at = x)
                for (var i = 0; i + V.Count <= x.Length; i += V.Count)
                    (natural ? Vectors.Exp(V.Load(at + i)) : Vectors.Exp2(V.Load(at + i))).Store(at + i);
        }
    }

    [Theory]
    [EveryIsa]
    public void Exponentials_are_right_to_the_last_places(string isa)
    {
        float[] x = [.. Enumerable.Range(0, 54_000).Select(i => -86 + i * 0.00317f)]; // to 85
        Assert.InRange(Worst(Computed(isa, x, natural: true), Math.Exp), 0, 3e-7);
        Assert.InRange(Worst(Computed(isa, x, natural: false), y => Math.Pow(2, y)), 0, 3e-7);

        double Worst(float[] got, Func<double, double> exact) =>
            x.Zip(got, (one, e) => Math.Abs(e / exact(one) - 1)).Max();
    }

    [Fact]
    public void A_product_and_a_sum_that_cancel_are_as_exact_without_an_instruction_for_them()
    {
        Random random = new(1);
        for (var i = 0; i < 10_000; i++)
        {
            var (a, b) = (Vector128.Create(random.NextSingle() * 1000), Vector128.Create(random.NextSingle() - 0.5f));
            var c = -(a * b) + Vector128.Create(0, 1e-7f, -1, 1e5f);
            Assert.Equal(Vector128.FusedMultiplyAdd(a, b, c), V128.InFloat64(a, b, c));
        }
    }

    [Theory]
    [EveryIsa]
    public void Nothing_overflows_and_what_is_no_number_stays_none(string isa)
    {
        float[] x = [0, float.NegativeInfinity, -1e30f, float.PositiveInfinity, float.NaN, 3e38f];
        foreach (var natural in (bool[])[true, false])
        {
            var got = Computed(isa, x, natural);
            Assert.Equal(1, got[0]);
            Assert.InRange(got[1], 0, 1.2e-38f);
            Assert.InRange(got[2], 0, 1.2e-38f);
            Assert.InRange(got[3], 8e37f, float.MaxValue);
            Assert.True(float.IsNaN(got[4]));
            Assert.InRange(got[5], 8e37f, float.MaxValue);
        }
    }
}
