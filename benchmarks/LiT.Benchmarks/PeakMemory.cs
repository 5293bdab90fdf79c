using System.Globalization;

namespace LiT.Benchmarks;

/// <summary>Resident memory of this process as Linux counts it, in bytes.</summary>
internal static class PeakMemory
{
    public static long Now => Read("VmRSS:");

    /// <summary>The most that was resident while something ran.</summary>
    public static long Of(Action run)
    {
        File.WriteAllText("/proc/self/clear_refs", "5"); // forgets the peak so far
        run();
        return Read("VmHWM:");
    }

    private static long Read(string name) =>
        File.ReadLines("/proc/self/status")
            .Where(line => line.StartsWith(name, StringComparison.Ordinal))
            .Select(line =>
                1024
                * long.Parse(
                    line.Split(' ', '\t').Where(word => word.Length > 0).ElementAt(1),
                    CultureInfo.InvariantCulture
                )
            )
            .Single();
}
