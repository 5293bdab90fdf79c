using System.Text;

namespace LiT.Data;

/// <summary>
/// Cells of .csv (RFC 4180: quoted cells may hold separators, line breaks and doubled quotes) and of .tsv (a row a
/// line; a cell that is quoted as a whole loses its quotes).
/// </summary>
internal sealed class DelimitedRows : IDisposable
{
    private const int QuotedLimit = 1 << 20,
        LinesThatTell = 20;
    private static readonly byte[] Separators = [(byte)',', (byte)';', (byte)'\t', (byte)'|'];
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly LineReader lines;
    private readonly byte separator;
    private readonly bool quotes;

    /// <param name="path">The table.</param>
    /// <param name="tabs">Whether tabs separate the cells (.tsv); otherwise the first lines tell: comma, semicolon,
    /// tab or bar.</param>
    /// <param name="tells">Whether a cell of the first line shows that it was cut out rightly: a name, a picture, an
    /// address.</param>
    /// <exception cref="LitException">The table is empty.</exception>
    public DelimitedRows(string path, bool tabs, Func<string, bool>? tells = null)
    {
        lines = new(path);
        var (offset, number) = (lines.Offset, lines.Number);
        List<byte[]> first = [];
        while (first.Count < LinesThatTell && lines.Next() is { } line)
            first.Add(line.ToArray());
        if (first.Count == 0)
            throw new LitException($"{path}: is empty. It needs a row a line.");
        separator = tabs ? (byte)'\t' : Separator(first, tells ?? (_ => false));
        quotes = !tabs;
        lines.Seek(offset, number);
    }

    /// <summary>What separates cells.</summary>
    public char SeparatedBy => (char)separator;

    /// <summary>Number of the next line, from 1.</summary>
    public long Number => lines.Number;

    /// <summary>Where the next line begins in the file, in bytes.</summary>
    public long Offset => lines.Offset;

    /// <summary>Goes to a row whose place and number are known.</summary>
    public void Seek(long offset, long line) => lines.Seek(offset, line);

    public void Dispose() => lines.Dispose();

    /// <summary>The next row's cells, none after the last row.</summary>
    /// <exception cref="FormatException">A quote is not closed, or the line is too long; reading goes on with the next
    /// line.</exception>
    public (string[] Cells, bool Mended) Cells()
    {
        if (lines.Next() is not { } line)
            return ([], false);
        if (line.Length >= LineReader.Limit)
            throw new FormatException($"a line of more than {LineReader.Limit:N0} bytes. Break it up.");
        var cells = new List<byte[]>();
        if (!quotes)
            SplitTabs(line.Span, cells);
        else if (!SplitQuoted(line.Span, cells, separator))
        {
            var (afterFirst, nextLine) = (lines.Offset, lines.Number);
            var record = new MemoryStream();
            record.Write(line.Span);
            do
            {
                if (record.Length > QuotedLimit || lines.Next() is not { } more)
                {
                    lines.Seek(afterFirst, nextLine);
                    throw new FormatException(
                        "a quote is opened and not closed. Close it, or double the quotes inside a text."
                    );
                }
                record.WriteByte((byte)'\n');
                record.Write(more.Span);
                if (!more.Span.Contains((byte)'"'))
                    continue;
                cells.Clear();
                if (SplitQuoted(record.GetBuffer().AsSpan(0, (int)record.Length), cells, separator))
                    break;
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
    private static bool SplitQuoted(ReadOnlySpan<byte> row, List<byte[]> cells, byte separator)
    {
        while (true)
        {
            if (row is [(byte)'"', ..])
            {
                var close = 1;
                while (true)
                {
                    var next = row[close..].IndexOf((byte)'"');
                    if (next < 0)
                        return false;
                    close += next;
                    if (close + 1 >= row.Length || row[close + 1] != '"')
                        break;
                    close += 2;
                }
                var rest = row[(close + 1)..];
                var stop = rest.IndexOf(separator);
                var tail = stop < 0 ? rest : rest[..stop];
                cells.Add([.. Unquoted(row[1..close]), .. tail]);
                if (stop < 0)
                    return true;
                row = rest[(stop + 1)..];
            }
            else
            {
                var stop = row.IndexOf(separator);
                cells.Add((stop < 0 ? row : row[..stop]).ToArray());
                if (stop < 0)
                    return true;
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
            if (inside[i] == '"' && i + 1 < inside.Length && inside[i + 1] == '"')
                i++;
        }
        return [.. plain];
    }

    private static string Decode(byte[] cell, ref bool mended)
    {
        try
        {
            return Strict.GetString(cell);
        }
        catch (DecoderFallbackException)
        {
            mended = true;
            return Encoding.UTF8.GetString(cell);
        }
    }

    /// <summary>
    /// The separator by which the first line gives a cell that tells, without another separator in it; among several,
    /// the one that cuts the lines into equal numbers of cells.
    /// </summary>
    private static byte Separator(List<byte[]> first, Func<string, bool> tells)
    {
        var best = (Byte: Separators[0], Score: -1.0);
        foreach (var candidate in Separators)
        {
            var rows = first.Select(line => Split(line, candidate)).ToList();
            if (rows[0].Length < 2)
                continue;
            var telling = rows[0].Where(tells).ToList();
            var score =
                (telling.Count > 0 ? 4 : 0)
                + (telling.Exists(cell => cell.IndexOfAny([',', ';', '\t', '|']) < 0) ? 2 : 0)
                + rows.Count(row => row.Length == rows[0].Length) / (double)rows.Count;
            if (score > best.Score)
                best = (candidate, score);
        }
        return best.Byte;
    }

    private static string[] Split(byte[] line, byte by)
    {
        List<byte[]> cells = [];
        if (!SplitQuoted(line, cells, by))
            return []; // goes on in the next line
        return [.. cells.Select(cell => Encoding.UTF8.GetString(cell).Trim())];
    }
}
