using LiT.Tuning.Optimizers;

namespace LiT.Tests.Tuning;

public class LearningRateTests
{
    [Theory]
    [InlineData(LearningRateShape.Cosine)]
    [InlineData(LearningRateShape.Linear)]
    internal void It_rises_from_zero_over_the_warm_up_and_falls_to_zero_at_the_end(LearningRateShape shape)
    {
        var rate = new LearningRate(shape, 100) { WarmupSteps = 10 };
        Assert.Equal(0, rate.At(0));
        Assert.Equal(0.5, rate.At(5), 1);
        Assert.Equal(1, rate.At(10), 12);
        Assert.Equal(0, rate.At(100), 12);
        Assert.All(Enumerable.Range(10, 90), step => Assert.True(rate.At(step) > rate.At(step + 1)));
    }

    [Fact]
    public void A_constant_rate_stays_until_its_cool_down() =>
        Assert.Equal(
            [1, 1, 1, 1, 0.5, 0],
            Enumerable
                .Range(0, 6)
                .Select(step => new LearningRate(LearningRateShape.Constant, 5) { CooldownSteps = 2 }.At(step))
        );

    [Fact]
    public void A_run_as_short_as_its_warm_up_has_no_step_that_is_not_a_number() =>
        Assert.All(Enumerable.Range(0, 6), step =>
            Assert.InRange(new LearningRate(LearningRateShape.Cosine, 5) { WarmupSteps = 5 }.At(step), 0, 1)
        );
}
