using LiT.Files;

namespace LiT.Towers.Settings;

/// <summary>
/// What was followed of the settings that stand beside a tower's weights, and what of them is to be told.
/// </summary>
internal sealed class SettingsReport
{
    private readonly List<string> followed = [],
        warnings = [];

    /// <summary>One line a file: "config.json: hidden_act gelu, layer_norm_eps 1e-12".</summary>
    public IReadOnlyList<string> Followed => followed;

    /// <summary>A sentence each.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    /// <summary>Closes a file that was read: what was asked of it is followed, what is left over is told.</summary>
    public void Close(SettingsFile file, SettingsWithoutEffect known, params SettingsFile[] parts)
    {
        var said = file.Followed.Concat(parts.SelectMany(part => part.Followed)).ToList();
        if (said.Count > 0)
            followed.Add($"{file.Name}: {string.Join(", ", said)}");
        if (file.Warning(known, parts) is { } warning)
            warnings.Add(warning);
    }

    /// <summary>Adds something that is to be told.</summary>
    public void Warn(string sentence) => warnings.Add(sentence);
}
