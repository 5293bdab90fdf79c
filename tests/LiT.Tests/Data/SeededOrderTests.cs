using CsCheck;
using LiT.Data;

namespace LiT.Tests.Data;

public sealed class SeededOrderTests
{
    [Fact]
    public void The_order_of_a_seed_never_changes()
    {
        var order = new SeededOrder(10, seed: 7);

        Assert.Equal("70853942619078526341", string.Join("", Enumerable.Range(0, 20).Select(_ => order.Next())));
    }

    [Fact]
    public void Every_epoch_holds_every_number_once() =>
        Gen.Select(Gen.Int[1, 200], Gen.ULong)
            .Sample(
                (count, seed) =>
                {
                    var order = new SeededOrder(count, seed);
                    for (var epoch = 0; epoch < 3; epoch++)
                        Assert.Equal(
                            Enumerable.Range(0, count),
                            Enumerable.Range(0, count).Select(_ => order.Next()).Order()
                        );
                }
            );

    [Fact]
    public void From_epoch_and_position_it_goes_on_as_if_never_stopped() =>
        Gen.Select(Gen.Int[1, 50], Gen.ULong, Gen.Int[0, 200])
            .Sample(
                (count, seed, stop) =>
                {
                    var whole = new SeededOrder(count, seed);
                    for (var i = 0; i < stop; i++)
                        whole.Next();
                    var resumed = new SeededOrder(count, seed, whole.Epoch, whole.Position);
                    var (left, right) = (new int[120], new int[120]);
                    whole.Next(left);
                    resumed.Next(right);
                    Assert.Equal(left, right);
                }
            );

    [Fact]
    public void Every_order_of_three_is_equally_likely()
    {
        var counts = new Dictionary<string, int>();
        for (var seed = 0UL; seed < 6000; seed++)
        {
            var order = new SeededOrder(3, seed);
            var drawn = $"{order.Next()}{order.Next()}{order.Next()}";
            counts[drawn] = counts.GetValueOrDefault(drawn) + 1;
        }
        Assert.Equal(6, counts.Count);
        // 1000, give or take four standard deviations
        Assert.All(counts.Values, count => Assert.InRange(count, 880, 1120));
    }

    [Fact]
    public void Other_seeds_and_epochs_give_other_orders()
    {
        var orders = Enumerable
            .Range(0, 20)
            .Select(seed => new SeededOrder(30, (ulong)seed))
            .SelectMany(order =>
                Enumerable.Range(0, 5).Select(_ => string.Join(",", Enumerable.Range(0, 30).Select(_ => order.Next())))
            );

        Assert.Equal(100, orders.Distinct().Count());
    }
}
