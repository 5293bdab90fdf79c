namespace LiT.Reports;

/// <summary>A square of cells whose rows and columns have the same names.</summary>
/// <param name="Words">What rows and columns stand for.</param>
/// <param name="Title">What is shown.</param>
/// <param name="Description">The same for who does not see it.</param>
/// <param name="Names">The names, as short as there is room for.</param>
internal sealed record HeatMap(string Words, string Title, string Description, IReadOnlyList<string> Names)
{
    /// <summary>The side of a cell.</summary>
    public required double Cell { get; init; }

    /// <summary>The size of a name's letters.</summary>
    public required double Letter { get; init; }

    /// <summary>How wide a letter is beside its size, about.</summary>
    public double LetterWidth { get; init; } = 0.58;

    /// <summary>The size of a number in a cell.</summary>
    public required double Number { get; init; }

    /// <summary>The figure.</summary>
    /// <param name="draw">A cell by its row and column, and where its upper left corner is.</param>
    public Html Render(Func<int, int, double, double, Html> draw)
    {
        var margin = Names.Max(name => name.Length) * Letter * LetterWidth + 10;
        var side = margin + Names.Count * Cell + 4;
        var cells =
            from row in Enumerable.Range(0, Names.Count)
            from column in Enumerable.Range(0, Names.Count)
            select draw(row, column, margin + column * Cell, margin + row * Cell);
        return Html.Of(
            $"""
            <figure class="chart confusion"><figcaption>{Words}</figcaption>
            <svg viewBox="0 0 {side:0.#} {side:0.#}" role="img"><title>{Title}</title><desc>{Description}</desc>
            <g style="font-size:{Letter:0.#}px">{Names.Select(
                (name, i) => Label(name, margin - 5, margin + (i + 0.5) * Cell + Letter * 0.35)
            )}</g>
            <g style="font-size:{Number:0.#}px">{cells}</g></svg></figure>
            """
        );
    }

    private static Html Label(string name, double end, double baseline) =>
        Html.Of(
            $"""
            <text x="{end:0.#}" y="{baseline:0.#}" text-anchor="end">{name}</text>
            <text transform="translate({baseline:0.#} {end:0.#}) rotate(-90)">{name}</text>
            """
        );
}
