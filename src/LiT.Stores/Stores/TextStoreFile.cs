using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Files;

namespace LiT.Stores;

/// <summary>store.json of a text store: what made the rows, and which files hold them.</summary>
internal sealed record TextStoreFile
{
    public const string Format = "LiT text store";
    private const int Version = 1,
        LargestFile = 64 << 20;
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Hash of the text tower's weights, its tokenizer and its row layout.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The text tower as the user called it.</summary>
    public required string Tower { get; init; }

    /// <summary>The tokenizer's files, where the user named them.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>Ids in a row of text, where the user said it.</summary>
    public int? TokenLength { get; init; }

    /// <summary>Numbers in a row.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>How the numbers are stored.</summary>
    public StoredType Type { get; init; } = StoredType.Float16;

    /// <summary>Rows in a file, at most.</summary>
    public int RowsPerShard { get; init; } = 10_000;

    /// <summary>Where the texts came from, as the user gave it.</summary>
    public required string Source { get; init; }

    /// <summary>The file of captions beside the source, where there is one.</summary>
    public string? Captions { get; init; }

    /// <summary>The language that was asked for, where one was.</summary>
    public string? Language { get; init; }

    /// <summary>Whether all of the source is in.</summary>
    public bool Complete { get; init; }

    /// <summary>Which state of the store this is: every change makes the next.</summary>
    public int Generation { get; init; }

    /// <summary>Pictures that a text is of.</summary>
    public long Pictures { get; init; }

    /// <summary>The files of rows in their order, and the rows in each.</summary>
    public IReadOnlyList<(int Number, int Rows)> Segments { get; init; } = [];

    /// <summary>Rows in all files.</summary>
    public long Rows => Segments.Sum(segment => (long)segment.Rows);

    /// <summary>Whether a folder is a text store, by what its store.json says it is.</summary>
    public static bool IsThere(string folder)
    {
        var path = Path.Combine(folder, StoreFile.Name);
        try
        {
            if (!File.Exists(path) || new FileInfo(path).Length > LargestFile)
                return false;
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("format", out var format)
                && format.ValueKind == JsonValueKind.String
                && format.GetString() == Format;
        }
        catch (Exception trouble) when (trouble is JsonException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Writes it, whole or not at all.</summary>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public void Write(string folder)
    {
        JsonObject json = new()
        {
            ["format"] = Format,
            ["version"] = Version,
            ["complete"] = Complete,
            ["generation"] = Generation,
            ["fingerprint"] = Fingerprint,
            ["tower"] = Tower,
            ["tokenizer"] = Tokenizer,
            ["tokenLength"] = TokenLength,
            ["embeddingSize"] = EmbeddingSize,
            ["dtype"] = Type.Word(),
            ["rowsPerShard"] = RowsPerShard,
            ["source"] = Source,
            ["captions"] = Captions,
            ["language"] = Language,
            ["pictures"] = Pictures,
            ["rows"] = Rows,
            ["segments"] = new JsonArray([
                .. Segments.Select(one => new JsonObject { ["number"] = one.Number, ["rows"] = one.Rows }),
            ]),
        };
        AtomicFile.WriteAllText(Path.Combine(folder, StoreFile.Name), json.ToJsonString(Indented) + "\n");
    }

    /// <summary>Reads a folder's store.json, or gives null where there is none.</summary>
    /// <exception cref="LitException">It is damaged, of a later version, or of another kind of store.</exception>
    public static TextStoreFile? Read(string folder)
    {
        var path = Path.Combine(folder, StoreFile.Name);
        if (!File.Exists(path))
            return null;
        if (new FileInfo(path).Length > LargestFile)
            throw new LitException(path, "is too long to be a store's description", "Embed the texts again");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var json = document.RootElement;
            if (StoreFile.Text(json, "format") is var format && format != Format)
                throw new LitException(
                    path,
                    "describes "
                        + (
                            format.Contains("embedding store", StringComparison.Ordinal)
                                ? "embedded pictures"
                                : "something else"
                        )
                        + ", where embedded texts are needed",
                    "Give the folder that `TextRun(Texts)` wrote"
                );
            if (StoreFile.Need(json, "version").GetInt32() is > Version and var version)
                throw new LitException(
                    path,
                    $"version {version} of the format, where this program knows {Version}",
                    "Use a newer program"
                );
            return Of(json);
        }
        catch (Exception damage)
            when (damage is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new LitException(
                path,
                $"damaged ({JsonTrouble.Words(damage)})",
                "Delete the folder and embed the texts again",
                damage
            );
        }
    }

    private static TextStoreFile Of(JsonElement json)
    {
        TextStoreFile file = new()
        {
            Fingerprint = StoreFile.Text(json, "fingerprint"),
            Tower = StoreFile.Text(json, "tower"),
            Tokenizer = Optional(json, "tokenizer"),
            TokenLength =
                json.TryGetProperty("tokenLength", out var length) && length.ValueKind != JsonValueKind.Null
                    ? length.GetInt32()
                    : null,
            EmbeddingSize = StoreFile.Need(json, "embeddingSize").GetInt32(),
            Type = StoreFile.TypeIn(json),
            RowsPerShard = StoreFile.Need(json, "rowsPerShard").GetInt32(),
            Source = StoreFile.Text(json, "source"),
            Captions = Optional(json, "captions"),
            Language = Optional(json, "language"),
            Complete = StoreFile.Need(json, "complete").GetBoolean(),
            Generation = StoreFile.Need(json, "generation").GetInt32(),
            Pictures = StoreFile.Need(json, "pictures").GetInt64(),
            Segments =
            [
                .. StoreFile
                    .Need(json, "segments")
                    .EnumerateArray()
                    .Select(one => (one.GetProperty("number").GetInt32(), one.GetProperty("rows").GetInt32())),
            ],
        };
        if (
            file is not { EmbeddingSize: > 0, RowsPerShard: > 0, Pictures: >= 0 }
            || file.Segments.Any(one => one is not { Number: >= 0, Rows: > 0 })
            || file.Segments.Select(one => one.Number).Distinct().Count() < file.Segments.Count
        )
            throw new FormatException("a size is not above zero, or a file is named twice");
        return file;
    }

    private static string? Optional(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.GetString() : null;
}
