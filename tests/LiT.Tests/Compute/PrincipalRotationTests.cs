using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tests.Compute;

/// <summary>What rows are turned by before they are cut.</summary>
public class PrincipalRotationTests
{
    private static Embeddings Rows(int count, int size)
    {
        using var chance = new Generator(4);
        // Directions of falling weight, turned, so that no number says more than the others.
        using var scope = NewDisposeScope();
        var mixed = linalg.qr(randn([size, size], float32, generator: chance)).Q;
        var x = (randn([count, size], float32, generator: chance) / (arange(size) + 1) + 0.2).matmul(mixed);
        return new([.. x.contiguous().data<float>()], size);
    }

    [Fact]
    public void It_is_a_rotation_that_keeps_every_cosine()
    {
        using var scope = NewDisposeScope();
        var rotation = PrincipalRotation.Of(Rows(200, 24));
        Assert.True((rotation.matmul(rotation.t()) - eye(24)).abs().max().item<float>() < 1e-5);
        var x = Rows(30, 24).ToUnit().ToTensor();
        var turned = x.matmul(rotation.t());
        Assert.True((turned.matmul(turned.t()) - x.matmul(x.t())).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void The_first_numbers_keep_more_of_the_products_than_any_others_do()
    {
        using var scope = NewDisposeScope();
        var rows = Rows(300, 16);
        var x = rows.ToUnit().ToTensor();
        var turned = x.matmul(PrincipalRotation.Of(rows).t());
        var kept = turned.Squared().sum([0]).data<float>().ToArray();
        Assert.Equal(kept.OrderDescending(), kept);
        using var chance = new Generator(5);
        for (var other = 0; other < 20; other++)
        {
            var some = x.matmul(linalg.qr(randn([16, 16], float32, generator: chance)).Q);
            Assert.True(Lost(x, turned.narrow(1, 0, 4)) < Lost(x, some.narrow(1, 0, 4)));
        }

        static float Lost(Tensor x, Tensor cut) =>
            (x.matmul(x.t()) - cut.matmul(cut.t())).Squared().sum().item<float>();
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        var rows = Rows(700, 48);
        float[] With(int threads)
        {
            using var use = Parts.Use(threads);
            using var rotation = PrincipalRotation.Of(rows);
            return rotation.data<float>().ToArray();
        }
        Assert.Equal(With(1), With(3));
    }
}
