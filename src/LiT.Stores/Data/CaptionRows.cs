using System.Text.Json;
using Parquet.Schema;

namespace LiT.Data;

/// <summary>A row of a file of captions.</summary>
/// <param name="Row">Its line, or in Parquet its row, from 1.</param>
/// <param name="Key">The picture's key.</param>
/// <param name="Texts">What is said of it, also empty texts.</param>
/// <param name="Language">The language, or null.</param>
internal sealed record CaptionRow(long Row, string Key, IReadOnlyList<string?> Texts, string? Language)
{
    /// <summary>Why the row cannot be used; null where it can.</summary>
    public string? Trouble { get; init; }

    public static CaptionRow Bad(long row, string trouble) => new(row, "", [], null) { Trouble = trouble };
}

/// <summary>Reads files that name pictures by their keys and say something of each.</summary>
internal static class CaptionRows
{
    /// <summary>What a picture's key is called.</summary>
    public static readonly string[] Keys = ["key", "id", "image_id", .. UsualNames.Images];

    /// <summary>What a caption's language is called.</summary>
    public static readonly string[] Languages = ["language", "lang", "locale", "language_code"];

    private const string Wanted = "Name the columns key and text (and language) in the first line";

    /// <param name="path">.tsv or .txt (KEY, tab, text), .csv, .jsonl or .parquet.</param>
    /// <exception cref="LitException">The file cannot be read, or its columns cannot be told.</exception>
    public static IEnumerable<CaptionRow> Of(string path)
    {
        if (!File.Exists(path))
            throw new LitException(
                path,
                Directory.Exists(path) ? "is a folder, and captions lie in a file" : "there is no such file",
                "Give a .tsv (KEY, tab, text), .csv, .jsonl or .parquet"
            );
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".tsv" or ".txt" => Delimited(path, tabs: true),
            ".csv" => Delimited(path, tabs: false),
            ".jsonl" or ".ndjson" => Json(path),
            ".parquet" => Parquet(path),
            var other => throw new LitException(
                path,
                $"'{other}' is no form of captions beside a store",
                "Give a .tsv (KEY, tab, text), .csv, .jsonl or .parquet"
            ),
        };
    }

    private static IEnumerable<CaptionRow> Delimited(string path, bool tabs)
    {
        using DelimitedRows rows = new(path, tabs, cell => IsName(cell.Trim()));
        var (key, text, language, count) = (0, 1, -1, 2);
        var first = true;
        while (true)
        {
            var line = rows.Number;
            string[] cells;
            bool mended;
            CaptionRow? broken = null;
            try
            {
                (cells, mended) = rows.Cells();
            }
            catch (FormatException trouble)
            {
                (cells, mended, broken) = ([], false, CaptionRow.Bad(line, trouble.Message));
            }
            if (broken is null && cells.Length == 0)
                yield break;
            if (first && broken is null)
            {
                first = false;
                count = cells.Length;
                string[] names = [.. cells.Select(cell => cell.Trim())];
                var at = (Key: UsualNames.In(names, Keys), Text: UsualNames.In(names, UsualNames.Captions));
                if (at is { Key: >= 0, Text: >= 0 })
                {
                    (key, text, language) = (at.Key, at.Text, UsualNames.In(names, Languages));
                    continue;
                }
                if (count != 2)
                    throw new LitException(
                        path,
                        Place.Line(1),
                        count == 1
                            ? "one column, where a key and a text are needed"
                            : $"{count} columns and no header that tells which is the key and which the text",
                        Wanted
                    );
            }
            yield return broken
                ?? (
                    cells is [""] ? CaptionRow.Bad(line, "")
                    : cells.Length != count ? CaptionRow.Bad(line, $"{cells.Length} columns where {count} are expected")
                    : mended ? CaptionRow.Bad(line, "not UTF-8 text")
                    : new(line, cells[key].Trim(), [cells[text]], language < 0 ? null : cells[language])
                );
        }
    }

    private static bool IsName(string cell) =>
        UsualNames.Has(Keys, cell) || UsualNames.Has(UsualNames.Captions, cell) || UsualNames.Has(Languages, cell);

    private static IEnumerable<CaptionRow> Json(string path)
    {
        using LineReader lines = new(path);
        while (true)
        {
            var number = lines.Number;
            if (lines.Next() is not { } line)
                yield break;
            yield return line.Span.ContainsAnyExcept(" \t\uFEFF"u8) ? Member(number, line) : CaptionRow.Bad(number, "");
        }
    }

    private static CaptionRow Member(long number, ReadOnlyMemory<byte> line)
    {
        if (!System.Text.Unicode.Utf8.IsValid(line.Span))
            return CaptionRow.Bad(number, "not UTF-8 text");
        try
        {
            using var json = PythonJson.Parse(line);
            var members = json.RootElement;
            if (
                JsonMembers.NameIn(members, null, Keys) is not { } key
                || JsonMembers.NameIn(members, null, UsualNames.Captions) is not { } text
            )
                return CaptionRow.Bad(number, "no member 'key' and 'text'");
            var texts = JsonMembers.Texts(members.GetProperty(text), out var trouble);
            var language = JsonMembers.NameIn(members, null, Languages);
            return trouble is not null
                ? CaptionRow.Bad(number, $"'{text}' {trouble}")
                : new(
                    number,
                    JsonMembers.Text(members.GetProperty(key))?.Trim() ?? "",
                    texts,
                    language is null ? null : JsonMembers.Text(members.GetProperty(language))
                );
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException)
        {
            return CaptionRow.Bad(number, "not a JSON object on one line");
        }
    }

    private static IEnumerable<CaptionRow> Parquet(string path)
    {
        using var table = Opened(path);
        var fields = table.Reader.Schema.DataFields;
        var key = Field(Keys, field => field.MaxRepetitionLevel == 0);
        var text = Field(UsualNames.Captions, _ => true);
        var language = Field(Languages, field => field.MaxRepetitionLevel == 0);
        if (key is null || text is null)
            throw new LitException(
                path,
                $"no columns key and text; the columns are {string.Join(", ", fields.Select(field => field.Name))}",
                "Name them so"
            );
        var row = 0L;
        for (var number = 0; number < table.RowGroups; number++)
        {
            var (keys, texts, languages) = Group(path, table, number, key, text, language);
            for (var i = 0; i < keys.Length; i++)
                yield return new(++row, keys[i]?.Trim() ?? "", texts[i], languages?[i]);
        }

        DataField? Field(string[] usual, Func<DataField, bool> fits)
        {
            DataField[] fitting = [.. fields.Where(fits)];
            var at = UsualNames.In([.. fitting.Select(field => field.Path.FirstPart ?? "")], usual);
            return at < 0 ? null : fitting[at];
        }
    }

    private static ParquetTable Opened(string path)
    {
        try
        {
            return new(path);
        }
        catch (Exception damage) when (damage is not (LitException or OutOfMemoryException))
        {
            throw Damaged(path, damage);
        }
    }

    private static (string?[] Keys, IReadOnlyList<string?>[] Texts, string?[]? Languages) Group(
        string path,
        ParquetTable table,
        int number,
        DataField key,
        DataField text,
        DataField? language
    )
    {
        try
        {
            using var group = table.Group(number);
            return (
                group.Texts(key),
                text.MaxRepetitionLevel > 0 ? group.Lists(text) : Array.ConvertAll(group.Texts(text), One),
                language is null ? null : group.Texts(language)
            );
        }
        catch (Exception damage) when (damage is not (LitException or OutOfMemoryException))
        {
            throw Damaged(path, damage);
        }
    }

    private static IReadOnlyList<string?> One(string? text) => [text];

    private static LitException Damaged(string path, Exception damage) =>
        new(
            path,
            $"cannot be read as Parquet ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
            "Copy or write it again",
            damage
        );
}
