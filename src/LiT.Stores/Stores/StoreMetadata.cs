using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using LiT.Data;

namespace LiT.Stores;

/// <summary>What a store says of its rows, beside the numbers: read once, kept compact.</summary>
internal sealed class StoreMetadata
{
    private readonly TextColumn keys = new(),
        caption = new(),
        captions = new(),
        fields = new(),
        origins = new();
    private readonly List<string> labelNames = [];
    private readonly Dictionary<string, int> labelNumbers = [];
    private readonly List<int> labels = [];

    public List<float> Norms { get; } = [];
    public List<int> Views { get; } = [];
    public List<int> Widths { get; } = [];
    public List<int> Heights { get; } = [];

    /// <summary>When each row came, in seconds; NaN where that is when its file was written.</summary>
    public List<double> Added { get; } = [];

    /// <summary>Each picture's SHA-256, in halves; zeros where it is not known.</summary>
    public List<(UInt128 First, UInt128 Second)> Hashes { get; } = [];

    /// <summary>Adds a shard's metadata file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="firstRow">Its first row's number in the store.</param>
    /// <param name="only">The one column that is wanted; null for all.</param>
    /// <returns>The number of rows in it.</returns>
    /// <exception cref="LitException">The file is damaged or no Parquet file.</exception>
    public int AddParquet(string path, long firstRow, string? only = null)
    {
        try
        {
            using var table = new ParquetTable(path);
            var shard = new Columns();
            // Another program's names: TEXT, text, alt_text; class.
            string[] names = [.. table.Reader.Schema.DataFields.Select(field => field.Name)];
            Dictionary<string, string> own = [];
            if (!names.Contains("caption") && !names.Contains("captions"))
                if (UsualNames.In(names, UsualNames.Captions) is >= 0 and var words)
                    own[names[words]] = "caption";
            if (!names.Contains("label") && UsualNames.In(names, UsualNames.Labels) is >= 0 and var label)
                own[names[label]] = "label";
            for (var g = 0; g < table.RowGroups; g++)
            {
                using var group = table.Group(g);
                foreach (
                    var field in table.Reader.Schema.DataFields.Where(field =>
                        field.MaxRepetitionLevel == 0 && (only is null || field.Name == only)
                    )
                )
                {
                    if (own.GetValueOrDefault(field.Name, field.Name) is var name && TextNames.Contains(name))
                        shard.Add(name, shard.Texts, group.Texts(field));
                    else if (NumberNames.Contains(field.Name))
                        shard.Add(field.Name, shard.Numbers, group.Floats(field, field.Name == "norm" ? 1 : 0));
                }
                shard.Count += checked((int)group.RowCount);
            }
            Add(shard, firstRow);
            return shard.Count;
        }
        catch (Exception damage) when (damage is not LitException)
        {
            throw new LitException(
                path,
                $"cannot be read as Parquet ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
                "Copy or embed it again",
                damage
            );
        }
    }

    /// <summary>Adds a shard of which the captions are known, as JSON lists, or nothing.</summary>
    public void AddCaptions(List<string?>? given, int count, long firstRow)
    {
        var shard = new Columns { Count = count };
        if (given is not null)
            shard.Texts.Add("captions", given);
        Add(shard, firstRow);
    }

    public string Key(int shard, int row) => keys[shard, row]!;

    public string Origin(int shard, int row) => origins[shard, row] ?? Key(shard, row);

    public string? Label(long row) => labels[(int)row] is >= 0 and var number ? labelNames[number] : null;

    public IReadOnlyList<string> Captions(int shard, int row) =>
        List(captions[shard, row]) ?? (caption[shard, row] is { Length: > 0 } one ? [one] : []);

    public bool HasCaption(int shard, int row) =>
        captions[shard, row] is { } list
            ? list.AsSpan().Trim() is not ("[]" or "" or "null")
            : caption[shard, row] is { Length: > 0 };

    public IReadOnlyDictionary<string, string> Fields(int shard, int row)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(fields[shard, row] ?? "{}")!;
        }
        catch (JsonException)
        {
            return new Dictionary<string, string> { ["fields"] = fields[shard, row]! };
        }
    }

    /// <summary>A SHA-256 in halves.</summary>
    public static (UInt128 First, UInt128 Second) Hash(ReadOnlySpan<byte> sha256) =>
        (BinaryPrimitives.ReadUInt128BigEndian(sha256), BinaryPrimitives.ReadUInt128BigEndian(sha256[16..]));

    /// <summary>The 32 bytes of a SHA-256; none where it is not known.</summary>
    public static byte[] Bytes((UInt128 First, UInt128 Second) hash)
    {
        if (hash == default)
            return [];
        var bytes = new byte[32];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, hash.First);
        BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(16), hash.Second);
        return bytes;
    }

    private static (UInt128, UInt128) Hash(string? hex)
    {
        Span<byte> bytes = stackalloc byte[32];
        return hex is { Length: 64 } && Convert.FromHexString(hex, bytes, out _, out _) == OperationStatus.Done
            ? Hash(bytes)
            : default;
    }

    private static readonly string[] TextNames =
    [
        "key",
        "image_path",
        "caption",
        "captions",
        "label",
        "sha256",
        "origin",
        "fields",
        "added",
    ];
    private static readonly string[] NumberNames = ["norm", "view", "width", "height"];

    /// <summary>One shard's columns while they are read.</summary>
    private sealed class Columns
    {
        public Dictionary<string, List<string?>> Texts { get; } = [];
        public Dictionary<string, List<float>> Numbers { get; } = [];
        public int Count { get; set; }

        public void Add<T>(string name, Dictionary<string, List<T>> columns, T[] values)
        {
            if (!columns.TryGetValue(name, out var column))
                columns.Add(name, column = []);
            column.AddRange(values);
        }

        public List<string?> Text(string name) =>
            Texts.GetValueOrDefault(name) ?? [.. Enumerable.Repeat<string?>(null, Count)];

        public List<float> Number(string name, float otherwise) =>
            Numbers.GetValueOrDefault(name) ?? [.. Enumerable.Repeat(otherwise, Count)];
    }

    private void Add(Columns shard, long firstRow)
    {
        var names = shard.Texts.GetValueOrDefault("key") ?? shard.Text("image_path");
        keys.AddShard([.. names.Select((name, i) => name ?? (firstRow + i).ToString(CultureInfo.InvariantCulture))]);
        caption.AddShard(shard.Text("caption"));
        captions.AddShard(shard.Text("captions"));
        fields.AddShard(shard.Text("fields"));
        origins.AddShard(shard.Texts.GetValueOrDefault("origin") ?? shard.Text("image_path"));
        labels.AddRange(shard.Text("label").Select(LabelNumber));
        Hashes.AddRange(shard.Text("sha256").Select(Hash));
        Added.AddRange(shard.Text("added").Select(date => date is null ? double.NaN : Dates.Seconds(date)));
        Norms.AddRange(shard.Number("norm", 1));
        Views.AddRange(shard.Number("view", 0).Select(value => (int)value));
        Widths.AddRange(shard.Number("width", 0).Select(value => (int)value));
        Heights.AddRange(shard.Number("height", 0).Select(value => (int)value));
    }

    private int LabelNumber(string? label)
    {
        if (label is null)
            return -1;
        if (labelNumbers.TryGetValue(label, out var number))
            return number;
        labelNumbers.Add(label, labelNames.Count);
        labelNames.Add(label);
        return labelNames.Count - 1;
    }

    /// <summary>A JSON list of texts; another program's plain text is one.</summary>
    private static string[]? List(string? json)
    {
        if (json is null)
            return null;
        try
        {
            return JsonSerializer.Deserialize<string?[]>(json)?.OfType<string>().ToArray();
        }
        catch (JsonException)
        {
            return [json];
        }
    }
}
