using LiT.Compute;
using LiT.Evaluation;

namespace LiT.Reports;

/// <summary>
/// The page of a retrieval evaluation, with its numbers as a table and its figure as a picture beside it.
/// </summary>
internal static class RetrievalPage
{
    private const int Farthest = 100,
        TextsShown = 8,
        PicturesOfEach = 4;

    /// <param name="run">What was measured.</param>
    /// <param name="folder">Where it goes.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public static void Write(RetrievalRun run, EvaluationFolder folder, CancellationToken cancel = default)
    {
        var report = run.Report;
        var (toText, toImage) = (
            Curve(run.Score.Ranks.ImageToText, report.Texts),
            Curve(run.Score.Ranks.TextToImage, report.Images)
        );
        var curves = new LineChart
        {
            Title = "Recall among the first k",
            Across = "k",
            Percent = true,
            Series = [new("words → pictures", toImage), new("pictures → words", toText)],
        }.Render();
        var shown = Shown(run);
        var nearest = Nearest(run, shown);
        var pictures = folder.Find(nearest.SelectMany(rows => rows).Select(row => run.ImageKeys[row]), cancel);
        var own = run.Pairs.ToHashSet();
        Html Grid(int text, IEnumerable<int> rows) =>
            new PictureGrid
            {
                Pictures =
                [
                    .. rows.Where(row => pictures.ContainsKey(run.ImageKeys[row]))
                        .Select(row => new NamedPicture(
                            pictures[run.ImageKeys[row]],
                            null,
                            [new Guess(run.ImageKeys[row], Cosine(run, row, text))],
                            own.Contains((row, text))
                        )),
                ],
            }.Render();

        Directory.CreateDirectory(folder.Folder);
        folder.SaveResult(report);
        folder.SaveTable(
            "recall.csv",
            ["k", "imageToText", "textToImage"],
            Enumerable
                .Range(0, Math.Max(toText.Count, toImage.Count))
                .Select(k =>
                    (IReadOnlyList<object?>)
                        [k + 1, k < toText.Count ? toText[k].Y : 1.0, k < toImage.Count ? toImage[k].Y : 1.0]
                )
        );
        SvgPicture.Save(folder.PathOf("recall.png"), curves);
        new HtmlReport
        {
            Title = "Retrieval",
            Lead =
                $"{report.Images:N0} pictures and {report.Texts:N0} texts of {report.Dataset}: for each "
                + "picture its words are looked for, and for each text its picture.",
            Facts =
            [
                ("median rank, words → pictures", Figures.Plain(report.MedianRank.TextToImage)),
                ("pictures → words", Figures.Plain(report.MedianRank.ImageToText)),
                ("time", Figures.Duration(report.Seconds)),
            ],
            Sections =
            [
                new(
                    "What came out",
                    null,
                    new KeyNumbers([
                        Number(
                            "words → pictures",
                            report.TextToImage,
                            report.Intervals95.TextToImage,
                            report.Chance.TextToImage
                        ),
                        Number(
                            "pictures → words",
                            report.ImageToText,
                            report.Intervals95.ImageToText,
                            report.Chance.ImageToText
                        ),
                    ]).Render(),
                    Recalls(report),
                    Html.If(
                        report.Warnings.Count > 0,
                        $"<ul>{report.Warnings.Select(note => Html.Of($"<li>{note}</li>"))}</ul>"
                    )
                ),
                new(
                    "How far one has to look",
                    $"How often the right one is among the first k, up to {Farthest}.",
                    Section.Beside(curves)
                ),
                .. pictures.Count == 0
                    ? Array.Empty<Section>()
                    :
                    [
                        new Section(
                            "The pictures nearest to a text",
                            "A few texts from those found best to those found worst.",
                            [
                                .. shown.Zip(nearest, (text, rows) =>
                                    Html.Of($"<h3>{run.TextLines[text]}</h3>{Grid(text, rows)}")
                                ),
                            ]
                        ),
                    ],
                new(
                    "How it was measured",
                    null,
                    new Table
                    {
                        Caption = "What the numbers depend on",
                        Columns = ["", "Value"],
                        Rows =
                        [
                            .. EvaluationFacts.Of(
                                report.Protocol,
                                report.Hashes,
                                report.Versions,
                                report.Fingerprint,
                                report.Temperature,
                                report.Seed
                            ),
                        ],
                    }.Render()
                ),
            ],
            Foot =
                $"Written by lit eval retrieval {report.Versions.Lit}. The page needs no network and no "
                + $"script. Beside it: {EvaluationFolder.ResultName}, recall.csv, recall.png.",
        }.Save(folder.Page);
    }

    private static List<(double X, double Y)> Curve(int[] ranks, int candidates)
    {
        var asked = ranks.Where(rank => rank >= 0).ToList();
        return
        [
            .. Enumerable
                .Range(1, Math.Min(Farthest, candidates))
                .Select(k => ((double)k, asked.Count(rank => rank < k) / (double)Math.Max(1, asked.Count))),
        ];
    }

    private static KeyNumber Number(string what, Recall recall, RecallIntervals intervals, double chance) =>
        new(
            Figures.Percent(recall.R1),
            $"recall@1, {what}",
            $"95% interval {Figures.Percent(intervals.R1[0])} to {Figures.Percent(intervals.R1[1])}; chance "
                + $"{(100 * chance).ToString("0.00", System.Globalization.CultureInfo.InvariantCulture)}%"
        );

    private static Html Recalls(RetrievalReport report)
    {
        string Cell(double value, double[] interval) =>
            $"{Figures.Percent(value)} ({Figures.Percent(interval[0])} to {Figures.Percent(interval[1])})";
        IReadOnlyList<string> Row(
            string name,
            Recall recall,
            RecallIntervals intervals,
            double median,
            int candidates
        ) =>
            [
                name,
                Cell(recall.R1, intervals.R1),
                Cell(recall.R5, intervals.R5),
                Cell(recall.R10, intervals.R10),
                Figures.Plain(median),
                Figures.Plain(candidates),
            ];
        return new Table
        {
            Caption = "Recall with 95% intervals",
            Columns = ["Direction", "recall@1", "recall@5", "recall@10", "median rank", "candidates"],
            Rows =
            [
                Row(
                    "words → pictures",
                    report.TextToImage,
                    report.Intervals95.TextToImage,
                    report.MedianRank.TextToImage,
                    report.Images
                ),
                Row(
                    "pictures → words",
                    report.ImageToText,
                    report.Intervals95.ImageToText,
                    report.MedianRank.ImageToText,
                    report.Texts
                ),
            ],
        }.Render();
    }

    /// <summary>Some texts, evenly from the best found to the worst.</summary>
    private static List<int> Shown(RetrievalRun run)
    {
        var order = Enumerable
            .Range(0, run.Score.Ranks.TextToImage.Length)
            .Where(text => run.Score.Ranks.TextToImage[text] >= 0)
            .OrderBy(text => run.Score.Ranks.TextToImage[text])
            .ToList();
        return
        [
            .. Enumerable
                .Range(0, Math.Min(TextsShown, order.Count))
                .Select(i =>
                    order[
                        (int)(
                            (long)i * Math.Max(0, order.Count - 1) / Math.Max(1, Math.Min(TextsShown, order.Count) - 1)
                        )
                    ]
                )
                .Distinct(),
        ];
    }

    private static List<int[]> Nearest(RetrievalRun run, List<int> texts)
    {
        List<int[]> found = [];
        Similarity.EachRow(run.Texts.Select(texts), run.Images, (_, similarities) =>
        {
            var best = new int[Math.Min(PicturesOfEach, similarities.Length)];
            Similarity.Best(similarities, best);
            found.Add(best);
        });
        return found;
    }

    private static double Cosine(RetrievalRun run, int image, int text) =>
        System.Numerics.Tensors.TensorPrimitives.Dot(run.Images[image], run.Texts[text]);
}
