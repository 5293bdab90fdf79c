using System.Globalization;
using System.Text;

namespace LiT.Reports;

/// <summary>One line of a chart. What is not finite leaves a gap.</summary>
/// <param name="Name">As the legend shows it.</param>
/// <param name="Points">From left to right.</param>
internal sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>
    /// What each point is the middle of, as (lowest, highest); drawn as a band. Null where a point is itself.
    /// </summary>
    public IReadOnlyList<(double Low, double High)>? Spans { get; init; }

    internal IEnumerable<(double X, double Y)> Finite =>
        Points.Where(point => double.IsFinite(point.X) && double.IsFinite(point.Y));
}

/// <summary>
/// Lines over an axis, as SVG with its numbers in a table below. Lines are told apart by dashes and marks as well as by
/// colour; many points are drawn as their means with a band from the lowest to the highest.
/// </summary>
internal sealed record LineChart
{
    /// <summary>What is shown, with its unit.</summary>
    public required string Title { get; init; }

    /// <summary>The lines; four can be told apart.</summary>
    public required IReadOnlyList<Series> Series { get; init; }

    /// <summary>What runs from left to right.</summary>
    public string Across { get; init; } = "step";

    /// <summary>Values are shares and shown as percentages from 0.</summary>
    public bool Percent { get; init; }

    /// <summary>A level drawn across, such as chance.</summary>
    public (string Name, double Value)? Level { get; init; }

    private const double Width = 480,
        Height = 260,
        Left = 52,
        Right = 14,
        Top = 12,
        Bottom = 38;

    private const int MostPoints = 240,
        MostRows = 10;

    private string Words(double value) => Percent ? Figures.Percent(value) : Figures.Plain(value);

    /// <summary>The figure.</summary>
    public Html Render()
    {
        var lines = Series.Where(series => series.Finite.Any()).ToList();
        if (lines.Count == 0)
            return Html.Of(
                $"""<figure class="chart"><figcaption>{Title}</figcaption><p class="none">No numbers yet.</p></figure>"""
            );
        var levels = Level is { } level ? new[] { level.Value } : [];
        var x = Axis.For(lines.SelectMany(line => line.Finite.Select(point => point.X)), round: false);
        var y = Axis.For(
            lines
                .SelectMany(line => line.Finite.Select(point => point.Y))
                .Concat(lines.SelectMany(line => line.Spans ?? []).SelectMany(span => new[] { span.Low, span.High }))
                .Where(double.IsFinite)
                .Concat(levels),
            low: Percent ? 0 : null
        );
        return Html.Of(
            $"""
            <figure class="chart"><figcaption>{Title}</figcaption>
            <ul class="legend">{lines.Select((line, index) => Legend(line, index))}</ul>
            <svg viewBox="0 0 {Width} {Height}" role="img"><title>{Title}</title><desc>{Description(lines)}</desc>
            {Grid(x, y)}{LevelLine(y)}{lines.Select((line, index) => Line(line, index, x, y))}
            </svg>{Numbers(lines)}</figure>
            """
        );
    }

    private static double At(Axis x, double value) => Left + x.Place(value) * (Width - Left - Right);

    private static double Up(Axis y, double value) => Height - Bottom - y.Place(value) * (Height - Top - Bottom);

    private Html Grid(Axis x, Axis y) =>
        Html.Of(
            $"""
            <g class="grid">{y.Ticks.Select(tick => LineAt(Up(y, tick)))}</g>
            <g class="ticks">{y.Ticks.Select(tick => TextAt(Left - 7, Up(y, tick) + 4, "end", TickOf(y, tick)))}
            {x.Ticks.Select(tick => TextAt(At(x, tick), Height - Bottom + 17, "middle", Figures.Tick(tick, x.Step)))}
            {TextAt(Width - Right, Height - 4, "end", Across + " →")}</g>
            """
        );

    private string TickOf(Axis y, double tick) =>
        Percent ? Figures.Tick(tick * 100, y.Step * 100) + "%" : Figures.Tick(tick, y.Step);

    private static Html LineAt(double y) =>
        Html.Of($"""<line x1="{Left}" x2="{Width - Right}" y1="{y:0.#}" y2="{y:0.#}"/>""");

    private static Html TextAt(double x, double y, string anchor, string words) =>
        Html.Of($"""<text x="{x:0.#}" y="{y:0.#}" text-anchor="{anchor}">{words}</text>""");

    private Html LevelLine(Axis y) =>
        Level is not { } level
            ? Html.Empty
            : Html.Of(
                $"""
                <g class="level">{LineAt(Up(y, level.Value))}{TextAt(
                    Width - Right,
                    Up(y, level.Value) - 5,
                    "end",
                    $"{level.Name} {Words(level.Value)}"
                )}</g>
                """
            );

    private Html Line(Series line, int index, Axis x, Axis y)
    {
        var stretches = Stretches(line.Points, line.Spans);
        var points = stretches.Where(stretch => double.IsFinite(stretch.Mean)).ToList();
        var every = points.Count <= 24 ? 1 : (points.Count - 1) / 8.0;
        var marked = points.Where((_, i) => i == points.Count - 1 || i % every < 1);
        var band = Html.If(
            points.Any(point => point.Low < point.High),
            $"""<path class="band" d="{Band(points, x, y)}"/>"""
        );
        return Html.Of(
            $"""
            <g class="series s{index % 4}">{band}<path d="{Path(stretches, x, y)}"/>
            {marked.Select(point => Marked(line, index, point, Place(x, y, point.X, point.Mean)))}</g>
            """
        );
    }

    private Html Marked(Series line, int index, Stretch point, string place) =>
        Html.Of(
            $"""
            <g transform="translate({place})">{Mark(index)}<title>{line.Name}, {Across} {Figures.Plain(
                point.X
            )}: {Words(point.Mean)}</title></g>
            """
        );

    private static string Path(List<Stretch> stretches, Axis x, Axis y)
    {
        var path = new StringBuilder();
        var pen = 'M';
        foreach (var stretch in stretches)
        {
            if (!double.IsFinite(stretch.Mean))
            {
                pen = 'M';
                continue;
            }
            path.Append(pen).Append(Place(x, y, stretch.X, stretch.Mean));
            pen = 'L';
        }
        return path.ToString();
    }

    private static string Band(List<Stretch> points, Axis x, Axis y)
    {
        var there = points.Select(point => Place(x, y, point.X, point.High));
        var back = points.AsEnumerable().Reverse().Select(point => Place(x, y, point.X, point.Low));
        return $"M{string.Join('L', there.Concat(back))}Z";
    }

    private static Html Mark(int index) =>
        (index % 4) switch
        {
            0 => Html.Of($"<circle r=\"3.2\"/>"),
            1 => Html.Of($"<rect x=\"-3\" y=\"-3\" width=\"6\" height=\"6\"/>"),
            2 => Html.Of($"<path class=\"mark\" d=\"M0-4L3.8 3H-3.8Z\"/>"),
            _ => Html.Of($"<path class=\"mark\" d=\"M0-4.2L4.2 0L0 4.2L-4.2 0Z\"/>"),
        };

    private Html Legend(Series line, int index) =>
        Html.Of(
            $"""
            <li><svg viewBox="0 0 30 12" width="30" height="12" aria-hidden="true"><g class="series s{index
                % 4}"><path d="M1 6H29"/>
            <g transform="translate(15 6)">{Mark(index)}</g></g></svg>{line.Name} <b>{Words(
                line.Finite.Last().Y
            )}</b></li>
            """
        );

    private string Description(List<Series> lines) =>
        string.Join(
            " ",
            lines.Select(line =>
            {
                var points = line.Finite.ToList();
                if (points.Count == 1)
                    return $"{line.Name}: {Words(points[0].Y)} at {Across} {Figures.Plain(points[0].X)}.";
                var (least, most) = (points.MinBy(point => point.Y), points.MaxBy(point => point.Y));
                return $"{line.Name}: from {Words(points[0].Y)} to {Words(points[^1].Y)} between {Across} "
                    + $"{Figures.Plain(points[0].X)} and "
                    + $"{Figures.Plain(points[^1].X)}; lowest {Words(least.Y)} at {Figures.Plain(least.X)}, "
                    + $"highest {Words(most.Y)} at {Figures.Plain(most.X)}.";
            })
        );

    private Html Numbers(List<Series> lines)
    {
        var places = lines.SelectMany(line => line.Finite.Select(point => point.X)).Distinct().Order().ToList();
        var last = places.Count - 1;
        if (places.Count > MostRows)
            places = [.. Enumerable.Range(0, MostRows).Select(i => places[(int)((long)i * last / (MostRows - 1))])];
        var reach = places.Count > 1 ? (places[^1] - places[0]) / (places.Count - 1) / 2 : 0;
        var rows = places.Select(place =>
            (IReadOnlyList<string>)[Figures.Plain(place), .. lines.Select(line => Nearest(line, place, reach))]
        );
        var table = new Table
        {
            Caption = $"{Title}: numbers",
            Hidden = true,
            Columns = [Across, .. lines.Select(line => line.Name)],
            Rows = [.. rows],
        };
        return Html.Of($"<details><summary>Numbers</summary>{table.Render()}</details>");
    }

    private string Nearest(Series line, double place, double reach)
    {
        var nearest = line.Finite.MinBy(point => Math.Abs(point.X - place));
        return Math.Abs(nearest.X - place) <= reach ? Words(nearest.Y) : "";
    }

    private static string Place(Axis x, Axis y, double px, double py) =>
        string.Create(CultureInfo.InvariantCulture, $"{At(x, px):0.#} {Up(y, py):0.#}");

    /// <summary>Neighbouring points drawn as one: their mean, with what they span as a band around it.</summary>
    private readonly record struct Stretch(double X, double Mean, double Low, double High);

    /// <summary>
    /// Few points as they are, many as means over stretches of equal length; a stretch without numbers is a gap.
    /// </summary>
    private static List<Stretch> Stretches(
        IReadOnlyList<(double X, double Y)> points,
        IReadOnlyList<(double Low, double High)>? spans
    )
    {
        var length = points.Count <= MostPoints ? 1 : (points.Count + MostPoints / 2 - 1) / (MostPoints / 2);
        return
        [
            .. points
                .Select((point, i) => (point.X, point.Y, Span: spans?[i] ?? (point.Y, point.Y)))
                .Where(point => double.IsFinite(point.X))
                .Chunk(length)
                .Select(chunk =>
                {
                    var finite = chunk.Where(point => double.IsFinite(point.Y)).ToArray();
                    if (finite.Length == 0)
                        return new Stretch(chunk[0].X, double.NaN, double.NaN, double.NaN);
                    var values = finite.Select(point => point.Y).ToArray();
                    return new Stretch(
                        finite.Average(point => point.X),
                        values.Average(),
                        finite.Min(point => point.Span.Item1),
                        finite.Max(point => point.Span.Item2)
                    );
                }),
        ];
    }
}
