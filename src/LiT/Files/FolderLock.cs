namespace LiT.Files;

/// <summary>
/// Keeps a second program from writing to a folder at the same time; a killed program leaves nothing locked.
/// </summary>
internal static class FolderLock
{
    private const string Name = ".writing";

    /// <summary>Makes the folder where it is missing, and takes it until the stream is disposed.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="LitException">Another program has it, or it cannot be written to.</exception>
    public static FileStream Take(string folder)
    {
        if (File.Exists(folder))
            throw new LitException(folder, "is a file, where a folder is to be written", "Choose another name");
        var path = Path.Combine(folder, Name);
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(
                path,
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None,
                1,
                FileOptions.DeleteOnClose
            );
        }
        catch (IOException trouble) when (File.Exists(path))
        {
            throw new LitException(
                folder,
                "another program is writing here",
                "Wait for it, or choose another folder",
                trouble
            );
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(folder, trouble);
        }
    }
}
