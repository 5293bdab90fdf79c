using System.Runtime.InteropServices;
using LiT.Images;
using SkiaSharp;

namespace LiT.Drawings;

/// <summary>
/// Draws one picture at a time: backdrop, specks, the objects in their poses, pixel noise. Keeps its canvas between
/// pictures. Not safe for several threads at once; use one each.
/// </summary>
internal sealed class Studio : IDisposable
{
    /// <summary>Width and height of a picture in pixels.</summary>
    public const int Size = 48;

    private readonly byte[] canvasPixels = new byte[Size * Size * 4];
    private readonly byte[] pixels = new byte[Size * Size * 3];
    private readonly GCHandle pinned;
    private readonly SKSurface surface;
    private readonly Palette palette = new();
    private readonly Dice dice = new(0);
    private readonly Pen pen;
    private readonly BackdropPainter backdrops;

    public Studio()
    {
        pinned = GCHandle.Alloc(canvasPixels, GCHandleType.Pinned);
        surface = SKSurface.Create(
            new SKImageInfo(Size, Size, SKColorType.Rgba8888, SKAlphaType.Opaque),
            pinned.AddrOfPinnedObject(),
            Size * 4
        ) ?? throw new InvalidOperationException("Skia made no canvas.");
        pen = new Pen(surface.Canvas, palette, dice);
        backdrops = new BackdropPainter(surface.Canvas, dice);
    }

    /// <summary>
    /// Draws objects of this kind and colour; everything else follows from the seed. The bytes of the image are
    /// overwritten by the next call.
    /// </summary>
    public Scene Draw(int kind, int colour, ulong seed, out RgbImage image)
    {
        dice.Reseed(seed);
        palette.Mix(DrawnVocabulary.Colours[colour].Range, dice);
        var (backdrop, dark) = backdrops.Paint(palette.Main);
        backdrops.Specks();
        pen.Outline = dice.Chance(.65f) ? dice.Between(.045f, .085f) : 0;

        var count = dice.Between(0, 1) switch
        {
            < .74f => 1,
            < .88f => 2,
            _ => 3,
        };
        var tilt = dice.Between(0, 1) switch
        {
            < .8f => Tilt.Upright,
            < .95f => Tilt.Tilted,
            _ => Tilt.UpsideDown,
        };
        var radius = count switch
        {
            1 => dice.Between(.27f, .48f),
            2 => dice.Between(.215f, .265f),
            _ => dice.Between(.19f, .23f),
        };
        Span<(float X, float Y)> spots = stackalloc (float, float)[count];
        Arrange(spots, radius);
        foreach (var (x, y) in spots)
            DrawObject(kind, x, y, radius, tilt);

        Develop();
        image = new RgbImage(Size, Size, pixels);
        var extent =
            count > 1
                ? Extent.Medium
                : radius switch
                {
                    < .325f => Extent.Small,
                    > .425f => Extent.Big,
                    _ => Extent.Medium,
                };
        return new Scene(
            kind,
            colour,
            count,
            extent,
            count > 1 ? Place.Anywhere : PlaceOf(spots[0]),
            tilt,
            backdrop,
            dark
        );
    }

    public void Dispose()
    {
        pen.Dispose();
        backdrops.Dispose();
        surface.Dispose();
        pinned.Free();
    }

    /// <summary>Centres of the objects in parts of the picture: anywhere inside for one, side by side for more.</summary>
    private void Arrange(Span<(float X, float Y)> spots, float radius)
    {
        if (spots.Length == 1)
        {
            var room = Math.Max(0, .5f - radius * .96f);
            spots[0] = (.5f + dice.Between(-room, room), .5f + dice.Between(-room, room));
            return;
        }
        var turned = dice.Chance(.5f);
        var flipped = dice.Chance(.5f);
        for (var i = 0; i < spots.Length; i++)
        {
            var (x, y) = (spots.Length, i) switch
            {
                (2, 0) => (.27f, turned ? .3f : .5f),
                (2, _) => (.73f, turned ? .7f : .5f),
                (_, 0) => (.5f, .25f),
                (_, 1) => (.25f, .74f),
                _ => (.75f, .74f),
            };
            x += dice.Between(-.025f, .025f);
            y += dice.Between(-.025f, .025f);
            spots[i] = (x, flipped ? 1 - y : y);
        }
    }

    private void DrawObject(int kind, float x, float y, float radius, Tilt tilt)
    {
        var degrees = tilt switch
        {
            Tilt.Upright => dice.Between(-9, 9),
            Tilt.Tilted => dice.Between(22, 62) * (dice.Chance(.5f) ? 1 : -1),
            _ => 180 + dice.Between(-12, 12),
        };
        var narrow = dice.Between(.86f, 1);
        var wide = dice.Chance(.5f);
        var canvas = surface.Canvas;
        canvas.Save();
        canvas.Translate(x * Size, y * Size);
        canvas.RotateDegrees(degrees);
        canvas.Skew(dice.Between(-.1f, .1f), 0);
        canvas.Scale(
            radius * Size * (wide ? 1 : narrow) * (dice.Chance(.5f) ? -1 : 1),
            radius * Size * (wide ? narrow : 1)
        );
        DrawnVocabulary.Kinds[kind].Draw(pen);
        canvas.Restore();
    }

    private static Place PlaceOf((float X, float Y) spot)
    {
        const float clear = .1f;
        var (right, down) = (spot.X - .5f, spot.Y - .5f);
        if (Math.Max(Math.Abs(right), Math.Abs(down)) < clear)
            return Place.Anywhere;
        return Math.Abs(right) > Math.Abs(down)
            ? right < 0
                ? Place.Left
                : Place.Right
            : down < 0
                ? Place.Top
                : Place.Bottom;
    }

    /// <summary>Takes the colours off the canvas, with the grain of a cheap camera in two of three pictures.</summary>
    private void Develop()
    {
        surface.Flush();
        var grain = dice.Chance(.67f) ? dice.Below(24) : 0;
        var bits = 0UL;
        for (int from = 0, to = 0; to < pixels.Length; from++)
        {
            if ((from & 3) == 3)
                continue;
            if (grain == 0)
            {
                pixels[to++] = canvasPixels[from];
                continue;
            }
            if (to % 8 == 0)
                bits = dice.Bits();
            var moved = canvasPixels[from] + (((int)(bits & 255) * grain) >> 8) - grain / 2;
            pixels[to++] = (byte)Math.Clamp(moved, 0, 255);
            bits >>= 8;
        }
    }
}
