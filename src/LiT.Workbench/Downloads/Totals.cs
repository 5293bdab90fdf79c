using System.Text.Json;
using System.Text.Json.Nodes;

namespace LiT.Downloads;

/// <summary>Counts of verdicts while many rows are under way.</summary>
internal sealed class Totals
{
    private readonly Lock counting = new();
    private readonly SortedDictionary<string, long> verdicts = new(StringComparer.Ordinal);
    private long rows,
        bytes;

    public void Add(string verdict, long size)
    {
        lock (counting)
        {
            rows++;
            bytes += size;
            verdicts[verdict] = verdicts.GetValueOrDefault(verdict) + 1;
        }
    }

    /// <summary>Counts a shard that is whole already.</summary>
    /// <exception cref="LitException">Its file of verdicts is damaged, or of another number of rows.</exception>
    public void AddShard(string path, int expected)
    {
        var count = 0;
        try
        {
            foreach (var line in File.ReadLines(path))
            {
                using var json = JsonDocument.Parse(line);
                Add(
                    json.RootElement.GetProperty("verdict").GetString()!,
                    json.RootElement.TryGetProperty("bytes", out var size) ? size.GetInt64() : 0
                );
                count++;
            }
        }
        catch (Exception damage)
            when (damage is JsonException or KeyNotFoundException or InvalidOperationException or IOException)
        {
            count = -1;
        }
        if (count != expected)
            throw new LitException($"{path}: damaged, or of another list. Delete it; the same command makes it again.");
    }

    public void Report(IProgress<ProgressStep>? progress, long? total)
    {
        if (progress is null)
            return;
        lock (counting)
        {
            var ok = verdicts.GetValueOrDefault(Fetched.Ok);
            progress.Report(new("downloading", rows, total, "rows", $"{ok} pictures, {rows - ok} not"));
        }
    }

    public JsonObject ToJson(JsonObject made, int shards)
    {
        lock (counting)
            return new()
            {
                ["format"] = "LiT download",
                ["complete"] = true,
                ["made"] = made.DeepClone(),
                ["rows"] = rows,
                ["downloaded"] = verdicts.GetValueOrDefault(Fetched.Ok),
                ["bytes"] = bytes,
                ["shards"] = shards,
                ["verdicts"] = new JsonObject(
                    verdicts
                        .OrderByDescending(verdict => verdict.Value)
                        .Select(verdict => KeyValuePair.Create(verdict.Key, (JsonNode?)verdict.Value))
                ),
            };
    }
}
