using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LiT.Files;

/// <summary>What is wrong with a JSON text, in words that somebody who writes one understands.</summary>
internal static partial class JsonTrouble
{
    /// <summary>A phrase without a full stop; with the line, where the text has several.</summary>
    public static string Words(Exception trouble)
    {
        var words = trouble.Message.ReplaceLineEndings(" ");
        var at = Place().Match(words);
        if (at.Success)
            words = words[..at.Index];
        words = Converted().Replace(words, "a value of another kind than is expected");
        words = Lacking().Replace(words, "lacks $1");
        words = words.Contains("does not contain any JSON tokens", StringComparison.Ordinal) ? "it is empty" : words;
        words = NodeKind().Replace(words, "a value of another kind than is expected");
        words = words.Trim().TrimEnd('.');
        if (words.Length > 0 && char.IsUpper(words[0]) && (words.Length == 1 || !char.IsUpper(words[1])))
            words = char.ToLowerInvariant(words[0]) + words[1..];
        var place = trouble is JsonException { Path: { Length: > 2 } path } ? $" at {path[2..]}" : "";
        var line = trouble is JsonException { LineNumber: > 0 and var number }
            ? string.Create(CultureInfo.InvariantCulture, $", line {number + 1}")
            : "";
        return words + place + line;
    }

    /// <summary>A JSON text in which no name stands twice; comments and a last comma are passed over.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static JsonNode? Parse(string json) =>
        JsonNode.Parse(
            json,
            null,
            new()
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
                AllowDuplicateProperties = false,
            }
        );

    /// <summary>What a member of a type may be, as "; give one of a, b"; empty where nothing can be said.</summary>
    /// <param name="type">A record that is written as JSON in camel case.</param>
    /// <param name="path">Names with dots between them.</param>
    public static string Wanted(Type type, string path)
    {
        foreach (var part in path.Split('.'))
        {
            var member = type.GetProperty(part, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
            if (member is null)
                return "";
            type = Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType;
        }
        return type.IsEnum ? $"; give one of {string.Join(", ", Enum.GetNames(type))}"
            : type == typeof(int) || type == typeof(long) ? "; give a whole number"
            : type == typeof(double) ? "; give a number"
            : type == typeof(bool) ? "; give true or false"
            : "";
    }

    [GeneratedRegex(@" ?(?:Path: \S* \| )?LineNumber: \d+ \| BytePositionInLine: \d+\.?| ?Path: \$")]
    private static partial Regex Place();

    [GeneratedRegex(@"JSON deserialization for type '[^']*' was missing required properties including: (.*?)\.?$")]
    private static partial Regex Lacking();

    [GeneratedRegex(@"The JSON value could not be converted to [^ ]+?(?=\.? |\.?$)\.?")]
    private static partial Regex Converted();

    [GeneratedRegex(
        "(?:The node must be of type|An element of type|The requested operation requires an element of type|"
            + "The value cannot be represented as|A value of type) .*$"
    )]
    private static partial Regex NodeKind();
}
