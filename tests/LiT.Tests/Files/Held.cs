namespace LiT.Tests;

/// <summary>
/// What this process holds open or mapped of a folder: where others could not delete it, on Windows, nothing may.
/// </summary>
internal static class Held
{
    /// <returns>Paths; always none where the system does not show them (elsewhere than on Linux).</returns>
    public static string[] Under(string folder)
    {
        if (!OperatingSystem.IsLinux())
            return [];
        var inside = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        return
        [
            .. Directory
                .EnumerateFileSystemEntries("/proc/self/fd")
                .Select(Target)
                .Concat(File.ReadLines("/proc/self/maps").Select(line => line[Math.Max(line.IndexOf('/'), 0)..]))
                .OfType<string>()
                .Where(path => path.StartsWith(inside, StringComparison.Ordinal))
                .Distinct(),
        ];
    }

    private static string? Target(string descriptor)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget;
        }
        catch (IOException)
        {
            return null; // another test's, closed in between
        }
    }
}
