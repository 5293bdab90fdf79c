namespace LiT.Data;

/// <summary>
/// Rows of .csv and .tsv that name pictures: which column is what, told by the first row or by the caller.
/// </summary>
internal sealed class DelimitedText : ITableReader
{
    private readonly DelimitedRows lines;
    private readonly string[] names;
    private readonly int image,
        caption,
        label;
    private readonly long firstOffset,
        firstLine;

    /// <param name="path">The table.</param>
    /// <param name="tabs">Whether tabs separate the cells (.tsv); otherwise the first lines tell.</param>
    /// <param name="options">Which columns are meant.</param>
    /// <exception cref="LitException">The columns cannot be told.</exception>
    public DelimitedText(string path, bool tabs, SampleOptions options)
    {
        string[] wanted =
        [
            .. new[] { options.ImageColumn, options.CaptionColumn, options.LabelColumn }.OfType<string>(),
        ];
        bool IsColumn(string cell) =>
            wanted.Contains(cell, StringComparer.OrdinalIgnoreCase)
            || UsualNames.Has(UsualNames.Images, cell)
            || UsualNames.Has(UsualNames.Captions, cell);
        lines = new(path, tabs, cell => IsColumn(cell) || IsPicture(cell));
        var name = Path.GetFileName(path);
        (firstOffset, firstLine) = (lines.Offset, lines.Number);
        var cells = FirstRow(name);
        var isHeader = cells.Any(cell => IsColumn(cell.Trim())) && !cells.Any(IsPicture);
        if (isHeader)
        {
            names = [.. cells.Select(cell => cell.Trim())];
            (firstOffset, firstLine) = (lines.Offset, lines.Number);
            image = Column(options.ImageColumn, UsualNames.Images, name, "`ImageColumn`");
            caption = Column(options.CaptionColumn, UsualNames.Captions, name, null);
            label = Column(options.LabelColumn, UsualNames.Labels, name, null);
            return;
        }
        names = [.. cells.Select((_, i) => $"column {i + 1}")];
        caption = Numbered(options.CaptionColumn, name);
        label = Numbered(options.LabelColumn, name);
        image = Numbered(options.ImageColumn, name);
        if (image < 0)
            image = Array.FindIndex(cells, IsPicture);
        if (image < 0)
            throw new LitException(
                name,
                Place.Line(1),
                "no column holds a picture's file name",
                "Name the columns in the first line (image, caption), or give `ImageColumn` 1"
            );
        if (caption < 0 && cells.Length == 2)
            caption = 1 - image;
        if (caption < 0 && label < 0 && cells.Length > 2)
            throw new LitException(
                name,
                Place.Line(1),
                $"{cells.Length} columns and no header",
                "Name them in the first line (image, caption), or give `CaptionColumn` 2"
            );
        lines.Seek(firstOffset, firstLine);
    }

    /// <summary>The columns that are neither picture, caption nor label: they go along as fields.</summary>
    public IReadOnlyList<string> Others =>
        [.. names.Where((name, i) => i != image && i != caption && i != label && name.Length > 0)];

    private static bool IsPicture(string cell) => Pictures.IsPicture(TableRow.Name(cell));

    private string[] FirstRow(string table)
    {
        try
        {
            return lines.Cells().Cells;
        }
        catch (FormatException trouble)
        {
            throw new LitException($"{table}, line 1: {trouble.Message}");
        }
    }

    public void Seek(long offset, long line) => lines.Seek(Math.Max(offset, firstOffset), Math.Max(line, firstLine));

    public TableRow? Next()
    {
        while (true)
        {
            var (line, offset) = (lines.Number, lines.Offset);
            string[] cells;
            bool mended;
            try
            {
                (cells, mended) = lines.Cells();
                if (cells.Length == 0)
                    return null;
                if (cells is [""])
                    continue; // a blank line
            }
            catch (FormatException trouble)
            {
                return new(line, offset) { Trouble = trouble.Message };
            }
            if (cells.Length != names.Length)
                return new(line, offset)
                {
                    Trouble =
                        $"{cells.Length} columns where {names.Length} are expected ({string.Join(", ", names)}). "
                        + (
                            lines.SeparatedBy == '\t'
                                ? $"Put {(names.Length == 2 ? "one tab" : $"{names.Length - 1} tabs")} on each line."
                                : "Put quotes around text that holds a separator."
                        ),
                };
            return new(line, offset)
            {
                Image = TableRow.Name(cells[image]),
                Mended = mended,
                Captions = caption < 0 ? [] : [cells[caption]],
                Label = label < 0 ? null : cells[label],
                Fields =
                [
                    .. Enumerable
                        .Range(0, cells.Length)
                        .Where(i => i != image && i != caption && i != label && cells[i].Length > 0)
                        .Select(i => KeyValuePair.Create(names[i], cells[i])),
                ],
            };
        }
    }

    public void Dispose() => lines.Dispose();

    private int Column(string? wanted, string[] usual, string table, string? option)
    {
        var found = wanted is not null ? UsualNames.Wanted(names, wanted) : UsualNames.In(names, usual);
        if (found < 0 && (wanted is not null || option is not null))
            throw new LitException(
                $"{table}, line 1: no column {wanted ?? "with the picture's file name"}; the columns "
                    + $"are {string.Join(", ", names)}. "
                    + (
                        wanted is not null ? "Give one of these."
                        : UsualNames.In(names, UsualNames.Addresses) >= 0
                            ? $"It is a list of addresses: fetch the pictures first (lit data download), or say "
                                + $"which column with {option}."
                        : $"Say which with {option}."
                    )
            );
        return found;
    }

    private int Numbered(string? wanted, string table) =>
        wanted is null ? -1
        : int.TryParse(wanted, out var number) && number >= 1 && number <= names.Length ? number - 1
        : throw new LitException(
            table,
            Place.Line(1),
            $"no column {wanted}; the first line is no header",
            $"Give a number from 1 to {names.Length}"
        );
}
