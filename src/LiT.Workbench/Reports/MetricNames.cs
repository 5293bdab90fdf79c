namespace LiT.Reports;

/// <summary>The names in metrics.jsonl as words, and how their numbers are to be read.</summary>
internal static class MetricNames
{
    private static readonly Dictionary<string, string> Words = new()
    {
        ["loss"] = "loss",
        ["temperature"] = "temperature",
        ["bias"] = "bias",
        ["lr"] = "learning rate",
        ["gradNorm"] = "gradient norm",
        ["pairsPerSecond"] = "pairs per second",
        ["i2tAccuracy"] = "image → text accuracy",
        ["t2iAccuracy"] = "text → image accuracy",
        ["imageToText"] = "image → text",
        ["textToImage"] = "text → image",
        ["i2t"] = "image → text",
        ["t2i"] = "text → image",
        ["r1"] = "recall@1",
        ["r5"] = "recall@5",
        ["r10"] = "recall@10",
        ["top1"] = "top-1",
        ["top5"] = "top-5",
        ["medianRank"] = "median rank",
        ["accuracy"] = "accuracy",
        ["zeroShot"] = "zero-shot",
    };

    private static readonly string[] FirstPlaces = ["r1", "top1", "accuracy"];

    private static readonly string[] Shares = ["r1", "r5", "r10", "top1", "top5", "accuracy", "recall"];

    /// <summary>"imageToText.r1" as "image → text recall@1".</summary>
    public static string InWords(string name) =>
        string.Join(' ', name.Split('.').Select(part => Words.GetValueOrDefault(part, part)));

    /// <summary>Whether the number is a share of 1.</summary>
    public static bool IsShare(string name) => EndsWithOneOf(name, Shares);

    /// <summary>Whether the number is the one to look at first: the share that comes out right at the first place.</summary>
    public static bool IsFirstPlace(string name) => EndsWithOneOf(name, FirstPlaces);

    /// <summary>Whether a smaller number is a better one.</summary>
    public static bool SmallerIsBetter(string name) =>
        name.Contains("loss", StringComparison.OrdinalIgnoreCase)
        || name.Contains("rank", StringComparison.OrdinalIgnoreCase);

    private static bool EndsWithOneOf(string name, string[] ends) =>
        ends.Any(end => name.EndsWith(end, StringComparison.OrdinalIgnoreCase));

    public static string Number(string name, double value) =>
        IsShare(name) ? Figures.Percent(value) : Figures.Plain(value);
}
