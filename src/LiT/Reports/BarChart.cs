namespace LiT.Reports;

/// <summary>One bar.</summary>
/// <param name="Label">What it stands for.</param>
/// <param name="Value">Its length.</param>
/// <param name="Low">Lower end of an interval around the value.</param>
/// <param name="High">Upper end of that interval.</param>
/// <param name="Level">A level to compare with, drawn as a line across the bar: chance, a baseline.</param>
/// <param name="Note">A few words after the value.</param>
public sealed record Bar(string Label, double Value, double? Low = null, double? High = null, double? Level = null, string? Note = null);

/// <summary>Bars that run to the right, a table for those who cannot see them.</summary>
public sealed record BarChart
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
        if (Bars.Count == 0) return Html.Of($"<figure class=\"chart\"><figcaption>{Title}</figcaption><p class=\"none\">Nothing to show.</p></figure>");
        var most = Percent ? 1 : Bars.SelectMany(bar => new[] { bar.Value, bar.High ?? 0, bar.Level ?? 0 }).Where(double.IsFinite).DefaultIfEmpty(1).Max();
        if (!(most > 0)) most = 1;
        var hasLevel = Bars.Any(bar => bar.Level is not null) && LevelName is not null;
        return Html.Of($"""
            <figure class="chart"><figcaption>{Title}</figcaption>
            <table class="bars"><caption class="unseen">{Title}</caption><thead class="unseen"><tr><th scope="col">Name</th><th scope="col">Bar</th><th scope="col">Value</th></tr></thead>
            <tbody>{Bars.Select(bar => Row(bar, most))}</tbody></table>{(hasLevel ? Html.Of($"<p class=\"note\"><svg viewBox=\"0 0 8 14\" width=\"8\" height=\"14\" aria-hidden=\"true\"><line class=\"mark\" x1=\"4\" x2=\"4\" y1=\"0\" y2=\"14\"/></svg> {LevelName}</p>") : Html.Empty)}</figure>
            """);
    }

    private Html Row(Bar bar, double most)
    {
        var length = Length(bar.Value, most);
        return Html.Of($"""
            <tr><th scope="row">{bar.Label}</th><td class="bar"><svg viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true"><rect class="rail" width="100" height="14"/><rect class="fill" width="{length:0.##}" height="14"/>{Interval(bar, most)}{(bar.Level is { } level ? Html.Of($"<line class=\"mark\" x1=\"{Length(level, most):0.##}\" x2=\"{Length(level, most):0.##}\" y1=\"0\" y2=\"14\"/>") : Html.Empty)}</svg></td>
            <td class="number">{Words(bar.Value)}{(bar.Level is { } against && LevelName is not null ? Html.Of($"<span class=\"unseen\">, {LevelName} {Words(against)}</span>") : Html.Empty)}{(bar.Note is null ? Html.Empty : Html.Of($" <span class=\"muted\">{bar.Note}</span>"))}</td></tr>
            """);
    }

    private static Html Interval(Bar bar, double most) => bar is { Low: { } low, High: { } high }
        ? Html.Of($"<line class=\"interval\" x1=\"{Length(low, most):0.##}\" x2=\"{Length(high, most):0.##}\" y1=\"7\" y2=\"7\"/>")
        : Html.Empty;

    private static double Length(double value, double most) => double.IsFinite(value) ? Math.Clamp(value / most, 0, 1) * 100 : 0;

    private string Words(double value) => Percent ? Figures.Percent(value) : Figures.Plain(value);
}
