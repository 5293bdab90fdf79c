using System.Text;

namespace LiT.Data;

/// <summary>
/// Rows of .csv (RFC 4180: quoted cells may hold separators, line breaks and doubled quotes) and of .tsv (a row a line;
/// a cell that is quoted as a whole loses its quotes).
/// </summary>
internal sealed class DelimitedText : ITableReader
{
    private const int QuotedLimit = 1 << 20;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private static readonly string[] ImageNames = ["file_name", "filename", "filepath", "file_path", "image", "image_path", "img", "path", "file"];
    private static readonly string[] CaptionNames = ["text", "caption", "captions", "title", "sentence", "description"];
    private static readonly string[] LabelNames = ["label", "class"];

    private readonly LineReader lines;
    private readonly byte separator;
    private readonly bool quotes;
    private readonly string[] names;
    private readonly int image, caption, label;
    private readonly long firstOffset, firstLine;

    /// <param name="path">The table.</param>
    /// <param name="tabs">Whether tabs separate the cells (.tsv); otherwise the first line tells: comma, semicolon or tab.</param>
    /// <param name="options">Which columns are meant.</param>
    /// <exception cref="LitException">The columns cannot be told.</exception>
    public DelimitedText(string path, bool tabs, SampleOptions options)
    {
        lines = new(path);
        var name = Path.GetFileName(path);
        (firstOffset, firstLine) = (lines.Offset, lines.Number);
        var first = lines.Next() ?? throw new LitException($"{path}: is empty. It needs rows of an image path and a caption.");
        separator = tabs ? (byte)'\t' : Separator(first.Span);
        quotes = !tabs;
        lines.Seek(firstOffset, firstLine);
        var cells = FirstRow(name);
        string[] wanted = [.. new[] { options.ImageColumn, options.CaptionColumn, options.LabelColumn }.OfType<string>()];
        var isHeader = cells.Any(cell => wanted.Concat(ImageNames).Concat(CaptionNames).Contains(cell.Trim(), StringComparer.OrdinalIgnoreCase))
            && !cells.Any(Pictures.IsPicture);
        if (isHeader)
        {
            names = [.. cells.Select(cell => cell.Trim())];
            (firstOffset, firstLine) = (lines.Offset, lines.Number);
            image = Column(options.ImageColumn, ImageNames, name, "--image-column");
            caption = Column(options.CaptionColumn, CaptionNames, name, null);
            label = Column(options.LabelColumn, LabelNames, name, null);
            return;
        }
        names = [.. cells.Select((_, i) => $"column {i + 1}")];
        caption = Numbered(options.CaptionColumn, name);
        label = Numbered(options.LabelColumn, name);
        image = Numbered(options.ImageColumn, name);
        if (image < 0) image = Array.FindIndex(cells, Pictures.IsPicture);
        if (image < 0)
            throw new LitException($"{name}, line 1: no column holds a picture's file name. Name the columns in the first line (image, caption), or give --image-column 1.");
        if (caption < 0 && cells.Length == 2) caption = 1 - image;
        if (caption < 0 && label < 0 && cells.Length > 2)
            throw new LitException($"{name}, line 1: {cells.Length} columns and no header. Name them in the first line (image, caption), or give --caption-column 2.");
        lines.Seek(firstOffset, firstLine);
    }

    private string[] FirstRow(string table)
    {
        try { return Cells().Cells; }
        catch (FormatException trouble) { throw new LitException($"{table}, line 1: {trouble.Message}"); }
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
                (cells, mended) = Cells();
                if (cells.Length == 0) return null;
                if (cells is [""]) continue;          // a blank line
            }
            catch (FormatException trouble) { return new(line, offset) { Trouble = trouble.Message }; }
            if (cells.Length != names.Length)
                return new(line, offset)
                {
                    Trouble = $"{cells.Length} columns where {names.Length} are expected ({string.Join(", ", names)}). " +
                        (separator == '\t' ? $"Put {(names.Length == 2 ? "one tab" : $"{names.Length - 1} tabs")} on each line." : "Put quotes around text that holds a separator."),
                };
            return new(line, offset)
            {
                Image = TableRow.Name(cells[image]),
                Mended = mended,
                Captions = caption < 0 ? [] : [cells[caption]],
                Label = label < 0 ? null : cells[label],
                Fields = [.. Enumerable.Range(0, cells.Length).Where(i => i != image && i != caption && i != label && cells[i].Length > 0)
                    .Select(i => KeyValuePair.Create(names[i], cells[i]))],
            };
        }
    }

    public void Dispose() => lines.Dispose();

    /// <summary>The next row's cells, none after the last row.</summary>
    /// <exception cref="FormatException">A quote is not closed, or the line is too long; reading goes on with the next line.</exception>
    private (string[] Cells, bool Mended) Cells()
    {
        if (lines.Next() is not { } line) return ([], false);
        if (line.Length >= LineReader.Limit) throw new FormatException($"a line of more than {LineReader.Limit:N0} bytes. Break it up.");
        var cells = new List<byte[]>();
        if (!quotes) SplitTabs(line.Span, cells);
        else if (!SplitQuoted(line.Span, cells))
        {
            var (afterFirst, nextLine) = (lines.Offset, lines.Number);
            var record = new MemoryStream();
            record.Write(line.Span);
            do
            {
                if (record.Length > QuotedLimit || lines.Next() is not { } more)
                {
                    lines.Seek(afterFirst, nextLine);
                    throw new FormatException("a quote is opened and not closed. Close it, or double the quotes inside a text.");
                }
                record.WriteByte((byte)'\n');
                record.Write(more.Span);
                if (!more.Span.Contains((byte)'"')) continue;
                cells.Clear();
                if (SplitQuoted(record.GetBuffer().AsSpan(0, (int)record.Length), cells)) break;
            } while (true);
        }
        var mended = false;
        return ([.. cells.Select(cell => Decode(cell, ref mended))], mended);
    }

    private void SplitTabs(ReadOnlySpan<byte> line, List<byte[]> cells)
    {
        foreach (var range in line.Split(separator))
        {
            var cell = line[range];
            var quoted = cell.Length >= 2 && cell[0] == '"' && cell[^1] == '"';
            cells.Add(quoted ? Unquoted(cell[1..^1]) : cell.ToArray());
        }
    }

    /// <summary>Splits a row; false where it ends inside a quoted cell.</summary>
    private bool SplitQuoted(ReadOnlySpan<byte> row, List<byte[]> cells)
    {
        while (true)
        {
            if (row is [(byte)'"', ..])
            {
                var close = 1;
                while (true)
                {
                    var next = row[close..].IndexOf((byte)'"');
                    if (next < 0) return false;
                    close += next;
                    if (close + 1 >= row.Length || row[close + 1] != '"') break;
                    close += 2;
                }
                var rest = row[(close + 1)..];
                var stop = rest.IndexOf(separator);
                var tail = stop < 0 ? rest : rest[..stop];
                cells.Add([.. Unquoted(row[1..close]), .. tail]);
                if (stop < 0) return true;
                row = rest[(stop + 1)..];
            }
            else
            {
                var stop = row.IndexOf(separator);
                cells.Add((stop < 0 ? row : row[..stop]).ToArray());
                if (stop < 0) return true;
                row = row[(stop + 1)..];
            }
        }
    }

    private static byte[] Unquoted(ReadOnlySpan<byte> inside)
    {
        var plain = new List<byte>(inside.Length);
        for (var i = 0; i < inside.Length; i++)
        {
            plain.Add(inside[i]);
            if (inside[i] == '"' && i + 1 < inside.Length && inside[i + 1] == '"') i++;
        }
        return [.. plain];
    }

    private static string Decode(byte[] cell, ref bool mended)
    {
        try { return Strict.GetString(cell); }
        catch (DecoderFallbackException)
        {
            mended = true;
            return Encoding.UTF8.GetString(cell);
        }
    }

    private static byte Separator(ReadOnlySpan<byte> line)
    {
        byte[] candidates = [(byte)',', (byte)';', (byte)'\t'];
        foreach (var candidate in candidates) if (line.Contains(candidate)) return candidate;
        return (byte)',';
    }

    private int Column(string? wanted, string[] usual, string table, string? option)
    {
        var found = wanted is not null
            ? Array.FindIndex(names, name => name.Equals(wanted, StringComparison.OrdinalIgnoreCase))
            : usual.Select(name => Array.FindIndex(names, n => n.Equals(name, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(i => i >= 0, -1);
        if (found < 0 && (wanted is not null || option is not null))
            throw new LitException($"{table}, line 1: no column {wanted ?? "with the picture's file name"}; the columns are {string.Join(", ", names)}. " +
                (wanted is null ? $"Say which with {option}." : "Give one of these."));
        return found;
    }

    private int Numbered(string? wanted, string table) =>
        wanted is null ? -1
        : int.TryParse(wanted, out var number) && number >= 1 && number <= names.Length ? number - 1
        : throw new LitException($"{table}, line 1: no column {wanted}; the first line is no header. Give a number from 1 to {names.Length}.");
}
