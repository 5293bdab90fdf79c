using System.Text.Json;
using LiT.Data;
using LiT.Data.Sets;

namespace LiT.Evaluation;

/// <summary>Captions by language, as the fields caption.de … of a sample.</summary>
public static class CaptionLanguages
{
    /// <summary>The languages that samples have captions in, sorted.</summary>
    public static IReadOnlyList<string> In(IEnumerable<Sample> samples) =>
        [
            .. samples
                .SelectMany(sample => sample.Fields.Keys)
                .Where(IsLanguage)
                .Select(field => field[TestSetSource.LanguageField.Length..])
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>A sample's captions in one language; those it has anyway where none is asked for.</summary>
    /// <exception cref="LitException">The field is no JSON list.</exception>
    public static IReadOnlyList<string> Of(Sample sample, string? language)
    {
        if (language is null)
            return sample.Captions;
        if (!sample.Fields.TryGetValue(TestSetSource.LanguageField + language, out var json))
            return [];
        try
        {
            return JsonSerializer.Deserialize<string[]>(json) ?? [];
        }
        catch (JsonException damage)
        {
            throw new LitException(
                $"{sample.Origin}: the field '{TestSetSource.LanguageField}{language}' is no JSON list of captions. Write [\"…\", \"…\"], or embed the pictures again.",
                damage
            );
        }
    }

    private static bool IsLanguage(string field) =>
        field.StartsWith(TestSetSource.LanguageField, StringComparison.Ordinal);
}
