namespace LiT.Data;

/// <summary>Pictures in folders, each with its captions in a .txt of the same stem if there is one.</summary>
/// <param name="root">The folder.</param>
/// <param name="classes">The first-level folders as classes, sorted; null where folders mean nothing.</param>
/// <param name="options">Limits.</param>
internal sealed class ImageFolder(string root, IReadOnlyList<string>? classes, SampleOptions options) : SampleSource
{
    // Texts that lie in data sets without belonging to a picture.
    private static readonly string[] Documents =
    [
        "readme",
        "license",
        "licence",
        "copying",
        "classes",
        "labels",
        "requirements",
        "notice",
    ];

    public override string Form => classes is null ? "folder of images" : "class folders";

    public override IReadOnlyList<string>? Classes => classes;

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        var found = false;
        foreach (var folder in Folders(root, RealPath(root), "", [], skip))
        {
            var files = Files(folder.Path, folder.Name, skip);
            var stems = files.Where(Pictures.IsPicture).Select(Stem).ToHashSet(StringComparer.Ordinal);
            var texts = files.Where(IsCaptions).Select(Stem).ToHashSet(StringComparer.Ordinal);
            var captioned = texts.Overlaps(stems);
            var label = classes is null || folder.Name.Length == 0 ? null : folder.Name.Split('/')[0];
            foreach (var file in files)
            {
                var key = folder.Name + file;
                var trouble =
                    Pictures.IsPicture(file)
                        ? Pictures.Refusal(key) ?? Pictures.Trouble(System.IO.Path.Combine(folder.Path, file), options)
                    : Pictures.IsUnread(file)
                        ? $"a picture of a form that is not read; convert it to {Pictures.InWords}"
                    : IsCaptions(file) && captioned && !stems.Contains(Stem(file)) ? "captions with no picture"
                    : "";
                if (trouble == "")
                    continue;
                found = true;
                if (trouble is not null)
                    skip(new(Pictures.OneLine(key), Pictures.OneLine(key), trouble));
                else if (
                    Picture(System.IO.Path.Combine(folder.Path, file), key, label, texts.Contains(Stem(file)), skip) is
                    { } sample
                )
                    yield return sample;
            }
        }
        if (!found)
            throw new LitException($"{Path}: holds no picture ({Pictures.InWords}). Check the folder.");
    }

    private Sample? Picture(string path, string key, string? label, bool captioned, Action<Skipped> skip)
    {
        var draft = new SampleDraft(key, key, options);
        draft.SetLabel(label);
        if (captioned)
        {
            var text = System.IO.Path.ChangeExtension(path, ".txt");
            var name = System.IO.Path.GetFileName(text);
            try
            {
                if (new FileInfo(text).Length is var length && length > SampleDraft.TextLimit)
                    draft.LoseWords($"{name}: {SampleDraft.TooLong(length)}");
                else
                    draft.AddCaptionLines(File.ReadAllBytes(text), name);
            }
            catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
            {
                draft.LoseWords($"{name}: cannot be read ({trouble.Message.TrimEnd('.')})");
            }
        }
        return draft.Finish(() => Pictures.Bytes(path), skip);
    }

    /// <summary>The folder and all below it, depth first, sorted; links that lead back to where they stand are not followed.</summary>
    private static IEnumerable<(string Path, string Name)> Folders(
        string path,
        string real,
        string name,
        string[] above,
        Action<Skipped> skip
    )
    {
        yield return (path, name);
        string[] inside = [.. above, real];
        foreach (var folder in Named(path, Directory.EnumerateDirectories, name, skip))
        {
            var below = System.IO.Path.Combine(path, folder);
            var target = new DirectoryInfo(below).LinkTarget is null
                ? System.IO.Path.Combine(real, folder)
                : RealPath(below);
            if (
                inside.Any(place =>
                    place == target
                    || place.StartsWith(target + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal)
                )
            )
                skip(
                    new(
                        Pictures.OneLine(name + folder),
                        Pictures.OneLine(name + folder),
                        "a link back to a folder that it stands in is not followed"
                    )
                    {
                        InPart = true,
                    }
                );
            else
                foreach (var deeper in Folders(below, target, $"{name}{folder}/", inside, skip))
                    yield return deeper;
        }
    }

    private static string[] Files(string path, string name, Action<Skipped> skip) =>
        Named(path, Directory.EnumerateFiles, name, skip);

    /// <summary>Names inside a folder, sorted by code unit so that the order is the same everywhere; hidden ones left out.</summary>
    private static string[] Named(
        string path,
        Func<string, IEnumerable<string>> list,
        string name,
        Action<Skipped> skip
    )
    {
        try
        {
            var names = list(path)
                .Select(entry => System.IO.Path.GetFileName(entry))
                .Where(entry => !entry.StartsWith('.'))
                .ToArray();
            Array.Sort(names, StringComparer.Ordinal);
            return names;
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            skip(new(name, name, $"the folder cannot be read ({trouble.Message.TrimEnd('.')})") { InPart = true });
            return [];
        }
    }

    private static bool IsCaptions(string name) =>
        name.EndsWith(".txt", StringComparison.Ordinal)
        && !Documents.Contains(Stem(name), StringComparer.OrdinalIgnoreCase);

    private static string Stem(string name) => System.IO.Path.GetFileNameWithoutExtension(name);

    private static string RealPath(string path) =>
        new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName
        ?? System.IO.Path.GetFullPath(path);
}

/// <summary>Single pictures, named one by one or by a glob.</summary>
internal sealed class PictureFiles(IReadOnlyList<string> paths, SampleOptions options) : SampleSource
{
    public override string Form => paths.Count == 1 ? "picture" : "pictures";

    public override long? KnownCount => paths.Count;

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        foreach (var path in paths)
        {
            if ((Pictures.Refusal(System.IO.Path.GetFileName(path)) ?? Pictures.Trouble(path, options)) is { } trouble)
                skip(new(path, path, trouble));
            else
                yield return new(path, path) { ReadImage = () => Pictures.Bytes(path) };
        }
    }
}
