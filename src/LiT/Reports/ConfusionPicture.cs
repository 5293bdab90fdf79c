namespace LiT.Reports;

/// <summary>What pictures of each class were taken for: a matrix as a heat map, and the commonest mistakes as a table.</summary>
public sealed record ConfusionPicture
{
    /// <summary>The names of the classes, in the matrix's order.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Number of pictures by true class (row) and given class (column).</summary>
    public required IReadOnlyList<IReadOnlyList<int>> Counts { get; init; }

    /// <summary>How many mistakes are listed.</summary>
    public int Top { get; init; } = 8;

    // Above this a cell is too small to be seen, above the other its number too small to be read.
    private const int MostDrawn = 60, MostNumbered = 12;

    /// <summary>The figure and the table.</summary>
    public Html Render()
    {
        if (Classes.Count == 0) return Html.Of($"<p class=\"none\">No classes to confuse.</p>");
        return Html.Of($"<div class=\"beside\">{(Classes.Count <= MostDrawn ? Map() : Html.Empty)}<div>{Mistakes()}</div></div>");
    }

    private int Count(int truth, int given) => truth < Counts.Count && given < Counts[truth].Count ? Counts[truth][given] : 0;

    private int Total(int truth) => Enumerable.Range(0, Classes.Count).Sum(given => Count(truth, given));

    private Html Map()
    {
        var n = Classes.Count;
        var cell = Math.Clamp(340.0 / n, 6, 34);
        var letters = Math.Min(18, Classes.Max(name => name.Length));
        var size = n <= 20 ? 11.0 : Math.Clamp(cell - 1, 5, 11);
        var margin = letters * size * 0.58 + 10;
        var (width, height) = (margin + n * cell + 4, margin + n * cell + 4);
        return Html.Of($"""
            <figure class="chart confusion"><figcaption>Rows: what it is. Columns: what it was taken for. Darker: more of the row.</figcaption>
            <svg viewBox="0 0 {width:0.#} {height:0.#}" role="img"><title>Confusion of {n} classes</title><desc>{Description()}</desc>
            <g style="font-size:{size:0.#}px">{Enumerable.Range(0, n).Select(i => Label(i, margin, cell, size))}</g>
            <g style="font-size:{Math.Min(11, cell * 0.42):0.#}px">{Enumerable.Range(0, n).SelectMany(truth => Enumerable.Range(0, n).Select(given => Cell(truth, given, margin, cell)))}</g></svg></figure>
            """);
    }

    private Html Label(int i, double margin, double cell, double size)
    {
        var (name, middle) = (Short(Classes[i]), margin + (i + 0.5) * cell);
        return Html.Of($"""
            <text x="{margin - 5:0.#}" y="{middle + size * 0.35:0.#}" text-anchor="end">{name}</text><text transform="translate({middle + size * 0.35:0.#} {margin - 5:0.#}) rotate(-90)">{name}</text>
            """);
    }

    private Html Cell(int truth, int given, double margin, double cell)
    {
        var (count, total) = (Count(truth, given), Total(truth));
        var share = total == 0 ? 0 : (double)count / total;
        var (x, y) = (margin + given * cell, margin + truth * cell);
        var kind = truth == given ? "right" : "wrong";
        return Html.Of($"""
            <g class="cell {kind}"><rect x="{x:0.#}" y="{y:0.#}" width="{cell - 1:0.#}" height="{cell - 1:0.#}" fill-opacity="{(count == 0 ? 0.04 : 0.08 + 0.92 * Math.Sqrt(share)):0.##}"/>{(count > 0 && Classes.Count <= MostNumbered ? Html.Of($"<text x=\"{x + (cell - 1) / 2:0.#}\" y=\"{y + cell * 0.64:0.#}\" text-anchor=\"middle\"{(share > 0.3 ? Html.Of($" class=\"over\"") : Html.Empty)}>{count}</text>") : Html.Empty)}<title>{Classes[truth]} taken for {Classes[given]}: {count} of {total}</title></g>
            """);
    }

    private Html Mistakes()
    {
        var mistakes = from truth in Enumerable.Range(0, Classes.Count)
                       from given in Enumerable.Range(0, Classes.Count)
                       where truth != given && Count(truth, given) > 0
                       orderby Count(truth, given) descending, truth, given
                       select (truth, given);
        var rows = mistakes.Take(Top).Select(pair => (IReadOnlyList<string>)[Classes[pair.truth], Classes[pair.given],
            Figures.Plain(Count(pair.truth, pair.given)), Figures.Percent((double)Count(pair.truth, pair.given) / Total(pair.truth))]).ToList();
        return rows.Count == 0
            ? Html.Of($"<p class=\"none\">No mistakes.</p>")
            : new Table { Caption = "Commonest mistakes", Columns = ["It is", "taken for", "pictures", "of the class"], Rows = rows }.Render();
    }

    private string Description()
    {
        var right = Enumerable.Range(0, Classes.Count).Sum(i => (long)Count(i, i));
        var all = Enumerable.Range(0, Classes.Count).Sum(i => (long)Total(i));
        return all == 0 ? "No pictures." : $"{right} of {all} pictures on the diagonal, {Figures.Percent((double)right / all)}. The commonest mistakes are in the table.";
    }

    private static string Short(string name) => name.Length <= 18 ? name : name[..17] + "…";
}
