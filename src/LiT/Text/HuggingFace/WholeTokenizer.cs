using System.Text.Json;

namespace LiT.Text.HuggingFace;

/// <summary>
/// A <c>tokenizer.json</c> says everything itself. The tokenizer_config.json beside it repeats some of it, and where
/// the two differ, libraries differ in which they follow: here the <c>tokenizer.json</c> counts, and the difference is
/// told.
/// </summary>
internal static class WholeTokenizer
{
    private static readonly (string Key, string Component, string Member)[] Repeated =
    [
        ("do_lower_case", "BertNormalizer", "lowercase"),
        ("strip_accents", "BertNormalizer", "strip_accents"),
        ("tokenize_chinese_chars", "BertNormalizer", "handle_chinese_chars"),
        ("add_prefix_space", "ByteLevel", "add_prefix_space"),
    ];

    public static void Compare(string path, TokenizerSettings settings, Action<string>? warn)
    {
        var said = Repeated.Where(pair => settings.Flag(pair.Key) is not null).ToList();
        if (said.Count == 0 || warn is null)
            return;
        var (_, json) = VocabularyFile.Json(path);
        using (json)
            foreach (var (key, component, member) in said)
                if (
                    Component(json.RootElement, component) is { } part
                    && Flag(part, member) is var there
                    && there != settings.Flag(key)
                    // BERT's accents go with its capitals where nothing is said.
                    && !(member == "strip_accents" && there is null && Flag(part, "lowercase") == settings.Flag(key))
                )
                    warn(
                        $"tokenizer_config.json beside {path}: {key} is {Word(settings.Flag(key))}, "
                            + $"and the tokenizer.json's {component} has {member} {Word(there)}, which is "
                            + "followed. Check which of the two the model was trained with."
                    );
    }

    private static JsonElement? Component(JsonElement root, string type)
    {
        foreach (var place in (string[])["normalizer", "pre_tokenizer"])
            if (root.TryGetProperty(place, out var part) && Within(part, type) is { } found)
                return found;
        return null;
    }

    private static JsonElement? Within(JsonElement part, string type)
    {
        if (part.ValueKind != JsonValueKind.Object)
            return null;
        if (part.TryGetProperty("type", out var own) && own.ValueKind == JsonValueKind.String && own.ValueEquals(type))
            return part;
        foreach (var list in (string[])["normalizers", "pretokenizers"])
            if (part.TryGetProperty(list, out var steps) && steps.ValueKind == JsonValueKind.Array)
                foreach (var step in steps.EnumerateArray())
                    if (Within(step, type) is { } found)
                        return found;
        return null;
    }

    private static bool? Flag(JsonElement part, string member) =>
        part.TryGetProperty(member, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : null;

    private static string Word(bool? value) =>
        value is { } said
            ? said
                ? "true"
                : "false"
            : "not said";
}
