using System.Text;
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
            var json = JsonNode.Parse(File.ReadAllText(path, Encoding.UTF8))!.AsObject();
            if ((string?)json["format"] != Format) throw new LitException($"{path}: not the description of an embedding store. Choose another folder.");
            if ((int)json["version"]! > Version)
                throw new LitException($"{path}: version {json["version"]} of the format, where this program knows {Version}. Use a newer program.");
            var journal = json["journal"];
            var description = new StoreDescription
            {
                Fingerprint = (string)json["fingerprint"]!,
                Tower = (string)json["tower"]!,
                Preprocessing = json["preprocessing"]?.DeepClone(),
                EmbeddingSize = (int)json["embeddingSize"]!,
                Type = (string?)json["dtype"] == "float32" ? StoredType.Float32 : StoredType.Float16,
                Views = (int)json["views"]!,
                RowsPerShard = (int)json["rowsPerShard"]!,
                Source = (string)json["source"]!,
            };
            return new(description, (bool)json["complete"]!,
                new((long)json["embedded"]!, (long)json["skipped"]!, (long)json["noted"]!),
                (long?)journal?["skippedBytes"] ?? 0, (long?)journal?["notesBytes"] ?? 0);
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException or NullReferenceException or FormatException or ArgumentNullException)
        {
            throw new LitException($"{path}: damaged ({damage.Message.TrimEnd('.')}). Delete the folder and embed again.", damage);
        }
    }
}
