using LiT.Towers;

namespace LiT.Tests.Towers;

public class HeadSpecTests
{
    [Theory]
    [InlineData("none", null, null, null)]
    [InlineData("512", 512, null, "512")]
    [InlineData("512:mlp", 512, 32, "512:mlp")]
    [InlineData("512:mlp=64", 512, 64, "512:mlp=64")]
    [InlineData("linear", 100, null, "linear")]
    [InlineData("mlp", 100, 32, "mlp")]
    public void A_head_is_what_its_words_say(string text, int? outputs, int? hidden, string? written)
    {
        var spec = HeadSpec.Parse(text, "`ImageHead`");
        using var head = spec.Create(inputs: 32, common: 100, seed: 1);
        Assert.Equal((outputs, hidden), (head?.Outputs, head?.Hidden));
        Assert.Equal(written ?? "none", spec.ToString());
        Assert.Equal(spec, HeadSpec.Parse(spec.ToString(), "`ImageHead`"));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("512:cnn")]
    [InlineData("512:mlp=0")]
    [InlineData("big")]
    [InlineData("99999999999")]
    public void Other_words_are_refused(string text) =>
        Assert.StartsWith(
            $"`TextHead` {text}: is no head.",
            Assert.Throws<UsageException>(() => HeadSpec.Parse(text, "`TextHead`")).Message
        );
}
