using System.Globalization;
using System.IO.Enumeration;

namespace LiT.Data;

/// <summary>
/// File names that stand for several files: brace ranges <c>{000..011}</c>, alternatives <c>{a,b}</c>, globs <c>*
/// ?</c>.
/// </summary>
internal static class Patterns
{
    private const int Most = 1_000_000;

    public static bool IsPattern(string path) => path.AsSpan().IndexOfAny("*?{") >= 0;

    /// <summary>
    /// Every existing file or folder that a pattern names, brace alternatives in their order, globs sorted.
    /// </summary>
    /// <exception cref="LitException">Nothing matches, or a file that a brace names is not there.</exception>
    public static IReadOnlyList<string> Expand(string pattern)
    {
        var expanded = Braces(pattern).ToList();
        var missing = expanded.Where(path => !HasGlob(path) && !Path.Exists(path)).ToList();
        if (missing.Count > 0)
            throw new LitException(
                pattern,
                $"{missing.Count} of {expanded.Count} files are missing, the first is {missing[0]}",
                "Fetch them, or give the range that is there"
            );
        var found = expanded.SelectMany(path => HasGlob(path) ? Glob(path) : [path]).Distinct().ToList();
        return found.Count > 0
            ? found
            : throw new LitException(pattern, "no file matches", "Check the folder and the pattern");
    }

    /// <summary>Short names that tell files apart: the file's own name, or the whole path where two share it.</summary>
    public static string[] ShortNames(IReadOnlyList<string> paths)
    {
        var names = paths.Select(path => Path.GetFileName(path)).ToArray();
        return names.Distinct().Count() == names.Length ? names : [.. paths];
    }

    private static bool HasGlob(string path) => path.AsSpan().IndexOfAny('*', '?') >= 0;

    private static IEnumerable<string> Braces(string pattern)
    {
        var open = pattern.IndexOf('{');
        var close = open < 0 ? -1 : pattern.IndexOf('}', open);
        if (close < 0)
            return [pattern];
        var choices = Choices(pattern, pattern[(open + 1)..close]);
        return choices.SelectMany(choice =>
            Braces(pattern[(close + 1)..]).Select(rest => pattern[..open] + choice + rest)
        );
    }

    private static IEnumerable<string> Choices(string pattern, string inside)
    {
        if (inside.Split("..") is not [var first, var last])
            return inside.Split(',');
        if (
            !int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from)
            || !int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var to)
            || to < from
            || to - from >= Most
        )
            throw new LitException(pattern, $"{{{inside}}} is not a range", "Write it as {000..011}");
        return Enumerable
            .Range(from, to - from + 1)
            .Select(i => i.ToString(CultureInfo.InvariantCulture).PadLeft(first.Length, '0'));
    }

    private static IEnumerable<string> Glob(string pattern)
    {
        var root = Path.IsPathRooted(pattern) ? Path.GetPathRoot(pattern)! : "";
        IEnumerable<string> folders = [root];
        var parts = pattern[root.Length..].Split('/', Path.DirectorySeparatorChar);
        for (var i = 0; i < parts.Length; i++)
        {
            var (part, last) = (parts[i], i == parts.Length - 1);
            if (part.Length == 0)
                continue;
            folders = folders
                .SelectMany(folder =>
                {
                    if (!HasGlob(part))
                        return Path.Exists(Path.Combine(folder, part)) ? [Path.Combine(folder, part)] : [];
                    var place = folder.Length == 0 ? "." : folder;
                    return (Directory.Exists(place) ? Directory.EnumerateFileSystemEntries(place) : [])
                        .Where(entry => last || Directory.Exists(entry))
                        .Select(entry => Path.GetFileName(entry)!)
                        .Where(name =>
                            !name.StartsWith('.')
                            && FileSystemName.MatchesSimpleExpression(part, name, ignoreCase: false)
                        )
                        .Order(StringComparer.Ordinal)
                        .Select(name => Path.Combine(folder, name));
                })
                .ToList();
        }
        return folders;
    }
}
