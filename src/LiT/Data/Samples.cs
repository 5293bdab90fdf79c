namespace LiT.Data;

/// <summary>Opens whatever a path is.</summary>
public static class Samples
{
    private static readonly string[] Archives = [".tar", ".tar.gz", ".tgz"];

    /// <summary>Opens a data set: tar archives (WebDataset).</summary>
    /// <param name="pathOrPattern">A file, a folder, a brace range such as <c>shard-{000..011}.tar</c>, or a glob.</param>
    /// <param name="options">Choices where the form leaves one.</param>
    /// <exception cref="LitException">Nothing is there, or its form is not known.</exception>
    public static SampleSource Open(string pathOrPattern, SampleOptions? options = null)
    {
        options ??= new();
        if (!Path.Exists(pathOrPattern) && !Patterns.IsPattern(pathOrPattern))
            throw new LitException($"{pathOrPattern}: there is no such file or folder. Check the path.");
        var paths = Path.Exists(pathOrPattern) ? [pathOrPattern] : Patterns.Expand(pathOrPattern);
        var files = paths.SelectMany(path => Directory.Exists(path)
            ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(IsArchive).Order(StringComparer.Ordinal)
            : Enumerable.Repeat(path, 1)).ToList();
        if (files.Count > 0 && files.All(IsArchive)) return new WebDataset(files, options) { Path = pathOrPattern };
        throw new LitException($"{pathOrPattern}: no known form of data.");
    }

    private static bool IsArchive(string path) => Archives.Any(end => path.EndsWith(end, StringComparison.OrdinalIgnoreCase));
}
