namespace LiT.Images;

/// <summary>
/// RandAugment (Cubuk et al. 2019, arXiv 1909.13719): some operations drawn from sixteen, all at one strength, as the
/// authors' COCO recipe of LiT has it with 2 and 10. Strengths go from 0 to 10; lengths are those for pictures of 224
/// pixels and grow with the picture. What is uncovered is gray.
/// </summary>
internal static class RandAugment
{
    private const byte Gray = 128;
    private const double Strongest = 10,
        ReferenceSide = 224;

    private delegate void Operation(RgbImage image, double level, ref Chance chance);

    // Ranges as in TensorFlow's autoaugment.py, which big_vision takes over.
    private static readonly Operation[] Operations =
    [
        (RgbImage image, double _, ref Chance _) => AutoContrast(image),
        (RgbImage image, double _, ref Chance _) => Equalize(image),
        (RgbImage image, double _, ref Chance _) => Map(image, value => (byte)(255 - value)),
        (RgbImage image, double level, ref Chance chance) =>
            Rotate(image, Signed(30 * level, ref chance) * Math.PI / 180),
        (RgbImage image, double level, ref Chance _) => Posterize(image, (int)(4 * level)),
        (RgbImage image, double level, ref Chance _) =>
            Map(image, value => value < (int)(256 * level) ? value : (byte)(255 - value)),
        (RgbImage image, double level, ref Chance _) => Blend(image, Luma(image), Factor(level)),
        (RgbImage image, double level, ref Chance _) => Blend(image, MeanGray(image), Factor(level)),
        (RgbImage image, double level, ref Chance _) => Blend(image, new byte[image.Pixels.Length], Factor(level)),
        (RgbImage image, double level, ref Chance _) => Blend(image, Smoothed(image), Factor(level)),
        (RgbImage image, double level, ref Chance chance) =>
            Move(image, 1, Signed(0.3 * level, ref chance), 0, 1, 0, 0),
        (RgbImage image, double level, ref Chance chance) =>
            Move(image, 1, 0, Signed(0.3 * level, ref chance), 1, 0, 0),
        (RgbImage image, double level, ref Chance chance) =>
            Move(image, 1, 0, 0, 1, Signed(100 * level, ref chance) * image.Width / ReferenceSide, 0),
        (RgbImage image, double level, ref Chance chance) =>
            Move(image, 1, 0, 0, 1, 0, Signed(100 * level, ref chance) * image.Height / ReferenceSide),
        (RgbImage image, double level, ref Chance chance) => CutOut(image, 40 * level, ref chance),
        (RgbImage image, double level, ref Chance _) =>
            Map(image, value => value < 128 ? (byte)Math.Min(255, value + (int)(110 * level)) : value),
    ];

    /// <summary>Number of operations there are to draw from.</summary>
    internal static int Count => Operations.Length;

    /// <summary>Changes a picture in place.</summary>
    public static void Apply(RgbImage image, int operations, double strength, ref Chance chance)
    {
        for (var i = 0; i < operations; i++)
            Change(image, chance.Below(Operations.Length), strength, ref chance);
    }

    /// <summary>One operation by its number.</summary>
    internal static void Change(RgbImage image, int operation, double strength, ref Chance chance) =>
        Operations[operation](image, strength / Strongest, ref chance);

    private static double Factor(double level) => 1.8 * level + 0.1;

    private static double Signed(double value, ref Chance chance) => chance.Happens(0.5) ? -value : value;

    private static void Map(RgbImage image, Func<byte, byte> of)
    {
        var table = Enumerable.Range(0, 256).Select(value => of((byte)value)).ToArray();
        var pixels = image.Pixels;
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = table[pixels[i]];
    }

    private static void Posterize(RgbImage image, int bits)
    {
        var mask = (byte)(0xFF << (8 - Math.Clamp(bits, 1, 8)));
        Map(image, value => (byte)(value & mask));
    }

    /// <summary>Each channel stretched to the whole range.</summary>
    private static void AutoContrast(RgbImage image)
    {
        var pixels = image.Pixels;
        for (var channel = 0; channel < 3; channel++)
        {
            var (low, high) = (255, 0);
            for (var i = channel; i < pixels.Length; i += 3)
                (low, high) = (Math.Min(low, pixels[i]), Math.Max(high, pixels[i]));
            if (high <= low)
                continue;
            for (var i = channel; i < pixels.Length; i += 3)
                pixels[i] = (byte)Math.Clamp((pixels[i] - low) * 255.0 / (high - low), 0, 255);
        }
    }

    /// <summary>Each channel's histogram made even (Pillow's ImageOps.equalize).</summary>
    private static void Equalize(RgbImage image)
    {
        var pixels = image.Pixels;
        for (var channel = 0; channel < 3; channel++)
        {
            var histogram = new int[256];
            for (var i = channel; i < pixels.Length; i += 3)
                histogram[pixels[i]]++;
            var step = (pixels.Length / 3 - histogram.Last(count => count > 0)) / 255;
            if (step == 0)
                continue;
            var table = new byte[256];
            var sum = step / 2;
            for (var value = 0; value < 256; value++)
            {
                table[value] = (byte)Math.Min(255, sum / step);
                sum += histogram[value];
            }
            for (var i = channel; i < pixels.Length; i += 3)
                pixels[i] = table[pixels[i]];
        }
    }

    private static void Rotate(RgbImage image, double angle)
    {
        var (cos, sin) = (Math.Cos(angle), Math.Sin(angle));
        var (x, y) = ((image.Width - 1) / 2.0, (image.Height - 1) / 2.0);
        Move(image, cos, -sin, sin, cos, x - cos * x + sin * y, y - sin * x - cos * y);
    }

    /// <summary>Pixel (x, y) comes from (xx·x + xy·y + right, yx·x + yy·y + down), the nearest.</summary>
    private static void Move(RgbImage image, double xx, double xy, double yx, double yy, double right, double down)
    {
        var before = (byte[])image.Pixels.Clone();
        for (var y = 0; y < image.Height; y++)
        for (var x = 0; x < image.Width; x++)
        {
            var (fromX, fromY) = ((int)Math.Round(xx * x + xy * y + right), (int)Math.Round(yx * x + yy * y + down));
            var to = image.Pixels.AsSpan((y * image.Width + x) * 3, 3);
            if ((uint)fromX < (uint)image.Width && (uint)fromY < (uint)image.Height)
                before.AsSpan((fromY * image.Width + fromX) * 3, 3).CopyTo(to);
            else
                to.Fill(Gray);
        }
    }

    private static void CutOut(RgbImage image, double half, ref Chance chance)
    {
        var (halfWidth, halfHeight) = (
            (int)(half * image.Width / ReferenceSide),
            (int)(half * image.Height / ReferenceSide)
        );
        var (x, y) = (chance.Below(image.Width), chance.Below(image.Height));
        for (var row = Math.Max(0, y - halfHeight); row < Math.Min(image.Height, y + halfHeight); row++)
        {
            var (from, to) = (Math.Max(0, x - halfWidth), Math.Min(image.Width, x + halfWidth));
            image.Pixels.AsSpan((row * image.Width + from) * 3, Math.Max(0, to - from) * 3).Fill(Gray);
        }
    }

    /// <summary>other + factor · (picture - other): less of the picture below 1, more than it above.</summary>
    private static void Blend(RgbImage image, byte[] other, double factor)
    {
        var pixels = image.Pixels;
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)Math.Clamp(other[i] + factor * (pixels[i] - other[i]), 0, 255);
    }

    private static byte[] Luma(RgbImage image)
    {
        var gray = new byte[image.Pixels.Length];
        for (var i = 0; i < gray.Length; i += 3)
            gray.AsSpan(i, 3)
                .Fill((byte)(0.299 * image.Pixels[i] + 0.587 * image.Pixels[i + 1] + 0.114 * image.Pixels[i + 2]));
        return gray;
    }

    private static byte[] MeanGray(RgbImage image)
    {
        var gray = Luma(image);
        Array.Fill(gray, (byte)gray.Average(value => (double)value));
        return gray;
    }

    /// <summary>Mean of each pixel's neighbourhood in which it counts five times; the border stays.</summary>
    private static byte[] Smoothed(RgbImage image)
    {
        var (pixels, stride) = (image.Pixels, image.Width * 3);
        var smooth = (byte[])pixels.Clone();
        for (var y = 1; y < image.Height - 1; y++)
        for (var at = y * stride + 3; at < (y + 1) * stride - 3; at++)
        {
            var sum = 4 * pixels[at];
            for (var row = -stride; row <= stride; row += stride)
                sum += pixels[at + row - 3] + pixels[at + row] + pixels[at + row + 3];
            smooth[at] = (byte)(sum / 13.0);
        }
        return smooth;
    }
}
