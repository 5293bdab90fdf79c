using System.Text.Json;

namespace LiT.Text.HuggingFace;

/// <summary>
/// A value in a <c>tokenizer.json</c> that knows where it stands, so that whatever is wrong with it can be named.
/// </summary>
internal readonly struct JsonPart(JsonElement element, string file, string list = "", int index = -1)
{
    private string Place => index < 0 ? list : $"{list}[{index}]";

    internal JsonElement Element => element;

    internal string Where => Place.Length == 0 ? file : $"{file}, {Place}";

    /// <summary>The name of a component's kind.</summary>
    internal string Type => Member("type").Text;

    internal string Text => element.ValueKind == JsonValueKind.String ? Read(element) : throw Wrong("a string");

    internal bool Flag =>
        element.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? element.GetBoolean()
            : throw Wrong("true or false");

    internal int Id => TryId(element) ?? throw Wrong($"a whole number below {LargestId:N0}");

    internal int Count =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out var count) && count >= 0
            ? (int)Math.Min(count, int.MaxValue)
            : throw Wrong("a whole number");

    // Four million pieces are more than any vocabulary has; an id beyond it is damage.
    private const int LargestId = 1 << 22;

    internal static int? TryId(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var id) && id is >= 0 and < LargestId
            ? id
            : null;

    internal JsonPart Member(string name) =>
        Optional(name)
        ?? throw new LitException(Where, $"has no \"{name}\"", "Give a tokenizer.json as it was published");

    /// <summary>A member, or null where it is missing or null.</summary>
    internal JsonPart? Optional(string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Wrong("an object");
        return element.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null
            ? new JsonPart(member, file, Place.Length == 0 ? name : $"{Place}.{name}")
            : null;
    }

    internal bool Bool(string name, bool otherwise) => Optional(name)?.Flag ?? otherwise;

    internal IEnumerable<JsonPart> Items()
    {
        if (element.ValueKind != JsonValueKind.Array)
            throw Wrong("a list");
        return Enumerate(element, file, Place);

        // The place is put together for those that are asked for it: a vocabulary has a quarter of a million items.
        static IEnumerable<JsonPart> Enumerate(JsonElement list, string file, string place)
        {
            var index = 0;
            foreach (var item in list.EnumerateArray())
                yield return new(item, file, place, index++);
        }
    }

    /// <summary>The pieces of a vocabulary that is an object of ids.</summary>
    internal Dictionary<string, int> Vocabulary()
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Wrong("an object of pieces and ids");
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject())
            ids[Name(member)] = TryId(member.Value)
                ?? throw new JsonPart(member.Value, file, $"{Place}.{Name(member)}").Wrong(
                    $"a whole number below {LargestId:N0}"
                );
        return ids;
    }

    internal LitException Wrong(string expected)
    {
        var found = element.ValueKind is JsonValueKind.Object or JsonValueKind.Array
            ? $"{element.ValueKind}"
            : element.GetRawText();
        return new(
            $"{Where}: is {(found.Length > 40 ? found[..40] + "…" : found)} where {expected} is expected. "
                + "Give a tokenizer.json as it was published."
        );
    }

    /// <summary>A component that exists elsewhere, but not here.</summary>
    internal LitException Unsupported(string what, string known) =>
        new($"{Where}: {what} is not supported. Known are {known}.");

    private string Name(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            throw Wrong("names in valid Unicode");
        }
    }

    private string Read(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong("valid Unicode");
        }
    }
}
