using LiT.Evaluation;

namespace LiT.Reports;

/// <summary>The page over several languages' results, beside a folder with the page of each.</summary>
internal static class LanguagesPage
{
    private const string Own = "the model's own";

    /// <summary>One of the languages.</summary>
    /// <param name="Language">Its code.</param>
    /// <param name="Cells">The row of the table, after the language.</param>
    /// <param name="Values">The row of the .csv, after the language.</param>
    /// <param name="Bars">A bar in each of the figures.</param>
    private sealed record Line(
        string Language,
        IReadOnlyList<string> Cells,
        IReadOnlyList<object?> Values,
        IReadOnlyList<Bar> Bars
    );

    /// <summary>How a page is worded.</summary>
    /// <param name="Title">Its heading.</param>
    /// <param name="Lead">What is under it.</param>
    /// <param name="Writer">What wrote it.</param>
    /// <param name="Columns">Heads of the table, after the language.</param>
    /// <param name="Names">Heads of the .csv, after the language.</param>
    /// <param name="Figures">Titles of the figures.</param>
    private sealed record PageWords(
        string Title,
        string Lead,
        string Writer,
        IReadOnlyList<string> Columns,
        IReadOnlyList<string> Names,
        IReadOnlyList<string> Figures
    );

    /// <summary>Several classifications.</summary>
    /// <param name="result">The results.</param>
    /// <param name="folder">Where the page goes.</param>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public static void Write(LanguagesReport<ClassificationReport> result, EvaluationFolder folder)
    {
        var reports = result.Languages.Select(one => one.Report).ToList();
        Save(
            result,
            folder,
            new(
                "Zero-shot classification by language",
                $"{reports[0].N:N0} pictures of {reports[0].Dataset}, asked in {reports.Count} languages.",
                $"lit eval classification {reports[0].Versions.Lit}",
                ["text tower", "classes", "top-1", "95% interval", "top-5", "mean per class"],
                ["textTower", "classes", "top1", "low", "high", "top5", "meanPerClass"],
                ["Top-1"]
            ),
            [.. reports.Select(Of)],
            $"mean over {reports.Count} languages"
        );
    }

    /// <summary>Retrieval in several languages.</summary>
    /// <param name="result">The results.</param>
    /// <param name="folder">Where the page goes.</param>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public static void Write(LanguagesReport<RetrievalReport> result, EvaluationFolder folder)
    {
        var reports = result.Languages.Select(one => one.Report).ToList();
        Save(
            result,
            folder,
            new(
                "Retrieval by language",
                $"The pictures of {reports[0].Dataset} and their captions in {reports.Count} languages: for each "
                    + "picture its words are looked for, and for each text its picture.",
                $"lit eval retrieval {reports[0].Versions.Lit}",
                ["text tower", "pictures", "texts", "words → pictures", "pictures → words", "mean"],
                ["textTower", "pictures", "texts", "textToImageR1", "imageToTextR1", "meanR1"],
                ["words → pictures, recall@1", "pictures → words, recall@1"]
            ),
            [.. reports.Select(Of)],
            $"recall@1, mean over {reports.Count} languages and both directions"
        );
    }

    /// <summary>The shares of a page on captions that ask for captions.</summary>
    /// <param name="all">The recalls.</param>
    internal static SharePicture Picture(IReadOnlyList<AcrossRecall> all)
    {
        string[] names = [.. all.SelectMany(one => new[] { one.Asked, one.Captions }).Distinct()];
        var found = all.ToDictionary(one => (one.Asked, one.Captions), one => one.R1);
        return new()
        {
            Title = "Captions that ask for captions, recall@1",
            Words =
                "Rows: the language that asks. Columns: the language of the captions that are found. Stronger: more "
                + "often the nearest caption is one of the same picture.",
            Names = names,
            Shares =
            [
                .. names.Select(asked =>
                    (IReadOnlyList<double?>)
                        [.. names.Select(other => found.TryGetValue((asked, other), out var r1) ? r1 : (double?)null)]
                ),
            ],
        };
    }

    private static Line Of(ClassificationReport report) =>
        new(
            report.Protocol.Language ?? "",
            [
                report.Protocol.TextTower ?? Own,
                Figures.Plain(report.Classes),
                Figures.Percent(report.Top1),
                $"{Figures.Percent(report.Interval95[0])} to {Figures.Percent(report.Interval95[1])}",
                Figures.Percent(report.Top5),
                Figures.Percent(report.MeanPerClass),
            ],
            [
                report.Protocol.TextTower,
                report.Classes,
                report.Top1,
                report.Interval95[0],
                report.Interval95[1],
                report.Top5,
                report.MeanPerClass,
            ],
            [
                new(
                    report.Protocol.Language ?? "",
                    report.Top1,
                    report.Interval95[0],
                    report.Interval95[1],
                    report.Chance
                ),
            ]
        );

    private static Line Of(RetrievalReport report)
    {
        var (toImage, toText) = (report.TextToImage.R1, report.ImageToText.R1);
        var language = report.Protocol.Language ?? "";
        Bar Bar(double value, double[] interval, double chance) =>
            new(language, value, interval[0], interval[1], chance);
        return new(
            language,
            [
                report.Protocol.TextTower ?? Own,
                Figures.Plain(report.Images),
                Figures.Plain(report.Texts),
                Figures.Percent(toImage),
                Figures.Percent(toText),
                Figures.Percent((toImage + toText) / 2),
            ],
            [report.Protocol.TextTower, report.Images, report.Texts, toImage, toText, (toImage + toText) / 2],
            [
                Bar(toImage, report.Intervals95.TextToImage.R1, report.Chance.TextToImage),
                Bar(toText, report.Intervals95.ImageToText.R1, report.Chance.ImageToText),
            ]
        );
    }

    private static void Save<T>(
        LanguagesReport<T> result,
        EvaluationFolder folder,
        PageWords words,
        IReadOnlyList<Line> lines,
        string mean
    )
    {
        Directory.CreateDirectory(folder.Folder);
        folder.SaveResult(result);
        List<BarChart> charts =
        [
            .. words.Figures.Select(
                (figure, i) =>
                    new BarChart
                    {
                        Title = figure,
                        Bars = [.. lines.Select(line => line.Bars[i])],
                        LevelName = "chance",
                    }
            ),
        ];
        string[] pictures = [.. charts.Select((_, i) => i == 0 ? "languages.png" : $"languages-{i + 1}.png")];
        foreach (var (chart, picture) in charts.Zip(pictures))
            SvgPicture.Save(folder.PathOf(picture), chart.Drawing());
        folder.SaveTable(
            "languages.csv",
            ["language", .. words.Names],
            lines.Select(line => (IReadOnlyList<object?>)[line.Language, .. line.Values])
        );
        Section[] between = result.Across is { Count: > 0 } across ? [Between(folder, across)] : [];
        string[] beside =
        [
            EvaluationFolder.ResultName,
            "languages.csv",
            .. pictures,
            .. between.Length == 0 ? [] : AcrossNames,
        ];
        new HtmlReport
        {
            Title = words.Title,
            Lead = words.Lead,
            Sections = [Results(words, lines, new(Figures.Percent(result.Mean), mean), charts), .. between],
            Foot =
                $"Written by {words.Writer}. The page needs no network and no script. Beside it: "
                + $"{string.Join(", ", beside)}.",
        }.Save(folder.Page);
    }

    private static Section Results(
        PageWords words,
        IReadOnlyList<Line> lines,
        KeyNumber mean,
        IReadOnlyList<BarChart> charts
    ) =>
        new(
            "What came out",
            "Lines through a bar are 95% intervals. Each language has a page of its own in the folder of its name.",
            new KeyNumbers([mean]).Render(),
            Section.Beside(charts.Select(chart => chart.Render())),
            new Table
            {
                Caption = "By language",
                Columns = ["Language", .. words.Columns],
                Rows = [.. lines.Select(line => (IReadOnlyList<string>)[line.Language, .. line.Cells])],
            }.Render()
        );

    private static readonly string[] AcrossNames = ["across.csv", "across.png"];

    private static Section Between(EvaluationFolder folder, IReadOnlyList<AcrossRecall> across)
    {
        var picture = Picture(across);
        folder.SaveTable(
            AcrossNames[0],
            ["asked", "captions", "queries", "candidates", "r1", "r5", "r10", "medianRank", "chance"],
            across.Select(one =>
                (IReadOnlyList<object?>)
                    [
                        one.Asked,
                        one.Captions,
                        one.Queries,
                        one.Candidates,
                        one.R1,
                        one.R5,
                        one.R10,
                        one.MedianRank,
                        one.Chance,
                    ]
            )
        );
        var map = picture.Render();
        SvgPicture.Save(folder.PathOf(AcrossNames[1]), map);
        return new(
            "One language asks for the captions of another",
            "Each caption is embedded by its own language's text tower, and the captions of the other language are "
                + "looked for among which those of the same picture are right. No picture is asked.",
            map,
            picture.Table()
        );
    }
}
