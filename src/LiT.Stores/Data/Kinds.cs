namespace LiT.Data;

/// <summary>Kinds of files that are no pictures, for counting.</summary>
internal static class Kinds
{
    private static readonly string[] Words =
    [
        ".csv",
        ".tsv",
        ".json",
        ".jsonl",
        ".ndjson",
        ".parquet",
        ".txt",
        ".text",
        ".xml",
        ".cap",
        ".caption",
        ".token",
        ".xlsx",
    ];

    /// <summary>A file's kind: its ending, or that it may be a table of captions.</summary>
    public static string Of(string name)
    {
        var ending = Path.GetExtension(name).ToLowerInvariant();
        return ending.Length > 1 ? ending : "files without an ending";
    }

    /// <summary>Whether what was passed over is of a form that can be given as data.</summary>
    public static bool MayBeATable(string phrase) =>
        new[] { ".csv", ".tsv", ".jsonl", ".parquet" }.Any(phrase.Contains);

    /// <summary>Whether what was passed over may hold captions.</summary>
    public static bool MayHoldCaptions(string phrase) => Words.Any(phrase.Contains);
}
