using System.Text.Json;

namespace LiT.Towers;

/// <summary>What the config.json beside a checkpoint says, read strictly: a value of another kind is an error, an absent one is null.</summary>
/// <param name="path">The checkpoint, for messages.</param>
/// <param name="json">The file's content, or null where there is none.</param>
/// <param name="name">What the file is called.</param>
internal sealed class ConfigJson(string path, JsonElement? json, string name = "config.json")
{
    public int? Number(string key) =>
        Member(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0 ? number
        : throw Wrong(key, value, "a whole number");

    public double? Real(string key) =>
        Member(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= 0 ? number
        : throw Wrong(key, value, "a number");

    /// <summary>Three numbers, one for each channel.</summary>
    public (float R, float G, float B)? Channels(string key)
    {
        if (Member(key) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != 3)
            throw Wrong(key, value, "a list of three numbers");
        float Of(int i) =>
            value[i].ValueKind == JsonValueKind.Number
            && value[i].TryGetSingle(out var number)
            && float.IsFinite(number)
                ? number
                : throw Wrong(key, value, "a list of three numbers");
        return (Of(0), Of(1), Of(2));
    }

    public T Choice<T>(string key, T absent, params ReadOnlySpan<(string Word, T Means)> choices)
    {
        if (Member(key) is not { } value)
            return absent;
        foreach (var (word, means) in choices)
            if (value.ValueKind == JsonValueKind.String && value.ValueEquals(word))
                return means;
        throw Wrong(key, value, $"one of {string.Join(", ", choices.ToArray().Select(choice => choice.Word))}");
    }

    /// <summary>Refuses a file that says something that is not built here.</summary>
    public void Expect(string key, params ReadOnlySpan<string> words)
    {
        if (Member(key) is not { } value)
            return;
        foreach (var word in words)
            if (value.ValueKind == JsonValueKind.String && value.ValueEquals(word))
                return;
        throw Wrong(key, value, string.Join(" or ", words.ToArray()));
    }

    private JsonElement? Member(string key) =>
        json is { ValueKind: JsonValueKind.Object } known
        && known.TryGetProperty(key, out var value)
        && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    private LitException Wrong(string key, JsonElement value, string wanted) =>
        new(
            $"{name} beside {path}: {key} is {(value.GetRawText() is { Length: > 60 } much ? much[..60] + "…" : value.GetRawText())} where {wanted} is expected. Check that the two files belong together."
        );
}
