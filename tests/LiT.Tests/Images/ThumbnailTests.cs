using LiT.Images;

namespace LiT.Tests.Images;

public class ThumbnailTests
{
    [Theory]
    [InlineData(ThumbnailFormat.Jpeg, "data:image/jpeg;base64,")]
    [InlineData(ThumbnailFormat.Png, "data:image/png;base64,")]
    [InlineData(ThumbnailFormat.WebP, "data:image/webp;base64,")]
    internal void A_thumbnail_is_a_data_uri_that_decodes_to_the_picture(ThumbnailFormat format, string start)
    {
        var uri = Thumbnail.DataUri(GeneratedPictures.Plain, format: format);
        Assert.StartsWith(start, uri);
        var again = Decoding.Decode(Convert.FromBase64String(uri[start.Length..]));
        Assert.Equal((GeneratedPictures.Width, GeneratedPictures.Height), (again.Width, again.Height));
        var difference = again.Pixels.Zip(GeneratedPictures.Plain.Pixels, (a, b) => Math.Abs(a - b)).Average();
        Assert.InRange(difference, 0, format == ThumbnailFormat.Png ? 0 : 6);
    }

    [Fact]
    public void A_large_picture_is_scaled_to_its_longest_side_and_a_small_one_is_left()
    {
        var small = Decoding.Decode(Thumbnail.Encode(GeneratedPictures.Plain, longestSide: 24, ThumbnailFormat.Png));
        Assert.Equal((24, 16), (small.Width, small.Height));
        Assert.Same(GeneratedPictures.Plain, Thumbnail.Scaled(GeneratedPictures.Plain, 48));
        Assert.Equal(
            (10, 1),
            (
                Thumbnail.Scaled(new RgbImage(1000, 3, new byte[9000]), 10) is { } wide
                    ? (wide.Width, wide.Height)
                    : default
            )
        );
    }
}
