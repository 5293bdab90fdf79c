namespace LiT.Reports;

/// <summary>Shares by row and column as a heat map, and the same as a table.</summary>
internal sealed record SharePicture
{
    /// <summary>What is shown.</summary>
    public required string Title { get; init; }

    /// <summary>What rows and columns stand for, in words.</summary>
    public required string Words { get; init; }

    /// <summary>The names of rows and columns.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>The shares, from 0 to 1, [row][column]; null for none.</summary>
    public required IReadOnlyList<IReadOnlyList<double?>> Shares { get; init; }

    // Above this a number is too small to be read.
    private const int MostNumbered = 24;

    /// <summary>The figure.</summary>
    public Html Render()
    {
        var n = Names.Count;
        var cell = Math.Clamp(480.0 / n, 8, 34);
        var letter = Math.Clamp(cell - 3, 5, 11);
        var margin = Names.Max(name => name.Length) * letter * 0.62 + 10;
        var side = margin + n * cell + 4;
        var cells =
            from row in Enumerable.Range(0, n)
            from column in Enumerable.Range(0, n)
            select Cell(row, column, margin, cell);
        return Html.Of(
            $"""
            <figure class="chart confusion"><figcaption>{Words}</figcaption>
            <svg viewBox="0 0 {side:0.#} {side:0.#}" role="img"><title>{Title}</title><desc>{Description()}</desc>
            <g style="font-size:{letter:0.#}px">{Names.Select(
                (name, i) => Label(name, margin - 5, margin + (i + 0.5) * cell + letter * 0.35)
            )}</g>
            <g style="font-size:{Math.Min(11, cell * 0.46):0.#}px">{cells}</g></svg></figure>
            """
        );
    }

    /// <summary>The table, a row for each name with the mean of the row at its end.</summary>
    public Html Table() =>
        new Table
        {
            Caption = Title,
            Columns = ["", .. Names, "mean"],
            Rows =
            [
                .. Names.Select(
                    (name, row) =>
                        (IReadOnlyList<string>)[name, .. Shares[row].Select(Said), Said(Shares[row].Average())]
                ),
            ],
        }.Render();

    private static string Said(double? share) => share is { } value ? Figures.Percent(value) : Figures.Missing;

    private static Html Label(string name, double end, double baseline) =>
        Html.Of(
            $"""
            <text x="{end:0.#}" y="{baseline:0.#}" text-anchor="end">{name}</text>
            <text transform="translate({baseline:0.#} {end:0.#}) rotate(-90)">{name}</text>
            """
        );

    private Html Cell(int row, int column, double margin, double cell)
    {
        if (Shares[row][column] is not { } share)
            return Html.Empty;
        var (x, y) = (margin + column * cell, margin + row * cell);
        var number = Html.If(
            Names.Count <= MostNumbered,
            $"""
            <text class="{(share > 0.5 ? "over" : "")}" x="{x + (cell - 1) / 2:0.#}" y="{y
                + cell * 0.64:0.#}" text-anchor="middle">{100 * share:0}</text>
            """
        );
        return Html.Of(
            $"""
            <g class="cell right"><rect x="{x:0.#}" y="{y:0.#}" width="{cell - 1:0.#}" height="{cell - 1:0.#}"
            fill-opacity="{0.06 + 0.94 * share:0.##}"/>{number}<title>{Names[row]}, {Names[column]}: {Figures.Percent(
                share
            )}</title></g>
            """
        );
    }

    private string Description()
    {
        var all = Shares.SelectMany(row => row).OfType<double>().ToList();
        return all.Count == 0
            ? "Nothing to show."
            : $"From {Figures.Percent(all.Min())} to {Figures.Percent(all.Max())}, {Figures.Percent(all.Average())} in "
                + "the mean. Each number is in the table.";
    }
}
