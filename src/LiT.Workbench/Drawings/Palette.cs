using SkiaSharp;

namespace LiT.Drawings;

/// <summary>The colours of one object's parts. Main and its neighbours follow the object's colour, the rest are as in life.</summary>
internal enum Shade
{
    Main,
    Dark,
    Light,
    Mark,
    Outline,
    Ink,
    White,
    Wood,
    Metal,
    Leaf,
    Glass,
    Gold,
    Rose,
    Sand,
    Flame,
}

/// <summary>Where a named colour lies: hue in degrees, saturation and lightness in percent, each as low and high end.</summary>
internal sealed record ColourRange(
    float HueLow,
    float HueHigh,
    float SaturationLow,
    float SaturationHigh,
    float LightLow,
    float LightHigh
)
{
    public SKColor Draw(Dice dice) =>
        SKColor.FromHsl(
            (dice.Between(HueLow, HueHigh) + 360) % 360,
            dice.Between(SaturationLow, SaturationHigh),
            dice.Between(LightLow, LightHigh)
        );
}

/// <summary>What each <see cref="Shade"/> is in one picture.</summary>
internal sealed class Palette
{
    private readonly SKColor[] shades = new SKColor[Enum.GetValues<Shade>().Length];

    public SKColor this[Shade shade] => shades[(int)shade];

    public SKColor Main => shades[(int)Shade.Main];

    /// <summary>Mixes the shades of a new picture.</summary>
    public void Mix(ColourRange range, Dice dice)
    {
        var main = range.Draw(dice);
        var light = Lightness(main);
        this.shades[(int)Shade.Main] = main;
        Set(
            Shade.Dark,
            light < .18f ? Towards(main, SKColors.White, .24f) : Towards(main, SKColors.Black, light > .9f ? .2f : .32f)
        );
        Set(
            Shade.Light,
            light > .9f ? Towards(main, SKColors.Black, .1f) : Towards(main, SKColors.White, light < .18f ? .42f : .48f)
        );
        Set(Shade.Mark, light < .36f ? new SKColor(245, 240, 225) : new SKColor(32, 28, 34));
        Set(Shade.Outline, light < .18f ? new SKColor(96, 94, 102) : Towards(main, new SKColor(20, 14, 28), .68f));
        Set(Shade.Ink, new SKColor(38, 36, 42));
        Set(Shade.White, new SKColor(250, 249, 244));
        Set(Shade.Wood, new SKColor(136, 90, 52));
        Set(Shade.Metal, new SKColor(150, 156, 164));
        Set(Shade.Leaf, new SKColor(70, 140, 62));
        Set(Shade.Glass, new SKColor(178, 220, 238));
        Set(Shade.Gold, new SKColor(246, 200, 66));
        Set(Shade.Rose, new SKColor(238, 146, 152));
        Set(Shade.Sand, new SKColor(222, 190, 140));
        Set(Shade.Flame, new SKColor(248, 134, 40));

        void Set(Shade shade, SKColor colour) => shades[(int)shade] = Near(colour, dice);
    }

    public static SKColor Towards(SKColor from, SKColor to, float share) =>
        new(
            (byte)(from.Red + (to.Red - from.Red) * share),
            (byte)(from.Green + (to.Green - from.Green) * share),
            (byte)(from.Blue + (to.Blue - from.Blue) * share)
        );

    /// <summary>Perceived lightness in [0, 1] (the weights of ITU-R BT.601).</summary>
    public static float Lightness(SKColor colour) =>
        (.299f * colour.Red + .587f * colour.Green + .114f * colour.Blue) / 255;

    /// <summary>How easily two colours are told apart, 0 (equal) to 1 (black on white).</summary>
    public static float Contrast(SKColor one, SKColor other)
    {
        var red = (one.Red - other.Red) / 255f;
        var green = (one.Green - other.Green) / 255f;
        var blue = (one.Blue - other.Blue) / 255f;
        return MathF.Sqrt(.3f * red * red + .5f * green * green + .2f * blue * blue);
    }

    private static SKColor Near(SKColor colour, Dice dice)
    {
        const float spread = 9;
        return new(Moved(colour.Red), Moved(colour.Green), Moved(colour.Blue));

        byte Moved(byte value) => (byte)Math.Clamp(value + dice.Between(-spread, spread), 0, 255);
    }
}
