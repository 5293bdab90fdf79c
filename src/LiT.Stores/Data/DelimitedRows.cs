using System.Text;

namespace LiT.Data;

/// <summary>
/// Cells of .csv (RFC 4180: quoted cells may hold separators, line breaks and doubled quotes) and of .tsv (a row a line;
/// a cell that is quoted as a whole loses its quotes).
/// </summary>
internal sealed class DelimitedRows : IDisposable
{
    private const int QuotedLimit = 1 << 20;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly LineReader lines;
    private readonly byte separator;
    private readonly bool quotes;

    /// <param name="path">The table.</param>
    /// <param name="tabs">Whether tabs separate the cells (.tsv); otherwise the first line tells: comma, semicolon or tab.</param>
    /// <exception cref="LitException">The table is empty.</exception>
    public DelimitedRows(string path, bool tabs)
    {
        lines = new(path);
        var (offset, number) = (lines.Offset, lines.Number);
        var first = lines.Next() ?? throw new LitException($"{path}: is empty. It needs a row a line.");
        separator = tabs ? (byte)'\t' : Separator(first.Span);
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
    /// <exception cref="FormatException">A quote is not closed, or the line is too long; reading goes on with the next line.</exception>
    public (string[] Cells, bool Mended) Cells()
    {
        if (lines.Next() is not { } line)
            return ([], false);
        if (line.Length >= LineReader.Limit)
            throw new FormatException($"a line of more than {LineReader.Limit:N0} bytes. Break it up.");
        var cells = new List<byte[]>();
        if (!quotes)
            SplitTabs(line.Span, cells);
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
                    throw new FormatException(
                        "a quote is opened and not closed. Close it, or double the quotes inside a text."
                    );
                }
                record.WriteByte((byte)'\n');
                record.Write(more.Span);
                if (!more.Span.Contains((byte)'"'))
                    continue;
                cells.Clear();
                if (SplitQuoted(record.GetBuffer().AsSpan(0, (int)record.Length), cells))
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

    private static byte Separator(ReadOnlySpan<byte> line)
    {
        byte[] candidates = [(byte)',', (byte)';', (byte)'\t'];
        foreach (var candidate in candidates)
            if (line.Contains(candidate))
                return candidate;
        return (byte)',';
    }
}
