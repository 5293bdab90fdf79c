using System.Globalization;
using System.Numerics.Tensors;
using LiT.Checkpoints;
using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Stores;

namespace LiT.Evaluation;

/// <summary>
/// An evaluation of embeddings that were made elsewhere: nothing is embedded, everything is counted as for a model.
/// </summary>
internal sealed record GivenOptions
{
    /// <summary>Image embeddings: a .npy of rows, or a store.</summary>
    public required string Images { get; init; }

    /// <summary>Text embeddings: a .npy of rows.</summary>
    public required string Texts { get; init; }

    /// <summary>
    /// The class of each text, where classes have several prompts: .npy of whole numbers, or one a line.
    /// </summary>
    public string? TextClasses { get; init; }

    /// <summary>
    /// Each image's label: .npy ([N], or [N, k] filled with -1), or one a line, several separated by tabs; null for the
    /// store's own.
    /// </summary>
    public string? Labels { get; init; }

    /// <summary>The images' names, one a line; null for the store's keys, or numbers.</summary>
    public string? ImageKeys { get; init; }

    /// <summary>The texts, one a line; null for numbers.</summary>
    public string? TextLines { get; init; }

    /// <summary>
    /// Which image and text belong together: .npy with the image of each text, or lines "image TAB text" by name or
    /// number; null for the store's captions.
    /// </summary>
    public string? Pairs { get; init; }

    /// <summary>exp(t), for probabilities.</summary>
    public double? Temperature { get; init; }

    /// <summary>Class names.</summary>
    public ClassNames? Classes { get; init; }

    /// <summary>Where the class names come from, for the record.</summary>
    public string ClassesFrom { get; init; } = "numbers";

    /// <summary>Which column of a store holds the label.</summary>
    public string? LabelColumn { get; init; }

    /// <summary>Seed of the bootstrap.</summary>
    public int Seed { get; init; }
}

/// <summary>Reads embeddings that were made elsewhere and scores them.</summary>
internal static class GivenEmbeddings
{
    private const double UnitWithin = 1e-3;

    /// <summary>Zero-shot classification: each image against the classes' texts.</summary>
    /// <param name="options">What to read.</param>
    /// <param name="say">Told what was assumed.</param>
    /// <exception cref="LitException">Files that are missing, damaged, or do not fit together.</exception>
    public static ClassificationRun Classify(GivenOptions options, Action<string> say)
    {
        var (set, zimg, texts) = Read(options, say);
        var classOf = options.TextClasses is { } file
            ? Numbers(file, texts.Count, "text")
                .Select(row =>
                    row is [var one]
                        ? one
                        : throw new LitException(file, $"a text has {row.Length} classes", "Give one class a text")
                )
                .ToArray()
            : [.. Enumerable.Range(0, texts.Count)];
        var classes = classOf.Max() + 1;
        if (classOf.Min() < 0)
            throw new LitException(
                options.TextClasses ?? options.Texts,
                $"class {classOf.Min()}, where classes are numbered from 0",
                null
            );
        var names = options.Classes
            ?? new ClassNames(
                options.TextLines is { } lines && options.TextClasses is null
                    ? Lines(lines, texts.Count, "text")
                    : [.. Enumerable.Range(0, classes).Select(c => $"class {c}")],
                null
            );
        if (names.Names.Count != classes)
            throw new LitException(
                $"{names.Names.Count} class names, where the text embeddings are of {classes} classes. Give "
                    + "one name for every class."
            );
        var prompts = classOf.Select((c, row) => new Prompt(c, $"text {row}")).ToList();
        var labels = options.Labels is { } given
            ? FromFile(given, set, names)
            : Labels.Match(set.Samples, set.Path, names);
        var run = ModelEvaluation.Scored(
            set,
            zimg,
            labels,
            prompts,
            texts,
            new()
            {
                Seed = options.Seed,
                Classes = names,
                ClassesFrom = options.ClassesFrom,
                Templates = [],
                TemplatesFrom = $"embeddings of {options.Texts}",
            },
            options.Temperature,
            ComputeDevice.Cpu
        );
        return run with
        {
            Report = run.Report with
            {
                Hashes = run.Report.Hashes with
                {
                    Prompts = EvaluationRecord.OfNumbers(texts),
                    Embeddings = EvaluationRecord.OfNumbers(zimg),
                },
            },
        };
    }

    /// <summary>Retrieval both ways between the images and the texts.</summary>
    /// <inheritdoc cref="Classify"/>
    public static RetrievalRun Retrieve(GivenOptions options, Action<string> say)
    {
        var (set, zimg, texts) = Read(options, say);
        string[] keys = [.. set.Samples.Select(sample => sample.Key)];
        var lines = options.TextLines is { } file
            ? Lines(file, texts.Count, "text")
            : [.. Enumerable.Range(0, texts.Count).Select(row => $"{row}")];
        var pairs = options.Pairs is { } given
            ? Pairs(given, keys, lines)
            : throw new LitException(
                "Which image and text belong together is not known. Give `Pairs` FILE: a .npy with the "
                    + "image of each text, or lines 'image TAB text'."
            );
        return ModelEvaluation.Scored(
            set.Path,
            zimg,
            texts,
            keys,
            lines,
            pairs,
            options.Seed,
            options.Temperature,
            ComputeDevice.Cpu
        );
    }

    private static (ImageSet Set, Embeddings Images, Embeddings Texts) Read(GivenOptions options, Action<string> say)
    {
        ImageSet set;
        Embeddings rows;
        if (EmbeddingStore.IsStore(options.Images))
        {
            using var stored = ImageSet.Load(
                options.Images,
                null,
                () => throw new InvalidOperationException("a store needs no tower"),
                new() { Samples = new() { LabelColumn = options.LabelColumn } },
                ComputeDevice.Cpu
            );
            rows = Unit(stored.ReadAll(), stored.Path, say);
            set = ImageSet.Of(stored.Path, rows, stored.Samples);
        }
        else
        {
            rows = Unit(Rows(options.Images), options.Images, say);
            var keys = options.ImageKeys is { } file
                ? Lines(file, rows.Count, "image")
                : [.. Enumerable.Range(0, rows.Count).Select(row => $"{row}")];
            set = ImageSet.Of(
                options.Images,
                rows,
                [.. keys.Select((key, row) => new Sample(key, $"{options.Images}, row {row}"))]
            );
        }
        var texts = Unit(Rows(options.Texts), options.Texts, say);
        if (texts.Size != set.Size)
            throw new LitException(
                options.Texts,
                $"rows of {texts.Size} numbers, where {options.Images} has {set.Size}",
                "Give embeddings of one model"
            );
        return (set, rows, texts);
    }

    private static Embeddings Rows(string path)
    {
        var (values, shape) = Npy.ReadArray<float>(path);
        return shape is [> 0, > 0 and <= int.MaxValue]
            ? new(values, (int)shape[1])
            : throw new LitException(
                path,
                $"an array of shape ({string.Join(", ", shape)}), where rows of numbers are needed",
                "Give one embedding a row"
            );
    }

    /// <summary>Rows of unit length; those that are not are brought to it, and that is said.</summary>
    private static Embeddings Unit(Embeddings rows, string path, Action<string> say)
    {
        var scaled = 0;
        for (var row = 0; row < rows.Count; row++)
        {
            var length = TensorPrimitives.Norm(rows[row]);
            if (!float.IsFinite(length) || length == 0)
                throw new LitException(
                    path,
                    Place.Row(row),
                    "the numbers are not finite, or all zero",
                    "Leave the row out, or embed it again"
                );
            if (Math.Abs(length - 1) < UnitWithin)
                continue;
            scaled++;
            var place = rows.Values.AsSpan(row * rows.Size, rows.Size);
            TensorPrimitives.Divide(place, length, place);
        }
        if (scaled > 0)
            say($"{path}: {scaled} of {rows.Count} rows are not of unit length; they were brought to it");
        return rows;
    }

    private static Labels FromFile(string path, ImageSet set, ClassNames names)
    {
        if (path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase))
        {
            var numbers = Numbers(path, set.Samples.Count, "image");
            foreach (var (row, labels) in numbers.Index())
                if (labels.Any(label => label >= names.Names.Count))
                    throw new LitException(
                        path,
                        Place.Row(row),
                        $"label {labels.Max()}, where there are {names.Names.Count} classes, numbered from 0",
                        "Give the labels that belong to the classes"
                    );
            var all = numbers.Select(row => row.Where(label => label >= 0).ToArray()).ToList();
            return new(names, all, all.Count(row => row.Length == 0), null);
        }
        var lines = Lines(path, set.Samples.Count, "image", emptyAllowed: true);
        var samples = set
            .Samples.Select(
                (sample, row) =>
                    sample with
                    {
                        Fields = new Dictionary<string, string>
                        {
                            [Labels.SeveralField] = System.Text.Json.JsonSerializer.Serialize(
                                lines[row]
                                    .Split('\t', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                            ),
                        },
                    }
            )
            .ToList();
        return Labels.Match(samples, path, names, several: true);
    }

    private static int[][] Numbers(string path, int rows, string what)
    {
        if (!path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase))
            return
            [
                .. Lines(path, rows, what)
                    .Select(
                        (line, i) =>
                            int.TryParse(
                                line,
                                NumberStyles.AllowLeadingSign,
                                CultureInfo.InvariantCulture,
                                out var number
                            )
                                ? new[] { number }
                                : throw new LitException(
                                    path,
                                    Place.Line(i + 1),
                                    $"'{line}' is no whole number",
                                    $"Write a number from 0 for every {what}"
                                )
                    ),
            ];
        var (values, shape) = Npy.ReadArray<int>(path);
        if (shape is not ([_] or [_, _]) || shape[0] != rows)
            throw new LitException(
                path,
                $"an array of shape ({string.Join(", ", shape)}), where there are {rows} {what}s",
                $"Give a row for every {what}"
            );
        var width = values.Length / Math.Max(1, rows);
        return [.. Enumerable.Range(0, rows).Select(row => values.AsSpan(row * width, width).ToArray())];
    }

    private static string[] Lines(string path, int expected, string what, bool emptyAllowed = false)
    {
        var lines = NamedLines.Text(path).ReplaceLineEndings("\n").Split('\n');
        if (lines[^1].Length == 0)
            lines = lines[..^1]; // what follows the last line break is no line
        if (lines.Length != expected)
            throw new LitException(
                path,
                $"{lines.Length} lines, where there are {expected} {what}s",
                $"Write a line for every {what}"
            );
        var empty = emptyAllowed ? -1 : Array.FindIndex(lines, string.IsNullOrWhiteSpace);
        return empty < 0
            ? lines
            : throw new LitException(path, Place.Line(empty + 1), "empty", $"Write a line for every {what}");
    }

    private static List<(int Image, int Text)> Pairs(string path, string[] images, IReadOnlyList<string> texts)
    {
        if (path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase))
            return
            [
                .. Numbers(path, texts.Count, "text")
                    .SelectMany((row, text) => row.Where(image => image >= 0).Select(image => (image, text))),
            ];
        var (imageRow, textRow) = (ByName(images), ByName(texts));
        List<(int, int)> pairs = [];
        foreach (var (line, number, _) in NamedLines.Entries(NamedLines.Text(path)))
        {
            if (line.Split('\t') is not [var image, var text])
                throw new LitException(path, Place.Line(number), "write the image, one tab, the text", null);
            pairs.Add(
                (
                    Find(imageRow, image, images.Length, $"{path}, line {number}", "image"),
                    Find(textRow, text, texts.Count, $"{path}, line {number}", "text")
                )
            );
        }
        return pairs;
    }

    private static Dictionary<string, int> ByName(IReadOnlyList<string> names)
    {
        var rows = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var row = 0; row < names.Count; row++)
            rows.TryAdd(names[row].Trim(), row);
        return rows;
    }

    private static int Find(Dictionary<string, int> rows, string name, int count, string where, string what) =>
        rows.TryGetValue(name.Trim(), out var row) ? row
        : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < count ? number
        : throw new LitException(
            where,
            $"there is no {what} '{name.Trim()}'",
            $"Name one of the {count} {what}s, or its row from 0"
        );
}
