using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Data;
using LiT.Files;
using LiT.Images;

namespace LiT.Reports;

/// <summary>Where an evaluation's page goes and what it shows.</summary>
/// <param name="Folder">Gets report.html, result.json, tables as .csv and figures as .png.</param>
/// <param name="Data">What was evaluated.</param>
/// <param name="Pictures">Where its pictures are; null takes the data, or what a store says of its source.</param>
/// <param name="Samples">How they are read.</param>
/// <param name="Model">The model as the user called it, for the commands on the page; null where there was none.</param>
internal sealed record EvaluationFolder(
    string Folder,
    string Data,
    string? Pictures,
    SampleOptions Samples,
    string? Model = null
)
{
    /// <summary>The file's name that <c>lit eval compare</c> reads.</summary>
    public const string ResultName = "result.json";

    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The page's path.</summary>
    public string Page => PathOf("report.html");

    internal string PathOf(string name) => Path.Combine(Folder, name);

    internal void SaveResult<T>(T report) =>
        AtomicFile.WriteAllText(PathOf(ResultName), JsonSerializer.Serialize(report, Json) + "\n");

    /// <summary>A table after RFC 4180; a cell that a spreadsheet would run as a formula keeps a quote before it.</summary>
    internal void SaveTable(string name, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<object?>> rows)
    {
        StringBuilder text = new();
        foreach (var row in rows.Prepend(columns))
            text.AppendJoin(',', row.Select(Cell)).Append("\r\n");
        AtomicFile.WriteAllText(PathOf(name), text.ToString());

        static string Cell(object? value)
        {
            if (value is IFormattable number and not char)
                return number.ToString(null, CultureInfo.InvariantCulture);
            var words = value?.ToString() ?? "";
            if (words.Length > 0 && "=+-@".Contains(words[0]))
                words = "'" + words;
            return words.IndexOfAny([',', '"', '\n', '\r']) >= 0
                ? $"\"{words.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
                : words;
        }
    }

    /// <summary>The pictures of some keys, decoded; what cannot be found is left out.</summary>
    internal IReadOnlyDictionary<string, RgbImage> Find(IEnumerable<string> keys, CancellationToken cancel)
    {
        Dictionary<string, RgbImage> found = new(StringComparer.Ordinal);
        if ((Pictures ?? SearchPage.SourceOf(Data)) is not { } source)
            return found;
        foreach (
            var (key, bytes) in PictureFinder.Find(source, keys.ToHashSet(StringComparer.Ordinal), Samples, cancel)
        )
        {
            try
            {
                found[key] = Thumbnail.Scaled(Decoding.Decode(bytes), 320);
            }
            catch (LitException)
            {
                continue;
            }
        }
        return found;
    }
}
