using System.Text.Json;

namespace LiT.Data;

/// <summary>How an object of JSON becomes captions, a label and fields.</summary>
internal static class JsonMembers
{
    public static void Add(SampleDraft draft, ReadOnlyMemory<byte> json, string from, SampleOptions options)
    {
        if (UnicodeText.Utf8Of(json.Span) is { } decoded)
            json = decoded;
        try
        {
            using var document = PythonJson.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                Add(draft, document.RootElement, from, options);
            else
                draft.LoseWords($"{from}: not a JSON object");
        }
        catch (JsonException)
        {
            draft.LoseWords($"{from}: not JSON");
        }
        catch (InvalidOperationException)
        {
            draft.LoseWords($"{from}: a text that is not Unicode");
        }
    }

    /// <summary>The words and fields of an object, if there is a caption or a label in it.</summary>
    /// <returns>Whether there was.</returns>
    public static bool AddWords(SampleDraft draft, ReadOnlyMemory<byte> json, string from, SampleOptions options)
    {
        if (UnicodeText.Utf8Of(json.Span) is { } decoded)
            json = decoded;
        try
        {
            using var document = PythonJson.Parse(json);
            if (
                document.RootElement.ValueKind != JsonValueKind.Object
                || NameIn(document.RootElement, options.CaptionColumn, UsualNames.Captions) is null
                    && NameIn(document.RootElement, options.LabelColumn, UsualNames.Labels) is null
            )
                return false;
        }
        catch (Exception none) when (none is JsonException or InvalidOperationException)
        {
            return false;
        }
        Add(draft, json, from, options);
        return true;
    }

    private static void Add(SampleDraft draft, JsonElement members, string from, SampleOptions options)
    {
        var captionName = NameIn(members, options.CaptionColumn, UsualNames.Captions);
        var labelName = NameIn(members, options.LabelColumn, UsualNames.Labels);
        foreach (var member in members.EnumerateObject())
        {
            if (member.Name == captionName)
                foreach (var caption in Texts(member.Value, out var trouble))
                    if (trouble is null)
                        draft.AddCaption(caption, from);
                    else
                        draft.LoseWords(SampleDraft.At(from, $"'{captionName}' {trouble}"));
            else if (member.Name == labelName)
                draft.SetLabel(Text(member.Value), from);
            else if (Text(member.Value) is { } value)
                draft.SetField(member.Name, value);
        }
    }

    /// <summary>The member that the caller wants, else the first usual one that is there.</summary>
    public static string? NameIn(JsonElement members, string? wanted, string[] usual)
    {
        string[] names = [.. members.EnumerateObject().Select(member => member.Name)];
        var at = wanted is null ? UsualNames.In(names, usual) : UsualNames.Wanted(names, wanted);
        return at < 0 ? null : names[at];
    }

    /// <summary>A string's text, anything else as JSON, nothing for null.</summary>
    public static string? Text(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Null => null,
            _ => value.GetRawText(),
        };

    /// <summary>The texts of a list, or of a single value; of an object that one of its members is a caption.</summary>
    /// <param name="value">Under the name of a caption.</param>
    /// <param name="trouble">Why it is no text; a phrase that follows its name.</param>
    public static IReadOnlyList<string?> Texts(JsonElement value, out string? trouble)
    {
        JsonElement[] all = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        trouble = all.Any(one => !IsText(one)) ? "holds something else than a text or a list of texts" : null;
        return trouble is null ? [.. all.Select(Inner)] : [null];
    }

    // Numbers are texts: a class of pictures may be called by one.
    private static bool IsText(JsonElement value) =>
        value.ValueKind is JsonValueKind.String or JsonValueKind.Null or JsonValueKind.Number
        || value.ValueKind == JsonValueKind.Object
            && NameIn(value, null, UsualNames.Captions) is { } name
            && value.GetProperty(name).ValueKind == JsonValueKind.String;

    private static string? Inner(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object
            ? value.GetProperty(NameIn(value, null, UsualNames.Captions)!).GetString()
            : Text(value);
}
