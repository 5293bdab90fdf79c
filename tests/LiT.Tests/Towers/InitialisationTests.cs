using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

public class InitialisationTests
{
    [Fact]
    public void A_head_begins_with_as_many_directions_as_it_has_outputs()
    {
        using var scope = NewDisposeScope();
        using var head = Head.Create(100, 50, seed: 3);
        var weight = head.get_parameter("linear.weight")!;
        Assert.Equal(50, linalg.matrix_rank(weight).item<long>());
        // flax's lecun_normal: mean 0, variance 1 / inputs, cut at two deviations of the normal it was cut from.
        Assert.InRange(weight.mean().item<float>(), -0.005, 0.005);
        Assert.InRange(weight.var().item<float>(), 0.0095, 0.0105);
        Assert.InRange(weight.abs().max().item<float>(), 0.19, 2 * 0.1 / 0.8796256);
        using var again = Head.Create(100, 50, seed: 3);
        using var other = Head.Create(100, 50, seed: 4);
        Assert.True(weight.equal(again.get_parameter("linear.weight")!).all().item<bool>());
        Assert.False(weight.equal(other.get_parameter("linear.weight")!).any().item<bool>());
    }
}
