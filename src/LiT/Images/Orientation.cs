namespace LiT.Images;

/// <summary>The eight EXIF orientations: which way up the camera was held.</summary>
internal static class Orientation
{
    public static bool SwapsSides(int orientation) => orientation is >= 5 and <= 8;

    /// <summary>The picture the right way up. Values outside 2..8 leave it as it is.</summary>
    public static RgbImage Apply(RgbImage image, int orientation)
    {
        if (orientation is < 2 or > 8)
            return image;
        var (width, height) = SwapsSides(orientation) ? (image.Height, image.Width) : (image.Width, image.Height);
        var turned = new byte[image.Pixels.Length];
        for (int y = 0, to = 0; y < height; y++)
        for (var x = 0; x < width; x++, to += 3)
        {
            var (fromX, fromY) = orientation switch
            {
                2 => (width - 1 - x, y),
                3 => (width - 1 - x, height - 1 - y),
                4 => (x, height - 1 - y),
                5 => (y, x),
                6 => (y, width - 1 - x),
                7 => (height - 1 - y, width - 1 - x),
                _ => (height - 1 - y, x),
            };
            image.Pixels.AsSpan((fromY * image.Width + fromX) * 3, 3).CopyTo(turned.AsSpan(to));
        }
        return new RgbImage(width, height, turned);
    }
}
