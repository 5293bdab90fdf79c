using SkiaSharp;

namespace LiT.Drawings;

/// <summary>What lies behind the objects: a colour that sets them off, its texture, and specks that mean nothing.</summary>
internal sealed class BackdropPainter(SKCanvas canvas, Dice dice) : IDisposable
{
    private const float Size = Studio.Size;
    private const float LeastContrast = .27f;
    private readonly SKPaint paint = new() { IsAntialias = true };

    /// <summary>Paints over the whole canvas, in colours that set off objects of the main colour.</summary>
    public (Backdrop Kind, bool Dark) Paint(SKColor main)
    {
        var ground = Ground(main);
        var second = Second(ground, main);
        var kind = dice.Between(0, 1) switch
        {
            < .28f => Backdrop.Plain,
            < .46f => Backdrop.Gradient,
            < .58f => Backdrop.Stripes,
            < .66f => Backdrop.Checks,
            < .76f => Backdrop.Dots,
            < .88f => Backdrop.Horizon,
            _ => Backdrop.Blotches,
        };
        canvas.Clear(ground);
        paint.Color = second;
        switch (kind)
        {
            case Backdrop.Gradient:
                Gradient(ground, second);
                break;
            case Backdrop.Stripes:
                Stripes();
                break;
            case Backdrop.Checks:
                Checks();
                break;
            case Backdrop.Dots:
                Dots();
                break;
            case Backdrop.Horizon:
                canvas.DrawRect(-Size, dice.Between(.5f, .85f) * Size, 3 * Size, Size, paint);
                break;
            case Backdrop.Blotches:
                Blotches();
                break;
        }
        return (kind, Palette.Lightness(ground) < .36f);
    }

    /// <summary>Small dots and dashes in any colour, none in four of ten pictures.</summary>
    public void Specks()
    {
        var count = dice.Chance(.4f) ? 0 : 1 + dice.Below(9);
        for (var i = 0; i < count; i++)
        {
            paint.Color = SKColor.FromHsl(dice.Between(0, 360), dice.Between(10, 90), dice.Between(10, 90));
            var (x, y) = (dice.Between(0, Size), dice.Between(0, Size));
            if (dice.Chance(.5f))
            {
                canvas.DrawCircle(x, y, dice.Between(.5f, 1.4f), paint);
            }
            else
            {
                paint.StrokeWidth = dice.Between(.6f, 1.2f);
                canvas.DrawLine(x, y, x + dice.Between(-4, 4), y + dice.Between(-4, 4), paint);
            }
        }
    }

    public void Dispose() => paint.Dispose();

    /// <summary>A ground that the object stands out from: mostly pale, some dark, some in between.</summary>
    private SKColor Ground(SKColor main)
    {
        for (var attempt = 0; attempt < 32; attempt++)
        {
            var hue = dice.Between(0, 360);
            var ground = dice.Between(0, 1) switch
            {
                < .55f => SKColor.FromHsl(hue, dice.Between(0, 60), dice.Between(78, 97)),
                < .8f => SKColor.FromHsl(hue, dice.Between(0, 45), dice.Between(8, 24)),
                _ => SKColor.FromHsl(hue, dice.Between(5, 45), dice.Between(35, 70)),
            };
            if (Palette.Contrast(ground, main) >= LeastContrast)
                return ground;
        }
        return Palette.Lightness(main) > .5f ? new SKColor(30, 32, 40) : new SKColor(236, 234, 226);
    }

    /// <summary>A neighbour of the ground that also differs from the object.</summary>
    private SKColor Second(SKColor ground, SKColor main)
    {
        var share = dice.Between(.08f, .24f);
        var lighter = Palette.Towards(ground, SKColors.White, share);
        var darker = Palette.Towards(ground, SKColors.Black, share);
        return Palette.Contrast(lighter, main) > Palette.Contrast(darker, main) ? lighter : darker;
    }

    private void Gradient(SKColor from, SKColor to)
    {
        const int bands = 12;
        canvas.Save();
        canvas.RotateDegrees(90 * dice.Below(4) + dice.Between(-20, 20), Size / 2, Size / 2);
        for (var i = 0; i < bands; i++)
        {
            paint.Color = Palette.Towards(from, to, i / (bands - 1f));
            canvas.DrawRect(-Size, Size * (1.5f * i / bands - .25f), 3 * Size, Size, paint);
        }
        canvas.Restore();
    }

    private void Stripes()
    {
        var width = dice.Between(2.5f, 6);
        canvas.Save();
        canvas.RotateDegrees(dice.Pick(StripeAngles), Size / 2, Size / 2);
        for (var y = -Size / 2; y < 1.5f * Size; y += 2 * width)
            canvas.DrawRect(-Size / 2, y, 2 * Size, width, paint);
        canvas.Restore();
    }

    private void Checks()
    {
        var side = dice.Between(5, 9);
        for (var row = 0; row * side < Size; row++)
        for (var column = row % 2; column * side < Size; column += 2)
            canvas.DrawRect(column * side, row * side, side, side, paint);
    }

    private void Dots()
    {
        var step = dice.Between(7, 11);
        var radius = step * dice.Between(.15f, .27f);
        for (var row = 0; row * step < Size + step; row++)
        for (var column = 0; column * step < Size + step; column++)
            canvas.DrawCircle((column + row % 2 * .5f) * step, row * step, radius, paint);
    }

    private void Blotches()
    {
        for (var i = 0; i < 9; i++)
            canvas.DrawOval(
                dice.Between(0, Size),
                dice.Between(0, Size),
                dice.Between(3, 9),
                dice.Between(3, 9),
                paint
            );
    }

    private static readonly float[] StripeAngles = [0, 45, 90, 135];
}
