using System.Text;

namespace LiT.Files;

/// <summary>
/// Files that are there whole or not at all: written beside the target under a temporary name, flushed to the disk,
/// then renamed over it. A kill at any moment leaves the old file, and at most a hidden <c>.name.tmp-…</c> that the
/// next write of the same file clears away. Missing folders are made. Safe to call from several threads.
/// </summary>
internal static class AtomicFile
{
    private const int LongestName = 50; // the temporary name must fit where the longest legal name only just does
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(1);

    /// <summary>Writes a file through a stream (seekable, buffered).</summary>
    /// <exception cref="LitException">The disk is full, or the place cannot be written to.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string? temporary = null,
            made = null;
        try
        {
            var target = Target(path, out made);
            if (IsDevice(target))
            {
                using var device = new FileStream(target, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                write(device);
                made = null;
                return;
            }
            temporary = NewTemporary(target);
            using (
                var stream = new FileStream(
                    temporary,
                    FileMode.CreateNew,
                    FileAccess.ReadWrite,
                    FileShare.None,
                    1 << 16
                )
            )
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
            (temporary, made) = (null, null);
        }
        catch (Exception trouble) when (Cause(trouble) is not null)
        {
            throw Explained(path, Cause(trouble)!);
        }
        finally
        {
            if (temporary is not null)
                DeleteIfThere(temporary);
            if (made is not null)
                RemoveEmpty(path, made);
        }
    }

    /// <inheritdoc cref="Write(string, Action{Stream})"/>
    public static async Task WriteAsync(
        string path,
        Func<Stream, CancellationToken, Task> write,
        CancellationToken cancel = default
    )
    {
        string? temporary = null,
            made = null;
        try
        {
            var target = Target(path, out made);
            temporary = NewTemporary(target);
            var stream = new FileStream(
                temporary,
                FileMode.CreateNew,
                FileAccess.ReadWrite,
                FileShare.None,
                1 << 16,
                useAsync: true
            );
            await using (stream.ConfigureAwait(false))
            {
                await write(stream, cancel).ConfigureAwait(false);
                await stream.FlushAsync(cancel).ConfigureAwait(false);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
            (temporary, made) = (null, null);
        }
        catch (Exception trouble) when (Cause(trouble) is not null)
        {
            throw Explained(path, Cause(trouble)!);
        }
        finally
        {
            if (temporary is not null)
                DeleteIfThere(temporary);
            if (made is not null)
                RemoveEmpty(path, made);
        }
    }

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    /// <exception cref="LitException">The disk is full, or the place cannot be written to.</exception>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes bytes.</summary>
    /// <exception cref="LitException">The disk is full, or the place cannot be written to.</exception>
    public static void WriteAllBytes(string path, byte[] bytes) => Write(path, stream => stream.Write(bytes));

    /// <summary>
    /// Clears away what killed writers left in a folder. Only for a folder that one process at a time writes to: a file
    /// that another is writing now would go, too.
    /// </summary>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    internal static void RemoveLeft(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        try
        {
            foreach (var left in Directory.EnumerateFiles(folder, ".*.tmp-*"))
                File.Delete(left);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw Explained(folder, trouble);
        }
    }

    /// <summary>What an <see cref="IOException"/> or missing permission means for somebody who wanted to write a path.</summary>
    internal static LitException Explained(string path, Exception trouble) =>
        trouble switch
        {
            _ when Directory.Exists(path) => new(
                $"{path}: is a folder, where a file is to be written. Give a file name.",
                trouble
            ),
            _ when FileInTheWay(path) is { } file => new(
                $"{path}: cannot be written, because {file} is a file and no folder. Choose another name.",
                trouble
            ),
            IOException { HResult: EnospcUnix or EdquotUnix or DiskFullWindows or HandleDiskFullWindows } => new(
                $"{path}: the disk is full. Free some space, or write to another disk.",
                trouble
            ),
            UnauthorizedAccessException or IOException { HResult: ErofsUnix } => new(
                $"{path}: no permission to write here. Choose a folder you may write to, or change its permissions.",
                trouble
            ),
            PathTooLongException => new($"{path}: the name is too long for this disk. Choose a shorter one.", trouble),
            _ => new(
                $"{path}: cannot be written ({trouble.Message.TrimEnd('.')}). Check the folder and the disk.",
                trouble
            ),
        };

    private const int EnospcUnix = 28,
        ErofsUnix = 30,
        EdquotUnix = 122;
    private const int DiskFullWindows = unchecked((int)0x80070070),
        HandleDiskFullWindows = unchecked((int)0x80070027);

    /// <summary>The part of a path that ought to be a folder and is a file.</summary>
    private static string? FileInTheWay(string path)
    {
        for (
            var above = Path.GetDirectoryName(path);
            !string.IsNullOrEmpty(above);
            above = Path.GetDirectoryName(above)
        )
            if (File.Exists(above))
                return above;
        return null;
    }

    /// <summary>A device such as /dev/null or /dev/stdout must be written to, never replaced.</summary>
    private static bool IsDevice(string full) =>
        !OperatingSystem.IsWindows()
        && full.StartsWith("/dev/", StringComparison.Ordinal)
        && !full.StartsWith("/dev/shm/", StringComparison.Ordinal)
        && File.Exists(full);

    /// <summary>What kept a file from being written, where other programs' exceptions are around it; null for anything else.</summary>
    private static Exception? Cause(Exception trouble) =>
        trouble switch
        {
            LitException => null,
            IOException or UnauthorizedAccessException => trouble,
            { InnerException: { } inner } => Cause(inner),
            _ => null,
        };

    /// <summary>The file that a link stands for, so that writing keeps the link; the folder exists afterwards.</summary>
    /// <param name="path">As it was given.</param>
    /// <param name="made">The outermost folder that was missing, or null.</param>
    private static string Target(string path, out string? made)
    {
        var full = Path.GetFullPath(path);
        if (
            new FileInfo(full).LinkTarget is not null
            && File.ResolveLinkTarget(full, returnFinalTarget: true) is { } linked
        )
            full = linked.FullName;
        made = null;
        for (
            var above = Path.GetDirectoryName(full);
            above is not null && !Directory.Exists(above);
            above = Path.GetDirectoryName(above)
        )
            made = above;
        Directory.CreateDirectory(Path.GetDirectoryName(full) ?? full);
        return full;
    }

    /// <summary>Takes back the folders that were made for a file that could not be written.</summary>
    private static void RemoveEmpty(string path, string made)
    {
        try
        {
            for (
                var folder = Path.GetDirectoryName(Path.GetFullPath(path));
                folder is not null
                    && folder.Length >= made.Length
                    && !Directory.EnumerateFileSystemEntries(folder).Any();
                folder = Path.GetDirectoryName(folder)
            )
                Directory.Delete(folder);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            // Somebody else has put something there, or nothing can be deleted either.
        }
    }

    private static string NewTemporary(string target)
    {
        var folder = Path.GetDirectoryName(target) ?? target;
        var name = Path.GetFileName(target);
        var prefix = $".{(name.Length > LongestName ? name[..LongestName] : name)}.tmp-";
        foreach (var left in Directory.EnumerateFiles(folder, prefix + "*"))
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(left) > Abandoned)
                DeleteIfThere(left);
        return Path.Combine(folder, prefix + Guid.NewGuid().ToString("N")[..12]);
    }

    private static void DeleteIfThere(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            // The write has already failed or succeeded; a temporary file that stays must not hide that.
        }
    }
}
