using System.Text.Json;
using LiT.Files;

namespace LiT.Towers.Settings;

/// <summary>config.json of Hugging Face transformers beside weights, and what all models' have in common.</summary>
internal static class HuggingFaceConfig
{
    private const string Name = "config.json";

    // The name of the same file beside weights of BERT's first years.
    private const string OldName = "bert_config.json";

    /// <summary>The config.json beside a checkpoint, or bert_config.json where there is none.</summary>
    public static SettingsFile Beside(string path) => In(path);

    /// <summary>Its content, or null where there is none.</summary>
    public static JsonElement? JsonBeside(string path)
    {
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".";
        foreach (var name in new[] { Name, OldName })
            if (SettingsFile.IsAt(Path.Combine(folder, name)))
                return SettingsFile.Read(Path.Combine(folder, name));
        return null;
    }

    private static SettingsFile In(string path)
    {
        var said = SettingsFile.In(path, Name);
        return said.IsThere ? said : SettingsFile.In(path, OldName);
    }

    /// <summary>Whether the file says which model it is of; a run's config.json, for one, does not.</summary>
    public static bool Names(SettingsFile said) =>
        said.Has("model_type") || said.Has("architectures") || said.Has("architecture") || said.Has("pretrained_cfg");

    /// <summary>Tells that the file stands beside weights that are not read by it.</summary>
    public static void PassOver(SettingsFile said, string family, SettingsReport report) =>
        report.Warn(
            $"{said.Name} beside {said.Beside}: describes {Word(said)}, and the weights are {family}; "
                + "it was passed over. If it belongs to other weights, put these into a folder of their "
                + "own."
        );

    /// <summary>The model that the file names, in its own words.</summary>
    public static string Word(SettingsFile said) =>
        said.Word("model_type")
        ?? said.Words("architectures").FirstOrDefault()
        ?? said.Word("architecture")
        ?? "a model of timm";

    /// <summary>
    /// Refuses what changes every model, whatever its kind: code of its own, quantised or pruned weights, a decoder.
    /// </summary>
    public static void Check(SettingsFile said)
    {
        if (said.Any("auto_map") is { ValueKind: JsonValueKind.Object } map)
            foreach (var entry in map.EnumerateObject())
                if (entry.Name.StartsWith("AutoModel", StringComparison.Ordinal))
                    throw said.NotBuilt("auto_map", "models without code of their own");
        if (said.Any("quantization_config") is not null)
            throw said.NotBuilt("quantization_config", "weights that are not quantised");
        if (said.Any("pruned_heads") is { ValueKind: JsonValueKind.Object } pruned && pruned.EnumerateObject().Any())
            throw said.NotBuilt("pruned_heads", "weights with all heads");
        said.Expect("is_decoder", false);
        said.Expect("add_cross_attention", false);
        said.Settled("is_encoder_decoder", "architectures");
    }

    /// <summary>The MLP's nonlinearity; exact GELU where the file does not say it.</summary>
    public static Activation ActivationOf(SettingsFile said) =>
        said.Choice(
            "hidden_act",
            Activation.Gelu,
            ("gelu", Activation.Gelu),
            ("gelu_new", Activation.GeluTanh),
            ("gelu_pytorch_tanh", Activation.GeluTanh),
            ("relu", Activation.Relu)
        );

    /// <summary>Refuses a number of attention heads that cannot be for an image tower of that width.</summary>
    public static void CheckHeads(string path, int heads, int width, bool describing)
    {
        if ((heads < 1 && !describing) || width % Math.Max(1, heads) != 0)
            throw new UsageException(
                path,
                $"{heads} attention heads cannot be for a width of {width}",
                "Put its config.json beside it, or ':heads=N' after the path"
            );
    }
}
