namespace LiT.Data;

/// <summary>Where the files are that a table names.</summary>
internal static class Places
{
    /// <summary>The full path of a picture that a row names, or why it is not taken.</summary>
    /// <param name="root">The folder that the path is relative to and must stay inside.</param>
    /// <param name="name">The path as written.</param>
    /// <param name="options">Limits.</param>
    /// <param name="path">The full path.</param>
    public static string? Find(string root, string name, SampleOptions options, out string path)
    {
        path = "";
        if (name.Length == 0)
            return "no image path";
        if (name.Contains("://", StringComparison.Ordinal))
            return "an address where a file is expected; fetch the pictures first (lit data download)";
        if (name.Any(char.IsControl))
            return Pictures.Refusal(name);
        path = Path.GetFullPath(Path.Combine(root, name));
        if (!File.Exists(path) && name.Contains('\\'))
            path = Path.GetFullPath(Path.Combine(root, name.Replace('\\', '/'))); // written on Windows
        var relative = Path.GetRelativePath(root, path);
        return
            relative == ".."
            || relative.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            || Path.IsPathRooted(relative)
            ? $"the path leads out of {root}; give --image-root with a folder that holds the pictures"
            : Pictures.Trouble(path, options);
    }
}
