using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Checkpoints;
using LiT.Files;

namespace LiT.Towers;

/// <summary>
/// The project's own file of a text tower: .safetensors whose metadata <c>lit.text_tower</c> hold the
/// <see cref="TextTowerConfig"/> as JSON. The tower's names begin with <c>text.</c>, so that a bundle's file, which
/// holds heads, temperature and bias beside it, is one too.
/// </summary>
internal static class TextTowerFile
{
    private const string ConfigKey = "lit.text_tower",
        Prefix = "text.";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>What a file's metadata must hold so that the text tower in it can be loaded by itself.</summary>
    /// <exception cref="ArgumentException">The tower's architecture is not the project's own.</exception>
    public static IReadOnlyDictionary<string, string> Metadata(TextTower tower) =>
        new Dictionary<string, string>
        {
            ["format"] = "pt",
            [ConfigKey] = JsonSerializer.Serialize(
                tower.Config
                    ?? throw new ArgumentException(
                        "Only towers of the project's own architectures can be saved.",
                        nameof(tower)
                    ),
                Json
            ),
        };

    /// <summary>
    /// Writes a text tower, whole or not at all; <see cref="TextTowerLoader.Load(string, TextTowerOptions?)"/> reads
    /// it.
    /// </summary>
    /// <exception cref="LitException">The disk is full, or the place cannot be written to.</exception>
    public static void Save(string path, TextTower tower) =>
        Safetensors.Write(path, tower.state_dict().Select(entry => (Prefix + entry.Key, entry.Value)), Metadata(tower));

    internal static RecognisedText? Recognise(Checkpoint checkpoint)
    {
        if (!checkpoint.Metadata.TryGetValue(ConfigKey, out var json))
            return null;
        TextTowerConfig config;
        try
        {
            config = JsonSerializer.Deserialize<TextTowerConfig>(json, Json) ?? throw new JsonException("null");
        }
        catch (Exception wrong) when (wrong is JsonException or NotSupportedException)
        {
            throw new LitException(
                checkpoint.Path,
                $"the metadata '{ConfigKey}' cannot be read ({JsonTrouble.Words(wrong)})",
                "Write the file again with this version",
                wrong
            );
        }
        return new RecognisedText("LiT for .NET", new WeightSource(checkpoint, Prefix), config, tower =>
            WeightMap.Own("a text tower of this project", tower)
        );
    }
}
