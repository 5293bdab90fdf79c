using LiT.Tuning.Runs;

namespace LiT.Tests.Tuning;

public class HeldOutTests
{
    [Theory]
    [InlineData(1, 0.1, 0)]
    [InlineData(2, 0.1, 1)]
    [InlineData(3, 0.1, 1)]
    [InlineData(5, 0.1, 1)]
    [InlineData(10, 0.1, 1)]
    [InlineData(20, 0.1, 2)]
    [InlineData(25, 0.1, 3)]
    [InlineData(2, 0.89, 1)]
    [InlineData(10, 0.89, 9)]
    [InlineData(1000, 0.05, 50)]
    [InlineData(1000, 0, 0)]
    public void A_share_is_honoured_at_every_size_and_never_takes_all(int pictures, double share, int held) =>
        Assert.Equal(held, HeldOut.Of(pictures, share).Count);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(4_999, 0)]
    [InlineData(5_000, 250)]
    [InlineData(12_500, 250)]
    [InlineData(20_000, 400)]
    [InlineData(1_000_000, 1_000)]
    public void By_itself_a_twentieth_is_held_out_where_it_can_be_spared(int pictures, int held) =>
        Assert.Equal(held, HeldOut.Usual(pictures) * pictures, 1e-6);

    [Fact]
    public void A_larger_share_holds_out_the_same_pictures_and_more()
    {
        var (small, large) = (HeldOut.Of(200, 0.05), HeldOut.Of(200, 0.2));
        Assert.Subset(large.ToHashSet(), small.ToHashSet());
        Assert.Equal(small, HeldOut.Of(200, 0.05));
    }
}
