using System.Text.Json;
using LiT.Files;

namespace LiT.Text;

/// <summary>
/// What Hugging Face lays beside a vocabulary: tokenizer_config.json, and special_tokens_map.json for what that does
/// not say. Each kind of vocabulary asks for the keys that it follows and closes with a sentence about those it does
/// not.
/// </summary>
internal sealed class TokenizerSettings
{
    private const string ConfigName = "tokenizer_config.json",
        MapName = "special_tokens_map.json",
        AddedName = "added_tokens.json";

    private readonly SettingsFile config,
        map;
    private readonly string path;

    private TokenizerSettings(string path)
    {
        this.path = path;
        (config, map) = (SettingsFile.In(path, ConfigName), SettingsFile.In(path, MapName));
    }

    /// <summary>Keys that change nothing here, with the reasons.</summary>
    internal static SettingsWithoutEffect WithoutEffect { get; } =
        new()
        {
            {
                "rows are laid out here, and have `TokenLength` ids",
                "model_max_length",
                "max_len",
                "max_length",
                "padding_side",
                "padding",
                "truncation",
                "truncation_side",
                "truncation_strategy",
                "stride",
                "pad_to_multiple_of",
                "pad_token_type_id",
                "max_source_length"
            },
            {
                "says where the file comes from or which library wrote it",
                "name_or_path",
                "special_tokens_map_file",
                "tokenizer_file",
                "vocab_file",
                "merges_file",
                "spm_file",
                "full_tokenizer_file",
                "processor_class",
                "transformers_version",
                "use_fast",
                "backend",
                "is_local",
                "from_slow",
                "init_inputs",
                "auto_map",
                "model_input_names",
                "chat_template",
                "extra_special_tokens",
                "model_specific_special_tokens"
            },
            {
                "only turning ids back into text uses it",
                "clean_up_tokenization_spaces",
                "spaces_between_special_tokens",
                "errors",
                "trim_offsets"
            },
            {
                "the vocabulary holds these pieces, and no text of here writes them",
                "mask_token",
                "additional_special_tokens",
                "added_tokens_decoder",
                "split_special_tokens",
                "extra_ids",
                "legacy"
            },
            {
                "a row is one text; its end is put by the row's layout",
                "add_bos_token",
                "add_eos_token",
                "sep_token_extra"
            },
        };

    /// <summary>The settings beside a vocabulary's file, or in its folder.</summary>
    /// <exception cref="LitException">A file of them is no JSON object.</exception>
    public static TokenizerSettings Beside(string path) => new(path);

    /// <summary>Whether tokenizer_config.json is there.</summary>
    public bool IsThere => config.IsThere;

    /// <summary>tokenizer_class without the Fast at its end, or null.</summary>
    public string? Class =>
        config.Word("tokenizer_class") is { } name
            ? name.EndsWith("Fast", StringComparison.Ordinal)
                ? name[..^4]
                : name
            : null;

    public bool? Flag(string key) => config.Flag(key);

    public string? Word(string key) => config.Word(key);

    /// <summary>Whether a key says something.</summary>
    public bool Has(string key) => config.Has(key);

    /// <summary>A key whose kind of value is not fixed.</summary>
    public JsonElement? Any(string key) => config.Any(key);

    /// <summary>The text of a special piece such as cls_token, or null where neither file says it.</summary>
    public string? Piece(string key)
    {
        foreach (var file in new[] { config, map })
            if (file.Any(key) is { } value)
                return SettingsFile.TextOf(value)
                    ?? (
                        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("content", out var content)
                            ? SettingsFile.TextOf(content)
                            : null
                    )
                    ?? throw file.Wrong(key, "a piece");
        return null;
    }

    /// <summary>What to say of a value that asks for something that is not built here.</summary>
    public LitException NotBuilt(string key, string instead) => config.NotBuilt(key, instead);

    /// <summary>
    /// Tells of every key that was not asked for, and of pieces in added_tokens.json that a vocabulary lacks.
    /// </summary>
    public void Close(ITokenizer tokenizer, Action<string>? warn)
    {
        foreach (var key in new[] { "unk_token", "cls_token", "sep_token", "pad_token", "bos_token", "eos_token" })
            config.Settled(key);
        if (config.Warning(WithoutEffect) is { } left)
            warn?.Invoke(left);
        var added = SettingsFile.In(path, AddedName);
        if (!added.IsThere || tokenizer is HuggingFaceTokenizer)
            return;
        var lacking = added.Left([]).Where(piece => tokenizer.IdOf(piece) is null).ToList();
        if (lacking.Count > 0)
            warn?.Invoke(
                $"{AddedName} beside {path}: {lacking.Count} piece{(lacking.Count == 1 ? "" : "s")} "
                    + $"such as {lacking[0]} {(lacking.Count == 1 ? "is" : "are")} not in the vocabulary, "
                    + "and split like any other word here. The model's tokenizer.json would hold them."
            );
    }
}
