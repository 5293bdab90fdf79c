namespace LiT.Reports;

/// <summary>One bar.</summary>
/// <param name="Label">What it stands for.</param>
/// <param name="Value">Its length.</param>
/// <param name="Low">Lower end of an interval around the value.</param>
/// <param name="High">Upper end of that interval.</param>
/// <param name="Level">A level to compare with, drawn as a line across the bar: chance, a baseline.</param>
/// <param name="Note">A few words after the value.</param>
internal sealed record Bar(
    string Label,
    double Value,
    double? Low = null,
    double? High = null,
    double? Level = null,
    string? Note = null
);

/// <summary>Bars that run to the right, a table for those who cannot see them.</summary>
internal sealed record BarChart
{
    /// <summary>What is shown.</summary>
    public required string Title { get; init; }

    /// <summary>The bars from the top.</summary>
    public required IReadOnlyList<Bar> Bars { get; init; }

    /// <summary>What the line across a bar means.</summary>
    public string? LevelName { get; init; }

    /// <summary>Values are shares, shown as percentages of a full width of 100%.</summary>
    public bool Percent { get; init; } = true;

    /// <summary>The figure.</summary>
    public Html Render()
    {
        if (Bars.Count == 0)
            return Html.Of(
                $"""<figure class="chart"><figcaption>{Title}</figcaption><p class="none">Nothing to show.</p></figure>"""
            );
        var ends = Bars.SelectMany(bar => new[] { bar.Value, bar.High ?? 0, bar.Level ?? 0 })
            .Where(end => double.IsFinite(end) && end > 0);
        var most = Percent ? 1 : ends.DefaultIfEmpty(1).Max();
        return Html.Of(
            $"""
            <figure class="chart"><figcaption>{Title}</figcaption>
            <table class="bars"><caption class="unseen">{Title}</caption>
            <thead class="unseen"><tr><th scope="col">Name</th><th scope="col">Bar</th><th scope="col">Value</th></tr></thead>
            <tbody>{Bars.Select(bar => Row(bar, most))}</tbody></table>{Key()}</figure>
            """
        );
    }

    /// <summary>The same bars as one drawing, for a picture file.</summary>
    internal Html Drawing()
    {
        const double Names = 180,
            Length = 300,
            Values = 70,
            Step = 22;
        var most = Percent
            ? 1
            : Bars.Select(bar => Math.Max(bar.Value, bar.High ?? 0)).Where(double.IsFinite).DefaultIfEmpty(1).Max();
        Html One(Bar bar, int row)
        {
            double X(double value) => Names + Length * BarChart.Length(value, most) / 100;
            var y = row * Step + 4;
            return Html.Of(
                $"""
                <text x="{Names - 8}" y="{y + 12}" text-anchor="end">{(
                    bar.Label.Length <= 26 ? bar.Label : bar.Label[..25] + "…"
                )}</text>
                <rect class="rail" x="{Names}" y="{y}" width="{Length}" height="14"/><rect class="fill" x="{Names}" y="{y}" width="{X(
                    bar.Value
                ) - Names:0.##}" height="14"/>
                {Html.If(
                    bar is { Low: not null, High: not null },
                    $"""<line class="interval" x1="{X(bar.Low ?? 0):0.##}" x2="{X(bar.High ?? 0):0.##}" y1="{y + 7}" y2="{y + 7}"/>"""
                )}
                {Html.If(
                    bar.Level is not null,
                    $"""<line class="mark" x1="{X(bar.Level ?? 0):0.##}" x2="{X(bar.Level ?? 0):0.##}" y1="{y}" y2="{y + 14}"/>"""
                )}
                <text x="{Names + Length + 8}" y="{y + 12}">{Words(bar.Value)}</text>
                """
            );
        }
        return Html.Of(
            $"""<svg viewBox="0 0 {Names + Length + Values} {Bars.Count * Step + 6}" role="img"><title>{Title}</title><desc>{Title}</desc>{Bars.Select(One)}</svg>"""
        );
    }

    private Html Key() =>
        Html.If(
            LevelName is not null && Bars.Any(bar => bar.Level is not null),
            $"""
            <p class="note"><svg viewBox="0 0 8 14" width="8" height="14" aria-hidden="true">{Line(
                "mark",
                4,
                4,
                0,
                14
            )}</svg> {LevelName}</p>
            """
        );

    private Html Row(Bar bar, double most) =>
        Html.Of(
            $"""
            <tr><th scope="row">{bar.Label}</th>
            <td class="bar"><svg viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true"><rect class="rail" width="100" height="14"/>
            <rect class="fill" width="{Length(bar.Value, most):0.##}" height="14"/>{Marks(bar, most)}</svg></td>
            <td class="number">{Words(bar.Value)}{Against(bar)}{Html.If(
                bar.Note is not null,
                $" <span class=\"muted\">{bar.Note}</span>"
            )}</td></tr>
            """
        );

    private static IEnumerable<Html> Marks(Bar bar, double most)
    {
        if (bar is { Low: { } low, High: { } high })
            foreach (var kind in new[] { "halo", "interval" })
                yield return Line(kind, Length(low, most), Length(high, most), 7, 7);
        if (bar.Level is { } level)
            yield return Line("mark", Length(level, most), Length(level, most), 0, 14);
    }

    private static Html Line(string kind, double x1, double x2, double y1, double y2) =>
        Html.Of($"""<line class="{kind}" x1="{x1:0.##}" x2="{x2:0.##}" y1="{y1}" y2="{y2}"/>""");

    private Html Against(Bar bar) =>
        Html.If(
            bar.Level is not null && LevelName is not null,
            $"""<span class="unseen">, {LevelName} {Words(bar.Level ?? 0)}</span>"""
        );

    private static double Length(double value, double most) =>
        double.IsFinite(value) ? Math.Clamp(value / most, 0, 1) * 100 : 0;

    private string Words(double value) => Percent ? Figures.Percent(value) : Figures.Plain(value);
}
