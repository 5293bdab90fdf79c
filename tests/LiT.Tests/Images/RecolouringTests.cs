using LiT.Images;

namespace LiT.Tests.Images;

public class RecolouringTests
{
    [Theory]
    [InlineData(0.0, new byte[] { 255, 0, 0 })]
    [InlineData(1 / 3.0, new byte[] { 0, 255, 0 })]
    [InlineData(-1 / 3.0, new byte[] { 0, 0, 255 })]
    [InlineData(1 / 6.0, new byte[] { 255, 255, 0 })]
    [InlineData(0.5, new byte[] { 0, 255, 255 })]
    [InlineData(1.0, new byte[] { 255, 0, 0 })]
    [InlineData(1 / 12.0, new byte[] { 255, 128, 0 })]
    public void Red_turned_around_the_wheel(double turn, byte[] expected)
    {
        byte[] red = [255, 0, 0];
        Recolouring.TurnHue(red, turn);
        Assert.Equal(expected, red);
    }

    [Fact]
    public void A_turn_and_its_opposite_give_the_colour_back_and_gray_stays()
    {
        for (var r = 0; r < 256; r += 15)
        for (var g = 0; g < 256; g += 17)
        for (var b = 0; b < 256; b += 51)
        {
            byte[] pixels = [(byte)r, (byte)g, (byte)b, (byte)r, (byte)r, (byte)r];
            Recolouring.TurnHue(pixels, 1 / 3.0); // a third exchanges channels, without rounding
            Assert.Equal([(byte)b, (byte)r, (byte)g, (byte)r, (byte)r, (byte)r], pixels);
            Recolouring.TurnHue(pixels, -1 / 3.0);
            Assert.Equal([(byte)r, (byte)g, (byte)b, (byte)r, (byte)r, (byte)r], pixels);
        }
    }

    [Fact]
    public void Solarising_turns_the_light_half_over()
    {
        byte[] values = [0, 1, 127, 128, 200, 255];
        Recolouring.Solarise(values);
        Assert.Equal([0, 1, 127, 127, 55, 0], values);
    }

    [Fact]
    public void A_blur_leaves_one_colour_alone_and_spreads_a_dot_evenly()
    {
        var plain = new RgbImage(5, 4, [.. Enumerable.Repeat(new byte[] { 10, 200, 77 }, 20).SelectMany(rgb => rgb)]);
        Recolouring.Blur(plain, 1.3);
        Assert.All(plain.Pixels.Chunk(3), rgb => Assert.Equal([10, 200, 77], rgb));

        var dot = new RgbImage(9, 9, new byte[9 * 9 * 3]);
        dot.Pixels[(4 * 9 + 4) * 3] = 255;
        Recolouring.Blur(dot, 1);
        int At(int x, int y) => dot.Pixels[(y * 9 + x) * 3];
        Assert.Equal(41, At(4, 4)); // 255 / (2 pi), as a Gaussian of deviation 1 has it in its middle
        Assert.Equal(25, At(5, 4)); // times exp(-1/2)
        Assert.Equal(15, At(5, 5)); // times exp(-1)
        Assert.Equal(At(3, 4), At(4, 5));
        Assert.Equal(At(2, 4), At(4, 6));
        Assert.All(Enumerable.Range(0, 81), i => Assert.Equal(0, dot.Pixels[3 * i + 1]));
    }

    [Fact]
    public void A_blur_of_almost_no_deviation_changes_nothing()
    {
        var picture = new RgbImage(8, 8, [.. Enumerable.Range(0, 192).Select(i => (byte)(i * 7))]);
        var before = picture.Pixels.ToArray();
        Recolouring.Blur(picture, 0.1);
        Assert.Equal(before, picture.Pixels);
    }

    [Fact]
    public void With_hues_the_changes_of_colour_come_in_every_order()
    {
        var picture = new RgbImage(2, 1, [200, 40, 90, 30, 60, 120]);
        var changes = new Augmentation
        {
            Jitter = 1,
            Hue = 0.1,
            Brightness = 0,
            Contrast = 0,
            Saturation = 0,
        };
        for (ulong seed = 0; seed < 40; seed++)
        {
            var chance = new Chance(seed);
            var changed = changes.Apply(picture, Preprocessing.LiT(1) with { Width = 2 }, ref chance).Pixels;
            Assert.Equal(200, changed.Take(3).Max()); // the hue alone turns, within its bounds
            Assert.Equal(40, changed.Take(3).Min());
            Assert.Equal(200, changed[0]);
        }
    }
}
