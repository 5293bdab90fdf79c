using LiT.Images;

namespace LiT.Tests.Images;

public class EvaluationCropTests
{
    [Theory]
    [InlineData("resize", "resized to 224 x 224 (TensorFlow bilinear)")]
    [InlineData("square-0.875", "resized to 256 x 256, central 224 x 224 (TensorFlow bilinear)")]
    [InlineData("aspect-0.875", "shorter side to 256, central 224 x 224 (TensorFlow area)")]
    [InlineData("aspect-0.75", "shorter side to 298, central 224 x 224 (TensorFlow area)")]
    public void The_references_crops_are_put_on_a_towers_own_values(string crop, string expected)
    {
        var cut = EvaluationCrop.Apply(Preprocessing.LiT(), crop);
        Assert.StartsWith(expected, cut.PreprocessingDescription);
        cut.Check("test");
        Assert.Equal(cut, Preprocessing.FromJson(cut.ToJson(), "test"));
    }

    [Fact]
    public void The_square_crop_squashes_first_and_then_keeps_the_centre()
    {
        var wide = new RgbImage(
            16,
            8,
            [
                .. Enumerable
                    .Range(0, 8)
                    .SelectMany(y =>
                        Enumerable.Range(0, 16).SelectMany(x => new byte[] { (byte)(x * 10), (byte)(y * 10), 0 })
                    ),
            ]
        );
        var own = Preprocessing.LiT(7); // 7 / 0.875 = 8
        var squashed = (own with { Width = 8, Height = 8, Fit = ResizeFit.Squash }).Fitted(wide);
        var cut = EvaluationCrop.Apply(own, "square-0.875").Fitted(wide);
        for (var y = 0; y < 7; y++)
            // the odd pixel is cut at the end
            Assert.Equal(squashed.Pixels.AsSpan(y * 24, 21).ToArray(), cut.Pixels.AsSpan(y * 21, 21).ToArray());
    }
}
