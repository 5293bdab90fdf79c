using LiT.Towers;

namespace LiT.Cli;

/// <summary>Says what was followed of the settings beside a tower's weights, and warns of what was not.</summary>
internal static class TowerRemarks
{
    public static void Tell(LockedTower tower, bool followed = true)
    {
        if (followed)
            foreach (var line in tower.Settings)
                Terminal.Say($"followed {line}");
        foreach (var warning in tower.Warnings)
            Terminal.Warn(warning);
    }
}
