using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace LiT.Embedding;

/// <summary>What a folder lists, in one number, by which a second look is told from the first.</summary>
internal static class FolderListing
{
    /// <summary>
    /// Of the names, lengths, times and permissions of all that lies under a folder, in whatever order; null where
    /// these may not tell of a change: a folder that is a link, a file that was written a moment ago, a place that
    /// cannot be read, a path that is no folder.
    /// </summary>
    public static UInt128? Of(string folder)
    {
        var settled = TimeProvider.System.GetUtcNow().UtcDateTime - FileStamps.Settled;
        var sum = UInt128.Zero;
        try
        {
            if (!Directory.Exists(folder))
                return null;
            EnumerationOptions all = new()
            {
                RecurseSubdirectories = true,
                AttributesToSkip = FileAttributes.None,
                IgnoreInaccessible = false,
            };
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", all))
            {
                var file = entry;
                if (entry.LinkTarget is not null)
                {
                    if (entry.ResolveLinkTarget(returnFinalTarget: true) is not FileInfo target)
                        return null;
                    file = target;
                }
                if (file is FileInfo && file.LastWriteTimeUtc > settled)
                    return null;
                sum += OfEntry(entry.FullName, file);
            }
            return sum;
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static UInt128 OfEntry(string name, FileSystemInfo file)
    {
        XxHash128 hash = new();
        hash.Append(MemoryMarshal.AsBytes(name.AsSpan()));
        ReadOnlySpan<long> seen =
        [
            file is FileInfo one ? one.Length : -1,
            file.LastWriteTimeUtc.Ticks,
            OperatingSystem.IsWindows() ? (long)file.Attributes : (long)file.UnixFileMode,
        ];
        hash.Append(MemoryMarshal.AsBytes(seen));
        return hash.GetCurrentHashAsUInt128();
    }
}
