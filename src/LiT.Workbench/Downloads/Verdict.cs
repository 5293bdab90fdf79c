using System.Text.Json;
using LiT.Files;

namespace LiT.Downloads;

/// <summary>What became of one row: a line of a shard's NNNNN.jsonl.</summary>
internal sealed record Verdict(
    long Row,
    string Key,
    string? Url,
    string Is,
    int? Width,
    int? Height,
    int? OriginalWidth,
    int? OriginalHeight,
    long? Bytes,
    string? Sha256
)
{
    /// <summary>Captions that are longer than a caption may be and were left out; null where none was.</summary>
    public int? CaptionsLeftOut { get; init; }

    /// <exception cref="LitException">The disk is full.</exception>
    public static void WriteAll(string path, IEnumerable<Verdict> verdicts) => AtomicFile.Write(path, stream =>
        {
            foreach (var v in verdicts)
            {
                stream.Write(
                    JournalLines.Line(
                        new
                        {
                            v.Row,
                            v.Key,
                            v.Url,
                            Verdict = v.Is,
                            v.Width,
                            v.Height,
                            v.OriginalWidth,
                            v.OriginalHeight,
                            v.Bytes,
                            v.Sha256,
                            v.CaptionsLeftOut,
                        }
                    )
                );
                stream.WriteByte((byte)'\n');
            }
        });

    /// <exception cref="LitException">The file is damaged, or of other rows.</exception>
    public static Verdict[] ReadAll(string path, IReadOnlyList<UrlRow> rows)
    {
        try
        {
            Verdict[] verdicts = [.. File.ReadLines(path).Select(Read)];
            if (
                verdicts.Length == rows.Count
                && verdicts
                    .Zip(rows)
                    .All(pair => pair.First.Row == pair.Second.Number && pair.First.Url == pair.Second.Url)
            )
                return verdicts;
        }
        catch (Exception damage)
            when (damage
                    is JsonException
                        or KeyNotFoundException
                        or InvalidOperationException
                        or FormatException
                        or IOException
            )
        {
            // The message is the same.
        }
        throw new LitException($"{path}: damaged, or of another list. Delete it; the same command makes it again.");
    }

    private static Verdict Read(string line)
    {
        using var document = JsonDocument.Parse(line);
        var json = document.RootElement;
        JsonElement? Member(string name) =>
            json.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : null;
        return new(
            json.GetProperty("row").GetInt64(),
            json.GetProperty("key").GetString()!,
            Member("url")?.GetString(),
            json.GetProperty("verdict").GetString()!,
            Member("width")?.GetInt32(),
            Member("height")?.GetInt32(),
            Member("originalWidth")?.GetInt32(),
            Member("originalHeight")?.GetInt32(),
            Member("bytes")?.GetInt64(),
            Member("sha256")?.GetString()
        )
        {
            CaptionsLeftOut = Member("captionsLeftOut")?.GetInt32(),
        };
    }
}
