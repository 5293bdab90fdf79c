using LiT.Files;

namespace LiT.Data;

/// <summary>
/// Pictures in folders, with their captions: in a .txt, .caption or .json beside a picture, or in the metadata file
/// of the nearest folder that has one, as Hugging Face's ImageFolder has it. Where a metadata file stands, its rows say
/// which pictures its folder holds.
/// </summary>
/// <param name="root">The folder.</param>
/// <param name="classes">The first-level folders as classes, sorted; null where folders mean nothing.</param>
/// <param name="options">Limits.</param>
internal sealed class ImageFolder(string root, IReadOnlyList<string>? classes, SampleOptions options) : SampleSource
{
    /// <summary>Names of metadata files; of two in one folder the first of these counts.</summary>
    public static readonly string[] MetadataNames = ["metadata.jsonl", "metadata.csv"];

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

    private static readonly string[] CaptionEndings = [".txt", ".caption", ".captions", ".cap", ".text"];

    private readonly PassedOver passedOver = new();
    private bool hasMetadata;

    public override string Form =>
        hasMetadata ? "folders with metadata files"
        : classes is null ? "folder of images"
        : "class folders";

    public override IReadOnlyList<string>? Classes => classes;

    public override IReadOnlyList<string> PassedOver => passedOver.Phrases;

    private sealed record Folder(string Path, string Name, IReadOnlyList<Folder> Inside);

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        passedOver.Clear();
        var found = false;
        foreach (var one in Read(Tree(root, RealPath(root), "", [], skip), skip))
        {
            found = true;
            if (one is not null)
                yield return one;
        }
        if (!found)
            throw new LitException(Path, $"holds no picture ({Pictures.InWords})", "Check the folder");
    }

    /// <summary>The metadata file that counts for a folder, or null.</summary>
    public static string? MetadataIn(string folder) =>
        MetadataNames.Select(name => System.IO.Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Whether a folder below has a metadata file of its own.</summary>
    public static bool HasNestedMetadata(string folder) =>
        Directory
            .EnumerateDirectories(folder)
            .Where(inside =>
                !System.IO.Path.GetFileName(inside).StartsWith('.') && new DirectoryInfo(inside).LinkTarget is null
            )
            .Any(inside => MetadataIn(inside) is not null || HasNestedMetadata(inside));

    /// <summary>The samples of a folder and all below it; null for one that was found and skipped.</summary>
    private IEnumerable<Sample?> Read(Folder folder, Action<Skipped> skip)
    {
        if (MetadataIn(folder.Path) is { } metadata)
        {
            hasMetadata = true;
            foreach (var one in Governed(folder, metadata, skip))
                yield return one;
            foreach (var deeper in folder.Inside.SelectMany(WithMetadata))
            foreach (var one in Read(deeper, skip))
                yield return one;
            yield break;
        }
        foreach (var one in Plain(folder, skip))
            yield return one;
        foreach (var deeper in folder.Inside)
        foreach (var one in Read(deeper, skip))
            yield return one;
    }

    /// <summary>The nearest folders below, or the folder itself, that have metadata of their own.</summary>
    private static IEnumerable<Folder> WithMetadata(Folder folder) =>
        MetadataIn(folder.Path) is not null ? [folder] : folder.Inside.SelectMany(WithMetadata);

    /// <summary>A folder whose pictures its metadata file names.</summary>
    private IEnumerable<Sample?> Governed(Folder folder, string metadata, Action<Skipped> skip)
    {
        var table = new CaptionTable(metadata, Form, options with { ImageRoot = folder.Path })
        {
            Path = metadata,
            Prefix = folder.Name,
            Label = LabelOf(folder),
            OwnsFolder = true,
            Elsewhere = [.. folder.Inside.SelectMany(WithMetadata).Select(below => below.Name[folder.Name.Length..])],
        };
        foreach (var one in table.ReadAll())
        {
            if (one.Skipped is { } lost)
                skip(lost);
            if (one.Skipped is not { InPart: true })
                yield return one.Sample;
        }
        passedOver.Add(table.Passed);
    }

    /// <summary>A folder whose pictures are those that lie in it.</summary>
    private IEnumerable<Sample?> Plain(Folder folder, Action<Skipped> skip)
    {
        var files = Files(folder.Path, folder.Name, skip);
        var pictures = files.Where(Pictures.IsPicture).ToList();
        var stems = pictures.Select(Stem).Concat(pictures).ToHashSet(StringComparer.Ordinal);
        var texts = files.Where(IsWords).ToLookup(Stem, StringComparer.Ordinal);
        var captioned = files.Any(file => IsCaptions(file) && stems.Contains(Stem(file)));
        foreach (var file in files)
        {
            var key = folder.Name + file;
            var trouble =
                Pictures.IsPicture(file)
                    ? Pictures.Refusal(key) ?? Pictures.Trouble(System.IO.Path.Combine(folder.Path, file), options)
                : Pictures.IsUnread(file) ? $"a picture of a form that is not read; convert it to {Pictures.InWords}"
                : IsCaptions(file) && captioned && !stems.Contains(Stem(file)) ? "captions with no picture"
                : "";
            if (trouble == "")
            {
                if (!IsDocument(file) && (!IsWords(file) || !stems.Contains(Stem(file))))
                    passedOver.Add(Kinds.Of(file), key);
                continue;
            }
            if (trouble is not null)
            {
                skip(new(Pictures.OneLine(key), Pictures.OneLine(key), trouble));
                yield return null;
                continue;
            }
            // A text belongs to the picture of its stem, a.txt to a.jpg; or to that of its whole name, a.jpg.txt.
            string[] words = [.. texts[Stem(file)].Concat(texts[file]).Order(StringComparer.Ordinal)];
            yield return Picture(folder, file, key, words, skip);
        }
    }

    private Sample? Picture(Folder folder, string file, string key, string[] words, Action<Skipped> skip)
    {
        var path = System.IO.Path.Combine(folder.Path, file);
        var draft = new SampleDraft(key, key, options);
        foreach (var name in words.OrderBy(name => IsCaptions(name) ? 0 : 1))
        {
            var text = System.IO.Path.Combine(folder.Path, name);
            try
            {
                if (Linked.Length(text) is var length && length > SampleDraft.TextLimit)
                {
                    if (IsCaptions(name))
                        draft.LoseWords($"{name}: {SampleDraft.TooLong(length)}");
                    else
                        passedOver.Add(".json of more than 1 MiB", folder.Name + name);
                }
                else if (IsCaptions(name))
                    draft.AddCaptionLines(File.ReadAllBytes(text), name);
                else if (!JsonMembers.AddWords(draft, File.ReadAllBytes(text), name, options))
                    passedOver.Add(".json without a caption or label", folder.Name + name);
            }
            catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
            {
                draft.LoseWords($"{name}: cannot be read ({trouble.Message.TrimEnd('.')})");
            }
        }
        draft.SetLabel(LabelOf(folder));
        return draft.Finish(path, skip);
    }

    private string? LabelOf(Folder folder) =>
        classes is null || folder.Name.Length == 0 ? null : folder.Name.Split('/')[0];

    /// <summary>
    /// The folder and all below it, sorted; links that lead back to where they stand are not followed.
    /// </summary>
    private static Folder Tree(string path, string real, string name, string[] above, Action<Skipped> skip)
    {
        string[] inside = [.. above, real];
        List<Folder> folders = [];
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
                folders.Add(Tree(below, target, $"{name}{folder}/", inside, skip));
        }
        return new(path, name, folders);
    }

    private static string[] Files(string path, string name, Action<Skipped> skip) =>
        Named(path, Directory.EnumerateFiles, name, skip);

    /// <summary>
    /// Names inside a folder, sorted by code unit so that the order is the same everywhere; hidden ones left out.
    /// </summary>
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
        CaptionEndings.Any(ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) && !IsDocument(name);

    internal static bool IsDocument(string name) =>
        (Documents.Contains(Stem(name), StringComparer.OrdinalIgnoreCase) && !Kinds.MayBeATable(name))
        || name.EndsWith(".md", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".pdf", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a file may say something of the picture of its stem.</summary>
    private static bool IsWords(string name) =>
        IsCaptions(name) || name.EndsWith(".json", StringComparison.OrdinalIgnoreCase);

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
                yield return new(path, path) { ReadImage = () => Pictures.Bytes(path), File = path };
        }
    }
}
