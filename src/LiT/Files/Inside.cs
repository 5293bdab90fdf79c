using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace LiT.Files;

/// <summary>
/// Files that a file inside a folder names. What comes from elsewhere must not choose what is opened here, so a name
/// stays inside the folder: no <c>..</c>, no absolute path, no folder on the way that is a link to somewhere else. The
/// file itself may be a link, as every file in Hugging Face's cache is, where its content is known to be the right one.
/// </summary>
internal static class Inside
{
    private static readonly ConcurrentDictionary<(string, long, DateTime), string> Hashes = new();

    /// <summary>
    /// Why a name is not taken, as the end of a sentence that begins with it; null where it is a file inside.
    /// </summary>
    /// <param name="folder">The folder that has to hold the file.</param>
    /// <param name="name">As it is written in a file of that folder.</param>
    /// <param name="sha256">The file's hash in hexadecimal as that folder knows it; null where it does not.</param>
    public static string? Refusal(string folder, string name, string? sha256 = null)
    {
        var parts = name.Split('/', '\\');
        if (name.Length == 0 || parts.Contains("") || name.Any(char.IsControl))
            return Path.IsPathRooted(name) ? "is an absolute path" : "is no file's name";
        if (Path.IsPathRooted(name) || parts[0].EndsWith(':'))
            return "is an absolute path";
        if (parts.Contains(".."))
            return "leads out of the folder";
        var real = Real(folder);
        var at = folder;
        foreach (var part in parts[..^1])
            if (!IsUnder(Real(at = Path.Combine(at, part)), real))
                return "leads out of the folder by a link";
        var file = Path.Combine(at, parts[^1]);
        if (new FileInfo(file).LinkTarget is null)
            return null;
        if (Linked.Broken(file) == Linked.Circle)
            return Linked.Circle;
        var target = Linked.Info(file);
        if (IsUnder(Path.Combine(Real(target.DirectoryName!), target.Name), real) || IsOfOneCache(real, target))
            return null;
        return sha256 is not null && target.Exists && HashOf(target) == sha256 ? null : "is a link out of the folder";
    }

    /// <summary>Hugging Face's cache: models--X/snapshots/REVISION/NAME leads to models--X/blobs/HASH.</summary>
    private static bool IsOfOneCache(string folder, FileInfo target)
    {
        if (target.Directory is not { Name: "blobs", Parent: { } cache })
            return false;
        var snapshots = Path.Combine(Real(cache.FullName), "snapshots");
        return IsUnder(folder, snapshots);
    }

    private static bool IsUnder(string path, string folder) =>
        path == folder || path.StartsWith(folder.TrimEnd('/') + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>A folder's path without links in any part of it.</summary>
    private static string Real(string path)
    {
        var full = Path.GetFullPath(path);
        var real = Path.GetPathRoot(full)!;
        foreach (
            var part in full[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries)
        )
        {
            var next = new DirectoryInfo(Path.Combine(real, part));
            real = next.LinkTarget is null
                ? next.FullName
                : Real(next.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? next.FullName);
        }
        return real;
    }

    private static string HashOf(FileInfo file) =>
        Hashes.GetOrAdd((file.FullName, file.Length, file.LastWriteTimeUtc), static key =>
        {
            using var stream = File.OpenRead(key.Item1);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        });
}
