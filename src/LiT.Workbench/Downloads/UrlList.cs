using System.Globalization;
using System.Text.Json;
using LiT.Data;

namespace LiT.Downloads;

/// <summary>
/// A list of addresses with captions: CC3M and CC12M as they are given away (a caption and an address, in either
/// order), any .tsv, .csv, .jsonl or .parquet with such columns, and the metadata rows of YFCC100M. Read as a stream;
/// the same rows with the same numbers each time.
/// </summary>
internal sealed class UrlList
{
    // A list's own names first, then those of every table. "image" and "path" may hold an address here.
    private static readonly string[] UrlNames = [.. UsualNames.Addresses, "image"];
    private static readonly string[] CaptionNames = [.. UsualNames.Captions, "tags"];

    private readonly string path;
    private readonly UrlListOptions options;
    private readonly HashSet<ulong>? onlyIds;

    /// <param name="path">The list.</param>
    /// <param name="options">Columns.</param>
    /// <exception cref="LitException">The list is missing or of no known form.</exception>
    public UrlList(string path, UrlListOptions options)
    {
        (this.path, this.options) = (path, options);
        if (!File.Exists(path))
            throw new LitException(
                path,
                "there is no such file",
                "Give a list of addresses and captions (.tsv, .csv, .jsonl or .parquet)"
            );
        if (options.OnlyIds is { } ids)
            onlyIds = ReadIds(ids);
        using var first = Rows().GetEnumerator();
        if (!first.MoveNext())
            throw new LitException(path, "has no rows", "It needs an address and a caption on each line");
    }

    /// <summary>The rows, some of them bad.</summary>
    /// <exception cref="LitException">The columns cannot be told, or the file cannot be read.</exception>
    public IEnumerable<UrlRow> Rows()
    {
        var rows = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".parquet" => Parquet(),
            ".jsonl" or ".ndjson" => JsonRows(),
            ".csv" => Delimited(tabs: false),
            _ => Delimited(tabs: true),
        };
        return Guarded(rows.GetEnumerator());
    }

    private IEnumerable<UrlRow> Guarded(IEnumerator<UrlRow> rows)
    {
        using (rows)
            while (true)
            {
                try
                {
                    if (!rows.MoveNext())
                        yield break;
                }
                catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
                {
                    throw new LitException(
                        path,
                        $"cannot be read ({trouble.Message.TrimEnd('.')})",
                        "Check the file and its permissions",
                        trouble
                    );
                }
                yield return rows.Current;
            }
    }

    private IEnumerable<UrlRow> Delimited(bool tabs)
    {
        using var table = new DelimitedRows(path, tabs, cell =>
            IsAddress(cell) || cell == options.UrlColumn || UsualNames.Has(UrlNames, cell)
        );
        var (begin, line) = (table.Offset, table.Number);
        var first = table.Cells().Cells;
        var columns = first.Any(IsAddress) ? Headless(first) : Headed(first);
        if (first.Any(IsAddress))
            table.Seek(begin, line);
        for (var number = 0L; ; )
        {
            string[]? cells = null;
            string? trouble = null;
            try
            {
                cells = table.Cells().Cells;
            }
            catch (FormatException broken)
            {
                trouble = broken.Message;
            }
            if (cells is [])
                yield break;
            if (cells is [""])
                continue;
            if (trouble is not null)
                yield return UrlRow.Bad(number++, trouble);
            else if (columns(number, cells!) is { } row)
            {
                yield return row;
                number++;
            }
        }
    }

    /// <summary>How a row of a list without a header is read; null for a row that is not wanted.</summary>
    private Func<long, string[], UrlRow?> Headless(string[] first)
    {
        if (YfccRow.Offset(first) is not null)
            return Yfcc;
        RefuseIds();
        var url = options.UrlColumn is { } wanted ? Numbered(wanted, first.Length) : Array.FindIndex(first, IsAddress);
        int[] captions =
            options.CaptionColumns.Count > 0
                ? [.. options.CaptionColumns.Select(column => Numbered(column, first.Length))]
            : first.Length == 2 ? [1 - url]
            : first.Length == 1 ? []
            : throw new LitException(
                path,
                Place.Line(1),
                $"{first.Length} columns and no header",
                "Say which holds the caption: `CaptionColumn` 2"
            );
        Tell([.. first.Select((_, i) => $"column {i + 1}")], url, captions);
        return (number, cells) =>
            cells.Length != first.Length
                ? UrlRow.Bad(number, $"{cells.Length} columns where {first.Length} are expected")
                : UrlRow.Of(number, cells[url], captions.Select(column => (string?)cells[column]));
    }

    private Func<long, string[], UrlRow?> Headed(string[] header)
    {
        RefuseIds();
        string[] names = [.. header.Select(name => name.Trim())];
        var url = Named(names, options.UrlColumn, UrlNames) ?? throw NoColumn(names);
        int[] captions = [.. CaptionsIn(names)];
        Tell(names, url, captions);
        return (number, cells) =>
            cells.Length != names.Length
                ? UrlRow.Bad(number, $"{cells.Length} columns where {names.Length} are expected")
                : UrlRow.Of(number, cells[url], captions.Select(column => (string?)cells[column]));
    }

    private UrlRow? Yfcc(long number, string[] cells)
    {
        if (YfccRow.Offset(cells) is not { } offset)
            return UrlRow.Bad(number, $"{cells.Length} columns that are no row of YFCC100M");
        var id = cells[offset];
        return
            onlyIds is not null
            && !(ulong.TryParse(id, CultureInfo.InvariantCulture, out var value) && onlyIds.Contains(value))
            ? null
            : YfccRow.Read(number, cells, offset);
    }

    private IEnumerable<UrlRow> JsonRows()
    {
        RefuseIds();
        using var lines = new LineReader(path);
        for (var number = 0L; lines.Next() is { } line; )
        {
            if (!line.Span.ContainsAnyExcept(" \t\uFEFF"u8))
                continue;
            yield return JsonRow(number++, line);
        }
    }

    private UrlRow JsonRow(long number, ReadOnlyMemory<byte> line)
    {
        try
        {
            if (!System.Text.Unicode.Utf8.IsValid(line.Span))
                line = System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(line.Span));
            using var json = PythonJson.Parse(line);
            var members = json
                .RootElement.EnumerateObject()
                .ToDictionary(member => member.Name, member => member.Value, StringComparer.OrdinalIgnoreCase);
            string[] names = [.. members.Keys];
            if (Named(names, options.UrlColumn, UrlNames) is not { } url)
                return UrlRow.Bad(number, "no address");
            int[] captions = [.. CaptionsIn(names)];
            Tell(names, url, captions);
            return UrlRow.Of(
                number,
                JsonMembers.Text(members[names[url]]),
                captions.SelectMany(column => JsonMembers.Texts(members[names[column]], out _))
            );
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or ArgumentException)
        {
            return UrlRow.Bad(number, "not a JSON object on one line");
        }
    }

    private IEnumerable<UrlRow> Parquet()
    {
        RefuseIds();
        ParquetTable? opened = null;
        try
        {
            opened = new(path);
        }
        catch (Exception damage) when (damage is not LitException)
        {
            throw new LitException(
                path,
                $"cannot be read as Parquet ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
                "Copy the file again",
                damage
            );
        }
        using var table = opened;
        var fields = table.Reader.Schema.DataFields.Where(field => field.MaxRepetitionLevel == 0).ToArray();
        string[] names = [.. fields.Select(field => field.Name)];
        var url = Named(names, options.UrlColumn, UrlNames) ?? throw NoColumn(names);
        int[] captions = [.. CaptionsIn(names)];
        Tell(names, url, captions);
        var number = 0L;
        for (var g = 0; g < table.RowGroups; g++)
        {
            string?[] urls;
            string?[][] texts;
            try
            {
                using var group = table.Group(g);
                urls = group.Texts(fields[url]);
                texts = [.. captions.Select(column => group.Texts(fields[column]))];
            }
            catch (Exception damage) when (damage is not LitException)
            {
                throw new LitException(
                    path,
                    $"row group {g} cannot be read ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
                    "Copy the file again",
                    damage
                );
            }
            for (var row = 0; row < urls.Length; row++)
                yield return UrlRow.Of(number++, urls[row], texts.Select(column => column[row]));
        }
    }

    /// <summary>
    /// What the columns are taken for, and which are not used; null where every row says it for itself.
    /// </summary>
    public string? InWords { get; private set; }

    /// <summary>Whether there is a column of captions.</summary>
    public bool HasCaptions { get; private set; } = true;

    private void Tell(string[] names, int url, int[] captions)
    {
        if (InWords is not null)
            return;
        string[] unused = [.. names.Where((name, i) => i != url && !captions.Contains(i) && name.Length > 0)];
        HasCaptions = captions.Length > 0;
        InWords =
            $"{path}: addresses in '{names[url]}', "
            + (
                captions.Length > 0
                    ? $"captions in {string.Join(", ", captions.Select(i => $"'{names[i]}'"))}"
                    : "no captions"
            )
            + (unused.Length > 0 ? $"; not used: {Shown(unused)}" : "");
    }

    private IEnumerable<int> CaptionsIn(string[] names)
    {
        if (options.CaptionColumns.Count > 0)
            return options.CaptionColumns.Select(wanted =>
                Named(names, wanted, [])
                ?? throw new LitException(
                    path,
                    $"no column {wanted}; the columns are {string.Join(", ", names)}",
                    "Give one of these"
                )
            );
        return Named(names, null, CaptionNames) is { } one ? [one] : [];
    }

    private static int? Named(string[] names, string? wanted, string[] usual)
    {
        var found = wanted is not null ? UsualNames.Wanted(names, wanted) : UsualNames.In(names, usual);
        return found >= 0 ? found : null;
    }

    private LitException NoColumn(string[] names) =>
        options.UrlColumn is { } wanted
            ? new($"{path}: no column {wanted}; the columns are {string.Join(", ", names)}. Give one of these.")
            : new($"{path}: no column holds addresses; the columns are {Shown(names)}. Say which with `UrlColumn`.");

    private static string Shown(string[] names) =>
        string.Join(", ", names) is { Length: > 200 } all ? all[..200] + " …" : string.Join(", ", names);

    private int Numbered(string wanted, int count) =>
        int.TryParse(wanted, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= count
            ? number - 1
            : throw new LitException(
                path,
                Place.Line(1),
                $"no column {wanted}; the first line is no header",
                $"Give a number from 1 to {count}"
            );

    private void RefuseIds()
    {
        if (onlyIds is not null)
            throw new LitException(
                path,
                "`OnlyIds` needs the metadata rows of YFCC100M, and these are none",
                "Leave it out"
            );
    }

    private static bool IsAddress(string cell) =>
        cell.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || cell.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static HashSet<ulong> ReadIds(string path)
    {
        try
        {
            var ids = new HashSet<ulong>();
            foreach (var line in File.ReadLines(path))
            {
                var cells = line.Split('\t', ',');
                if (ulong.TryParse(cells.Length >= 2 ? cells[1] : cells[0], CultureInfo.InvariantCulture, out var id))
                    ids.Add(id);
            }
            return ids.Count > 0
                ? ids
                : throw new LitException(path, "holds no ids", "Give a file with a photo's id on each line");
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                path,
                $"cannot be read ({trouble.Message.TrimEnd('.')})",
                "Give a file with a photo's id on each line",
                trouble
            );
        }
    }
}
