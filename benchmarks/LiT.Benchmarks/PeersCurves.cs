using System.Globalization;
using System.Text.RegularExpressions;
using LiT.Reports;

namespace LiT.Benchmarks;

/// <summary>
/// A result of the peers' benchmark as a picture (SVG): a panel for each filter and for the change, recall of the
/// nearest ten against the time of a query. Misses are drawn by their logarithm, so that a tenth of them is one step.
/// </summary>
internal static partial class PeersCurves
{
    private const double Panel = 380,
        Tall = 250,
        Left = 52,
        Right = 14,
        Top = 34,
        Bottom = 42,
        Finest = 0.001, // of what is missed, where the scale ends
        Least = 0.04,
        Most = 25; // milliseconds

    private static readonly (string What, string Title)[] Panels =
    [
        ("all pictures", "Everything"),
        ("50% kept by a filter", "50% kept by a filter"),
        ("10% kept by a filter", "10% kept by a filter"),
        ("1% kept by a filter", "1% kept by a filter"),
        ("30% removed and added again", "30% removed and added again"),
    ];

    private static readonly (string Name, string Colour, string Dashes)[] Ways =
    [
        ("LiT, lists", "#0a66c2", ""),
        ("LiT, as it chooses", "#0a66c2", ""),
        ("LiT, exact", "#04284d", ""),
        ("LiT.USearch", "#7a3ec8", ""),
        ("USearch", "#c4570c", "7 3"),
        ("faiss IVF", "#0f7a3d", "2 3"),
        ("faiss HNSW", "#a3195b", "9 3 2 3"),
        ("faiss flat", "#5b6773", ""),
    ];

    private sealed record Point(string What, string Way, double Milliseconds, double Recall);

    /// <summary>Whether a result can be drawn: the peers' benchmark made it.</summary>
    public static bool Draws(ResultFile file) => file.Benchmark == "peers";

    public static string Draw(ResultFile file)
    {
        var points = file.Rows.Select(Read).OfType<Point>().ToList();
        var (wide, tall) = (Panel * 2, Tall * 3);
        return Html.Of(
                $"""
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}" role="img"
                  font-family="sans-serif" font-size="11" fill="#16202b">
                <title>Recall of the nearest ten against milliseconds of a query</title>
                <rect width="{wide}" height="{tall}" fill="#fff"/>
                {Panels.Select((panel, i) => Framed(panel.Title, i, points.Where(point => point.What == panel.What)))}
                {Legend(wide - Panel, tall - Tall, file)}
                </svg>

                """
            )
            .ToString();
    }

    // "faiss IVF, 4 of 192 lists, recall 0.907" took so many milliseconds.
    private static Point? Read(ResultRow row)
    {
        if (row.Unit != "ms" || Named().Match(row.Way) is not { Success: true } said)
            return null;
        var (way, setting) = (said.Groups["way"].Value, said.Groups["setting"].Value);
        var name =
            way != "LiT" ? way
            : setting.EndsWith(" lists", StringComparison.Ordinal) ? "LiT, lists"
            : $"LiT, {setting}";
        return new(row.What, name, row.Clock, double.Parse(said.Groups["recall"].Value, CultureInfo.InvariantCulture));
    }

    private static Html Framed(string title, int index, IEnumerable<Point> points) =>
        Html.Of(
            $"""
            <g transform="translate({index % 2 * Panel:0} {index / 2 * Tall:0})">
            <text x="{Left:0}" y="20" font-size="13" font-weight="bold">{title}</text>
            {Label(Left - 6, 20, "end", Html.Text("recall"))}
            {Grid()}
            {Ways.Select((way, i) => Curve(i, points.Where(point => point.Way == way.Name)))}
            </g>
            """
        );

    private static Html Grid() =>
        Html.Of(
            $"""
            {new[] { 0, 0.5, 0.9, 0.99, 1 }.Select(recall => Html.Of(
                $"""
                <path d="M{Left:0} {Up(recall):0.0}H{Panel - Right:0}" stroke="#dde3e9"/>{Label(Left - 6, Up(recall) + 4, "end", Html.Of($"{recall:0.##}"))}

                """
            ))}{new[] { 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20 }.Select(time => Html.Of(
                $"""
                <path d="M{Across(time):0.0} {Top:0}V{Tall - Bottom:0}" stroke="#dde3e9"/>
                {Label(Across(time), Tall - Bottom + 15, "middle", Html.Of($"{time:0.##}"))}

                """
            ))}{Label(Panel - Right, Tall - Bottom + 30, "end", Html.Text("ms a query →"))}
            """
        );

    private static Html Label(double x, double y, string anchor, Html words) =>
        Html.Of($"""<text x="{x:0.0}" y="{y:0.0}" text-anchor="{anchor}">{words}</text>""");

    private static Html Curve(int way, IEnumerable<Point> points)
    {
        var drawn = points.OrderBy(point => point.Recall).ThenBy(point => point.Milliseconds).ToList();
        var places = drawn.Select(point => (X: Across(point.Milliseconds), Y: Up(point.Recall), point)).ToList();
        var line = string.Join(
            'L',
            places.Select(place => FormattableString.Invariant($"{place.X:0.0} {place.Y:0.0}"))
        );
        return Html.Of(
            $"""
            {Html.If(drawn.Count > 1, $"{Line(way, line)}")}{places.Select(place => Html.Of(
                $"""<g transform="translate({place.X:0.0} {place.Y:0.0})">{Mark(way)}{Said(way, place.point)}</g>"""
            ))}
            """
        );
    }

    private static Html Said(int way, Point point) =>
        Html.Of($"<title>{Ways[way].Name}: {point.Recall:0.000} in {point.Milliseconds:0.###} ms</title>");

    private static Html Line(int way, string places) =>
        Html.Of(
            $"""
            <path d="M{places}" fill="none" stroke="{Ways[way].Colour}" stroke-width="1.8" stroke-dasharray="{Ways[
                way
            ].Dashes}"/>
            """
        );

    // Told apart by their form as well as by their colour.
    private static Html Mark(int way)
    {
        var form = way switch
        {
            0 => "M-3 0A3 3 0 1 1 3 0A3 3 0 1 1-3 0Z",
            1 => "M-6 0A6 6 0 1 1 6 0A6 6 0 1 1-6 0Z",
            2 => "M-5-5H5V5H-5Z",
            3 => "M0-6L6 0L0 6L-6 0Z",
            4 => "M0-4L4 3H-4Z",
            5 => "M-3-3H3V3H-3Z",
            6 => "M0 4L4-3H-4Z",
            _ => "M-5 0H5M0-5V5",
        };
        var hollow = way is 1 or 2 or 3 or 7;
        var (fill, stroke) = (hollow ? "none" : Ways[way].Colour, Ways[way].Colour);
        return Html.Of($"""<path d="{form}" fill="{fill}" stroke="{stroke}" stroke-width="{(hollow ? 2 : 1)}"/>""");
    }

    private static Html Legend(double x, double y, ResultFile file) =>
        Html.Of(
            $"""
            <g transform="translate({x:0} {y:0})" font-size="12">
            {Ways.Select((way, i) => Html.Of(
                $"""
                <g transform="translate({Left:0} {36 + 20 * i:0})">{Html.If(
                    i is 0 or 4 or 5 or 6,
                    $"{Line(i, "-18 0L18 0")}"
                )}{Mark(i)}<text x="28" y="4">{way.Name}</text></g>

                """
            ))}{Label(Left - 18, 44 + 20 * Ways.Length, "start", Measured(file))}
            </g>
            """
        );

    private static Html Measured(ResultFile file) =>
        Html.Of($"{file.Machine.Processor}, one thread, {file.Day:yyyy-MM-dd}");

    private static double Across(double milliseconds) =>
        Left
        + (Panel - Left - Right) * Math.Log(Math.Clamp(milliseconds, Least, Most) / Least) / Math.Log(Most / Least);

    private static double Up(double recall)
    {
        var place = Math.Log((1 + Finest) / (1 - recall + Finest)) / Math.Log((1 + Finest) / Finest);
        return Tall - Bottom - (Tall - Top - Bottom) * place;
    }

    [GeneratedRegex(@"^(?<way>[^,]+), (?<setting>.+), recall (?<recall>[0-9.]+)$")]
    private static partial Regex Named();
}
