using System.Text.Json.Nodes;
using LiT.Compute;
using LiT.Images;
using LiT.Towers;
using TorchSharp;

namespace LiT.Tests.Towers;

public sealed class ProbeVectorsTests
{
    [Fact]
    public void A_tower_agrees_with_what_was_written_down_of_it_to_the_bit()
    {
        using var tower = Tower();
        var written = ProbeVectors.FromJson(
            JsonNode.Parse(ProbeVectors.Of(tower, ComputeDevice.Cpu).ToJson().ToJsonString())!
        );

        var atHand = ProbeVectors.Of(tower, ComputeDevice.Cpu);

        Assert.Equal(("float32", 64), (written.DType, written.Width));
        Assert.Equal(atHand.Values, written.Values);
        Assert.Null(written.Trouble(atHand));
        Assert.NotEqual(atHand.Values[..64], atHand.Values[64..]);
    }

    [Theory]
    [InlineData("other weights")]
    [InlineData("one weight")]
    [InlineData("other resize")]
    [InlineData("other crop")]
    [InlineData("other colours")]
    public void Another_tower_or_preprocessing_does_not_agree(string what)
    {
        using var tower = Tower();
        var written = ProbeVectors.Of(tower, ComputeDevice.Cpu);
        using var changed = Tower(what == "other weights" ? 1 : 0);
        if (what == "one weight")
            using (torch.no_grad())
                changed.Tower.parameters().First().mul_(2);
        var preprocessing = what switch
        {
            "other resize" => changed.Preprocessing with { Method = ResizeMethod.TensorFlowArea },
            "other crop" => changed.Preprocessing with { Fit = ResizeFit.CentralSquare },
            "other colours" => changed.Preprocessing with { Mean = new(0.6f, 0.5f, 0.4f) },
            _ => changed.Preprocessing,
        };

        var trouble = written.Trouble(
            ProbeVectors.Of(changed with { Preprocessing = preprocessing }, ComputeDevice.Cpu)
        );

        Assert.Contains("other numbers for the test pictures", trouble, StringComparison.Ordinal);
    }

    [Fact]
    public void Rounding_is_told_from_another_tower()
    {
        ProbeVectors written = new("float32", [1, 2, 3, 4]);

        Assert.Null(written.Trouble(written with { Values = [1.002f, 2, 3, 4] }));
        Assert.NotNull(written.Trouble(written with { Values = [1.05f, 2, 3, 4] }));
        Assert.Null(written.Trouble(new("bfloat16", [1.05f, 2, 3, 4])));
        Assert.NotNull(written.Trouble(written with { Values = [float.NaN, 2, 3, 4] }));
        Assert.Contains(
            "gives 1 numbers for a test picture where 2 were",
            written.Trouble(written with { Values = [1, 2] }),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"dtype":"float32","pictures":2,"width":2,"values":"AAAA"}""")]
    [InlineData("""{"dtype":"float32","pictures":2,"width":2,"values":7}""")]
    [InlineData("""{"dtype":"float32","pictures":2,"width":2,"values":"not base64"}""")]
    public void Damaged_vectors_are_said_to_be(string json) =>
        Assert.Throws<FormatException>(() => ProbeVectors.FromJson(JsonNode.Parse(json)!));

    // A picture larger than the tower's input, so that the resize counts.
    private static LockedTower Tower(int seed = 0)
    {
        var tower = ImageTowerLoader.Load("cifar-resnet:8", new ImageTowerOptions { Seed = seed });
        return tower with
        {
            Preprocessing = tower.Preprocessing with
            {
                Method = ResizeMethod.TensorFlowBilinear,
                Fit = ResizeFit.Squash,
            },
        };
    }
}
