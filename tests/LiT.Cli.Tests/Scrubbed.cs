using System.Text.RegularExpressions;

namespace LiT.Cli.Tests;

/// <summary>
/// What differs from run to run or from machine to machine, by name; everything else stays as it was printed.
/// </summary>
internal static partial class Scrubbed
{
    /// <summary>Seconds, rates, hashes and this machine's places.</summary>
    public static string Usual(string text, string folder)
    {
        text = text.Replace(folder, "<folder>", StringComparison.Ordinal);
        text = JsonSeconds().Replace(text, "$1<seconds>");
        text = JsonAdded().Replace(text, "$1\"<date>\"");
        text = IndexBytes().Replace(text, "$1<bytes>");
        text = JsonRate().Replace(text, "$1<rate>");
        text = Version().Replace(text, "$1\"<version>\"");
        text = JsonIsa().Replace(text, "$1<isa>$2<vnni>");
        text = EvaluatedIsa().Replace(text, "$1<isa>$2<threads>");
        text = Isa().Replace(text, ", <isa>, ");
        text = Hash().Replace(text, "<hash>");
        text = Rate().Replace(text, " <rate>");
        text = Seconds().Replace(text, "<seconds> s");
        return Address().Replace(text, "http://<address>");
    }

    /// <summary>Lines of progress: how many there are is a matter of time.</summary>
    public static string WithoutProgress(string talk) => Progress().Replace(talk, "");

    /// <summary>What the doctor finds on a machine; what it looked at stays.</summary>
    public static string Machine(string text) =>
        JsonFound().Replace(TableFound().Replace(text, "$1 <found> $2"), "$1<found>");

    /// <summary>
    /// Fractions that a network computed: another processor has other last digits. Cells of tables lose their widths
    /// with them. What was given or follows from the data (a learning rate, the tokens a caption) stays.
    /// </summary>
    public static string Computed(string text)
    {
        text = Fraction().Replace(text, "<computed>");
        if (!text.Contains('│'))
            return text;
        text = TableLine().Replace(text, "─");
        text = TableTitle().Replace(text, "");
        text = TableSpace().Replace(text, " ");
        return text.Contains("│ seconds │\n", StringComparison.Ordinal) ? LastCell().Replace(text, "<seconds>") : text;
    }

    [GeneratedRegex(@"^\r?[^:\n]+: [\d,.]+(/[\d,.]+)? [A-Za-z ]+?( \(\d+%\))?(, .*)?\n", RegexOptions.Multiline)]
    private static partial Regex Progress();

    [GeneratedRegex(@"(""found"": )"".*""")]
    private static partial Regex JsonFound();

    [GeneratedRegex(@"^(│ (?:ok|!!) *│[^│]*│)[^│]*(│)", RegexOptions.Multiline)]
    private static partial Regex TableFound();

    [GeneratedRegex(@"(""(?:seconds|\w+Seconds)"": )[-\d.eE+]+")]
    private static partial Regex JsonSeconds();

    [GeneratedRegex(@"(""added"": )""[-\dT:Z]+""")]
    private static partial Regex JsonAdded();

    // Times of adding take more or less room.
    [GeneratedRegex(@"(""withColumns"": \d+,\s*""bytes"": )\d+")]
    private static partial Regex IndexBytes();

    [GeneratedRegex(@"(""(?:\w+PerSecond|gigaFlops|share)"": )[-\d.eE+]+")]
    private static partial Regex JsonRate();

    [GeneratedRegex(@"(""(?:lit|libtorch)"": )"".*""")]
    private static partial Regex Version();

    [GeneratedRegex(@"(""isa"": )""\w+""(,\s*""vnni"": )(?:true|false)")]
    private static partial Regex JsonIsa();

    [GeneratedRegex(@"(""isa"": )""\w+""(,\s*""threads"": )\d+")]
    private static partial Regex EvaluatedIsa();

    [GeneratedRegex(@", (?:portable|arm|avx2|avx512)(?: with VNNI)?, (?=\d+ threads?,)")]
    private static partial Regex Isa();

    [GeneratedRegex(@"\d+(?= │$)", RegexOptions.Multiline)]
    private static partial Regex LastCell();

    [GeneratedRegex(@"\b[0-9a-f]{64}\b")]
    private static partial Regex Hash();

    [GeneratedRegex(@" *[\d,.]+(?= (?:pictures/s|texts/s|pairs/s|GFLOP/s)\b)")]
    private static partial Regex Rate();

    [GeneratedRegex(@"\b\d+(?:\.\d+)? s\b")]
    private static partial Regex Seconds();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();

    [GeneratedRegex(
        @"(?<!^(?:\$|preprocessing|  ""preprocessing"").*|learning rate |caption noise |captions, )(?<![\w.])"
            + @"[-+]?\d+(?:\.\d+(?:[eE][-+]?\d+)?%?|[eE][-+]?\d+)(?![\w.]*[a-z])",
        RegexOptions.Multiline
    )]
    private static partial Regex Fraction();

    [GeneratedRegex("─+")]
    private static partial Regex TableLine();

    [GeneratedRegex(@"^ +(?=[A-Z])", RegexOptions.Multiline)]
    private static partial Regex TableTitle();

    [GeneratedRegex(" +")]
    private static partial Regex TableSpace();
}
