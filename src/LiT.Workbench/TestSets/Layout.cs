using System.Globalization;
using System.Text.Json;
using LiT.Data;
using LiT.Evaluation;
using LiT.Files;

namespace LiT.TestSets;

/// <summary>Finding and reading the parts of a published folder.</summary>
internal static class Layout
{
    private const long LongestText = 512L << 20;

    /// <summary>The first of some folders that is there, else null.</summary>
    public static string? FolderIn(string root, params string[] names) =>
        names.Select(name => name.Length == 0 ? root : Path.Combine(root, name)).FirstOrDefault(Directory.Exists);

    /// <summary>The first of some files that is there, else null.</summary>
    public static string? FileIn(string root, params string[] names) =>
        names.Select(name => Path.Combine(root, name)).FirstOrDefault(File.Exists);

    /// <exception cref="LitException">None of them is there.</exception>
    public static string Needed(string? found, string root, string what) =>
        found
        ?? throw new LitException(
            root,
            $"{what} is missing",
            "Unpack the whole data set there; 'lit data sets' says what it must look like"
        );

    /// <summary>Subfolders' names, sorted by code unit; hidden ones left out.</summary>
    public static string[] Folders(string path) => Sorted(Directory.EnumerateDirectories(path));

    /// <summary>Files' names, sorted by code unit; hidden ones left out.</summary>
    public static string[] Files(string path) => Sorted(Directory.EnumerateFiles(path));

    /// <summary>The pictures of class folders whose names are the labels; deeper folders belong to the class.</summary>
    public static IEnumerable<TestPicture> ClassFolders(
        string root,
        SampleOptions options,
        Func<string, string?>? labelOf = null
    )
    {
        foreach (var name in Folders(root))
        {
            if ((labelOf is null ? name : labelOf(name)) is not { } label)
                continue;
            var inside = Directory
                .EnumerateFiles(Path.Combine(root, name), "*", SearchOption.AllDirectories)
                .Where(Pictures.IsPicture)
                .Select(path => Path.GetRelativePath(root, path).Replace('\\', '/'))
                .Order(StringComparer.Ordinal);
            foreach (var key in inside)
                yield return TestPicture.InFile(Path.Combine(root, key), key, label, options);
        }
    }

    /// <summary>The lines of a text file with their numbers; empty ones left out.</summary>
    /// <param name="path">The file.</param>
    /// <param name="trim">Whether blanks at both ends go; in tables an empty cell at the end counts.</param>
    public static IEnumerable<(string Line, int Number)> Lines(string path, bool trim = true)
    {
        Check(path);
        return File.ReadLines(path)
            .Select((line, i) => (Line: trim ? line.Trim() : line, Number: i + 1))
            .Where(entry => entry.Line.Length > 0);
    }

    /// <exception cref="LitException">The file is no JSON.</exception>
    public static JsonDocument Json(string path)
    {
        Check(path);
        try
        {
            using var file = File.OpenRead(path);
            return JsonDocument.Parse(file);
        }
        catch (JsonException damage)
        {
            throw new LitException(
                path,
                $"no valid JSON ({JsonTrouble.Words(damage)})",
                "Download the file again",
                damage
            );
        }
    }

    /// <summary>
    /// Gives what a reading of JSON makes, with the file's name where a member is missing or of another kind.
    /// </summary>
    public static T Of<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception damage)
            when (damage
                    is KeyNotFoundException
                        or InvalidOperationException
                        or FormatException
                        or IndexOutOfRangeException
            )
        {
            throw new LitException(
                path,
                $"not in the published form ({JsonTrouble.Words(damage)})",
                "Download the file again",
                damage
            );
        }
    }

    public static int Number(string text, string where) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new LitException(where, $"'{text}' is no whole number", "Download the file again");

    private static void Check(string path)
    {
        var file = Linked.Info(path);
        if (!file.Exists)
            throw new LitException(path, "there is no such file", "Unpack the whole data set there");
        if (file.Length > LongestText)
            throw new LitException(path, $"{file.Length:N0} bytes are too many for this file", "Download it again");
    }

    private static string[] Sorted(IEnumerable<string> paths)
    {
        var names = paths.Select(path => Path.GetFileName(path)).Where(name => !name.StartsWith('.')).ToArray();
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }
}
