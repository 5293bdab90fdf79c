using LiT.Towers;
using TorchSharp;

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
    [InlineData("glu:8", 100, 256, "glu:8")]
    [InlineData("glu", 100, 256, "glu:8")]
    [InlineData("512:glu:2", 512, 64, "512:glu:2")]
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
    [InlineData("glu:0")]
    [InlineData("glu:65")]
    [InlineData("512:glu=8")]
    [InlineData("1:2:glu:8")]
    [InlineData("99999999999")]
    public void Other_words_are_refused(string text) =>
        Assert.StartsWith(
            $"`TextHead` {text}: is no head.",
            Assert.ThrowsAny<UsageException>(() => HeadSpec.Parse(text, "`TextHead`")).Message
        );

    [Fact]
    public void A_gated_head_multiplies_its_clipped_gate_into_what_it_lets_through()
    {
        using var scope = torch.NewDisposeScope();
        using var noGradient = torch.no_grad();
        using var head = HeadSpec.Parse("2:glu:3", "`ImageHead`").Create(inputs: 4, common: 9, seed: 1)!;
        var weights = head.state_dict();
        var (gate, through, last) = (weights["gate.weight"], weights["fc1.weight"], weights["fc2.weight"]);
        weights["gate.bias"].fill_(2);
        weights["fc1.bias"].fill_(0.5);
        weights["fc2.bias"].fill_(-1);
        gate.mul_(5); // so that some are below 0 and some above 6
        var x = torch.randn(5, 4, generator: new(3));
        var got = head.call(x);
        for (var row = 0; row < 5; row++)
        for (var to = 0; to < 2; to++)
        {
            var sum = -1.0;
            for (var inside = 0; inside < 12; inside++)
            {
                var (open, let) = (2.0, 0.5);
                for (var from = 0; from < 4; from++)
                {
                    open += (double)gate[inside, from].item<float>() * x[row, from].item<float>();
                    let += (double)through[inside, from].item<float>() * x[row, from].item<float>();
                }
                sum += last[to, inside].item<float>() * Math.Clamp(open, 0, 6) * let;
            }
            Assert.Equal(sum, got[row, to].item<float>(), 1e-4);
        }
    }
}
