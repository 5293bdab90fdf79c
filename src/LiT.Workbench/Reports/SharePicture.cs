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
        var cell = Math.Clamp(480.0 / Names.Count, 8, 34);
        return new HeatMap(Words, Title, Description(), Names)
        {
            Cell = cell,
            Letter = Math.Clamp(cell - 3, 5, 11),
            LetterWidth = 0.62,
            Number = Math.Min(11, cell * 0.46),
        }.Render((row, column, x, y) => Cell(row, column, x, y, cell));
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

    private Html Cell(int row, int column, double x, double y, double cell)
    {
        if (Shares[row][column] is not { } share)
            return Html.Empty;
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
