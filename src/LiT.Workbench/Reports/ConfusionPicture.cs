namespace LiT.Reports;

/// <summary>
/// What pictures of each class were taken for: a matrix as a heat map, and the commonest mistakes as a table.
/// </summary>
internal sealed record ConfusionPicture
{
    /// <summary>The names of the classes, in the matrix's order.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Number of pictures by true class (row) and given class (column).</summary>
    public required IReadOnlyList<IReadOnlyList<int>> Counts { get; init; }

    /// <summary>How many mistakes are listed.</summary>
    public int Top { get; init; } = 8;

    // Above this a cell is too small to be seen, above the other its number too small to be read.
    private const int MostDrawn = 60,
        MostNumbered = 12;

    /// <summary>The figure and the table.</summary>
    public Html Render()
    {
        if (Classes.Count == 0)
            return Html.Of($"<p class=\"none\">No classes to confuse.</p>");
        var totals = Enumerable
            .Range(0, Classes.Count)
            .Select(truth => Enumerable.Range(0, Classes.Count).Sum(given => (long)Count(truth, given)))
            .ToArray();
        var map = Classes.Count <= MostDrawn ? Map(totals) : Html.Empty;
        return Html.Of($"""<div class="beside">{map}<div>{Mistakes(totals)}</div></div>""");
    }

    private int Count(int truth, int given) =>
        truth < Counts.Count && given < Counts[truth].Count ? Counts[truth][given] : 0;

    private Html Map(long[] totals)
    {
        var n = Classes.Count;
        var cell = Math.Clamp(340.0 / n, 6, 34);
        return new HeatMap(
            "Rows: what it is. Columns: what it was taken for. Stronger: more of the row.",
            $"Confusion of {n} classes",
            Description(totals),
            [.. Classes.Select(Short)]
        )
        {
            Cell = cell,
            Letter = n <= 20 ? 11.0 : Math.Clamp(cell - 1, 5, 11),
            Number = Math.Min(11, cell * 0.42),
        }.Render((truth, given, x, y) => Cell(truth, given, totals[truth], x, y, cell));
    }

    private Html Cell(int truth, int given, long total, double x, double y, double cell)
    {
        var count = Count(truth, given);
        var share = total == 0 ? 0 : (double)count / total;
        var opacity = count == 0 ? 0.04 : 0.08 + 0.92 * Math.Sqrt(share); // the root lets rare mistakes show
        var number = Html.If(
            count > 0 && Classes.Count <= MostNumbered,
            $"""
            <text class="{(share > 0.3 ? "over" : "")}" x="{x + (cell - 1) / 2:0.#}" y="{y
                + cell * 0.64:0.#}" text-anchor="middle">{count}</text>
            """
        );
        return Html.Of(
            $"""
            <g class="cell {(truth == given ? "right" : "wrong")}"><rect x="{x:0.#}" y="{y:0.#}" width="{cell
                - 1:0.#}" height="{cell - 1:0.#}"
            fill-opacity="{opacity:0.##}"/>{number}<title>{Classes[truth]} taken for {Classes[
                given
            ]}: {count} of {total}</title></g>
            """
        );
    }

    private Html Mistakes(long[] totals)
    {
        var mistakes =
            from truth in Enumerable.Range(0, Math.Min(Counts.Count, Classes.Count))
            from given in Enumerable.Range(0, Classes.Count)
            let count = Count(truth, given)
            where truth != given && count > 0
            orderby count descending, truth, given
            select (IReadOnlyList<string>)
                [Classes[truth], Classes[given], Figures.Plain(count), Figures.Percent((double)count / totals[truth])];
        var rows = mistakes.Take(Top).ToList();
        return rows.Count == 0
            ? Html.Of($"""<p class="none">No mistakes.</p>""")
            : new Table
            {
                Caption = "Commonest mistakes",
                Columns = ["It is", "taken for", "pictures", "of the class"],
                Rows = rows,
            }.Render();
    }

    private string Description(long[] totals)
    {
        var (right, all) = (Enumerable.Range(0, Classes.Count).Sum(i => (long)Count(i, i)), totals.Sum());
        return all == 0
            ? "No pictures."
            : $"{right} of {all} pictures on the diagonal, {Figures.Percent((double)right / all)}. "
                + "The commonest mistakes are in the table.";
    }

    private static string Short(string name) => name.Length <= 18 ? name : name[..17] + "…";
}
