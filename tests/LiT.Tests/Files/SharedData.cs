namespace LiT.Tests;

/// <summary>Real data that is not part of the repository: shared/data beside it, or what LIT_DATA_DIR names.</summary>
public static class SharedData
{
    /// <summary>A file or folder of the shared data; the test is skipped where there is none.</summary>
    public static string PathOf(params string[] parts)
    {
        var path = Folder is null ? null : Path.Combine([Folder, .. parts]);
        Assert.SkipUnless(
            Path.Exists(path),
            $"{string.Join('/', parts)} is not there: put it into shared/data beside the checkout, or set LIT_DATA_DIR."
        );
        return path!;
    }

    private static string? Folder { get; } =
        Environment.GetEnvironmentVariable("LIT_DATA_DIR") is { Length: > 0 } elsewhere
            ? elsewhere
            : Ancestors().Select(folder => Path.Combine(folder, "shared", "data")).FirstOrDefault(Directory.Exists);

    private static IEnumerable<string> Ancestors()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            yield return folder.FullName;
    }
}
