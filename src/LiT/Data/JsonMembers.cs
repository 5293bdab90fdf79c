using System.Text.Json;

namespace LiT.Data;

/// <summary>How an object of JSON becomes captions, a label and fields.</summary>
internal static class JsonMembers
{
    private static readonly string[] CaptionNames = ["caption", "captions", "text"];
    private static readonly string[] LabelNames = ["label", "class"];

    public static void Add(SampleDraft draft, ReadOnlyMemory<byte> json, string? from, SampleOptions options)
    {
        if (json.Span.StartsWith("\uFEFF"u8)) json = json[3..];
        JsonDocument document;
        try { document = JsonDocument.Parse(json); }
        catch (JsonException trouble)
        {
            draft.AddTrouble($"{from}: not JSON ({trouble.Message.TrimEnd('.')})");
            return;
        }
        using (document)
        {
            try
            {
                if (document.RootElement.ValueKind == JsonValueKind.Object) Add(draft, document.RootElement, from, options);
                else draft.AddTrouble($"{from}: not a JSON object");
            }
            catch (InvalidOperationException)
            {
                draft.AddTrouble($"{from}: a text that is not Unicode (half of a surrogate pair)");
            }
        }
    }

    private static void Add(SampleDraft draft, JsonElement members, string? from, SampleOptions options)
    {
        var captionName = options.CaptionColumn ?? Array.Find(CaptionNames, name => members.TryGetProperty(name, out _));
        var labelName = options.LabelColumn ?? Array.Find(LabelNames, name => members.TryGetProperty(name, out _));
        foreach (var member in members.EnumerateObject())
        {
            if (member.Name == captionName && member.Value.ValueKind == JsonValueKind.Array)
                foreach (var caption in member.Value.EnumerateArray()) draft.AddCaption(Text(caption), from);
            else if (member.Name == captionName) draft.AddCaption(Text(member.Value), from);
            else if (member.Name == labelName) draft.SetLabel(Text(member.Value), from);
            else if (Text(member.Value) is { } value) draft.SetField(member.Name, value);
        }
    }

    /// <summary>A string's text, anything else as JSON, nothing for null.</summary>
    public static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Null => null,
        _ => value.GetRawText(),
    };
}
