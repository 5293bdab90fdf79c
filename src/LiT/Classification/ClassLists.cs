using System.Text.Json;
using System.Text.RegularExpressions;

namespace LiT.Classification;

/// <summary>A class list that was read, and what the file calls itself.</summary>
/// <param name="Names">The classes.</param>
/// <param name="Source">The file and, where it holds several lists, which of them.</param>
internal sealed record ClassList(ClassNames Names, string Source);

/// <summary>
/// Class lists in the forms that people have: one name a line; "n01440764 tench, Tinca tinca" (LOC_synset_mapping.txt,
/// synset_words.txt); a JSON list; a JSON object of lists by data set or language (CLIP_benchmark's
/// xx_classnames.json); {"0": ["n01440764", "tench"], …} (imagenet_class_index.json); a Python list (open_clip's
/// files).
/// </summary>
internal static partial class ClassLists
{
    /// <param name="path">The file.</param>
    /// <param name="list">Which list of a file that holds several: a data set's or language's key. Several keys may be
    /// tried in turn.</param>
    /// <exception cref="LitException">No file, no list in it, a hole in it; the message says where and what to
    /// do.</exception>
    public static ClassList Read(string path, params string[] list)
    {
        var text = NamedLines.Text(path);
        try
        {
            return text.TrimStart() switch
            {
                ['{', ..] => FromJson(path, text, list),
                ['[', ..] => new(new ClassNames(NamedLines.JsonTexts(path, text, list, "class name"), null), path),
                _ => FromLines(path, text),
            };
        }
        catch (LitException trouble) when (!trouble.Message.StartsWith(path, StringComparison.Ordinal))
        {
            throw new LitException($"{path}: {trouble.Message}", trouble);
        }
    }

    private static ClassList FromLines(string path, string text)
    {
        var lines = NamedLines.Entries(text).ToList();
        for (var i = 1; i < lines.Count; i++)
        {
            if (lines[i].Empty == 0)
                continue;
            throw new LitException(
                path,
                Place.Line(lines[i].Empty),
                "an empty line between class names, so what follows would be off by one",
                $"Give class {i} a name, or take the line out"
            );
        }
        if (lines.Count > 0 && lines.All(entry => Synset().IsMatch(entry.Line)))
        {
            var parts = lines.Select(entry => entry.Line.Split((char[]?)[' ', '\t'], 2)).ToList();
            return new(
                new ClassNames([.. parts.Select(part => part[1].Trim())], [.. parts.Select(part => part[0])]),
                path
            );
        }
        if (lines.FindIndex(entry => entry.Line.Trim().Contains('\t')) is >= 0 and var cut)
        {
            var row = lines[cut].Line.Trim().Replace("\t", "<tab>", StringComparison.Ordinal);
            throw new LitException(
                path,
                $"class {cut}, '{row}', is a row of columns",
                "Give one name a line, with commas between names of one class"
            );
        }
        return new(new ClassNames([.. lines.Select(entry => entry.Line)], null), path);
    }

    private static ClassList FromJson(string path, string text, string[] list)
    {
        using var json = NamedLines.Json(path, text);
        if (
            json.RootElement.EnumerateObject().Any()
            && json.RootElement.EnumerateObject().All(member => int.TryParse(member.Name, out _))
        )
            return new(Indexed(path, json.RootElement), path);
        var key = NamedLines.Key(path, json.RootElement, list, "class lists");
        return new(
            new ClassNames(
                NamedLines.JsonTexts(path, json.RootElement.GetProperty(key).GetRawText(), list, "class name"),
                null
            ),
            $"{path}, '{key}'"
        );
    }

    /// <summary>{"0": "tench", …} or {"0": ["n01440764", "tench"], …}</summary>
    private static ClassNames Indexed(string path, JsonElement members)
    {
        var byIndex = new SortedDictionary<int, (string? Id, string Name)>();
        foreach (var member in members.EnumerateObject())
        {
            byIndex[int.Parse(member.Name, System.Globalization.CultureInfo.InvariantCulture)] = member.Value switch
            {
                { ValueKind: JsonValueKind.String } name => (null, name.GetString()!),
                { ValueKind: JsonValueKind.Array } pair
                    when pair.GetArrayLength() == 2
                        && pair.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String) => (
                    pair[0].GetString(),
                    pair[1].GetString()!
                ),
                _ => throw new LitException(
                    path,
                    $"class {member.Name} is neither a name nor an id and a name",
                    "Write \"0\": \"name\" or \"0\": [\"id\", \"name\"]"
                ),
            };
        }
        var missing = Enumerable.Range(0, byIndex.Count).FirstOrDefault(index => !byIndex.ContainsKey(index), -1);
        if (missing >= 0)
            throw new LitException(
                path,
                $"there is no class {missing} among {byIndex.Count}",
                "Number the classes from 0 without a hole"
            );
        var ids = byIndex.Values.Select(entry => entry.Id).OfType<string>().ToList();
        return new([.. byIndex.Values.Select(entry => entry.Name)], ids.Count == byIndex.Count ? ids : null);
    }

    [GeneratedRegex(@"^n\d{8}[ \t]+\S")]
    private static partial Regex Synset();
}
