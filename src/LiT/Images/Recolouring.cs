namespace LiT.Images;

/// <summary>
/// Changes of a picture's values, in place, as Pillow and torchvision make them: rounded to 8 bits after each.
/// </summary>
internal static class Recolouring
{
    /// <summary>Every value is multiplied.</summary>
    public static void Brighten(byte[] pixels, double factor)
    {
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = Clip(pixels[i] * factor);
    }

    /// <summary>Every value's distance from the mean gray is multiplied.</summary>
    public static void Contrast(byte[] pixels, double factor)
    {
        var mean = 0.0;
        for (var i = 0; i < pixels.Length; i += 3)
            mean += Luma(pixels, i);
        mean /= pixels.Length / 3;
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = Clip(mean + (pixels[i] - mean) * factor);
    }

    /// <summary>Every value's distance from its pixel's gray is multiplied; 0 leaves no colour.</summary>
    public static void Saturate(byte[] pixels, double factor)
    {
        for (var i = 0; i < pixels.Length; i += 3)
        {
            var gray = Luma(pixels, i);
            for (var channel = 0; channel < 3; channel++)
                pixels[i + channel] = Clip(gray + (pixels[i + channel] - gray) * factor);
        }
    }

    /// <summary>
    /// Every colour is turned around the wheel (HSV) by this part of it; lightness and strength stay.
    /// </summary>
    public static void TurnHue(byte[] pixels, double turn)
    {
        for (var i = 0; i < pixels.Length; i += 3)
        {
            double r = pixels[i],
                g = pixels[i + 1],
                b = pixels[i + 2];
            var most = Math.Max(r, Math.Max(g, b));
            var spread = most - Math.Min(r, Math.Min(g, b));
            if (spread == 0)
                continue;
            var hue =
                most == r ? (g - b) / spread
                : most == g ? 2 + (b - r) / spread
                : 4 + (r - g) / spread;
            hue += 6 * turn;
            for (var channel = 0; channel < 3; channel++)
            {
                // Red, green and blue stand at 0, 2 and 4 on the wheel; a channel is full within 1 of its place.
                var distance = Math.Abs(Wrapped(hue - 2 * channel + 3) - 3);
                pixels[i + channel] = Clip(most - spread * Math.Clamp(distance - 1, 0, 1));
            }
        }

        static double Wrapped(double place) => place - 6 * Math.Floor(place / 6);
    }

    /// <summary>Every value from 128 on becomes its opposite.</summary>
    public static void Solarise(byte[] pixels)
    {
        for (var i = 0; i < pixels.Length; i++)
            if (pixels[i] >= 128)
                pixels[i] = (byte)(255 - pixels[i]);
    }

    /// <summary>A Gaussian over three deviations to each side; behind the border the last pixel goes on.</summary>
    public static void Blur(RgbImage image, double deviation)
    {
        var reach = (int)Math.Ceiling(3 * deviation);
        var weights = new double[reach + 1];
        for (var i = 0; i <= reach; i++)
            weights[i] = i == 0 ? 1 : Math.Exp(-i * i / (2 * deviation * deviation));
        var sum = 2 * weights.Sum() - 1;
        var between = new double[image.Pixels.Length];
        var (width, height) = (image.Width, image.Height);
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        for (var offset = -reach; offset <= reach; offset++)
        {
            var from = (y * width + Math.Clamp(x + offset, 0, width - 1)) * 3;
            for (var channel = 0; channel < 3; channel++)
                between[(y * width + x) * 3 + channel] +=
                    weights[Math.Abs(offset)] / sum * image.Pixels[from + channel];
        }
        var row = new double[width * 3];
        for (var y = 0; y < height; y++)
        {
            Array.Clear(row);
            for (var offset = -reach; offset <= reach; offset++)
            {
                var from = Math.Clamp(y + offset, 0, height - 1) * width * 3;
                for (var i = 0; i < row.Length; i++)
                    row[i] += weights[Math.Abs(offset)] / sum * between[from + i];
            }
            for (var i = 0; i < row.Length; i++)
                image.Pixels[y * width * 3 + i] = Clip(row[i]);
        }
    }

    // ITU-R 601, as Pillow turns RGB to gray.
    private static double Luma(byte[] pixels, int at) =>
        0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];

    private static byte Clip(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);
}
