using System.Text.Json;

namespace LiT.Towers;

/// <summary>A tower's path as users write it: <c>bert.npz:heads=4</c> is a file, and what the file does not say.</summary>
internal static class TowerPath
{
    /// <summary>The path and what stands behind its colon, nothing where there is none.</summary>
    public static (string Path, string Options) Split(string spec)
    {
        if (File.Exists(spec) || Directory.Exists(spec)) return (spec, "");
        var name = spec.LastIndexOfAny(['/', '\\']) + 1;
        var colon = spec.IndexOf(':', name);
        var drive = colon == 1 && name == 0 && char.IsAsciiLetter(spec[0]);
        return colon < 0 || drive ? (spec, "") : (spec[..colon], spec[(colon + 1)..]);
    }

    /// <summary>The config.json beside a checkpoint, as Hugging Face writes it; null where there is none.</summary>
    /// <exception cref="LitException">It is no JSON.</exception>
    public static JsonElement? ConfigBeside(string path)
    {
        var file = Path.Combine(Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".", "config.json");
        if (!File.Exists(file)) return null;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            return json.RootElement.Clone();
        }
        catch (JsonException wrong)
        {
            throw new LitException($"{file}: is no JSON ({wrong.Message.ReplaceLineEndings(" ").TrimEnd('.')}). Download it again.", wrong);
        }
    }
}
