using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Checkpoints;
using LiT.Files;
using LiT.Images;
using LiT.Towers.Settings;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// The project's own file of an image tower: .safetensors whose metadata say what it is. <c>lit.image_tower</c> holds
/// the <see cref="ImageTowerConfig"/> as JSON with the heads and the names of their classes, <c>lit.preprocessing</c>
/// the <see cref="Preprocessing"/>, <c>lit.fingerprint</c> what <see cref="Fingerprint"/> gives.
/// </summary>
internal static class ImageTowerFile
{
    private const string ConfigKey = "lit.image_tower",
        PreprocessingKey = "lit.preprocessing",
        FingerprintKey = "lit.fingerprint",
        Int8Key = "lit.int8";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // What has its default is left out, so that an option added later changes no fingerprint.
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        // What follows from the sizes is left out too, or other words for a tower would make it another one.
        IgnoreReadOnlyProperties = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>Writes a tower with its heads, whole or not at all.</summary>
    /// <param name="path">A .safetensors file to be.</param>
    /// <param name="tower">A tower of one of the project's architectures, on any device.</param>
    /// <param name="preprocessing">What makes a picture its input.</param>
    /// <param name="notes">Further strings for the metadata, such as how it was trained.</param>
    /// <exception cref="LitException">The disk is full, or the place cannot be written to.</exception>
    public static void Save(
        string path,
        ImageTower tower,
        Preprocessing preprocessing,
        IReadOnlyDictionary<string, string>? notes = null
    )
    {
        var config = tower.Config
            ?? throw new ArgumentException(
                "Only towers of the project's own architectures can be saved.",
                nameof(tower)
            );
        var metadata = new Dictionary<string, string>(notes ?? new Dictionary<string, string>())
        {
            ["format"] = "pt",
            [ConfigKey] = JsonSerializer.Serialize(config, Json),
            [PreprocessingKey] = preprocessing.ToJson(),
            [FingerprintKey] = Fingerprint(tower, preprocessing, tower.IsInt8),
        };
        if (tower.IsInt8)
            metadata[Int8Key] = Int8.Form;
        Safetensors.Write(path, tower.state_dict().Select(entry => (entry.Key, entry.Value)), metadata);
    }

    /// <summary>Writes a tower into a folder in its own form.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="stem">The file's name without its ending.</param>
    /// <param name="locked">The tower with its preprocessing.</param>
    /// <returns>The file's name.</returns>
    /// <exception cref="LitException">The disk is full, or the place cannot be written to.</exception>
    public static string SaveIn(string folder, string stem, LockedTower locked)
    {
        if (locked.Tower is ForeignTower foreign)
            return foreign.SaveIn(folder, stem, locked.Preprocessing);
        var name = stem + ".safetensors";
        Save(Path.Combine(folder, name), locked.Tower, locked.Preprocessing);
        return name;
    }

    /// <summary>
    /// SHA-256, in hexadecimal, over the architecture without heads, every weight as float32 in order of its name here,
    /// and the preprocessing: what the representation depends on, and nothing else. A tower of bytes is another one.
    /// </summary>
    public static string Fingerprint(ImageTower tower, Preprocessing preprocessing, bool? int8 = null)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Line(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        if (tower.Config is { } config)
            Line(JsonSerializer.Serialize(config with { Heads = [] }, Json));
        if (tower is ForeignTower foreign)
            Line(foreign.Identity);
        foreach (var (name, weight) in tower.state_dict().OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (
                name.StartsWith("heads.", StringComparison.Ordinal)
                || name.EndsWith(".num_batches_tracked", StringComparison.Ordinal)
            )
                continue;
            using var scope = NewDisposeScope();
            Line($"{name} [{string.Join(", ", weight.shape)}]");
            TensorMemory.ForEachPiece(weight.detach().cpu().to(ScalarType.Float32).contiguous(), hash.AppendData);
        }
        Line(preprocessing.ToJson());
        if (int8 ?? tower.IsInt8)
            Line(Int8.Form);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// The heads that a file written by <see cref="Save"/> names, without reading its weights; none for any other file.
    /// </summary>
    internal static IReadOnlyList<HeadConfig> HeadsOf(string path)
    {
        if (!File.Exists(path) || ImageTowerLoader.FormOf(path) is not null)
            return [];
        using var checkpoint = Checkpoint.Open(path);
        try
        {
            return checkpoint.Metadata.TryGetValue(ConfigKey, out var json)
                ? JsonSerializer.Deserialize<ImageTowerConfig>(json, Json)?.Heads ?? []
                : [];
        }
        catch (Exception wrong) when (wrong is JsonException or NotSupportedException)
        {
            return [];
        }
    }

    internal static RecognisedTower? Recognise(Checkpoint checkpoint)
    {
        if (!checkpoint.Metadata.TryGetValue(ConfigKey, out var json))
            return null;
        ImageTowerConfig config;
        try
        {
            config = JsonSerializer.Deserialize<ImageTowerConfig>(json, Json) ?? throw new JsonException("null");
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
        if (!checkpoint.Metadata.TryGetValue(PreprocessingKey, out var preprocessing))
            throw new LitException(
                checkpoint.Path,
                $"the metadata lack '{PreprocessingKey}'",
                "Write the file again with this version"
            );
        return new RecognisedTower(
            "LiT for .NET",
            new WeightSource(checkpoint),
            config,
            tower => Names(tower, withHeads: config.Heads.Count > 0),
            Preprocessing.FromJson(preprocessing, checkpoint.Path),
            checkpoint.Metadata.ContainsKey(Int8Key)
        )
        {
            Settings = new SettingsReport(), // the file says everything itself; what stands beside it is another's
        };
    }

    private static WeightMap Names(TorchSharp.torch.nn.Module tower, bool withHeads)
    {
        var own = WeightMap.Own("an image tower of this project", tower);
        return withHeads && (tower as ImageTower)?.Config?.Heads.Count == 0
            ? own.Skipping("heads.{*}", "a head, which was not asked for")
            : own;
    }
}
