using LiT.Evaluation;
using LiT.Reports;

namespace LiT.Cli;

/// <summary>Results in several languages, as JSON and as tables.</summary>
internal static class LanguageResults
{
    private const string Own = "the model's own";

    // What a terminal of usual width shows side by side.
    private const int MostColumns = 16;

    public static LanguagesReport<ClassificationReport> Of(IReadOnlyList<ClassificationRun> runs) =>
        new(
            [.. runs.Select(run => new OfLanguage<ClassificationReport>(run.Report.Protocol.Language, run.Report))],
            runs.Average(run => MainNumber(run.Report))
        );

    /// <param name="runs">Retrieval in each language.</param>
    /// <param name="across">Whether captions of each language are to ask for those of the others.</param>
    /// <param name="cancel">Stops.</param>
    public static LanguagesReport<RetrievalReport> Of(
        IReadOnlyList<RetrievalRun> runs,
        bool across,
        CancellationToken cancel
    ) =>
        new(
            [.. runs.Select(run => new OfLanguage<RetrievalReport>(run.Report.Protocol.Language, run.Report))],
            runs.Average(run => MainNumber(run.Report))
        )
        {
            Across = across ? LanguageEvaluation.Across(runs, cancel) : null,
        };

    /// <summary>One result as it is; several languages as a list with the mean of their main number.</summary>
    public static void Write<T>(LanguagesReport<T> result)
    {
        if (result.Languages is [var only])
            Terminal.Write(only.Report);
        else
            Terminal.Write(result);
    }

    public static void Print(LanguagesReport<ClassificationReport> result) =>
        Terminal.Table(
            ["language", "text tower", "classes", "top-1", "95% interval", "top-5", "mean per class"],
            [
                .. result.Languages.Select(one =>
                    new[]
                    {
                        one.Language ?? "",
                        one.Report.Protocol.TextTower ?? Own,
                        $"{one.Report.Classes}",
                        Figures.Percent(one.Report.Top1),
                        $"{Figures.Percent(one.Report.Interval95[0])} to {Figures.Percent(one.Report.Interval95[1])}",
                        Figures.Percent(one.Report.Top5),
                        Figures.Percent(one.Report.MeanPerClass),
                    }
                ),
                ["mean", "", "", .. MeanOfClasses(result)],
            ],
            $"Zero-shot classification of {result.Languages[0].Report.Dataset} by language"
        );

    public static void Print(LanguagesReport<RetrievalReport> result)
    {
        Terminal.Table(
            ["language", "text tower", "pictures", "texts", "image to text", "text to image", "mean"],
            [
                .. result.Languages.Select(one =>
                    new[]
                    {
                        one.Language ?? "",
                        one.Report.Protocol.TextTower ?? Own,
                        $"{one.Report.Images}",
                        $"{one.Report.Texts}",
                        Figures.Percent(one.Report.ImageToText.R1),
                        Figures.Percent(one.Report.TextToImage.R1),
                        Figures.Percent(MainNumber(one.Report)),
                    }
                ),
                [
                    "mean",
                    "",
                    "",
                    "",
                    Figures.Percent(result.Languages.Average(one => one.Report.ImageToText.R1)),
                    Figures.Percent(result.Languages.Average(one => one.Report.TextToImage.R1)),
                    Figures.Percent(result.Mean),
                ],
            ],
            $"Retrieval on {result.Languages[0].Report.Dataset} by language: recall@1"
        );
        if (result.Across is { Count: > 0 } across)
            PrintAcross(across);
    }

    private static void PrintAcross(IReadOnlyList<AcrossRecall> across)
    {
        const string Title = "Captions that find captions, recall@1";
        var picture = LanguagesPage.Picture(across);
        if (picture.Names.Count <= MostColumns)
            Terminal.Table(
                ["asked in", .. picture.Names, "mean"],
                picture.Names.Select(
                    (name, row) =>
                        new[] { name }
                            .Concat(picture.Shares[row].Append(picture.Shares[row].Average()).Select(Share))
                            .ToArray()
                ),
                Title
            );
        else
            Terminal.Table(
                ["asked in", "mean over the others", "best", "worst"],
                picture.Names.Select(
                    (name, row) =>
                        new[]
                        {
                            name,
                            Share(picture.Shares[row].Average()),
                            Named(across.Where(one => one.Asked == name).MaxBy(one => one.R1)!),
                            Named(across.Where(one => one.Asked == name).MinBy(one => one.R1)!),
                        }
                ),
                Title
            );

        static string Share(double? one) => one is { } share ? Figures.Percent(share) : "";
        static string Named(AcrossRecall one) => $"{one.Captions} {Figures.Percent(one.R1)}";
    }

    private static double MainNumber(ClassificationReport report) =>
        report.Metric == "top1" ? report.Top1 : report.MeanPerClass;

    private static double MainNumber(RetrievalReport report) => (report.ImageToText.R1 + report.TextToImage.R1) / 2;

    private static string[] MeanOfClasses(LanguagesReport<ClassificationReport> result)
    {
        string Mean(Func<ClassificationReport, double> of) =>
            Figures.Percent(result.Languages.Average(one => of(one.Report)));
        return [Mean(one => one.Top1), "", Mean(one => one.Top5), Mean(one => one.MeanPerClass)];
    }
}
