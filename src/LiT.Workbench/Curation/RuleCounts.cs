using System.Text.Json.Nodes;

namespace LiT.Curation;

/// <summary>A rule's victims.</summary>
internal sealed record RuleCount(string Rule)
{
    /// <summary>Samples that went.</summary>
    public long Samples { get; set; }

    /// <summary>Captions that were dropped, also from samples that stay.</summary>
    public long Captions { get; set; }

    /// <summary>The first few, each as "key: how, caption".</summary>
    public IList<string> Examples { get; init; } = [];
}

/// <summary>Counts the victims of each rule and keeps a few to look at.</summary>
internal sealed class RuleCounts
{
    private const int MostExamples = 12,
        LongestExample = 200;
    private readonly SortedDictionary<string, RuleCount> counts = new(StringComparer.Ordinal);

    public IReadOnlyList<RuleCount> All =>
        [
            .. counts
                .Values.OrderBy(count => Array.IndexOf(Filter.All, count.Rule))
                .ThenBy(count => count.Rule, StringComparer.Ordinal),
        ];

    public void Reject(Broken broken, string key, string? caption)
    {
        var count = Of(broken.Rule);
        count.Samples++;
        Show(count, broken, key, caption);
    }

    public void Drop(Broken broken, string key, string caption)
    {
        var count = Of(broken.Rule);
        count.Captions++;
        Show(count, broken, key, caption);
    }

    public JsonNode ToJson() =>
        new JsonObject(
            counts.Values.Select(count =>
                KeyValuePair.Create(
                    count.Rule,
                    (JsonNode?)
                        new JsonObject
                        {
                            ["samples"] = count.Samples,
                            ["captions"] = count.Captions,
                            ["examples"] = new JsonArray([.. count.Examples.Select(example => (JsonNode)example)]),
                        }
                )
            )
        );

    public static RuleCounts From(JsonNode? json)
    {
        var all = new RuleCounts();
        foreach (var (rule, value) in json?.AsObject() ?? [])
            all.counts[rule] = new(rule)
            {
                Samples = (long)value!["samples"]!,
                Captions = (long)value["captions"]!,
                Examples = [.. value["examples"]!.AsArray().Select(example => (string)example!)],
            };
        return all;
    }

    private RuleCount Of(string rule)
    {
        if (!counts.TryGetValue(rule, out var count))
            counts.Add(rule, count = new(rule));
        return count;
    }

    private static void Show(RuleCount count, Broken broken, string key, string? caption)
    {
        if (count.Examples.Count >= MostExamples)
            return;
        var line = $"{key}: {broken.How}{(caption is null ? "" : $", {caption}")}";
        line = LitException.OneLine(line.Length > LongestExample ? line[..LongestExample] + " …" : line);
        if (!count.Examples.Contains(line))
            count.Examples.Add(line);
    }
}
