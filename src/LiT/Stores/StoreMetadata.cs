using System.Globalization;
using System.Text.Json;
using LiT.Data;
using Parquet;

namespace LiT.Stores;

/// <summary>What a store says of its rows, beside the numbers: read once, kept compact.</summary>
internal sealed class StoreMetadata
{
    private readonly TextColumn keys = new(), caption = new(), captions = new(), fields = new(), origins = new();
    private readonly List<string> labelNames = [];
    private readonly Dictionary<string, int> labelNumbers = [];

    public List<float> Norms { get; } = [];
    public List<int> Labels { get; } = [];
    public List<int> Views { get; } = [];
    public List<int> Widths { get; } = [];
    public List<int> Heights { get; } = [];
    public List<UInt128> Hashes { get; } = [];

    /// <summary>Adds a shard's metadata file.</summary>
    /// <returns>The number of rows in it.</returns>
    /// <exception cref="LitException">The file is damaged or no Parquet file.</exception>
    public long AddParquet(string path, long firstRow)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var reader = ParquetReader.CreateAsync(file).GetAwaiter().GetResult();
            var columns = new Dictionary<string, List<string?>>();
            var count = 0L;
            for (var g = 0; g < reader.RowGroupCount; g++)
            {
                using var group = reader.OpenRowGroupReader(g);
                foreach (var field in reader.Schema.DataFields.Where(field => Known.Contains(field.Name) && field.MaxRepetitionLevel == 0))
                {
                    if (!columns.TryGetValue(field.Name, out var column)) columns.Add(field.Name, column = []);
                    column.AddRange(ParquetColumns.Texts(group, field));
                }
                count += group.RowCount;
            }
            Add(columns, (int)count, firstRow);
            return count;
        }
        catch (Exception damage) when (damage is not LitException and not OutOfMemoryException)
        {
            throw new LitException($"{path}: cannot be read as Parquet ({damage.Message.TrimEnd('.')}). Copy or embed it again.", damage);
        }
    }

    /// <summary>Adds a shard that has captions only, or nothing.</summary>
    public void AddCaptions(IReadOnlyList<string?>? given, int count, long firstRow) =>
        Add(given is null ? [] : new() { ["captions"] = [.. given] }, count, firstRow);

    public string Key(int shard, int row) => keys[shard, row]!;

    public string Origin(int shard, int row) => origins[shard, row] ?? Key(shard, row);

    public string? Label(long row) => Labels[(int)row] is >= 0 and var number ? labelNames[number] : null;

    public IReadOnlyList<string> Captions(int shard, int row) =>
        captions[shard, row] is { } all ? JsonSerializer.Deserialize<string[]>(all)!
        : caption[shard, row] is { Length: > 0 } one ? [one]
        : [];

    public IReadOnlyDictionary<string, string> Fields(int shard, int row) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(fields[shard, row] ?? "{}")!;

    private static readonly HashSet<string> Known =
        ["key", "image_path", "caption", "captions", "label", "width", "height", "norm", "sha256", "origin", "view", "fields"];

    private void Add(Dictionary<string, List<string?>> columns, int count, long firstRow)
    {
        List<string?> Column(string name) => columns.GetValueOrDefault(name) ?? [.. Enumerable.Repeat<string?>(null, count)];
        var names = columns.GetValueOrDefault("key") ?? columns.GetValueOrDefault("image_path") ?? [.. Enumerable.Repeat<string?>(null, count)];
        keys.AddShard([.. names.Select((name, i) => name ?? (firstRow + i).ToString(CultureInfo.InvariantCulture))]);
        caption.AddShard(Column("caption"));
        captions.AddShard(Column("captions"));
        fields.AddShard(Column("fields"));
        origins.AddShard(columns.GetValueOrDefault("origin") ?? Column("image_path"));
        Norms.AddRange(Column("norm").Select(text => Number(text, 1f)));
        Views.AddRange(Column("view").Select(text => (int)Number(text, 0)));
        Widths.AddRange(Column("width").Select(text => (int)Number(text, 0)));
        Heights.AddRange(Column("height").Select(text => (int)Number(text, 0)));
        Labels.AddRange(Column("label").Select(LabelNumber));
        Hashes.AddRange(Column("sha256").Select(Hash));
    }

    private int LabelNumber(string? label)
    {
        if (label is null) return -1;
        if (labelNumbers.TryGetValue(label, out var number)) return number;
        labelNumbers.Add(label, labelNames.Count);
        labelNames.Add(label);
        return labelNames.Count - 1;
    }

    private static float Number(string? text, float otherwise) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    /// <summary>The first half of a SHA-256 in hex, 0 where there is none.</summary>
    internal static UInt128 Hash(string? hex) =>
        hex is { Length: 64 } && UInt128.TryParse(hex.AsSpan(0, 32), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hash) ? hash : 0;
}
