namespace LiT.Reports;

/// <summary>Rows and columns with a caption. The first column names the row; columns of numbers stand at the right.</summary>
public sealed record Table
{
    /// <summary>What the table shows.</summary>
    public required string Caption { get; init; }

    /// <summary>Whether the caption is for screen readers only, where the words around the table say it already.</summary>
    public bool Hidden { get; init; }

    /// <summary>The heads of the columns.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>The cells, row by row; a short row leaves the rest empty.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Rows { get; init; }

    /// <summary>A line under the table, such as what an interval means.</summary>
    public string? Note { get; init; }

    /// <summary>The table, in a frame that scrolls sideways where the screen is too narrow.</summary>
    public Html Render()
    {
        if (Rows.Count == 0) return Html.Of($"<p class=\"none\">{Caption}: nothing to show.</p>");
        var numeric = Enumerable.Range(0, Columns.Count).Select(IsNumeric).ToArray();
        var caption = Html.Of($"<caption{(Hidden ? Html.Of($" class=\"unseen\"") : Html.Empty)}>{Caption}</caption>");
        // A wide table is stacked on a narrow screen, which would take its meaning away without the roles.
        return Html.Of($"""
            <div class="scroll" role="region" aria-label="{Caption}" tabindex="0"><table role="table"{(Columns.Count > 4 ? Html.Of($" class=\"wide\"") : Html.Empty)}>{caption}
            <thead role="rowgroup"><tr role="row">{Columns.Select((column, i) => Html.Of($"<th role=\"columnheader\" scope=\"col\"{Align(numeric[i])}>{column}</th>"))}</tr></thead>
            <tbody role="rowgroup">{Rows.Select(row => Html.Of($"<tr role=\"row\">{Columns.Select((_, i) => Cell(i, i < row.Count ? row[i] : "", numeric[i]))}</tr>"))}</tbody></table></div>{(Note is null ? Html.Empty : Html.Of($"<p class=\"note\">{Note}</p>"))}
            """);
    }

    private Html Cell(int column, string words, bool numeric) => column == 0
        ? Html.Of($"<th role=\"rowheader\" scope=\"row\"{Align(numeric)}>{words}</th>")
        : Html.Of($"<td role=\"cell\" data-head=\"{Columns[column]}\"{Align(numeric)}>{words}</td>");

    private static Html Align(bool numeric) => numeric ? Html.Of($" class=\"number\"") : Html.Empty;

    private bool IsNumeric(int column)
    {
        var cells = Rows.Where(row => column < row.Count).Select(row => row[column]).Where(cell => cell.Length > 0 && cell != Figures.Missing).ToList();
        return cells.Count > 0 && cells.All(cell => char.IsAsciiDigit(cell[0]) || (cell.Length > 1 && cell[0] is '-' or '+' && char.IsAsciiDigit(cell[1])));
    }
}
