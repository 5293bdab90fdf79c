using System.Text.Json;
using LiT.Evaluation;
using LiT.Files;

namespace LiT.Reports;

/// <summary>One of some classifications that are compared (field names as in the JSON).</summary>
/// <param name="Name">Its folder's or file's name.</param>
/// <param name="Dataset">The data.</param>
/// <param name="N">Pictures.</param>
/// <param name="Top1">Top-1.</param>
/// <param name="Interval95">Its interval.</param>
/// <param name="MeanPerClass">Mean per class.</param>
/// <param name="SamePictures">Whether pictures and labels are those of the first.</param>
/// <param name="SamePrompts">Whether classes and templates are those of the first.</param>
/// <param name="SameTower">Whether the locked tower is that of the first.</param>
internal sealed record Compared(
    string Name,
    string Dataset,
    int N,
    double Top1,
    double[] Interval95,
    double MeanPerClass,
    bool SamePictures,
    bool SamePrompts,
    bool SameTower
);

/// <summary>Several classifications side by side.</summary>
internal static class ComparisonPage
{
    private const int MostClasses = 20;

    /// <param name="paths">Folders that <c>lit eval classification --report</c> wrote, or files with what it printed as
    /// JSON.</param>
    /// <returns>A row for each, and the results themselves.</returns>
    /// <exception cref="LitException">A path holds no such result.</exception>
    public static (IReadOnlyList<Compared> Rows, IReadOnlyList<ClassificationReport> Reports) Read(
        IReadOnlyList<string> paths
    )
    {
        var reports = paths.Select(ReadOne).ToList();
        var first = reports[0];
        var names = paths
            .Select(path => Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(path)))
            .ToList();
        if (names.Distinct().Count() < names.Count)
            names = [.. paths];
        return (
            [
                .. reports.Select(
                    (report, i) =>
                        new Compared(
                            names[i],
                            report.Dataset,
                            report.N,
                            report.Top1,
                            report.Interval95,
                            report.MeanPerClass,
                            report.Hashes.Pictures == first.Hashes.Pictures,
                            report.Hashes.Prompts == first.Hashes.Prompts,
                            report.Fingerprint == first.Fingerprint
                        )
                ),
            ],
            reports
        );
    }

    private static ClassificationReport ReadOne(string path)
    {
        var file = Directory.Exists(path) ? Path.Combine(path, EvaluationFolder.ResultName) : path;
        const string Do =
            "Give a folder that 'lit eval classification --report' wrote, or what it printed with --json.";
        if (!File.Exists(file))
            throw new LitException($"{file}: there is no such file. {Do}");
        try
        {
            return JsonSerializer.Deserialize<ClassificationReport>(File.ReadAllBytes(file), EvaluationFolder.Json)
                ?? throw new JsonException("null");
        }
        catch (Exception damage) when (damage is JsonException or NotSupportedException)
        {
            throw new LitException(
                $"{file}: no result of a classification ({JsonTrouble.Words(damage)}). {Do}",
                damage
            );
        }
    }

    /// <summary>
    /// The page: all scores with their intervals, what makes them comparable or not, and the classes that differ most.
    /// </summary>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public static void Write(
        EvaluationFolder folder,
        IReadOnlyList<Compared> rows,
        IReadOnlyList<ClassificationReport> reports
    )
    {
        var bars = new BarChart
        {
            Title = "Top-1",
            Bars =
            [
                .. rows.Select(
                    (row, i) =>
                        new Bar(
                            row.Name,
                            row.Top1,
                            row.Interval95[0],
                            row.Interval95[1],
                            reports[i].Chance,
                            $"of {row.N:N0}"
                        )
                ),
            ],
            LevelName = "chance",
        };
        var classes = ByClass(rows, reports);
        Directory.CreateDirectory(folder.Folder);
        folder.SaveTable(
            "compared.csv",
            [
                "name",
                "dataset",
                "pictures",
                "top1",
                "low",
                "high",
                "meanPerClass",
                "samePictures",
                "samePrompts",
                "sameTower",
            ],
            rows.Select(row =>
                (IReadOnlyList<object?>)
                    [
                        row.Name,
                        row.Dataset,
                        row.N,
                        row.Top1,
                        row.Interval95[0],
                        row.Interval95[1],
                        row.MeanPerClass,
                        row.SamePictures,
                        row.SamePrompts,
                        row.SameTower,
                    ]
            )
        );
        SvgPicture.Save(folder.PathOf("compared.png"), bars.Drawing());
        new HtmlReport
        {
            Title = "Classifications compared",
            Lead = rows.All(row => row.SamePictures)
                ? "All of them are of the same pictures and labels."
                : "Not all of them are of the same pictures: the scores can be read, but not set against each other.",
            Sections =
            [
                new(
                    "Scores",
                    "Lines through a bar are 95% intervals.",
                    bars.Render(),
                    new Table
                    {
                        Caption = "Results",
                        Columns =
                        [
                            "Result",
                            "data",
                            "top-1",
                            "95% interval",
                            "mean per class",
                            "pictures",
                            "prompts",
                            "image tower",
                        ],
                        Rows =
                        [
                            .. rows.Select(row =>
                                (IReadOnlyList<string>)
                                    [
                                        row.Name,
                                        row.Dataset,
                                        Figures.Percent(row.Top1),
                                        $"{Figures.Percent(row.Interval95[0])} to {Figures.Percent(row.Interval95[1])}",
                                        Figures.Percent(row.MeanPerClass),
                                        Same(row.SamePictures),
                                        Same(row.SamePrompts),
                                        Same(row.SameTower),
                                    ]
                            ),
                        ],
                        Note = "Same: as in the first row.",
                    }.Render()
                ),
                .. classes.Count == 0
                    ? Array.Empty<Section>()
                    :
                    [
                        new Section(
                            "Where they differ most",
                            $"The {classes.Count} classes whose top-1 differs most.",
                            new Table
                            {
                                Caption = "Top-1 by class",
                                Columns = ["Class", .. rows.Select(row => row.Name)],
                                Rows = classes,
                            }.Render()
                        ),
                    ],
            ],
            Foot =
                "Written by lit eval compare. The page needs no network and no script. Beside it: "
                + "compared.csv, compared.png.",
        }.Save(folder.Page);
    }

    private static string Same(bool same) => same ? "same" : "other";

    private static List<IReadOnlyList<string>> ByClass(
        IReadOnlyList<Compared> rows,
        IReadOnlyList<ClassificationReport> reports
    )
    {
        var tables = reports
            .Select(report =>
                report
                    .PerClass.Where(c => c.Top1 is not null)
                    .GroupBy(c => c.Class)
                    .ToDictionary(group => group.Key, group => group.First().Top1!.Value)
            )
            .ToList();
        if (rows.Count < 2)
            return [];
        var differing =
            from name in tables[0].Keys
            where tables.All(table => table.ContainsKey(name))
            let values = tables.Select(table => table[name]).ToList()
            where values.Max() > values.Min()
            orderby values.Max() - values.Min() descending, name
            select (IReadOnlyList<string>)[name, .. values.Select(Figures.Percent)];
        return [.. differing.Take(MostClasses)];
    }
}
