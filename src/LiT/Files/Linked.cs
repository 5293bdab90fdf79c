namespace LiT.Files;

/// <summary>
/// Files by way of the links that lead to them, as a folder of Hugging Face's cache is made of them: what is said of a
/// file is said of the one at the end of the links, and what is written goes there, so that no link becomes a file.
/// </summary>
internal static class Linked
{
    /// <summary>What <see cref="Broken"/> says of links that lead to each other.</summary>
    public const string Circle = "is a link that leads back to itself";

    /// <summary>
    /// Where a path leads: the file at the end of its links, which need not be there, or the path itself.
    /// </summary>
    public static string Target(string path)
    {
        var full = Path.GetFullPath(path);
        return
            new FileInfo(full).LinkTarget is not null
            && File.ResolveLinkTarget(full, returnFinalTarget: true) is { } file
            ? file.FullName
            : full;
    }

    /// <summary>The file at the end of a path's links, to ask for its length and time.</summary>
    /// <remarks><see cref="FileInfo"/> of the path itself tells of the link.</remarks>
    public static FileInfo Info(string path) => new(Target(path));

    /// <summary>
    /// What is wrong with a path that is a link and leads to nothing, as the end of a sentence that begins with it;
    /// null where it is no link or leads somewhere.
    /// </summary>
    public static string? Broken(string path)
    {
        var link = new FileInfo(Path.TrimEndingDirectorySeparator(path));
        if (link.LinkTarget is not { } target)
            return null;
        var gone = $"is a link to {target}, which is not there";
        try
        {
            return link.ResolveLinkTarget(returnFinalTarget: true) is { } end && Path.Exists(end.FullName)
                ? null
                : gone;
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return gone;
        }
        catch (IOException)
        {
            return Circle;
        }
    }

    /// <summary>Length in bytes of the file that a path leads to.</summary>
    /// <exception cref="IOException">There is none.</exception>
    public static long Length(string path) => Info(path).Length;

    /// <summary>Gives a finished file its name. Where that is a link, the file that it leads to is replaced.</summary>
    /// <param name="finished">The file, flushed; gone afterwards.</param>
    /// <param name="path">Its name.</param>
    /// <exception cref="IOException">The place cannot be written to.</exception>
    public static void Put(string finished, string path)
    {
        var target = Target(path);
        if (target == Path.GetFullPath(path))
        {
            File.Move(finished, target, overwrite: true);
            return;
        }
        // The target may lie on another disk, where a rename would be a copy that a kill cuts short.
        AtomicFile.Write(target, stream =>
        {
            using var from = File.OpenRead(finished);
            from.CopyTo(stream);
        });
        File.Delete(finished);
    }

    /// <summary>
    /// Puts a folder of finished files in the place of another. Where that is a link, its content is replaced.
    /// </summary>
    /// <param name="finished">The folder, without folders inside; gone afterwards.</param>
    /// <param name="path">Its place.</param>
    /// <remarks>Killed on the way, it is done by calling it again while <paramref name="finished"/> is there.</remarks>
    /// <exception cref="IOException">The place cannot be written to.</exception>
    public static void PutFolder(string finished, string path)
    {
        if (new DirectoryInfo(path).LinkTarget is null)
        {
            if (Directory.Exists(path))
                Directory.Delete(path, recursive: true);
            Directory.Move(finished, path);
            return;
        }
        var target = Directory.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
        Directory.CreateDirectory(target);
        foreach (var old in Directory.EnumerateFiles(target))
            File.Delete(old);
        foreach (var file in Directory.EnumerateFiles(finished))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
        Directory.Delete(finished, recursive: true);
    }
}
