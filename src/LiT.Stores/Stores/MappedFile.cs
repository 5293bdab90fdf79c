using System.IO.MemoryMappedFiles;

namespace LiT.Stores;

/// <summary>A file of which another of the same name may take the place at any time: mapped whole, for
/// reading.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? file;
    private readonly MemoryMappedViewAccessor? view;
    private readonly byte* start;
    private int closed;

    /// <exception cref="LitException">It cannot be read.</exception>
    public MappedFile(string path)
    {
        Path = path;
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1);
            Length = stream.Length;
            if (Length == 0)
                return;
            file = MemoryMappedFile.CreateFromFile(
                stream,
                null,
                0,
                MemoryMappedFileAccess.Read,
                HandleInheritability.None,
                leaveOpen: false
            );
            view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            start += view.PointerOffset;
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                path,
                $"cannot be read ({trouble.Message.TrimEnd('.')})",
                "Check the file and the disk",
                trouble
            );
        }
    }

    /// <summary>Opens a file; null where it is not there, or goes away at this moment, as by a compaction.</summary>
    /// <exception cref="LitException">It cannot be read, or what opens it refuses it.</exception>
    public static T? IfThere<T>(string path, Func<string, T> open)
        where T : class
    {
        try
        {
            return File.Exists(path) ? open(path) : null;
        }
        catch (LitException gone) when (gone.InnerException is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>The first byte; null in an empty file.</summary>
    public byte* Start
    {
        get
        {
            ObjectDisposedException.ThrowIf(closed != 0, this);
            return start;
        }
    }

    public ReadOnlySpan<byte> Bytes(long from, int count)
    {
        if (from < 0 || count < 0 || from + count > Length)
            throw new ArgumentOutOfRangeException(nameof(from));
        return new(Start + from, count);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref closed, 1) != 0 || view is null)
            return;
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file!.Dispose();
    }
}
