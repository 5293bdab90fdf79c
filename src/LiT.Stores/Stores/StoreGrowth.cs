using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LiT.Stores;

/// <summary>A file of rows that a manifest names.</summary>
/// <param name="Number">The number in its name; no other file of the store ever gets it again.</param>
/// <param name="Rows">Its rows, those of removed pictures among them.</param>
internal readonly record struct SegmentEntry(int Number, int Rows);

/// <summary>Where a picture's rows lie, as long as no compaction moves them.</summary>
/// <param name="Segment">The number of the file.</param>
/// <param name="Picture">Which of the file's pictures.</param>
internal readonly record struct PicturePlace(int Segment, int Picture);

/// <summary>
/// What became of a store since it was made: its files of rows, which of their pictures were removed, and of which the
/// words are others now. The second half of store.json.
/// </summary>
internal sealed record StoreGrowth
{
    /// <summary>Counts the changes, from 1.</summary>
    public required long Generation { get; init; }

    /// <summary>The files of rows, in the order of their numbers.</summary>
    public required IReadOnlyList<SegmentEntry> Segments { get; init; }

    /// <summary>The number of the next file.</summary>
    public required int Next { get; init; }

    /// <summary>Pictures whose rows are in the files and that are not in the store any more.</summary>
    public long Removed { get; init; }

    /// <summary>The file in <see cref="StoreFolder.ChangesPath"/> that names them; null for none.</summary>
    public string? RemovedFile { get; init; }

    /// <summary>The files there that hold other words for some pictures; a later one goes before an earlier.</summary>
    public IReadOnlyList<string> WordsFiles { get; init; } = [];

    public long Rows => Segments.Sum(one => (long)one.Rows);

    /// <summary>Writes it into store.json.</summary>
    public void AddTo(JsonObject json)
    {
        // Near the beginning, where a reader looks whether anything has changed.
        json.Insert(2, "generation", Generation);
        json["removed"] = Removed;
        json["segments"] = new JsonArray([
            .. Segments.Select(one => new JsonObject { ["file"] = one.Number, ["rows"] = one.Rows }),
        ]);
        json["nextFile"] = Next;
        if (RemovedFile is { } removed)
            json["removedFile"] = removed;
        if (WordsFiles.Count > 0)
            json["wordsFiles"] = new JsonArray([.. WordsFiles.Select(name => JsonValue.Create(name))]);
        json["sum"] = Sum(new((long)json["embedded"]!, (long)json["skipped"]!, (long)json["noted"]!));
    }

    /// <summary>Reads it from store.json.</summary>
    /// <exception cref="FormatException">It is damaged.</exception>
    public static StoreGrowth Of(JsonElement json, StoreCounts counts)
    {
        StoreGrowth growth = new()
        {
            Generation = StoreFile.Need(json, "generation").GetInt64(),
            Removed = StoreFile.Need(json, "removed").GetInt64(),
            Segments =
            [
                .. StoreFile
                    .Need(json, "segments")
                    .EnumerateArray()
                    .Select(one => new SegmentEntry(
                        StoreFile.Need(one, "file").GetInt32(),
                        StoreFile.Need(one, "rows").GetInt32()
                    )),
            ],
            Next = StoreFile.Need(json, "nextFile").GetInt32(),
            RemovedFile = json.TryGetProperty("removedFile", out var removed) ? removed.GetString() : null,
            WordsFiles = json.TryGetProperty("wordsFiles", out var words)
                ? [.. words.EnumerateArray().Select(one => one.GetString()!)]
                : [],
        };
        if (growth.Sum(counts) != StoreFile.Need(json, "sum").GetString())
            throw new FormatException("its numbers are not those that were written");
        return growth;
    }

    /// <summary>Of everything that must not change without being noticed.</summary>
    private string Sum(StoreCounts counts)
    {
        var all = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{Generation} {Next} {Removed}"));
        all.Append(CultureInfo.InvariantCulture, $" {counts.Embedded} {counts.Skipped} {counts.Noted} {RemovedFile}");
        foreach (var one in Segments)
            all.Append(CultureInfo.InvariantCulture, $" {one.Number}:{one.Rows}");
        foreach (var name in WordsFiles)
            all.Append(' ').Append(name);
        return Checksum.Of(Encoding.UTF8.GetBytes(all.ToString())).ToString("x16", CultureInfo.InvariantCulture);
    }
}
