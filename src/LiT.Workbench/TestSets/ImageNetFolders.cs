using System.Globalization;
using System.Text.RegularExpressions;
using LiT.Classification;
using LiT.Data;
using LiT.Evaluation;

namespace LiT.TestSets;

/// <summary>ImageNet's validation pictures and its relatives, from the folders in which they are published.</summary>
internal static partial class ImageNetFolders
{
    private static readonly string[] ValFolders =
    [
        "val",
        "ILSVRC2012_img_val",
        "ILSVRC/Data/CLS-LOC/val",
        "validation",
        "",
    ];

    private static readonly string[] NameFiles =
    [
        "LOC_synset_mapping.txt",
        "synset_words.txt",
        "imagenet_class_index.json",
        "classnames.txt",
        "imagenet_classnames.txt",
    ];

    /// <summary>
    /// Validation pictures: folders of synsets, or flat with LOC_val_solution.csv, val.txt, or the devkit's ground
    /// truth.
    /// </summary>
    public static IEnumerable<TestPicture> Validation(string root, SampleOptions options)
    {
        var folder = ValFolders.Select(name => Path.Combine(root, name)).First(Directory.Exists);
        if (Layout.Folders(folder).Any(IsSynset))
            return Layout.ClassFolders(folder, options, name => IsSynset(name) ? name : null);
        var labels = FlatLabels(root, folder);
        return Layout
            .Files(folder)
            .Where(Pictures.IsPicture)
            .Select(name =>
                TestPicture.InFile(
                    Path.Combine(folder, name),
                    name,
                    labels.GetValueOrDefault(Path.GetFileNameWithoutExtension(name)),
                    options
                )
            );
    }

    /// <summary>
    /// Validation pictures with the labels of "Are we done with ImageNet?" (arXiv 2006.07159): real.json, a list of
    /// class numbers a picture.
    /// </summary>
    public static IEnumerable<TestPicture> Real(string root, SampleOptions options)
    {
        var path = Layout.Needed(Layout.FileIn(root, "real.json", "val/real.json"), root, "real.json");
        using var json = Layout.Json(path);
        var labels = Layout.Of(path, () =>
            json
                .RootElement.EnumerateArray()
                .Select(row => row.EnumerateArray().Select(label => label.GetInt32()).ToArray())
                .ToArray()
        );
        var ids = ShippedClasses.ImageNetIds;
        foreach (
            var (row, wrong) in labels.Select(
                (row, i) => (i, row.FirstOrDefault(label => label < 0 || label >= ids.Count, -1))
            )
        )
            if (wrong != -1)
                throw new LitException(
                    path,
                    $"picture {row + 1} has the label {wrong}, where classes go from 0 to {ids.Count - 1}",
                    "Download the file again"
                );
        var folder = ValFolders.Select(name => Path.Combine(root, name)).First(Directory.Exists);
        var files = Directory
            .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(Pictures.IsPicture)
            .OrderBy(file => Path.GetFileName(file), StringComparer.Ordinal);
        foreach (var file in files)
        {
            var name = Path.GetFileName(file);
            var picture = TestPicture.InFile(file, name, null, options);
            var match = ValNumber().Match(name);
            if (
                !match.Success
                || int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) is var number
                    && (number < 1 || number > labels.Length)
            )
                yield return picture with
                {
                    Trouble = "the name has no number that real.json counts (ILSVRC2012_val_00000001.JPEG)",
                };
            else
                yield return picture with
                {
                    Labels =
                    [
                        .. labels[int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) - 1]
                            .Select(label => ids[label]),
                    ],
                };
        }
    }

    /// <summary>Folders 0 … 999 by class number.</summary>
    public static IEnumerable<TestPicture> V2(string root, SampleOptions options)
    {
        var folder = Layout.Folders(root).Any(name => name.All(char.IsAsciiDigit))
            ? root
            : Layout
                .Folders(root)
                .Where(name => name.StartsWith("imagenetv2", StringComparison.OrdinalIgnoreCase))
                .OrderBy(name => IsOtherSample(name) ? 1 : 0)
                .Select(name => Path.Combine(root, name))
                .FirstOrDefault()
                ?? root;
        // Three samples were published, of 10,000 pictures each; on the others accuracy is 7 to 10 points higher.
        if (IsOtherSample(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))))
            throw new LitException(
                $"{folder}: another sample of ImageNet-v2 than imagenet-v2's, which is matched frequency. "
                    + $"Unpack imagenetv2-matched-frequency, or give this folder itself as `Data` with `Classes`."
            );
        return Layout.ClassFolders(folder, options, name =>
            name.All(char.IsAsciiDigit)
            && int.TryParse(name, CultureInfo.InvariantCulture, out var c)
            && c < ShippedClasses.ImageNetIds.Count
                ? ShippedClasses.ImageNetIds[c]
                : null
        );
    }

    private static bool IsOtherSample(string name) =>
        name.Contains("threshold", StringComparison.OrdinalIgnoreCase)
        || name.Contains("top-images", StringComparison.OrdinalIgnoreCase)
        || name.Contains("topimages", StringComparison.OrdinalIgnoreCase);

    /// <summary>Folders of synsets, in the root or in a folder of the set's name.</summary>
    public static Func<string, SampleOptions, IEnumerable<TestPicture>> Synsets(params string[] names) =>
        (root, options) =>
            Layout.ClassFolders(
                Layout.Folders(root).Any(IsSynset) ? root : Layout.FolderIn(root, names) ?? root,
                options,
                name => IsSynset(name) ? name : null
            );

    /// <summary>
    /// Class names in the files that lie beside the pictures, by synset where the file says it; null where there are
    /// none.
    /// </summary>
    public static ClassList? NamesBeside(string root)
    {
        foreach (var folder in new[] { root, Path.GetDirectoryName(Path.GetFullPath(root)) ?? root })
            if (Directory.Exists(folder) && Layout.FileIn(folder, NameFiles) is { } path)
                return ClassLists.Read(path);
        return null;
    }

    private static Dictionary<string, string> FlatLabels(string root, string folder)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        var ids = ShippedClasses.ImageNetIds;
        if (Layout.FileIn(root, "LOC_val_solution.csv") is { } kaggle)
            foreach (var (line, number) in Layout.Lines(kaggle).Skip(1))
                labels[line.Split(',')[0]] =
                    line.Split(',') is [_, var prediction, ..] && IsSynset(prediction.Split(' ')[0])
                        ? prediction.Split(' ')[0]
                        : throw new LitException(
                            kaggle,
                            Place.Line(number),
                            "no synset after the picture",
                            "Download the file again"
                        );
        else if ((Layout.FileIn(root, "val.txt", "val_map.txt") ?? Layout.FileIn(folder, "val.txt")) is { } list)
            foreach (var (line, number) in Layout.Lines(list))
            {
                var label = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [_, var one]
                    ? Layout.Number(one, $"{list}, line {number}")
                    : -1;
                if (label < 0 || label >= ids.Count)
                    throw new LitException(
                        list,
                        Place.Line(number),
                        $"write the picture and a class number from 0 to {ids.Count - 1}",
                        null
                    );
                labels[Path.GetFileNameWithoutExtension(line.Split(' ', '\t')[0])] = ids[label];
            }
        else
        {
            const string Truth = "ILSVRC2012_validation_ground_truth.txt";
            var truth = Layout.Needed(
                Layout.FileIn(root, Truth, $"data/{Truth}", $"ILSVRC2012_devkit_t12/data/{Truth}"),
                root,
                $"what the flat pictures are (LOC_val_solution.csv, val.txt or the devkit's {Truth})"
            );
            var meta = Layout.Needed(
                Layout.FileIn(Path.GetDirectoryName(truth)!, "meta.mat"),
                root,
                "the devkit's meta.mat, which numbers the classes,"
            );
            var synsets = MatFile.Read(meta).Table("synsets");
            var byNumber = new Dictionary<int, string>();
            foreach (var row in synsets)
                if (row["WNID"].Text is { } id)
                    byNumber[(int)row["ILSVRC2012_ID"].Number] = id;
            foreach (var (line, number) in Layout.Lines(truth))
                labels[$"ILSVRC2012_val_{number:00000000}"] = byNumber.TryGetValue(
                    Layout.Number(line, $"{truth}, line {number}"),
                    out var id
                )
                    ? id
                    : throw new LitException(
                        truth,
                        Place.Line(number),
                        $"class {line} is not among those of {meta}",
                        "Take both from one devkit"
                    );
        }
        return labels;
    }

    private static bool IsSynset(string name) => Synset().IsMatch(name);

    [GeneratedRegex(@"^n\d{8}$")]
    private static partial Regex Synset();

    [GeneratedRegex(@"^ILSVRC2012_val_(\d{8})\.")]
    private static partial Regex ValNumber();
}
