using LiT.Data;
using LiT.Evaluation;

namespace LiT.TestSets;

/// <summary>
/// The sets of the VTAB-natural group and their neighbours, each from the folder in which it is published.
/// </summary>
internal static class SmallSets
{
    /// <summary>images/CLASS/…, labels/test1.txt: the test part of the first of ten splits.</summary>
    public static IEnumerable<TestPicture> Dtd(string root, SampleOptions options)
    {
        if (Layout.FolderIn(root, "dtd") is { } inside)
            root = inside;
        var list = Layout.Needed(Layout.FileIn(root, "labels/test1.txt"), root, "labels/test1.txt");
        return Layout
            .Lines(list)
            .Select(entry =>
                TestPicture.InFile(
                    Path.Combine(root, "images", entry.Line),
                    entry.Line,
                    entry.Line.Split('/')[0],
                    options
                )
            );
    }

    /// <summary>jpg/image_00001.jpg, imagelabels.mat, setid.mat (tstid).</summary>
    public static IEnumerable<TestPicture> Flowers(string root, SampleOptions options)
    {
        if (Layout.FolderIn(root, "flowers-102", "102flowers") is { } inside)
            root = inside;
        var labelFile = Layout.Needed(Layout.FileIn(root, "imagelabels.mat"), root, "imagelabels.mat");
        var splitFile = Layout.Needed(Layout.FileIn(root, "setid.mat"), root, "setid.mat");
        var labels = MatFile.Read(labelFile)["labels"].Numbers();
        foreach (var number in MatFile.Read(splitFile)["tstid"].Numbers())
        {
            if (number < 1 || number > labels.Length || labels[(int)number - 1] is < 1 or > 102)
                throw new LitException(
                    splitFile,
                    $"picture {number}, for which {labelFile} has no label from 1 to 102",
                    "Take both files from one download"
                );
            var key = $"jpg/image_{(int)number:00000}.jpg";
            yield return TestPicture.InFile(Path.Combine(root, key), key, $"{(int)labels[(int)number - 1]}", options);
        }
    }

    /// <summary>images/Abyssinian_1.jpg, annotations/test.txt ("Abyssinian_201 1 1 1").</summary>
    public static IEnumerable<TestPicture> Pets(string root, SampleOptions options)
    {
        if (Layout.FolderIn(root, "oxford-iiit-pet") is { } inside)
            root = inside;
        var list = Layout.Needed(Layout.FileIn(root, "annotations/test.txt"), root, "annotations/test.txt");
        foreach (var (line, number) in Layout.Lines(list))
        {
            if (line[0] == '#')
                continue;
            var name = line.Split(' ')[0];
            var end = name.LastIndexOf('_');
            if (end < 1)
                throw new LitException(
                    list,
                    Place.Line(number),
                    $"'{name}' is no picture of a breed (Abyssinian_201)",
                    "Download the file again"
                );
            yield return TestPicture.InFile(
                Path.Combine(root, "images", $"{name}.jpg"),
                $"{name}.jpg",
                name[..end],
                options
            );
        }
    }

    /// <summary>test_32x32.mat: X [32, 32, 3, N], y [N], in which 10 stands for 0.</summary>
    public static IEnumerable<TestPicture> Svhn(string root, SampleOptions options)
    {
        var path = Layout.Needed(Layout.FileIn(root, "test_32x32.mat"), root, "test_32x32.mat");
        var mat = MatFile.Read(path);
        var (x, y) = (mat["X"], mat["y"].Numbers());
        if (x is not { Type: 2, Sizes: [var height, var width, 3, var count] } || y.Length != count)
            throw new LitException(
                path,
                "X is no array of bytes [height, width, 3, N] with N labels y",
                "Download the file again"
            );
        for (var i = 0; i < count; i++)
        {
            var at = i * height * width * 3;
            if (y[i] is < 0 or > 10)
                throw new LitException(
                    path,
                    $"picture {i} has the label {y[i]}, where digits go from 1 to 10 (for 0)",
                    "Download the file again"
                );
            yield return new($"test/{i:00000}", $"{(int)y[i] % 10}", () =>
            {
                var rgb = new byte[height * width * 3]; // column-major: [row, column, channel]
                var stored = x.Data.Span.Slice(at, rgb.Length);
                for (var row = 0; row < height; row++)
                for (var column = 0; column < width; column++)
                for (var channel = 0; channel < 3; channel++)
                    rgb[(row * width + column) * 3 + channel] = stored[row + height * (column + width * channel)];
                return PixelPicture.Encode(width, height, rgb);
            });
        }
    }

    /// <summary>
    /// SUN397/a/abbey/sun_….jpg; Partitions/Testing_01.txt names the test pictures of the first split, else all are
    /// taken.
    /// </summary>
    public static IEnumerable<TestPicture> Sun397(string root, SampleOptions options)
    {
        var pictures = Layout.FolderIn(root, "SUN397") ?? root;
        var list = Layout.FileIn(root, "Partitions/Testing_01.txt", "Testing_01.txt")
            ?? Layout.FileIn(pictures, "Testing_01.txt");
        var names = list is not null
            ? Layout.Lines(list).Select(entry => entry.Line.TrimStart('/'))
            : Directory
                .EnumerateFiles(pictures, "*", SearchOption.AllDirectories)
                .Where(Data.Pictures.IsPicture)
                .Select(path => Path.GetRelativePath(pictures, path).Replace('\\', '/'))
                .Order(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var parts = name.Split('/'); // a/abbey/sun_x.jpg, c/church/indoor/sun_x.jpg
            if (parts.Length < 3)
                continue;
            yield return TestPicture.InFile(
                Path.Combine(pictures, name),
                name,
                string.Join(' ', parts[1..^1]).Replace('_', ' '),
                options
            );
        }
    }

    /// <summary>images/CLASS/ID.jpg, meta/test.txt ("apple_pie/1011328").</summary>
    public static IEnumerable<TestPicture> Food101(string root, SampleOptions options)
    {
        if (Layout.FolderIn(root, "food-101") is { } inside)
            root = inside;
        var list = Layout.Needed(Layout.FileIn(root, "meta/test.txt"), root, "meta/test.txt");
        return Layout
            .Lines(list)
            .Select(entry =>
                TestPicture.InFile(
                    Path.Combine(root, "images", $"{entry.Line}.jpg"),
                    $"{entry.Line}.jpg",
                    entry.Line.Split('/')[0],
                    options
                )
            );
    }

    /// <summary>Class folders, in the root or in one of some folders below it.</summary>
    public static Func<string, SampleOptions, IEnumerable<TestPicture>> Folders(string set, params string[] places) =>
        (root, options) =>
        {
            var ids = ShippedClasses.IdsOf(set).ToHashSet(StringComparer.Ordinal);
            return Layout.ClassFolders(Layout.FolderIn(root, places) ?? root, options, name =>
                ids.Contains(name) ? name : null
            );
        };
}
