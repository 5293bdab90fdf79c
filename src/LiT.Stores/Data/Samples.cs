using LiT.Files;

namespace LiT.Data;

/// <summary>Opens whatever a path is.</summary>
internal static class Samples
{
    /// <summary>Whether a file's name is that of a picture that can be read.</summary>
    public static bool IsPicture(string name) => Pictures.IsPicture(name);

    private static readonly string[] Archives = [".tar", ".tar.gz", ".tgz"];
    private static readonly string[] Packed = [".zip", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z", ".rar"];
    private static readonly string[] Tables = [".tsv", ".csv", ".jsonl", ".ndjson", ".txt", ".token"];
    private static readonly string[] TableStems = ["captions", "caption", "results", "metadata"];
    private static readonly string[] Splits = ["train", "test", "val", "valid", "validation", "dev"];

    private const string KnownForms =
        "class folders, a folder with metadata.jsonl or metadata.csv, a folder of images with .txt captions, "
        + ".tar or .tar.gz (WebDataset), .tsv, .csv, .jsonl, .parquet, or an embedding store";

    private static readonly List<Func<string, SampleOptions, SampleSource?>> Forms = [];

    /// <summary>
    /// Adds a form of data that this room does not know: an embedding store, a public test set by name.
    /// </summary>
    /// <param name="form">Opens what a path, pattern or name means; null where it is not of this form.</param>
    internal static void Register(Func<string, SampleOptions, SampleSource?> form) => Forms.Add(form);

    /// <summary>
    /// Opens a data set: class folders, a folder with metadata.jsonl or metadata.csv, a folder of images with .txt
    /// captions, tar archives (WebDataset), .tsv, .csv, .parquet, an embedding store, single pictures, or NAME=FOLDER
    /// for a public test set where those are known.
    /// </summary>
    /// <param name="pathOrPattern">A file, a folder, a brace range such as <c>shard-{000..011}.tar</c>, or a
    /// glob.</param>
    /// <param name="options">Choices where the form leaves one.</param>
    /// <exception cref="LitException">Nothing is there, its form is not known, or columns cannot be told.</exception>
    public static SampleSource Open(string pathOrPattern, SampleOptions? options = null)
    {
        options ??= new();
        var source = OpenOwn(pathOrPattern, options);
        return options.Given() is { } given ? new CaptionedSource(source, given) { Path = source.Path } : source;
    }

    private static SampleSource OpenOwn(string pathOrPattern, SampleOptions options)
    {
        if (Registered(pathOrPattern, options) is { } other)
            return other;
        if (Linked.Broken(pathOrPattern) is { } broken)
            throw new LitException(pathOrPattern, broken, "Check the path");
        if (Directory.Exists(pathOrPattern))
            return OpenFolder(pathOrPattern, options);
        if (File.Exists(pathOrPattern))
            return OpenFiles([pathOrPattern], pathOrPattern, options);
        if (!Patterns.IsPattern(pathOrPattern))
            throw new LitException(pathOrPattern, "there is no such file or folder", "Check the path");
        var found = Patterns.Expand(pathOrPattern);
        if (found is [var only] && Directory.Exists(only))
            return OpenFolder(only, options);
        return OpenFiles(
            [.. found.SelectMany(path => Directory.Exists(path) ? Shards(path) : [path])],
            pathOrPattern,
            options
        );
    }

    private static SampleSource? Registered(string path, SampleOptions options)
    {
        try
        {
            return Forms.Select(form => form(path, options)).FirstOrDefault(source => source is not null);
        }
        catch (UnauthorizedAccessException trouble)
        {
            throw NoPermission(path, trouble);
        }
    }

    private static LitException NoPermission(string folder, UnauthorizedAccessException trouble) =>
        new($"{folder}: no permission to read it. Check the folder's permissions.", trouble);

    private static SampleSource OpenFolder(string folder, SampleOptions options)
    {
        try
        {
            if (ImageFolder.MetadataIn(folder) is { } metadata)
                return ImageFolder.HasNestedMetadata(folder)
                    ? new ImageFolder(folder, null, options) { Path = folder }
                    : new CaptionTable(metadata, $"folder with {Path.GetFileName(metadata)}", options)
                    {
                        Path = folder,
                        OwnsFolder = options.ImageRoot is null,
                    };
            if (
                Shards(folder) is { Count: > 0 } shards
                && (IsArchive(shards[0]) || ParquetSamples.HoldPictures(shards, options) || !HoldsPictures(folder))
            )
            {
                RefuseParts(
                    folder,
                    [.. shards.Select(shard => Path.GetRelativePath(folder, shard))],
                    PartIn,
                    fewest: 2
                );
                return OpenFiles(shards, folder, options);
            }
            return TableOf(folder, options) ?? (SampleSource)OpenPictures(folder, options);
        }
        catch (UnauthorizedAccessException trouble)
        {
            throw NoPermission(folder, trouble);
        }
    }

    /// <summary>Whether a folder, or one of the folders in it, holds a picture.</summary>
    private static bool HoldsPictures(string folder) =>
        Visible(Directory.EnumerateFiles(folder)).Any(Pictures.IsPicture)
        || Visible(Directory.EnumerateDirectories(folder))
            .Any(inside => Visible(Directory.EnumerateFiles(inside)).Any(Pictures.IsPicture));

    private static bool IsTableOfCaptions(string name) =>
        TableStems.Contains(Path.GetFileNameWithoutExtension(name), StringComparer.OrdinalIgnoreCase)
        || name.Contains(".token", StringComparison.OrdinalIgnoreCase); // Flickr8k.token.txt, results_20130124.token

    /// <summary>
    /// The one table by whose captions a folder's pictures are described, as Flickr's archives have it; null where
    /// there is none.
    /// </summary>
    private static CaptionTable? TableOf(string folder, SampleOptions options)
    {
        List<CaptionTable> tables = [];
        foreach (var file in Visible(Directory.EnumerateFiles(folder)).Order(StringComparer.Ordinal))
            if (
                Tables.Any(ending => HasExtension(file, ending))
                && IsTableOfCaptions(Path.GetFileName(file))
                && CaptionTable.Describing(file, folder, options) is { } table
            )
                tables.Add(table);
        return tables is [var only] ? only : null;
    }

    /// <summary>
    /// Class folders where no picture stands beside them, or where there are several and the pictures beside them are
    /// few: those have no label then.
    /// </summary>
    private static ImageFolder OpenPictures(string folder, SampleOptions options)
    {
        string[] folders =
        [
            .. Visible(Directory.EnumerateDirectories(folder))
                .Select(path => Path.GetFileName(path))
                .Order(StringComparer.Ordinal),
        ];
        RefuseParts(folder, folders, Part, fewest: 1);
        // img2dataset's parts, 00000 beside 00000.parquet, are no classes.
        if (folders.Length > 0 && folders.All(name => File.Exists(Path.Combine(folder, name + ".parquet"))))
            return new ImageFolder(folder, null, options) { Path = folder };
        var stray = Visible(Directory.EnumerateFiles(folder)).Any(Pictures.IsPicture);
        var classes = folders.Count(name =>
            !stray || Visible(Directory.EnumerateFiles(Path.Combine(folder, name))).Any(Pictures.IsPicture)
        );
        return new ImageFolder(folder, classes >= (stray ? 2 : 1) ? folders : null, options) { Path = folder };
    }

    /// <summary>
    /// Training and test data in one place are not read as one data set, nor their folders as classes.
    /// </summary>
    /// <param name="place">The folder.</param>
    /// <param name="names">What it holds.</param>
    /// <param name="part">The part that a name says it is, or null.</param>
    /// <param name="fewest">How many different parts are too many.</param>
    private static void RefuseParts(string place, IReadOnlyList<string> names, Func<string, string?> part, int fewest)
    {
        var parts = names.Select(part).Distinct().ToList();
        if (parts.Count < fewest || parts.Contains(null))
            return;
        throw new LitException(
            place,
            $"holds the parts {string.Join(", ", parts)}",
            $"Name one of them, for example {Path.Combine(place, names[0])}"
        );
    }

    private static string? Part(string word) =>
        Array.Find(Splits, split => split.Equals(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>The part in data/train-00000-of-00002.parquet or emoji-test.tar.</summary>
    private static string? PartIn(string shard) =>
        shard
            .Split('-', '_', '.', '/', Path.DirectorySeparatorChar)
            .Select(Part)
            .FirstOrDefault(part => part is not null);

    private static SampleSource OpenFiles(IReadOnlyList<string> files, string path, SampleOptions options)
    {
        if (files.Count == 0)
            throw new LitException(path, "no file of a known form", $"Known are {KnownForms}");
        if (files.All(IsArchive))
            return new WebDataset(files, options) { Path = path };
        if (files.All(file => HasExtension(file, ".parquet")))
            return new ParquetSamples(files, options) { Path = path }.Checked();
        if (files.All(Pictures.IsPicture))
            return new PictureFiles(files, options) { Path = path };
        if (files is [var table] && Tables.Any(ending => HasExtension(table, ending)))
            return new CaptionTable(table, Path.GetExtension(table)[1..].ToUpperInvariant(), options) { Path = path };
        var strange = files.FirstOrDefault(file => !IsArchive(file)) ?? files[0];
        throw new LitException(
            Packed.Any(end => HasExtension(strange, end))
                ? $"{strange}: this kind of archive is not read. Unpack it, or pack it as .tar or .tar.gz."
                : $"{strange}: not a known form of data. Known are {KnownForms}."
        );
    }

    /// <summary>The archives or Parquet files of a folder: its own, or those of the folders in it.</summary>
    private static List<string> Shards(string folder)
    {
        IEnumerable<string>[] places =
        [
            [folder],
            Visible(Directory.EnumerateDirectories(folder)),
        ];
        foreach (var folders in places)
        {
            var files = folders
                .SelectMany(place => Visible(Directory.EnumerateFiles(place)))
                .Where(file => IsArchive(file) || HasExtension(file, ".parquet"))
                .Order(StringComparer.Ordinal)
                .ToList();
            if (files.Any(IsArchive))
                return files.FindAll(IsArchive);
            if (files.Count > 0)
                return files;
        }
        return [];
    }

    private static IEnumerable<string> Visible(IEnumerable<string> paths) =>
        paths.Where(path => !Path.GetFileName(path).StartsWith('.'));

    private static bool IsArchive(string path) => Archives.Any(end => HasExtension(path, end));

    private static bool HasExtension(string path, string extension) =>
        path.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
}
