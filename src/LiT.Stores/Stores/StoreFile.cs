using System.Buffers.Text;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Files;
using LiT.Images;
using LiT.Towers;

namespace LiT.Stores;

/// <summary>
/// store.json, the manifest: what made the store, and what it holds when it is complete. Until then
/// <see cref="StoreJournal"/> says that. Every later change is a new one in its place, by a rename.
/// </summary>
/// <param name="Description">What made the rows.</param>
/// <param name="Complete">Whether the whole source is in.</param>
/// <param name="Counts">What it holds; zeros while it is incomplete.</param>
/// <param name="Growth">What became of it since it was made; null where it was not changed.</param>
internal sealed record StoreFile(
    StoreDescription Description,
    bool Complete,
    StoreCounts Counts,
    StoreGrowth? Growth = null
)
{
    public const string Name = "store.json";
    private const string Format = "LiT embedding store";
    private const int Version = 2,
        Unchanged = 1,
        MostTries = 20;
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Rows in the files, those of removed pictures among them.</summary>
    public long Rows => Growth?.Rows ?? Counts.Embedded * Description.Views;

    /// <summary>Which state of the store this is: every change makes the next.</summary>
    public long Generation => Growth?.Generation ?? 0;

    public void Write(string folder)
    {
        var json = new JsonObject
        {
            ["format"] = Format,
            ["version"] = Growth is null ? Unchanged : Version,
            ["complete"] = Complete,
            ["fingerprint"] = Description.Fingerprint,
            ["tower"] = Description.Tower,
            ["preprocessing"] = Description.Preprocessing?.DeepClone(),
            ["embeddingSize"] = Description.EmbeddingSize,
            ["dtype"] = Description.Type.Word(),
            ["views"] = Description.Views,
            ["rowsPerShard"] = Description.RowsPerShard,
            ["source"] = Description.Source,
            ["found"] = Counts.Found,
            ["embedded"] = Counts.Embedded,
            ["skipped"] = Counts.Skipped,
            ["noted"] = Counts.Noted,
            ["rows"] = Rows,
        };
        Growth?.AddTo(json);
        if (Description.Decode != DecodePath.Exact)
            json["decode"] = Description.Decode.Word();
        if (Description.ViewChanges is { } changes)
            json["viewChanges"] = changes.DeepClone();
        if (Description.Probes is { } probes)
            json["probes"] = probes.ToJson();
        AtomicFile.WriteAllText(Path.Combine(folder, Name), json.ToJsonString(Indented) + "\n");
    }

    /// <summary>Reads a folder's store.json, or gives null where there is none.</summary>
    /// <exception cref="LitException">The file is damaged, or of a later version.</exception>
    public static StoreFile? Read(string folder)
    {
        var path = Path.Combine(folder, Name);
        if (!File.Exists(path))
            return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var json = document.RootElement;
            if (Text(json, "format") is var format && format == TextStoreFile.Format)
                throw new LitException(
                    folder,
                    "holds embedded texts, where embedded pictures are needed",
                    "Give the store of the pictures, and this one with `Texts`"
                );
            if (format != Format)
                throw new LitException(path, "not the description of an embedding store", "Choose another folder");
            var version = Need(json, "version").GetDouble();
            if (version is not (Unchanged or Version) && version < Version)
                throw new FormatException(
                    string.Create(CultureInfo.InvariantCulture, $"there is no version {version}")
                );
            if (version > Version)
                throw new LitException(
                    path,
                    $"version {version} of the format, where this program knows {Version}",
                    "Use a newer program"
                );
            var description = Describe(json);
            var counts = new StoreCounts(Count(json, "embedded"), Count(json, "skipped"), Count(json, "noted"));
            if (description is not { EmbeddingSize: > 0, Views: > 0, RowsPerShard: > 0 })
                throw new FormatException("a size is not above zero");
            return new(
                description,
                Need(json, "complete").GetBoolean(),
                counts,
                version is Unchanged ? null : StoreGrowth.Of(json, counts)
            );
        }
        catch (Exception damage)
            when (damage is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new LitException(
                path,
                $"damaged ({JsonTrouble.Words(damage)})",
                "Put back a copy of the file, or embed again into another folder",
                damage
            );
        }
    }

    private static StoreDescription Describe(JsonElement json) =>
        new()
        {
            Fingerprint = Text(json, "fingerprint"),
            Tower = Text(json, "tower"),
            Preprocessing = JsonNode.Parse(Need(json, "preprocessing").GetRawText()),
            EmbeddingSize = Need(json, "embeddingSize").GetInt32(),
            Type = TypeIn(json),
            Views = Need(json, "views").GetInt32(),
            RowsPerShard = Need(json, "rowsPerShard").GetInt32(),
            Source = Text(json, "source"),
            Decode = json.TryGetProperty("decode", out var way) ? Way(way.GetString()) : DecodePath.Exact,
            ViewChanges = Part(json, "viewChanges"),
            Probes = Part(json, "probes") is { } probes ? ProbeVectors.FromJson(probes) : null,
        };

    /// <summary>
    /// Reads a store, and reads it again where that failed because it was changed meanwhile: a compaction takes files
    /// away that were not open yet.
    /// </summary>
    /// <param name="folder">The store.</param>
    /// <param name="read">Opens and reads it.</param>
    /// <param name="stale">
    /// Gives back what was read, so that it is read again, where the store was changed though reading it did not fail;
    /// null keeps it.
    /// </param>
    /// <exception cref="LitException">What reading said when the store was not changed, or was changed every
    /// time.</exception>
    public static T Undisturbed<T>(string folder, Func<T> read, Action<T>? stale = null)
    {
        for (var tries = 1; ; tries++)
        {
            var generation = GenerationOf(folder);
            try
            {
                var what = read();
                if (stale is null || tries == MostTries || GenerationOf(folder) == generation)
                    return what;
                stale(what);
            }
            catch (LitException) when (tries < MostTries && GenerationOf(folder) != generation)
            {
                // As it is now, it is whole again.
            }
        }
    }

    /// <summary>
    /// Which state a store is in, without reading all of its manifest: 0 until it is changed, and where there is none.
    /// </summary>
    public static long GenerationOf(string folder)
    {
        Span<byte> head = stackalloc byte[256];
        try
        {
            using FileStream file = new(
                Path.Combine(folder, Name),
                FileMode.Open,
                FileAccess.Read,
                FileShare.Read | FileShare.Delete,
                1
            );
            head = head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
        ReadOnlySpan<byte> name = "\"generation\": "u8;
        return
            head.IndexOf(name) is >= 0 and var at
            && Utf8Parser.TryParse(head[(at + name.Length)..], out long generation, out _)
            ? generation
            : 0;
    }

    /// <summary>What stands under a name.</summary>
    /// <exception cref="FormatException">Nothing does.</exception>
    internal static JsonElement Need(JsonElement json, string name) =>
        json.TryGetProperty(name, out var there) ? there : throw new FormatException($"{name} is missing");

    /// <summary>The text that stands under a name.</summary>
    /// <exception cref="FormatException">Nothing does.</exception>
    internal static string Text(JsonElement json, string name) =>
        Need(json, name).GetString() ?? throw new FormatException($"{name} is null");

    /// <summary>How the numbers of a store lie on the disk.</summary>
    /// <exception cref="FormatException">It does not say, or in a way that is not known.</exception>
    internal static StoredType TypeIn(JsonElement json) =>
        Enum.TryParse<StoredType>(Text(json, "dtype"), ignoreCase: true, out var type)
            ? type
            : throw new FormatException($"the type {Text(json, "dtype")} is not known");

    private static DecodePath Way(string? word) =>
        Enum.GetValues<DecodePath>().Where(path => path.Word() == word).Cast<DecodePath?>().FirstOrDefault()
        ?? throw new FormatException($"the way of decoding {word} is not known");

    private static JsonNode? Part(JsonElement json, string name) =>
        json.TryGetProperty(name, out var part) ? JsonNode.Parse(part.GetRawText()) : null;

    private static long Count(JsonElement json, string name) =>
        Need(json, name).GetInt64() is >= 0 and var count ? count : throw new FormatException($"{name} is below zero");
}
