namespace LiT.Files;

/// <summary>
/// Keeps a second program from working in a folder at the same time. The operating system holds the lock, so a killed
/// program leaves nothing locked.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream file;

    private FolderLock(FileStream file) => this.file = file;

    /// <summary>Makes the folder where it is missing, and takes it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="words">The lock's file, and what is said where another program has it.</param>
    /// <exception cref="LitException">Another program has it, or the folder cannot be written to.</exception>
    public static FolderLock Take(string folder, LockWords? words = null)
    {
        words ??= new();
        if (File.Exists(folder))
            throw new LitException(folder, "is a file, where a folder is to be written", "Choose another name");
        var path = Path.Combine(folder, words.File);
        try
        {
            Directory.CreateDirectory(folder);
            return new(Open(path, words.Stays));
        }
        catch (IOException trouble) when (File.Exists(path))
        {
            throw new LitException(folder, words.Taken, words.Remedy, trouble);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(folder, trouble);
        }
    }

    /// <summary>Takes a folder that is there; null where another program has it.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public static FolderLock? TryTake(string folder) => Try(Path.Combine(folder, new LockWords().File), folder, true);

    /// <summary>Takes it as soon as the others, who need it for a moment only, have done: within a minute.</summary>
    /// <param name="folder">The folder, which is there.</param>
    /// <param name="name">The lock's file.</param>
    /// <exception cref="LitException">It was not given back, or the folder cannot be written to.</exception>
    public static FolderLock TakeInTurn(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        for (var attempt = 0; ; attempt++)
        {
            if (Try(path, path, mayBeTaken: attempt < 600) is { } taken)
                return taken;
            Thread.Sleep(100);
        }
    }

    /// <summary>Null where another program has it, and that may be.</summary>
    private static FolderLock? Try(string path, string told, bool mayBeTaken)
    {
        try
        {
            return new(Open(path, stays: false));
        }
        catch (IOException) when (mayBeTaken && File.Exists(path))
        {
            return null;
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(told, trouble);
        }
    }

    /// <summary>Gives the folder back.</summary>
    public void Dispose() => file.Dispose();

    private static FileStream Open(string path, bool stays) =>
        new(
            path,
            FileMode.OpenOrCreate,
            FileAccess.ReadWrite,
            FileShare.None,
            1,
            stays ? FileOptions.None : FileOptions.DeleteOnClose
        );
}

/// <summary>A lock's file, and what is said where another program has it.</summary>
internal sealed record LockWords
{
    /// <summary>Name of the file in the folder.</summary>
    public string File { get; init; } = ".writing";

    /// <summary>Whether the file stays, empty, when the lock is given back.</summary>
    public bool Stays { get; init; }

    /// <summary>What is wrong when another program has it.</summary>
    public string Taken { get; init; } = "another program is writing here";

    /// <summary>What to do then.</summary>
    public string Remedy { get; init; } = "Wait for it, or choose another folder";
}
