using System.Globalization;
using System.Text.Json.Serialization;

namespace LiT.Images;

/// <summary>
/// Random changes that leave a picture's meaning alone, for training an image tower and for several views of a picture
/// in a store. Which change is made follows from the <see cref="Chance"/> alone. Safe for use from several threads.
/// </summary>
internal sealed record Augmentation
{
    /// <summary>
    /// Pixels of black that are put around the fitted picture before a window of its size is cut out again.
    /// </summary>
    public int Padding { get; init; }

    /// <summary>Probability of a mirror image.</summary>
    public double Flip { get; init; }

    /// <summary>Smallest part of the area that a random crop keeps; 1 cuts nothing.</summary>
    public double SmallestCrop { get; init; } = 1;

    /// <summary>Largest part of the area that a random crop keeps.</summary>
    public double LargestCrop { get; init; } = 1;

    /// <summary>Probability of changed colours, at the strengths below.</summary>
    public double Jitter { get; init; }

    /// <summary>Brightness is multiplied by 1 - this to 1 + this.</summary>
    public double Brightness { get; init; } = 0.4;

    /// <summary>Contrast, likewise.</summary>
    public double Contrast { get; init; } = 0.4;

    /// <summary>Saturation, likewise.</summary>
    public double Saturation { get; init; } = 0.2;

    /// <summary>
    /// Colours are turned around the wheel by up to this part of it, either way; 0 leaves hues alone. With it, the four
    /// changes of colour come in any order, as torchvision's ColorJitter draws them.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double Hue { get; init; }

    /// <summary>Probability of losing all colour.</summary>
    public double Grayscale { get; init; }

    /// <summary>Probability of a blur by a Gaussian.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double Blur { get; init; }

    /// <summary>Smallest deviation of the Gaussian, in pixels of the tower's input.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double SmallestBlur { get; init; }

    /// <summary>Largest deviation of the Gaussian, in pixels of the tower's input.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double LargestBlur { get; init; }

    /// <summary>Probability that every value from 128 on becomes its opposite.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double Solarise { get; init; }

    /// <summary>RandAugment's operations on each picture (<see cref="RandAugmentStrength"/>); 0 for none.</summary>
    public int RandAugmentCount { get; init; }

    /// <summary>RandAugment's strength, from 0 to 10.</summary>
    public double RandAugmentStrength { get; init; } = 10;

    /// <summary>No change.</summary>
    public static Augmentation None { get; } = new();

    /// <summary>Padding of 4 and mirror images (He et al. 2015, arXiv 1512.03385, section 4.2).</summary>
    public static Augmentation Cifar { get; } = new() { Padding = 4, Flip = 0.5 };

    /// <summary>
    /// Random crops of at least this part of the area, and mirror images (Szegedy et al. 2014, arXiv 1409.4842).
    /// </summary>
    public static Augmentation Inception(double smallestCrop = 0.05) =>
        new() { SmallestCrop = smallestCrop, Flip = 0.5 };

    /// <summary>
    /// Changes in words, with + between: <c>none</c>, <c>crop</c> (a quarter of the area at least) or <c>crop=0.05</c>,
    /// <c>flip</c>, <c>shift</c>, <c>jitter</c>, <c>randaug</c> or <c>randaug=2,10</c>.
    /// </summary>
    /// <exception cref="UsageException">A word that is none of these.</exception>
    public static Augmentation Parse(string text)
    {
        var augmentation = None;
        if (text == "none")
            return augmentation;
        foreach (var word in text.Split('+'))
            augmentation = word.Split('=', 2) switch
            {
                ["crop"] => augmentation with { SmallestCrop = 0.25 },
                ["crop", var part] when Number(part) is > 0 and <= 1 and var smallest => augmentation with
                {
                    SmallestCrop = smallest,
                },
                ["flip"] => augmentation with { Flip = 0.5 },
                ["shift"] => augmentation with { Padding = 4 },
                ["jitter"] => augmentation with { Jitter = 0.8 },
                ["randaug"] => augmentation with { RandAugmentCount = 2 },
                ["randaug", var numbers]
                    when numbers.Split(',') is [var count, var strength]
                        && Number(count) is >= 1 and <= 16 and var operations
                        && Number(strength) is >= 0 and <= 10 and var strong => augmentation with
                {
                    RandAugmentCount = (int)operations,
                    RandAugmentStrength = strong,
                },
                _ => throw new SettingException(
                    "Augmentation",
                    text,
                    $"'{word}' is no change of a picture",
                    "Give none, or some of crop, crop=0.25, flip, shift, jitter, randaug, randaug=2,10 with + between"
                ),
            };
        return augmentation;

        static double? Number(string digits) =>
            double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary>A changed picture as a tower's input.</summary>
    /// <param name="image">Decoded, any size.</param>
    /// <param name="preprocessing">The tower's; where a crop is taken here, its own crop is left out and the shape is
    /// squashed.</param>
    /// <param name="chance">Decides; it is used up as far as needed.</param>
    /// <param name="chw">Receives [3, Height, Width].</param>
    public void Apply(RgbImage image, Preprocessing preprocessing, ref Chance chance, Span<float> chw)
    {
        var asItIs = preprocessing with { Fit = ResizeFit.Squash };
        asItIs.Apply(Apply(image, preprocessing, ref chance), chw);
    }

    /// <summary>A changed picture of the tower's size, before its values are normalised.</summary>
    /// <inheritdoc cref="Apply(RgbImage, Preprocessing, ref Chance, Span{float})" path="/param"/>
    public RgbImage Apply(RgbImage image, Preprocessing preprocessing, ref Chance chance)
    {
        var fitted =
            SmallestCrop < 1
                ? (preprocessing with { Fit = ResizeFit.Squash }).Fitted(Crop(image, ref chance))
                : preprocessing.Fitted(image);
        var (width, height) = (fitted.Width, fitted.Height);
        var (right, down) = Shift(ref chance);
        var mirrored = chance.Happens(Flip);
        var pixels = new byte[fitted.Pixels.Length];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        {
            var (fromX, fromY) = ((mirrored ? width - 1 - x : x) + right, y + down);
            if ((uint)fromX < (uint)width && (uint)fromY < (uint)height)
                fitted.Pixels.AsSpan((fromY * width + fromX) * 3, 3).CopyTo(pixels.AsSpan((y * width + x) * 3));
        }
        var changed = new RgbImage(width, height, pixels);
        if (chance.Happens(Jitter))
            Recolour(changed, ref chance);
        if (chance.Happens(Grayscale))
            Recolouring.Saturate(changed.Pixels, 0);
        // Nothing is drawn for what is off, so that the runs of before draw what they drew.
        if (Blur > 0 && chance.Happens(Blur))
            Recolouring.Blur(changed, chance.Between(SmallestBlur, LargestBlur));
        if (Solarise > 0 && chance.Happens(Solarise))
            Recolouring.Solarise(changed.Pixels);
        if (RandAugmentCount > 0)
            RandAugment.Apply(changed, RandAugmentCount, RandAugmentStrength, ref chance);
        return changed;
    }

    /// <summary>The shift and mirror image alone, on pixels that are normalised already.</summary>
    /// <param name="chw">[3, height, width].</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="black">What black is after normalisation, by channel; it fills what the shift uncovers.</param>
    /// <param name="chance">Decides.</param>
    /// <param name="result">Receives [3, height, width]; another buffer than <paramref name="chw"/>.</param>
    public void ShiftAndFlip(
        ReadOnlySpan<float> chw,
        int height,
        int width,
        ChannelValues black,
        ref Chance chance,
        Span<float> result
    )
    {
        var (right, down) = Shift(ref chance);
        var mirrored = chance.Happens(Flip);
        for (var channel = 0; channel < 3; channel++)
        for (var y = 0; y < height; y++)
        {
            var to = result.Slice((channel * height + y) * width, width);
            to.Fill(black[channel]);
            if ((uint)(y + down) < (uint)height)
            {
                var from = chw.Slice((channel * height + y + down) * width, width);
                var (first, count) = (Math.Max(0, right), width - Math.Abs(right));
                if (count > 0)
                    from.Slice(first, count).CopyTo(to[Math.Max(0, -right)..]);
            }
            if (mirrored)
                to.Reverse();
        }
    }

    private (int Right, int Down) Shift(ref Chance chance) =>
        Padding == 0 ? (0, 0) : (chance.Below(2 * Padding + 1) - Padding, chance.Below(2 * Padding + 1) - Padding);

    /// <summary>
    /// A crop of random area and of proportions from 3:4 to 4:3; the whole where ten tries give none that fits.
    /// </summary>
    private RgbImage Crop(RgbImage image, ref Chance chance)
    {
        for (var attempt = 0; attempt < 10; attempt++)
        {
            var area = (double)image.Width * image.Height * chance.Between(SmallestCrop, LargestCrop);
            var proportion = Math.Exp(chance.Between(Math.Log(3 / 4.0), Math.Log(4 / 3.0)));
            var (width, height) = (
                (int)Math.Round(Math.Sqrt(area * proportion)),
                (int)Math.Round(Math.Sqrt(area / proportion))
            );
            if (width < 1 || height < 1 || width > image.Width || height > image.Height)
                continue;
            var window = new Window(
                chance.Below(image.Width - width + 1),
                chance.Below(image.Height - height + 1),
                width,
                height
            );
            return new RgbImage(width, height, Resizing.Cut(image, window));
        }
        return image;
    }

    private void Recolour(RgbImage image, ref Chance chance)
    {
        var brightness = chance.Between(1 - Brightness, 1 + Brightness);
        var contrast = chance.Between(1 - Contrast, 1 + Contrast);
        var saturation = chance.Between(1 - Saturation, 1 + Saturation);
        var pixels = image.Pixels;
        if (Hue == 0)
        {
            Recolouring.Brighten(pixels, brightness);
            Recolouring.Contrast(pixels, contrast);
            Recolouring.Saturate(pixels, saturation);
            return;
        }
        var turn = chance.Between(-Hue, Hue);
        Span<int> order = [0, 1, 2, 3];
        for (var left = order.Length; left > 0; left--)
        {
            var next = chance.Below(left);
            switch (order[next])
            {
                case 0:
                    Recolouring.Brighten(pixels, brightness);
                    break;
                case 1:
                    Recolouring.Contrast(pixels, contrast);
                    break;
                case 2:
                    Recolouring.Saturate(pixels, saturation);
                    break;
                default:
                    Recolouring.TurnHue(pixels, turn);
                    break;
            }
            order[next] = order[left - 1];
        }
    }
}
