using System.Text.Json;

namespace LiT.Data;

/// <summary>Captions by language, as the fields caption.de … of a sample.</summary>
internal static class CaptionLanguages
{
    /// <summary>What stands before a language in the name of a field with captions, a JSON list.</summary>
    internal const string LanguageField = "caption.";

    /// <summary>The languages that samples have captions in, sorted.</summary>
    public static IReadOnlyList<string> In(IEnumerable<Sample> samples) =>
        [
            .. samples
                .SelectMany(sample => sample.Fields.Keys)
                .Where(IsLanguage)
                .Select(field => field[LanguageField.Length..])
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>A sample's captions in one language; those it has anyway where none is asked for.</summary>
    /// <exception cref="LitException">The field is no JSON list.</exception>
    public static IReadOnlyList<string> Of(Sample sample, string? language)
    {
        if (language is null)
            return sample.Captions;
        if (Field(sample, LanguageField + language) is not { } json)
            return [];
        try
        {
            return JsonSerializer.Deserialize<string[]>(json) ?? [];
        }
        catch (JsonException damage)
        {
            throw new LitException(
                sample.Origin,
                $"the field '{LanguageField}{language}' is no JSON list of captions",
                "Write [\"…\", \"…\"], or embed the pictures again",
                damage
            );
        }
    }

    private static string? Field(Sample sample, string name) =>
        sample.Fields.TryGetValue(name, out var same)
            ? same
            : sample.Fields.FirstOrDefault(one => one.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    private static bool IsLanguage(string field) => field.StartsWith(LanguageField, StringComparison.Ordinal);
}
