using System.Text.Json;

namespace LiT.Reports;

/// <summary>One line of metrics.jsonl: numbers by name, those of a validation apart. Nested names are joined by dots.</summary>
internal sealed record MetricsLine(
    double Step,
    IReadOnlyDictionary<string, double> Values,
    IReadOnlyDictionary<string, double> Validation
);

/// <summary>Reads metrics.jsonl as far as it has been written.</summary>
internal static class MetricsFile
{
    /// <returns>
    /// One line a step, by step. A step that was run again after a kill counts as it was run last; a half-written last line
    /// is passed over.
    /// </returns>
    /// <exception cref="LitException">A line other than the last cannot be read.</exception>
    public static IReadOnlyList<MetricsLine> Read(string path)
    {
        var lines = new SortedDictionary<double, MetricsLine>();
        string[] texts;
        try
        {
            texts = File.ReadAllLines(path);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException($"{path}: cannot be read ({trouble.Message}). Give the folder of a run.", trouble);
        }
        for (var i = 0; i < texts.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(texts[i]))
                continue;
            try
            {
                using var json = JsonDocument.Parse(texts[i]);
                var line = Line(json.RootElement, lines.Count);
                var before = lines.GetValueOrDefault(line.Step);
                lines[line.Step] = before is null
                    ? line
                    : line with
                    {
                        Values = Joined(before.Values, line.Values),
                        Validation = Joined(before.Validation, line.Validation),
                    };
            }
            catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
            {
                if (i < texts.Length - 1)
                    throw new LitException(
                        $"{path}, line {i + 1}: not a line of metrics. Remove the line, or the file.",
                        wrong
                    );
            }
        }
        return [.. lines.Values];
    }

    private static MetricsLine Line(JsonElement json, int index)
    {
        var (values, validation) = (new Dictionary<string, double>(), new Dictionary<string, double>());
        foreach (var member in json.EnumerateObject())
            if (member.NameEquals("val"))
                Add(member.Value, "", validation);
            else
                Add(member.Value, member.Name, values);
        return new MetricsLine(
            values.TryGetValue("step", out var step) && double.IsFinite(step) ? step : index,
            values,
            validation
        );
    }

    private static void Add(JsonElement value, string name, Dictionary<string, double> into)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Number:
                into[name] = value.GetDouble();
                break;
            case JsonValueKind.String when value.GetString() is "NaN" or "Infinity" or "-Infinity":
                into[name] = double.NaN;
                break;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                    Add(member.Value, name.Length == 0 ? member.Name : $"{name}.{member.Name}", into);
                break;
        }
    }

    private static Dictionary<string, double> Joined(
        IReadOnlyDictionary<string, double> before,
        IReadOnlyDictionary<string, double> after
    )
    {
        var joined = new Dictionary<string, double>(before);
        foreach (var (name, value) in after)
            joined[name] = value;
        return joined;
    }
}
