using SkiaSharp;

namespace LiT.Drawings;

/// <summary>
/// Draws the parts of an object in its own square, x and y in [-1, 1], y down. Every part is filled with a shade and,
/// in pictures drawn with an outline, traced around. Holds the native paints and the path, which are used again.
/// </summary>
internal sealed class Pen(SKCanvas canvas, Palette palette, Dice dice) : IDisposable
{
    private readonly SKPaint fill = new() { IsAntialias = true, Style = SKPaintStyle.Fill };

    private readonly SKPaint line = new()
    {
        IsAntialias = true,
        Style = SKPaintStyle.Stroke,
        StrokeCap = SKStrokeCap.Round,
        StrokeJoin = SKStrokeJoin.Round,
    };

    private readonly SKPath path = new();

    /// <summary>Chance, for the pose of the object at hand.</summary>
    public Dice Dice => dice;

    /// <summary>Width of the outline in the object's units; 0 draws none.</summary>
    public float Outline { get; set; }

    public void Ellipse(Shade shade, float x, float y, float radiusX, float radiusY, float degrees = 0)
    {
        if (degrees != 0)
        {
            canvas.Save();
            canvas.RotateDegrees(degrees, x, y);
        }
        fill.Color = palette[shade];
        canvas.DrawOval(x, y, radiusX, radiusY, fill);
        if (Outline > 0)
        {
            ReadyOutline();
            canvas.DrawOval(x, y, radiusX, radiusY, line);
        }
        if (degrees != 0)
            canvas.Restore();
    }

    public void Circle(Shade shade, float x, float y, float radius) => Ellipse(shade, x, y, radius, radius);

    /// <summary>A dot without an outline, for eyes and buttons.</summary>
    public void Dot(Shade shade, float x, float y, float radius)
    {
        fill.Color = palette[shade];
        canvas.DrawCircle(x, y, radius, fill);
    }

    /// <summary>An upright box with rounded corners.</summary>
    public void Box(Shade shade, float left, float top, float right, float bottom, float corner = 0)
    {
        var box = new SKRect(left, top, right, bottom);
        fill.Color = palette[shade];
        canvas.DrawRoundRect(box, corner, corner, fill);
        if (Outline <= 0)
            return;
        ReadyOutline();
        canvas.DrawRoundRect(box, corner, corner, line);
    }

    /// <summary>A closed shape with straight edges through x0, y0, x1, y1, …</summary>
    public void Polygon(Shade shade, params ReadOnlySpan<float> points)
    {
        path.Reset();
        Straight(points);
        path.Close();
        Paint(shade);
    }

    /// <summary>A closed smooth shape through x0, y0, x1, y1, … (Catmull-Rom).</summary>
    public void Blob(Shade shade, params ReadOnlySpan<float> points)
    {
        path.Reset();
        Smooth(points, closed: true);
        path.Close();
        Paint(shade);
    }

    /// <summary>A slice of an ellipse: the arc from start over sweep degrees (clockwise from the right), closed by its chord.</summary>
    public void Slice(Shade shade, float x, float y, float radiusX, float radiusY, float start, float sweep)
    {
        path.Reset();
        path.AddArc(new SKRect(x - radiusX, y - radiusY, x + radiusX, y + radiusY), start, sweep);
        path.Close();
        Paint(shade);
    }

    /// <summary>A line with round ends through x0, y0, x1, y1, …</summary>
    public void Line(Shade shade, float width, params ReadOnlySpan<float> points)
    {
        path.Reset();
        Straight(points);
        Trace(shade, width);
    }

    /// <summary>A smooth line with round ends through x0, y0, x1, y1, …</summary>
    public void Curve(Shade shade, float width, params ReadOnlySpan<float> points)
    {
        path.Reset();
        Smooth(points, closed: false);
        Trace(shade, width);
    }

    /// <summary>Part of an ellipse's rim: start and sweep in degrees, clockwise from the right.</summary>
    public void Arc(Shade shade, float width, float x, float y, float radiusX, float radiusY, float start, float sweep)
    {
        path.Reset();
        path.AddArc(new SKRect(x - radiusX, y - radiusY, x + radiusX, y + radiusY), start, sweep);
        Trace(shade, width);
    }

    public void Ring(Shade shade, float width, float x, float y, float radius) =>
        Arc(shade, width, x, y, radius, radius, 0, 359.9f);

    /// <summary>Draws what <paramref name="parts"/> draws, turned about a point.</summary>
    public void Turned(float degrees, float x, float y, Action parts)
    {
        canvas.Save();
        canvas.RotateDegrees(degrees, x, y);
        parts();
        canvas.Restore();
    }

    public void Dispose()
    {
        fill.Dispose();
        line.Dispose();
        path.Dispose();
    }

    private void Paint(Shade shade)
    {
        fill.Color = palette[shade];
        canvas.DrawPath(path, fill);
        if (Outline <= 0)
            return;
        ReadyOutline();
        canvas.DrawPath(path, line);
    }

    private void Trace(Shade shade, float width)
    {
        if (Outline > 0 && width > 2 * Outline)
        {
            ReadyOutline();
            line.StrokeWidth = width + Outline;
            canvas.DrawPath(path, line);
            width -= Outline;
        }
        line.Color = palette[shade];
        line.StrokeWidth = width;
        canvas.DrawPath(path, line);
    }

    private void ReadyOutline()
    {
        line.Color = palette[Shade.Outline];
        line.StrokeWidth = Outline;
    }

    private void Straight(ReadOnlySpan<float> points)
    {
        path.MoveTo(points[0], points[1]);
        for (var i = 2; i < points.Length; i += 2)
            path.LineTo(points[i], points[i + 1]);
    }

    private void Smooth(ReadOnlySpan<float> points, bool closed)
    {
        var count = points.Length / 2;
        path.MoveTo(points[0], points[1]);
        for (var i = 0; i < (closed ? count : count - 1); i++)
        {
            var (beforeX, beforeY) = At(points, i - 1);
            var (fromX, fromY) = At(points, i);
            var (toX, toY) = At(points, i + 1);
            var (afterX, afterY) = At(points, i + 2);
            path.CubicTo(
                fromX + (toX - beforeX) / 6,
                fromY + (toY - beforeY) / 6,
                toX - (afterX - fromX) / 6,
                toY - (afterY - fromY) / 6,
                toX,
                toY
            );
        }

        (float X, float Y) At(ReadOnlySpan<float> all, int i)
        {
            var place = closed ? (i + count) % count : Math.Clamp(i, 0, count - 1);
            return (all[2 * place], all[2 * place + 1]);
        }
    }
}
