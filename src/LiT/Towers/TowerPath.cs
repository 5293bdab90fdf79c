namespace LiT.Towers;

/// <summary>
/// Names that stand for files, such as those of published models. Towers know only that there may be some.
/// </summary>
internal interface ITowerNames
{
    /// <summary>
    /// The file or folder that a name stands for and what has to stand behind its colon; null for no such name.
    /// </summary>
    /// <exception cref="LitException">There is a model of that name, and it is not at hand.</exception>
    (string Path, string? Options)? Find(string name);

    /// <summary>Whether the name's files are at hand.</summary>
    bool Has(string name);

    /// <summary>The names most like one that is not known, best first.</summary>
    IReadOnlyList<string> Like(string name);
}

/// <summary>
/// A tower as users write it: <c>bert.npz:heads=4</c> is a file, and what the file does not say; a published name
/// stands for its file in the cache.
/// </summary>
internal static class TowerPath
{
    private static ITowerNames? names;

    /// <summary>Makes names known; whoever knows them does it once, before a tower is loaded.</summary>
    public static void Register(ITowerNames known) => names = known;

    /// <summary>
    /// The folder with a tower's own settings: where its file lies, or the one above where exports lie in a folder
    /// <c>onnx</c> below them.
    /// </summary>
    /// <param name="path">A file, or its folder.</param>
    public static string FolderOf(string path)
    {
        var folder = Directory.Exists(path)
            ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))
            : Path.GetDirectoryName(Path.GetFullPath(path))!;
        return Path.GetFileName(folder) == "onnx" && Path.GetDirectoryName(folder) is { } above ? above : folder;
    }

    /// <summary>The path and what stands behind its colon, nothing where there is none.</summary>
    /// <exception cref="LitException">It is the name of a published model that was not downloaded.</exception>
    public static (string Path, string Options) Split(string spec)
    {
        var (path, options) = AtColon(spec);
        return Path.Exists(path) || names?.Find(path) is not { } known
            ? (path, options)
            : (
                known.Path,
                string.Join(',', new[] { known.Options, options }.Where(part => !string.IsNullOrEmpty(part)))
            );
    }

    /// <summary>Whether a path is there, or a published name in the cache.</summary>
    public static bool IsThere(string spec) =>
        AtColon(spec).Path is var path && (Path.Exists(path) || names?.Has(path) == true);

    /// <summary>What to say where nothing of that name is known.</summary>
    public static LitException Missing(string path, string what, string specs) =>
        names?.Like(path) is { Count: > 0 } like
            ? new(
                $"{path}: there is no such file or folder, and no published model of that name; there "
                    + $"is {string.Join(", ", like)}. 'lit models list' names them all."
            )
            : new(
                $"{path}: there is no such file or folder, no published model ('lit models list'), "
                    + $"and no {what} from scratch. Check the path, or write for example {specs}."
            );

    /// <summary>The same, with a published name left as it is.</summary>
    public static (string Path, string Options) AtColon(string spec)
    {
        if (Path.Exists(spec))
            return (spec, "");
        // Options may hold colons and slashes of their own: model.onnx:preprocess=graphs/other.onnx.
        for (var end = spec.LastIndexOf(':'); end > 1; end = spec.LastIndexOf(':', end - 1))
            if (Path.Exists(spec[..end]))
                return (spec[..end], spec[(end + 1)..]);
        var set = spec.IndexOf('=', StringComparison.Ordinal);
        var name = spec.AsSpan(0, set < 0 ? spec.Length : set).LastIndexOfAny('/', '\\') + 1;
        var colon = spec.IndexOf(':', name);
        var drive = colon == 1 && name == 0 && char.IsAsciiLetter(spec[0]);
        return colon < 0 || drive ? (spec, "") : (spec[..colon], spec[(colon + 1)..]);
    }
}
