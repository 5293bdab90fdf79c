namespace LiT.Reports;

/// <summary>Rows and columns with a caption. The first column names the row; columns of numbers stand at the right.</summary>
internal sealed record Table
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
        if (Rows.Count == 0)
            return Html.Of($"""<p class="none">{Caption}: nothing to show.</p>""");
        var kinds = Enumerable
            .Range(0, Columns.Count)
            .Select(column => IsNumeric(column) ? "number" : "prose")
            .ToArray();
        var heads = Columns.Select(
            (column, i) => Html.Of($"""<th role="columnheader" scope="col" class="{kinds[i]}">{column}</th>""")
        );
        var rows = Rows.Select(row =>
            Html.Of(
                $"""
                <tr role="row">{Columns.Select((_, i) => Cell(i, i < row.Count ? row[i] : "", kinds[i]))}</tr>

                """
            )
        );
        // A wide table is stacked on a narrow screen, which would take its meaning away without the roles.
        return Html.Of(
            $"""
            <div class="scroll" role="region" aria-label="{Caption}" tabindex="0">
            <table role="table" class="{(Columns.Count > 4 ? "wide" : "slim")}"><caption class="{(
                Hidden ? "unseen" : "seen"
            )}">{Caption}</caption>
            <thead role="rowgroup"><tr role="row">{heads}</tr></thead>
            <tbody role="rowgroup">{rows}</tbody></table></div>{Html.If(
                Note is not null,
                $"""<p class="note">{Note}</p>"""
            )}
            """
        );
    }

    private Html Cell(int column, string words, string kind) =>
        column == 0
            ? Html.Of($"""<th role="rowheader" scope="row" class="{kind}">{words}</th>""")
            : Html.Of($"""<td role="cell" data-head="{Columns[column]}" class="{kind}">{words}</td>""");

    private bool IsNumeric(int column)
    {
        var cells = Rows.Where(row => column < row.Count)
            .Select(row => row[column])
            .Where(cell => cell.Length > 0 && cell != Figures.Missing)
            .ToList();
        return cells.Count > 0 && cells.All(cell => char.IsAsciiDigit(cell.TrimStart('-', '+').FirstOrDefault()));
    }
}
