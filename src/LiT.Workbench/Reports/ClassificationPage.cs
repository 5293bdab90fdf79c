using LiT.Compute;
using LiT.Evaluation;
using LiT.Images;

namespace LiT.Reports;

/// <summary>The page of a zero-shot classification, with its numbers as tables and its figures as pictures beside it.</summary>
internal static class ClassificationPage
{
    private const int MostBars = 40,
        HardClasses = 6,
        PicturesOfEach = 6,
        NearestOfEach = 4;

    /// <param name="run">What was measured.</param>
    /// <param name="folder">Where it goes.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public static void Write(ClassificationRun run, EvaluationFolder folder, CancellationToken cancel = default)
    {
        var report = run.Report;
        var reliability = report is { Temperature: { } temperature, N: >= 20 }
            ? Reliability.Measure(run.Images, run.Classes, run.Labels.All, temperature)
            : null;
        var hard = Hard(run);
        var nearest = Nearest(run, hard);
        var pictures = folder.Find(
            hard.SelectMany(c => c.Wrong)
                .Select(answer => run.Set.Samples[answer.Row].Key)
                .Concat(nearest.SelectMany(c => c.Rows).Select(row => run.Set.Samples[row].Key)),
            cancel
        );
        var bars = new BarChart
        {
            Title = "Top-1 of each class",
            Bars = [.. ClassBars(report)],
            LevelName = "chance",
        };
        var confusion = report.Confusion is { } counts
            ? new ConfusionPicture { Classes = run.Labels.Classes.Names, Counts = counts }.Render()
            : Html.Empty;
        var diagram = reliability is null ? Html.Empty : Diagram(reliability);

        Directory.CreateDirectory(folder.Folder);
        folder.SaveResult(report);
        Tables(folder, run, reliability);
        SvgPicture.Save(folder.PathOf("classes.png"), bars.Drawing());
        SvgPicture.Save(folder.PathOf("confusion.png"), confusion);
        SvgPicture.Save(folder.PathOf("reliability.png"), diagram);
        new HtmlReport
        {
            Title = "Zero-shot classification",
            Lead =
                $"{report.N:N0} pictures of {report.Dataset}, {report.Classes:N0} classes given as words and nothing else.",
            Facts =
            [
                ("templates", $"{report.Templates} ({report.Protocol.Templates})"),
                ("class names", report.Protocol.ClassNames),
                ("seed", $"{report.Seed}"),
                ("time", Figures.Duration(report.Seconds)),
            ],
            Sections =
            [
                new("What came out", null, Key(report), Notes(report)),
                new(
                    "Class by class",
                    report.Classes > MostBars
                        ? $"The {MostBars} hardest of {report.Classes:N0} classes; classes.csv has them all. Lines through a bar are 95% intervals."
                        : "From the hardest to the easiest. Lines through a bar are 95% intervals.",
                    bars.Render()
                ),
                new(
                    "What is mistaken for what",
                    report.Confusion is null ? "The commonest mistakes; confusion.csv has them all." : null,
                    confusion.IsEmpty ? Mistakes(report) : confusion
                ),
                .. Part(
                    "The hardest classes in pictures",
                    "The mistakes that the model is surest of: under each picture what it is, and what the model said.",
                    pictures.Count > 0,
                    [
                        .. hard.Select(c =>
                            Grid(
                                $"{c.Name}: {Figures.Percent(c.Top1)} right",
                                c.Wrong.Select(answer => Named(run, answer, pictures))
                            )
                        ),
                    ]
                ),
                .. Part(
                    "The pictures nearest to a text",
                    "Of all pictures those that fit the class's words best, right or wrong.",
                    pictures.Count > 0,
                    [
                        .. nearest.Select(c =>
                            Grid(c.Name, c.Rows.Select(row => Named(run, run.Score.Answers[row], pictures)))
                        ),
                    ]
                ),
                .. Part(
                    "Which words help",
                    "Top-1 with each template alone; the classification above takes the mean of all of them.",
                    report.PerTemplate?.Count > 1,
                    report.PerTemplate is { } templates
                        ? new BarChart
                        {
                            Title = "Top-1 by template",
                            Bars = [.. TemplateBars(templates, report)],
                            LevelName = "all templates together",
                        }.Render()
                        : Html.Empty
                ),
                .. Part(
                    "Can its probabilities be believed?",
                    Believed(reliability),
                    reliability is not null,
                    Section.Beside(diagram),
                    reliability is null ? Html.Empty : Bins(reliability)
                ),
                new("How it was measured", null, Measured(report)),
                .. Part(
                    "Go on",
                    null,
                    folder.Model is not null,
                    [.. Commands(folder, report).Select(command => command.Render())]
                ),
            ],
            Foot =
                $"Written by lit eval classification {report.Versions.Lit}. The page needs no network and no script. Beside it: {EvaluationFolder.ResultName}, tables as .csv, figures as .png.",
        }.Save(folder.Page);
    }

    private static IEnumerable<Section> Part(
        string heading,
        string? words,
        bool there,
        params IReadOnlyList<Html> content
    ) => there ? [new(heading, words, content)] : [];

    private static Html Key(ClassificationReport report)
    {
        List<KeyNumber> numbers =
        [
            new(
                Figures.Percent(report.Top1),
                "top-1",
                $"95% interval {Interval(report.Interval95)}; chance {Figures.Percent(report.Chance)}"
            ),
            new(Figures.Percent(report.Top5), "top-5", Interval(report.Top5Interval95)),
            new(Figures.Percent(report.MeanPerClass), "mean per class", Interval(report.MeanPerClassInterval95)),
        ];
        if (report.Leaks is { Top1Without: { } without } leaks)
            numbers.Add(
                new(
                    Figures.Percent(without),
                    "top-1 without near-duplicates of training pictures",
                    $"{leaks.Pictures:N0} of {leaks.Of:N0} have one in {leaks.Training}"
                )
            );
        return new KeyNumbers(numbers).Render();
    }

    private static Html Notes(ClassificationReport report)
    {
        List<string> notes = [.. report.Warnings];
        if (report.Skipped > 0)
            notes.Add($"{report.Skipped:N0} of {report.Found:N0} samples have no readable picture and were skipped.");
        if (report.Unlabelled > 0)
            notes.Add(
                $"{report.Unlabelled:N0} pictures carry no label that is one of the classes; they were not scored."
            );
        return Html.If(notes.Count > 0, $"<ul>{notes.Select(note => Html.Of($"<li>{note}</li>"))}</ul>");
    }

    private static IEnumerable<Bar> ClassBars(ClassificationReport report) =>
        from c in report.PerClass
        where c.Top1 is not null
        orderby c.Top1, c.Class
        let interval = Wilson(c.Top1!.Value, c.N)
        select new Bar(c.Class, c.Top1!.Value, interval.Low, interval.High, report.Chance, $"of {c.N:N0}");

    /// <summary>The 95% interval of a share (Wilson 1927); at few pictures it stays between 0 and 1.</summary>
    private static (double Low, double High) Wilson(double share, int n)
    {
        const double Z = 1.959964;
        var centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n);
        var half = Z * Math.Sqrt(share * (1 - share) / n + Z * Z / (4.0 * n * n)) / (1 + Z * Z / n);
        return (Math.Max(0, centre - half), Math.Min(1, centre + half));
    }

    private static Html Mistakes(ClassificationReport report) =>
        new Table
        {
            Caption = "Commonest mistakes",
            Columns = ["It is", "taken for", "pictures"],
            Rows =
            [
                .. report
                    .Mistakes.Take(20)
                    .Select(mistake =>
                        (IReadOnlyList<string>)[mistake.Label, mistake.Answer, Figures.Plain(mistake.Count)]
                    ),
            ],
        }.Render();

    private sealed record HardClass(int Index, string Name, double Top1, IReadOnlyList<ImageAnswer> Wrong);

    private static List<HardClass> Hard(ClassificationRun run)
    {
        var wrong = run
            .Score.Answers.Where(answer => answer.Labels.Length > 0 && !answer.Right)
            .ToLookup(answer => answer.Labels[0]);
        return
        [
            .. run
                .Report.PerClass.Index()
                .Where(c => c.Item.Top1 is not null && wrong[c.Index].Any())
                .OrderBy(c => c.Item.Top1)
                .Take(HardClasses)
                .Select(c => new HardClass(
                    c.Index,
                    c.Item.Class,
                    c.Item.Top1!.Value,
                    [.. wrong[c.Index].OrderByDescending(Certainty).Take(PicturesOfEach)]
                )),
        ];
    }

    private static double Certainty(ImageAnswer answer) => answer.Similarities[0] - (answer.LabelSimilarity ?? 0);

    private static List<(string Name, List<int> Rows)> Nearest(ClassificationRun run, List<HardClass> hard)
    {
        int[] classes = [.. hard.Select(c => c.Index)];
        if (classes.Length == 0)
            return [];
        List<(string, List<int>)> found = [];
        Similarity.EachRow(run.Classes.Select(classes), run.Images, (row, similarities) =>
        {
            var best = new int[Math.Min(NearestOfEach, similarities.Length)];
            Similarity.Best(similarities, best);
            found.Add((run.Labels.Classes.Names[classes[row]], [.. best]));
        });
        return found;
    }

    private static Html Grid(string title, IEnumerable<NamedPicture?> pictures) =>
        pictures.OfType<NamedPicture>().ToList() is { Count: > 0 } shown
            ? Html.Of($"<h3>{title}</h3>{new PictureGrid { Pictures = shown }.Render()}")
            : Html.Empty;

    private static NamedPicture? Named(
        ClassificationRun run,
        ImageAnswer answer,
        IReadOnlyDictionary<string, RgbImage> pictures
    )
    {
        if (!pictures.TryGetValue(run.Set.Samples[answer.Row].Key, out var image))
            return null;
        var names = run.Labels.Classes.Names;
        var guesses = answer.Best.Zip(answer.Similarities, (c, similarity) =>
            new Guess(
                names[c],
                answer.Probability is { } best && run.Report.Temperature is { } t
                    ? best * Math.Exp(t * (similarity - answer.Similarities[0]))
                    : similarity
            )
        );
        return new(
            image,
            answer.Labels.Length > 0 ? names[answer.Labels[0]] : null,
            [.. guesses],
            answer.Labels.Length > 0 ? answer.Right : null
        );
    }

    private static IEnumerable<Bar> TemplateBars(
        IReadOnlyList<TemplateAccuracy> templates,
        ClassificationReport report
    ) =>
        templates
            .OrderByDescending(template => template.Top1)
            .Take(MostBars)
            .Select(template => new Bar(template.Template, template.Top1, Level: report.Top1));

    private static string? Believed(ReliabilityReport? reliability) =>
        reliability is null
            ? null
            : $"Where the line runs on the diagonal, of the answers given with 70% seven in ten are right. The mean distance (calibration error) is {Figures.Percent(reliability.CalibrationError)} "
                + $"at the model's temperature of {Figures.Plain(reliability.Temperature)}; with a temperature of {Figures.Plain(reliability.FittedTemperature)}, fitted on half of these pictures, it is "
                + $"{Figures.Percent(reliability.FittedCalibrationError)} on the other half.";

    private static Html Diagram(ReliabilityReport reliability) =>
        new LineChart
        {
            Title = "Share of right answers by the probability that the model gave",
            Across = "probability, in percent",
            Percent = true,
            Series =
            [
                new("answers", [.. reliability.Bins.Select(bin => (100 * bin.Confidence, bin.Accuracy))]),
                new("as it should be", [(0, 0), (100, 1)]),
            ],
        }.Render();

    private static Html Bins(ReliabilityReport reliability) =>
        new Table
        {
            Caption = "Answers by their probability",
            Columns = ["Probability from", "mean", "right", "pictures"],
            Rows =
            [
                .. reliability.Bins.Select(bin =>
                    (IReadOnlyList<string>)
                        [
                            Figures.Percent(bin.From),
                            Figures.Percent(bin.Confidence),
                            Figures.Percent(bin.Accuracy),
                            Figures.Plain(bin.N),
                        ]
                ),
            ],
        }.Render();

    private static Html Measured(ClassificationReport report) =>
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
                .. report
                    .Prompts.Take(100)
                    .Index()
                    .Select(template => (IReadOnlyList<string>)[template.Index == 0 ? "templates" : "", template.Item]),
            ],
        }.Render();

    private static IEnumerable<CommandBlock> Commands(EvaluationFolder folder, ClassificationReport report)
    {
        yield return new(
            "See every answer",
            $"./lit eval classification --model {folder.Model} --data {report.Dataset} --predictions answers.jsonl"
        );
        yield return new("Compare two results", $"./lit eval compare {folder.Folder} OTHER --report compared");
        yield return new(
            "Does it know when nothing fits?",
            $"./lit eval absent --model {folder.Model} --data {report.Dataset}"
        );
    }

    private static void Tables(EvaluationFolder folder, ClassificationRun run, ReliabilityReport? reliability)
    {
        var names = run.Labels.Classes.Names;
        folder.SaveTable(
            "classes.csv",
            ["class", "pictures", "top1", "top5", "answered"],
            run.Report.PerClass.Select(c => (IReadOnlyList<object?>)[c.Class, c.N, c.Top1, c.Top5, c.Answered])
        );
        folder.SaveTable(
            "confusion.csv",
            ["label", "answer", "pictures"],
            run.Score.Confusions.OrderBy(entry => entry.Key)
                .Select(entry => (IReadOnlyList<object?>)[names[entry.Key.Label], names[entry.Key.Answer], entry.Value])
        );
        if (run.Report.PerTemplate is { } templates)
            folder.SaveTable(
                "templates.csv",
                ["template", "top1", "pictures"],
                templates.Select(template => (IReadOnlyList<object?>)[template.Template, template.Top1, template.N])
            );
        if (reliability is not null)
            folder.SaveTable(
                "reliability.csv",
                ["from", "confidence", "accuracy", "pictures"],
                reliability.Bins.Select(bin => (IReadOnlyList<object?>)[bin.From, bin.Confidence, bin.Accuracy, bin.N])
            );
    }

    private static string Interval(double[] interval) =>
        $"{Figures.Percent(interval[0])} to {Figures.Percent(interval[1])}";
}
