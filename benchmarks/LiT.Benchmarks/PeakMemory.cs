using System.Globalization;

namespace LiT.Benchmarks;

/// <summary>Resident memory of a process as Linux counts it, in bytes.</summary>
internal static class PeakMemory
{
    public static long Now => Read("VmRSS:");

    /// <summary>What another process holds for itself, without the pages of files that it has mapped.</summary>
    public static long OwnOf(int process) => Read("RssAnon:", process.ToString(CultureInfo.InvariantCulture));

    /// <summary>The most that was resident while something ran.</summary>
    public static long Of(Action run)
    {
        File.WriteAllText("/proc/self/clear_refs", "5"); // forgets the peak so far
        run();
        return Read("VmHWM:");
    }

    private static long Read(string name, string process = "self") =>
        File.ReadLines($"/proc/{process}/status")
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
