namespace LiT.Images;

/// <summary>From whatever channels a decoder gives, interleaved, to red, green and blue.</summary>
internal static class Bands
{
    /// <param name="raw">1 band gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha; further bands are passed over.</param>
    /// <param name="pixels">Number of pixels.</param>
    /// <param name="bands">Values a pixel in <paramref name="raw"/>.</param>
    /// <param name="background">What shows through where alpha is below 255; null drops the alpha.</param>
    public static byte[] ToRgb(byte[] raw, int pixels, int bands, Rgb24? background)
    {
        if (bands == 3)
            return raw;
        var rgb = new byte[checked(pixels * 3)];
        var (g, b, alpha) = bands >= 3 ? (1, 2, 3) : (0, 0, 1);
        var under = bands > alpha ? background : null;
        for (int i = 0, from = 0, to = 0; i < pixels; i++, from += bands, to += 3)
        {
            (rgb[to], rgb[to + 1], rgb[to + 2]) = (raw[from], raw[from + g], raw[from + b]);
            if (under is not { } colour)
                continue;
            var opacity = raw[from + alpha];
            rgb[to] = Over(rgb[to], colour.R, opacity);
            rgb[to + 1] = Over(rgb[to + 1], colour.G, opacity);
            rgb[to + 2] = Over(rgb[to + 2], colour.B, opacity);
        }
        return rgb;
    }

    /// <summary>R = (255 - C)(255 - K) / 255, as Pillow's convert("RGB") rounds it; no colour profile.</summary>
    public static byte[] FromCmyk(byte[] raw, int pixels, int bands)
    {
        var rgb = new byte[checked(pixels * 3)];
        for (int i = 0, from = 0, to = 0; i < pixels; i++, from += bands, to += 3)
        {
            var white = 255 - raw[from + 3];
            for (var c = 0; c < 3; c++)
                rgb[to + c] = (byte)Math.Max(0, white - Product(raw[from + c], white));
        }
        return rgb;
    }

    private static byte Over(int above, int below, int opacity) =>
        (byte)((above * opacity + below * (255 - opacity) + 127) / 255);

    private static int Product(int a, int b)
    {
        var product = a * b + 128;
        return ((product >> 8) + product) >> 8;
    }
}
