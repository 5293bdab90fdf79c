using System.Globalization;

namespace LiT.Fuzz;

/// <summary>
/// What the process has in memory at most, from one moment to another: Linux counts it, and can start anew.
/// </summary>
internal static class ResidentMemory
{
    private const string ClearRefs = "/proc/self/clear_refs",
        Status = "/proc/self/status";
    private static readonly bool Counted = OperatingSystem.IsLinux() && File.Exists(ClearRefs);

    /// <summary>Bytes in memory now; the maximum counts from now on.</summary>
    public static long StartWatching()
    {
        if (!Counted)
            return 0;
        File.WriteAllText(ClearRefs, "5");
        return Bytes("VmRSS:");
    }

    /// <summary>The most bytes in memory since then.</summary>
    public static long Most() => Counted ? Bytes("VmHWM:") : 0;

    private static long Bytes(string key)
    {
        foreach (var line in File.ReadLines(Status))
            if (line.StartsWith(key, StringComparison.Ordinal))
                return 1024 * long.Parse(line.AsSpan(key.Length).Trim().TrimEnd(" kB"), CultureInfo.InvariantCulture);
        return 0;
    }
}
