using LiT.Studies;

namespace LiT.Reports;

/// <summary>The page of a study: what won, with intervals, and how each way of tuning went.</summary>
internal static class StudyReport
{
    private static readonly (string Name, string Words)[] Numbers =
    [
        ("top1", "Zero-shot accuracy"),
        ("imageToTextR1", "Image to text, recall@1"),
        ("textToImageR1", "Text to image, recall@1"),
    ];

    /// <summary>Writes report.html into the study's folder.</summary>
    /// <param name="folder">The study's folder.</param>
    /// <param name="rows">The cells that there are so far.</param>
    public static void Write(string folder, IReadOnlyList<StudyRow> rows) =>
        Build(folder, rows).Save(Path.Combine(folder, "report.html"));

    /// <summary>The page.</summary>
    /// <param name="folder">The study's folder, for the curves.</param>
    /// <param name="rows">The cells.</param>
    public static HtmlReport Build(string folder, IReadOnlyList<StudyRow> rows)
    {
        var metrics = StudyResults.MetricNames(rows);
        var seeds = rows.Max(row => row.Runs.Count);
        return new HtmlReport
        {
            Title = $"Study {Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))}",
            Lead =
                $"{rows.Count} ways of tuning, {seeds} seed{(seeds == 1 ? "" : "s")} each, scored on the "
                + "same pictures.",
            Sections =
            [
                new(
                    "What won",
                    seeds > 1
                        ? "The mark on a bar is the 95% interval of the mean over the seeds (Student's t)."
                        : "One seed each: a difference smaller than the pictures' own interval says nothing.",
                    Section.Beside(
                        Numbers
                            .Where(number => metrics.Contains(number.Name))
                            .Select(number => Bars(number.Name, number.Words, rows))
                    )
                ),
                new("Numbers", null, Table(rows, metrics)),
                new(
                    "How it went",
                    "Training loss and accuracy in the batch over the steps, as the mean over the seeds; "
                        + "the band spans them.",
                    Section.Beside(Curves(folder, rows))
                ),
            ],
            Foot = "Written by lit study. The page needs no network and no script.",
        };
    }

    private static Html Bars(string name, string words, IReadOnlyList<StudyRow> rows) =>
        new BarChart
        {
            Title = words,
            Bars =
            [
                .. rows.Where(row => row.Metrics.ContainsKey(name))
                    .OrderByDescending(row => row.Metrics[name].Mean)
                    .Select(row =>
                        (row, number: row.Metrics[name], interval: name == "top1" ? row.Runs[0].Interval95 : null)
                    )
                    .Select(one => new Bar(
                        one.row.Name,
                        one.number.Mean,
                        one.number.Low ?? one.interval?[0],
                        one.number.High ?? one.interval?[1]
                    )),
            ],
        }.Render();

    private static Html Table(IReadOnlyList<StudyRow> rows, IReadOnlyList<string> metrics) =>
        new Table
        {
            Caption = "Means over the seeds, with half of the 95% interval",
            Columns = ["Cell", .. metrics, "Loss", "Temperature", "Seconds", "Doctor"],
            Rows =
            [
                .. rows.Select(row =>
                    (IReadOnlyList<string>)
                        [
                            row.Name,
                            .. metrics.Select(name =>
                                row.Metrics.TryGetValue(name, out var number) ? Words(number) : Figures.Missing
                            ),
                            Figures.Plain(row.Runs.Average(run => run.Loss)),
                            Figures.Plain(row.Runs.Average(run => run.Temperature)),
                            Figures.Plain(Math.Round(row.Seconds)),
                            string.Join(
                                ", ",
                                row.Runs.SelectMany(run =>
                                        run.Failure is null
                                            ? run.Findings.Select(finding => finding.ToString())
                                            : [run.Failure]
                                    )
                                    .Distinct()
                            ),
                        ]
                ),
            ],
        }.Render();

    /// <summary>"83.7% ± 0.2".</summary>
    public static string Words(StudyNumber number) =>
        Figures.Percent(number.Mean)
        + (number.High is { } high ? FormattableString.Invariant($" ± {100 * (high - number.Mean):F1}") : "");

    private static IEnumerable<Html> Curves(string folder, IReadOnlyList<StudyRow> rows)
    {
        foreach (
            var (member, words, percent) in new[]
            {
                ("loss", "Loss", false),
                ("i2tAccuracy", "Image to text accuracy in the batch", true),
            }
        )
        foreach (var four in rows.Chunk(4))
            yield return new LineChart
            {
                Title = words,
                Percent = percent,
                Series = [.. four.Select(row => Curve(row.Name, Points(folder, row, member)))],
            }.Render();
    }

    /// <summary>The mean over the seeds at every step, with the band that they span.</summary>
    internal static Series Curve(string name, IEnumerable<(double X, double Y)> points)
    {
        var steps = points.GroupBy(point => point.X).OrderBy(step => step.Key).ToList();
        return new Series(name, [.. steps.Select(step => (step.Key, step.Average(point => point.Y)))])
        {
            Spans = [.. steps.Select(step => (step.Min(point => point.Y), step.Max(point => point.Y)))],
        };
    }

    private static List<(double X, double Y)> Points(string folder, StudyRow row, string member) =>
        [
            .. row
                .Runs.Select(run =>
                    Path.Combine(folder, "runs", $"{StudyPlan.Folder(row.Name)}-seed{run.Seed}", "metrics.jsonl")
                )
                .Where(File.Exists)
                .SelectMany(MetricsFile.Read)
                .Where(line => line.Values.ContainsKey(member))
                .Select(line => (line.Step, line.Values[member]))
                .OrderBy(point => point.Step),
        ];
}
