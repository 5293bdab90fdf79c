using CsCheck;
using LiT.Images;

namespace LiT.Tests.Images;

public class ResizingTests
{
    private static readonly Gen<RgbImage> Pictures =
        from width in Gen.Int[1, 40]
        from height in Gen.Int[1, 40]
        from pixels in Gen.Byte.Array[width * height * 3]
        select new RgbImage(width, height, pixels);

    public static IEnumerable<ITheoryDataRow> Methods =>
        (TheoryData<ResizeMethod>)[.. Enum.GetValues<ResizeMethod>().Where(method => method != ResizeMethod.None)];

    [Theory]
    [MemberData(nameof(Methods))]
    internal void A_part_of_the_resized_picture_is_that_part_of_the_whole(ResizeMethod method) =>
        Gen.Select(Pictures, Gen.Int[1, 50], Gen.Int[1, 50], Gen.Double[0, 0.999], Gen.Double[0, 0.999])
            .Sample(
                (image, width, height, left, top) =>
                {
                    var window = new Window((int)(width * left), (int)(height * top), 0, 0);
                    window = window with
                    {
                        Width = Math.Max(1, (width - window.X) / 2),
                        Height = Math.Max(1, (height - window.Y) / 2),
                    };
                    var whole = new RgbImage(
                        width,
                        height,
                        Resizing.Resize(image, width, height, method, Window.Whole(width, height))
                    );
                    return Resizing
                        .Resize(image, width, height, method, window)
                        .SequenceEqual(Resizing.Cut(whole, window));
                },
                iter: 200
            );

    [Theory]
    [MemberData(nameof(Methods))]
    internal void A_flat_picture_stays_flat_and_one_of_the_same_size_stays_as_it_is(ResizeMethod method)
    {
        foreach (var value in new byte[] { 0, 1, 128, 255 })
        foreach (var (width, height) in new[] { (24, 24), (3, 100), (37, 5), (64, 1) })
        {
            var flat = new RgbImage(13, 29, [.. Enumerable.Repeat(value, 13 * 29 * 3)]);
            // TensorFlow's float32 weights may add up to a little less than 1, and its users truncate.
            var low = method == ResizeMethod.TensorFlowBilinearAntialias ? Math.Max(0, value - 1) : value;
            Assert.All(Resizing.Resize(flat, width, height, method).Pixels, got => Assert.InRange(got, low, value));
        }
        Assert.Same(
            GeneratedPictures.Plain.Pixels,
            Resizing.Resize(GeneratedPictures.Plain, GeneratedPictures.Width, GeneratedPictures.Height, method).Pixels
        );
    }

    [Fact]
    public void TensorFlows_bilinear_is_the_plain_formula_truncated() =>
        Gen.Select(Pictures, Gen.Int[1, 50], Gen.Int[1, 50])
            .Sample(
                (image, width, height) =>
                {
                    var got = Resizing.Resize(image, width, height, ResizeMethod.TensorFlowBilinear).Pixels;
                    for (var i = 0; i < got.Length; i++)
                    {
                        var (x, y, channel) = (i / 3 % width, i / 3 / width, i % 3);
                        var (left, right, byX) = Around(x, image.Width, width);
                        var (upper, lower, byY) = Around(y, image.Height, height);
                        float Pixel(int column, int row) => image.Pixels[(row * image.Width + column) * 3 + channel];
                        var top = Pixel(left, upper) + (Pixel(right, upper) - Pixel(left, upper)) * byX;
                        var bottom = Pixel(left, lower) + (Pixel(right, lower) - Pixel(left, lower)) * byX;
                        if (width == image.Width && height == image.Height)
                            return got.SequenceEqual(image.Pixels);
                        if (got[i] != (byte)(top + (bottom - top) * byY))
                            return false;
                    }
                    return true;
                },
                iter: 200
            );

    [Fact]
    public void TensorFlows_area_is_the_mean_of_what_a_pixel_covers()
    {
        var image = new RgbImage(
            4,
            2,
            [.. new byte[] { 10, 20, 30, 40, 50, 60, 70, 80 }.SelectMany(v => new[] { v, v, v })]
        );
        Assert.Equal([35, 35, 35, 55, 55, 55], Resizing.Resize(image, 2, 1, ResizeMethod.TensorFlowArea).Pixels);
        // Three pixels to two: each covers one and a half.
        var three = new RgbImage(3, 1, [0, 0, 0, 60, 60, 60, 240, 240, 240]);
        Assert.Equal([20, 20, 20, 180, 180, 180], Resizing.Resize(three, 2, 1, ResizeMethod.TensorFlowArea).Pixels);
    }

    [Fact]
    public void Pillows_bilinear_averages_over_twice_the_reach_when_halving()
    {
        // Four pixels to two: the triangle reaches two pixels each way, 3/8 3/8 1/8 after the edge cuts it off at one end.
        var image = new RgbImage(4, 1, [0, 0, 0, 80, 80, 80, 160, 160, 160, 240, 240, 240]);
        var (near, far) = ((0 * 3 + 80 * 3 + 160 * 1) / 7.0, (240 * 3 + 160 * 3 + 80 * 1) / 7.0);
        var got = Resizing.Resize(image, 2, 1, ResizeMethod.PillowBilinear).Pixels;
        Assert.Equal(((byte)Math.Round(near), (byte)Math.Round(far)), (got[0], got[3]));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    internal void Extreme_shapes_are_resized_too(ResizeMethod method)
    {
        foreach (var (width, height) in new[] { (1, 1), (1, 3000), (3000, 1), (2, 2) })
        {
            var image = new RgbImage(width, height, new byte[width * height * 3]);
            Assert.Equal(17 * 19 * 3, Resizing.Resize(image, 17, 19, method).Pixels.Length);
            Assert.Equal(3, Resizing.Resize(image, 1, 1, method).Pixels.Length);
        }
    }

    private static (int Low, int High, float Fraction) Around(int place, int from, int to)
    {
        var at = (place + 0.5f) * (from / (float)to) - 0.5f;
        return (Math.Max((int)MathF.Floor(at), 0), Math.Min((int)MathF.Ceiling(at), from - 1), at - MathF.Floor(at));
    }
}
