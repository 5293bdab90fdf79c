using System.Text;
using System.Text.Json;

namespace LiT.Data;

/// <summary>Rows of metadata.jsonl: an object a line, with the picture under file_name.</summary>
internal sealed class JsonLines(string path, SampleOptions options) : ITableReader
{
    private readonly LineReader lines = new(path);
    private const int MostNamed = 20;

    private readonly SortedSet<string> others = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Others => [.. others];

    public void Seek(long offset, long line) => lines.Seek(offset, line);

    public void Dispose() => lines.Dispose();

    public TableRow? Next()
    {
        while (true)
        {
            var row = new TableRow(lines.Number, lines.Offset);
            if (lines.Next() is not { } line)
                return null;
            if (!line.Span.ContainsAnyExcept(" \t\uFEFF"u8))
                continue;
            var mended = false;
            if (!System.Text.Unicode.Utf8.IsValid(line.Span))
            {
                mended = true;
                line = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(line.Span));
            }
            try
            {
                using var json = PythonJson.Parse(line);
                return Parsed(row with { Mended = mended }, json.RootElement);
            }
            catch (JsonException)
            {
                return row with { Trouble = "not a JSON object on one line. Write {\"file_name\": …, \"text\": …}." };
            }
            catch (InvalidOperationException)
            {
                return row with
                {
                    Trouble = "not a JSON object of Unicode text. Write {\"file_name\": …, \"text\": …}.",
                };
            }
        }
    }

    private TableRow Parsed(TableRow row, JsonElement members)
    {
        string? image = null,
            label = null;
        var captions = new List<string?>();
        var fields = new List<KeyValuePair<string, string>>();
        var imageName = JsonMembers.NameIn(members, options.ImageColumn, UsualNames.Images);
        var captionName = JsonMembers.NameIn(members, options.CaptionColumn, UsualNames.Captions);
        var labelName = JsonMembers.NameIn(members, options.LabelColumn, UsualNames.Labels);
        foreach (var member in members.EnumerateObject())
        {
            if (member.Name == imageName)
                image = JsonMembers.Text(member.Value);
            else if (member.Name == captionName)
            {
                captions.AddRange(JsonMembers.Texts(member.Value, out var trouble));
                if (trouble is not null)
                    return row with { Trouble = $"'{captionName}' {trouble}" };
            }
            else if (member.Name == labelName)
                label = JsonMembers.Text(member.Value);
            else if (JsonMembers.Text(member.Value) is { } value)
            {
                fields.Add(KeyValuePair.Create(member.Name, value));
                if (others.Count < MostNamed)
                    others.Add(member.Name);
            }
        }
        return string.IsNullOrEmpty(image)
            ? row with
            {
                Trouble = "no file_name. Name the picture on each line.",
            }
            : row with
            {
                Image = TableRow.Name(image),
                Captions = captions,
                Label = label,
                Fields = fields,
            };
    }
}
