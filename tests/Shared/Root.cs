namespace LiT.Tests;

/// <summary>Where the project's own files lie.</summary>
internal static class Root
{
    /// <summary>The repository's folder.</summary>
    public static string Folder { get; } = Find();

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "LiT.slnx")))
                return at.FullName;
        throw new DirectoryNotFoundException("LiT.slnx: not above the tests. Run them from where they are built.");
    }
}
