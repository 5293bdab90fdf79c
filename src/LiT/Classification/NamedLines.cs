using System.Text;
using System.Text.Json;
using LiT.Checkpoints;
using LiT.Files;

namespace LiT.Classification;

/// <summary>Short text files of names and templates, as lines, as JSON, or as a Python list.</summary>
internal static class NamedLines
{
    private const long LongestFile = 64 << 20;

    /// <summary>
    /// An entry, its line number, and the number of an empty line that stands before it (0 where none does).
    /// </summary>
    public readonly record struct Entry(string Line, int Number, int Empty);

    /// <summary>A whole file as text.</summary>
    /// <exception cref="LitException">No such file, not UTF-8, or too long to be a list of names.</exception>
    public static string Text(string path)
    {
        if (Directory.Exists(path))
            throw new LitException($"{path}: is a folder. Give a text file with one entry a line.");
        var file = Linked.Info(path);
        if (!file.Exists)
            throw new LitException(path, "there is no such file", "Give a text file with one entry a line");
        if (file.Length > LongestFile)
            throw new LitException(
                path,
                $"{file.Length} bytes are too many for a list of names",
                "Give a text file with one entry a line"
            );
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true)
                .GetString(File.ReadAllBytes(path))
                .TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            throw new LitException(path, "not UTF-8 text", "Save it as UTF-8, one entry a line");
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
    }

    /// <summary>
    /// The entries with their line numbers. A line that begins with # and a blank is a remark and passed over;
    /// "#bird" is an entry, since what follows would otherwise be off by one without a word.
    /// </summary>
    public static IEnumerable<Entry> Entries(string text)
    {
        var empty = 0;
        foreach (var (i, raw) in text.Replace("\r\n", "\n").Replace('\r', '\n').Split('\n').Index())
        {
            var line = raw.Trim();
            if (line.Length == 0)
                empty = empty == 0 ? i + 1 : empty;
            else if (!IsRemark(line))
            {
                yield return new(line, i + 1, empty);
                empty = 0;
            }
        }
    }

    /// <summary>Whether a line is a remark: # and a blank, or # alone.</summary>
    public static bool IsRemark(string line) => line is "#" or ['#', ' ' or '\t', ..];

    /// <summary>A JSON document.</summary>
    /// <exception cref="LitException">It is none.</exception>
    public static JsonDocument Json(string path, string text)
    {
        try
        {
            return JsonDocument.Parse(
                text,
                new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }
            );
        }
        catch (JsonException damage)
        {
            throw new LitException(
                path,
                damage.LineNumber is { } line ? Place.Line(line + 1) : null,
                "no valid JSON",
                "Mend the line, or give a text file with one entry a line",
                damage
            );
        }
    }

    /// <summary>
    /// The member of an object that holds the list that is wanted; the only one where there is only one.
    /// </summary>
    /// <exception cref="LitException">None or several could be meant.</exception>
    public static string Key(string path, JsonElement members, string[] wanted, string what)
    {
        var keys = members.EnumerateObject().Select(member => member.Name).ToList();
        var found = wanted.FirstOrDefault(keys.Contains);
        if (found is not null)
            return found;
        if (keys.Count == 1 && wanted.Length == 0)
            return keys[0];
        throw new LitException(
            wanted.Length == 0
                ? $"{path}: holds several {what} "
                    + $"({string.Join(", ", keys.Take(12))}{(keys.Count > 12 ? " …" : "")}). Say which with "
                    + "`TestSet` or `Language`."
                : $"{path}: holds no list called {string.Join(" or ", wanted.Select(name => $"'{name}'"))}; "
                    + $"its {what} are {string.Join(", ", keys.Take(12))}{(keys.Count > 12 ? " …" : "")}. Give a "
                    + "file that has it."
        );
    }

    /// <summary>A list of texts in JSON, or in Python's notation.</summary>
    /// <exception cref="LitException">Not such a list, or one with a hole.</exception>
    public static IReadOnlyList<string> JsonTexts(string path, string text, string[] list, string what)
    {
        List<object?> values;
        try
        {
            using var json = JsonDocument.Parse(text, new() { AllowTrailingCommas = true });
            if (json.RootElement.ValueKind != JsonValueKind.Array)
                throw new LitException(path, $"{Where(list)}no list of {what}s", "Write [\"…\", \"…\"]");
            values =
            [
                .. json
                    .RootElement.EnumerateArray()
                    .Select(value => value.ValueKind == JsonValueKind.String ? value.GetString() : null),
            ];
        }
        catch (JsonException)
        {
            values = FromPython(path, text, what);
        }
        var hole = values.FindIndex(value => value is not string { } name || string.IsNullOrWhiteSpace(name));
        if (hole >= 0)
            throw new LitException(
                path,
                $"{Where(list)}{what} {hole} (counted from 0) is empty or no text",
                $"Fill the hole: every place needs a {what}"
            );
        return [.. values.Cast<string>().Select(value => value.Trim())];
    }

    private static string Where(string[] list) => list.Length == 0 ? "" : $"in '{list[0]}', ";

    private static List<object?> FromPython(string path, string text, string what)
    {
        try
        {
            return new PythonLiteral(text.Trim()).Value as List<object?> ?? throw new FormatException("no list");
        }
        catch (FormatException damage)
        {
            throw new LitException(
                path,
                $"no list of {what}s in JSON or Python's notation ({JsonTrouble.Words(damage)})",
                "Write [\"…\", \"…\"], or one a line",
                damage
            );
        }
    }
}
