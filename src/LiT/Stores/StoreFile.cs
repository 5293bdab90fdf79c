using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Files;

namespace LiT.Stores;

/// <summary>store.json: what made the store and how far it is. While it is incomplete it is also the journal.</summary>
/// <param name="Description">What made the rows.</param>
/// <param name="Complete">Whether the whole source is in.</param>
/// <param name="Counts">As of the last complete shard, or of the end.</param>
/// <param name="SkippedBytes">Length of skipped.jsonl at that point.</param>
/// <param name="NotesBytes">Length of notes.jsonl at that point.</param>
internal sealed record StoreFile(StoreDescription Description, bool Complete, StoreCounts Counts, long SkippedBytes, long NotesBytes)
{
    public const string Name = "store.json";
    private const string Format = "LiT embedding store";
    private const int Version = 1;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    public long Rows => Counts.Embedded * Description.Views;

    public void Write(string folder)
    {
        var json = new JsonObject
        {
            ["format"] = Format,
            ["version"] = Version,
            ["complete"] = Complete,
            ["fingerprint"] = Description.Fingerprint,
            ["tower"] = Description.Tower,
            ["preprocessing"] = Description.Preprocessing?.DeepClone(),
            ["embeddingSize"] = Description.EmbeddingSize,
            ["dtype"] = Description.Type == StoredType.Float16 ? "float16" : "float32",
            ["views"] = Description.Views,
            ["rowsPerShard"] = Description.RowsPerShard,
            ["source"] = Description.Source,
            ["found"] = Counts.Found,
            ["embedded"] = Counts.Embedded,
            ["skipped"] = Counts.Skipped,
            ["noted"] = Counts.Noted,
            ["rows"] = Rows,
        };
        if (!Complete) json["journal"] = new JsonObject { ["skippedBytes"] = SkippedBytes, ["notesBytes"] = NotesBytes };
        AtomicFile.WriteAllText(Path.Combine(folder, Name), json.ToJsonString(Indented) + "\n");
    }

    /// <summary>Reads a folder's store.json, or gives null where there is none.</summary>
    /// <exception cref="LitException">The file is damaged, or of a later version.</exception>
    public static StoreFile? Read(string folder)
    {
        var path = Path.Combine(folder, Name);
        if (!File.Exists(path)) return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var json = document.RootElement;
            if (Text(json, "format") != Format) throw new LitException($"{path}: not the description of an embedding store. Choose another folder.");
            if (json.GetProperty("version").GetInt32() is var version && version > Version)
                throw new LitException($"{path}: version {version} of the format, where this program knows {Version}. Use a newer program.");
            var description = new StoreDescription
            {
                Fingerprint = Text(json, "fingerprint"),
                Tower = Text(json, "tower"),
                Preprocessing = JsonNode.Parse(json.GetProperty("preprocessing").GetRawText()),
                EmbeddingSize = json.GetProperty("embeddingSize").GetInt32(),
                Type = Text(json, "dtype") == "float32" ? StoredType.Float32 : StoredType.Float16,
                Views = json.GetProperty("views").GetInt32(),
                RowsPerShard = json.GetProperty("rowsPerShard").GetInt32(),
                Source = Text(json, "source"),
            };
            var counts = new StoreCounts(Count(json, "embedded"), Count(json, "skipped"), Count(json, "noted"));
            if (description is not { EmbeddingSize: > 0, Views: > 0, RowsPerShard: > 0 }) throw new FormatException("a size is not above zero");
            var complete = json.GetProperty("complete").GetBoolean();
            var journal = complete ? default : json.GetProperty("journal");
            return new(description, complete, counts, complete ? 0 : Count(journal, "skippedBytes"), complete ? 0 : Count(journal, "notesBytes"));
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new LitException($"{path}: damaged ({damage.Message.ReplaceLineEndings(" ").TrimEnd('.')}). Delete the folder and embed again.", damage);
        }
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");

    private static long Count(JsonElement json, string name) =>
        json.GetProperty(name).GetInt64() is >= 0 and var count ? count : throw new FormatException($"{name} is below zero");
}
