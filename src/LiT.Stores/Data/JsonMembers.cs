using System.Text.Json;

namespace LiT.Data;

/// <summary>How an object of JSON becomes captions, a label and fields.</summary>
internal static class JsonMembers
{
    public static readonly string[] CaptionNames = ["caption", "captions", "text"];
    public static readonly string[] LabelNames = ["label", "class"];

    public static void Add(SampleDraft draft, ReadOnlyMemory<byte> json, string from, SampleOptions options)
    {
        if (json.Span.StartsWith("\uFEFF"u8))
            json = json[3..];
        try
        {
            using var document = JsonDocument.Parse(json);
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

    private static void Add(SampleDraft draft, JsonElement members, string from, SampleOptions options)
    {
        var captionName = NameIn(members, options.CaptionColumn, CaptionNames);
        var labelName = NameIn(members, options.LabelColumn, LabelNames);
        foreach (var member in members.EnumerateObject())
        {
            if (member.Name == captionName)
                foreach (var caption in Texts(member.Value))
                    draft.AddCaption(caption, from);
            else if (member.Name == labelName)
                draft.SetLabel(Text(member.Value), from);
            else if (Text(member.Value) is { } value)
                draft.SetField(member.Name, value);
        }
    }

    /// <summary>The member that the caller wants, else the first usual one that is there.</summary>
    public static string? NameIn(JsonElement members, string? wanted, string[] usual) =>
        wanted ?? Array.Find(usual, name => members.TryGetProperty(name, out _));

    /// <summary>A string's text, anything else as JSON, nothing for null.</summary>
    public static string? Text(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Null => null,
            _ => value.GetRawText(),
        };

    /// <summary>The texts of a list, or of a single value.</summary>
    public static IEnumerable<string?> Texts(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(Text) : [Text(value)];
}
