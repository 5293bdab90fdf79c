namespace LiT.Reports;

/// <summary>The page that <c>lit quickstart</c> leaves behind.</summary>
internal static class QuickstartReport
{
    /// <summary>The page, not yet written.</summary>
    public static HtmlReport Build(QuickstartResults results) =>
        new()
        {
            Title = results.Title,
            Lead = results.Lead,
            Facts = results.Facts,
            Sections =
            [
                .. Part(
                    "What came out",
                    results.Accuracies.Count > 0,
                    "Zero-shot: the model was given the names of the classes as words and nothing else. "
                        + "Chance is what guessing gives; "
                        + "supervised is what the locked tower's own classifier, trained on labels, reaches "
                        + "on the same pictures.",
                    Headline(results),
                    Accuracies(results.Accuracies)
                ),
                .. Part(
                    "Pictures and the words they get",
                    results.Pictures.Count > 0,
                    "Under each picture what it is, and the words the model finds most probable.",
                    new PictureGrid { Pictures = results.Pictures }.Render()
                ),
                .. Part(
                    "Finding pictures by words, and words by pictures",
                    results.Retrieval.Count > 0,
                    "Recall@k: how often the right one is among the first k.",
                    Retrieval(results.Retrieval)
                ),
                .. Part(
                    "Does it read the whole sentence?",
                    results.Composition.Count > 0,
                    "Each question offers descriptions that differ in one part only.",
                    Composition(results.Composition)
                ),
                .. Part(
                    "What is mistaken for what",
                    results.Confusion is not null,
                    null,
                    results.Confusion?.Render() ?? Html.Empty
                ),
                .. Part(
                    "How it learned",
                    results.Loss.Count + results.Recall.Count > 0,
                    null,
                    Section.Beside(Curves(results))
                ),
                .. Part(
                    "Go on with your own pictures",
                    results.Commands.Count > 0,
                    "A click marks a command whole.",
                    [.. results.Commands.Select(command => command.Render())]
                ),
            ],
            Foot = "Written by lit quickstart. The page needs no network and no script.",
        };

    private static IEnumerable<Section> Part(
        string heading,
        bool there,
        string? words,
        params IReadOnlyList<Html> content
    ) => there ? [new Section(heading, words, content)] : [];

    private static Html Headline(QuickstartResults results) =>
        new KeyNumbers(
            results.Headline.Count > 0 ? results.Headline : [.. results.Accuracies.Take(4).Select(Headline)]
        ).Render();

    private static KeyNumber Headline(AccuracyResult result) =>
        new(
            Figures.Percent(result.Accuracy),
            result.Name,
            "chance "
                + Figures.Percent(result.Chance)
                + (result.Supervised is { } supervised ? $", supervised {Figures.Percent(supervised)}" : "")
        );

    private static Html Accuracies(IReadOnlyList<AccuracyResult> results)
    {
        (string Head, Func<AccuracyResult, string?> Cell)[] columns =
        [
            ("Question", result => result.Name),
            ("Right", result => Figures.Percent(result.Accuracy)),
            ("95% interval", Interval),
            ("Chance", result => Figures.Percent(result.Chance)),
            ("Supervised", result => result.Supervised is { } own ? Figures.Percent(own) : null),
            ("Pictures", result => Figures.Plain(result.Count)),
            ("What was asked", result => result.Explanation),
        ];
        var shown = columns.Where(column => results.Any(result => column.Cell(result) is not null)).ToList();
        return new Table
        {
            Caption = "Zero-shot accuracy",
            Columns = [.. shown.Select(column => column.Head)],
            Rows =
            [
                .. results.Select(result => shown.Select(column => column.Cell(result) ?? Figures.Missing).ToList()),
            ],
        }.Render();
    }

    private static string? Interval(AccuracyResult result) =>
        result is { Low: { } low, High: { } high } ? $"{Figures.Percent(low)} to {Figures.Percent(high)}" : null;

    private static Html Retrieval(IReadOnlyList<RecallResult> results)
    {
        var rows = results.Select(result =>
            (IReadOnlyList<string>)
                [
                    result.Direction,
                    Figures.Percent(result.R1),
                    Figures.Percent(result.R5),
                    Figures.Percent(result.R10),
                    result.MedianRank is { } rank ? Figures.Plain(rank) : Figures.Missing,
                    Figures.Plain(result.Candidates),
                ]
        );
        string[] columns = ["Direction", "Recall@1", "Recall@5", "Recall@10", "Median place", "Candidates"];
        return new Table
        {
            Caption = "Retrieval",
            Columns = columns,
            Rows = [.. rows],
        }.Render();
    }

    private static Html Composition(IReadOnlyList<AccuracyResult> results)
    {
        var chart = new BarChart
        {
            Title = "Right answers by what the descriptions differ in",
            LevelName = "chance",
            Bars = [.. results.Select(BarOf)],
        };
        var explained = (
            from result in results
            where result.Explanation is not null
            select (IReadOnlyList<string>)[result.Name, result.Explanation ?? ""]
        ).ToList();
        return explained.Count == 0
            ? chart.Render()
            : Section.Beside(
                chart.Render(),
                new Table
                {
                    Caption = "What was asked",
                    Columns = ["Part", "Question"],
                    Rows = explained,
                }.Render()
            );
    }

    private static Bar BarOf(AccuracyResult result) =>
        new(result.Name, result.Accuracy, result.Low, result.High, result.Chance, $"of {Figures.Plain(result.Count)}");

    private static IEnumerable<Html> Curves(QuickstartResults results)
    {
        if (results.Loss.Count > 0)
            yield return new LineChart { Title = "Contrastive loss", Series = results.Loss }.Render();
        if (results.Recall.Count > 0)
            yield return new LineChart
            {
                Title = "On pairs not trained on",
                Series = results.Recall,
                Percent = true,
            }.Render();
    }
}
