using System.Text.Json;

namespace LiT.Reports;

/// <summary>The page of a tuning run, from the files in its folder; a run that is not finished shows what there is.</summary>
internal static class TuningReport
{
    /// <summary>Reads RUN/metrics.jsonl and RUN/config.json and writes RUN/report.html.</summary>
    /// <returns>The path of the page.</returns>
    /// <exception cref="LitException">The folder holds no metrics, or they cannot be read.</exception>
    public static string Write(string run)
    {
        var path = Path.Combine(run, "report.html");
        Build(run).Save(path);
        return path;
    }

    /// <summary>The page, not yet written.</summary>
    /// <inheritdoc cref="Write" path="/exception"/>
    public static HtmlReport Build(string run)
    {
        var lines = MetricsFile.Read(Path.Combine(run, "metrics.jsonl"));
        var config = Config(Path.Combine(run, "config.json"));
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(run)));
        return new HtmlReport
        {
            Title = $"Tuning run {name}",
            Lead = Lead(lines),
            Facts = [.. Facts(lines)],
            Sections =
            [
                new("Results", null, new KeyNumbers([.. KeyNumbersOf(lines)]).Render(), Finals(lines)),
                new(
                    "Training",
                    "Every line of metrics.jsonl. The loss is the mean over both directions; accuracy counts, within the "
                        + "batch, how often the own caption or picture comes first.",
                    Section.Beside(TrainingCharts(lines))
                ),
                .. Part(
                    "Validation",
                    "Measured on pairs that are not trained on.",
                    lines.Any(line => line.Validation.Count > 0),
                    Section.Beside(ValidationCharts(lines))
                ),
                .. Part(
                    "Settings",
                    null,
                    config.Count > 0,
                    new Table
                    {
                        Caption = "config.json",
                        Columns = ["Setting", "Value"],
                        Rows = config,
                    }.Render()
                ),
                new("Go on", null, [.. Commands(run).Select(command => command.Render())]),
            ],
            Foot = "Written by lit tune. The page needs no network and no script.",
        };
    }

    private static IEnumerable<Section> Part(string heading, string? words, bool there, Html content) =>
        there ? [new Section(heading, words, content)] : [];

    private static string Lead(IReadOnlyList<MetricsLine> lines)
    {
        if (lines.Count == 0)
            return "Nothing has been measured yet.";
        var losses = Points(lines, "loss", validation: false).Where(point => double.IsFinite(point.Y)).ToList();
        var steps = $"{Figures.Plain(lines[^1].Step)} steps";
        return losses.Count < 2
            ? $"{steps} so far."
            : $"Over {steps} the loss went from {Figures.Plain(losses[0].Y)} to {Figures.Plain(losses[^1].Y)}.";
    }

    private static IEnumerable<(string, string)> Facts(IReadOnlyList<MetricsLine> lines)
    {
        if (Last(lines, "epoch") is { } epoch)
            yield return ("epochs", Figures.Plain(epoch));
        if (Last(lines, "seconds") is { } seconds)
            yield return ("time", Figures.Duration(seconds));
        if (Last(lines, "pairsPerSecond") is { } speed)
            yield return ("pairs per second", Figures.Plain(speed));
        if (Last(lines, "temperature") is { } temperature)
            yield return ("temperature", Figures.Plain(temperature));
    }

    private static double? Last(IReadOnlyList<MetricsLine> lines, string name) =>
        lines.LastOrDefault(line => line.Values.ContainsKey(name))?.Values[name];

    private static IEnumerable<KeyNumber> KeyNumbersOf(IReadOnlyList<MetricsLine> lines) =>
        from name in Names(lines, validation: true)
            .Where(MetricNames.IsShare)
            .OrderByDescending(MetricNames.IsFirstPlace)
            .Take(4)
        let points = Points(lines, name, validation: true)
        let best = points
            .Where(point => double.IsFinite(point.Y))
            .Select(point => point.Y)
            .DefaultIfEmpty(double.NaN)
            .Max()
        select new KeyNumber(Figures.Percent(points[^1].Y), MetricNames.InWords(name), $"best {Figures.Percent(best)}");

    private static Html Finals(IReadOnlyList<MetricsLine> lines)
    {
        var rows =
            from validation in new[] { true, false }
            from name in Names(lines, validation).Where(name => name is not ("step" or "epoch" or "seconds"))
            let points = Points(lines, name, validation)
            where points.Any(point => point.Y != 0)
            let finite = points.Where(point => double.IsFinite(point.Y)).ToList()
            let best = MetricNames.SmallerIsBetter(name)
                ? finite.MinBy(point => point.Y)
                : finite.MaxBy(point => point.Y)
            let hasBest = finite.Count > 0 && (MetricNames.IsShare(name) || MetricNames.SmallerIsBetter(name))
            select (IReadOnlyList<string>)
                [
                    (validation ? "validation: " : "") + MetricNames.InWords(name),
                    MetricNames.Number(name, points[0].Y),
                    MetricNames.Number(name, points[^1].Y),
                    hasBest ? MetricNames.Number(name, best.Y) : "",
                    hasBest ? Figures.Plain(best.X) : "",
                ];
        return new Table
        {
            Caption = "First, last and best",
            Columns = ["Measure", "First", "Last", "Best", "at step"],
            Rows = [.. rows],
        }.Render();
    }

    private static IEnumerable<Html> TrainingCharts(IReadOnlyList<MetricsLine> lines)
    {
        var losses = new List<Series> { new("training", Points(lines, "loss", validation: false)) };
        if (Names(lines, validation: true).Contains("loss"))
            losses.Add(new("validation", Points(lines, "loss", validation: true)));
        yield return new LineChart { Title = "Loss", Series = losses }.Render();
        var accuracies = Names(lines, validation: false)
            .Where(MetricNames.IsShare)
            .Select(name => Of(lines, name, validation: false))
            .ToList();
        if (accuracies.Count > 0)
            yield return new LineChart
            {
                Title = "Accuracy within the batch",
                Percent = true,
                Series = accuracies,
            }.Render();
        foreach (var name in new[] { "temperature", "bias", "lr", "gradNorm", "pairsPerSecond" })
            if (lines.Any(line => line.Values.GetValueOrDefault(name) != 0))
                yield return new LineChart
                {
                    Title = Capital(MetricNames.InWords(name)),
                    Series = [Of(lines, name, validation: false)],
                }.Render();
    }

    private static IEnumerable<Html> ValidationCharts(IReadOnlyList<MetricsLine> lines)
    {
        var names = Names(lines, validation: true).Where(name => name != "loss").ToList();
        foreach (var group in names.Where(MetricNames.IsShare).GroupBy(Parent))
        foreach (var four in group.Chunk(4))
            yield return new LineChart
            {
                Title = group.Key.Length == 0 ? "Shares" : Capital(MetricNames.InWords(group.Key)),
                Percent = true,
                Series =
                [
                    .. four.Select(name =>
                        Of(lines, name, validation: true) with
                        {
                            Name = MetricNames.InWords(name[(name.LastIndexOf('.') + 1)..]),
                        }
                    ),
                ],
            }.Render();
        foreach (var name in names.Where(name => !MetricNames.IsShare(name)))
            yield return new LineChart
            {
                Title = Capital(MetricNames.InWords(name)),
                Series = [Of(lines, name, validation: true)],
            }.Render();
    }

    private static IEnumerable<CommandBlock> Commands(string run)
    {
        var model = Path.Combine(run, "model");
        yield return new(
            "Name your own pictures",
            $"./lit classify photo.jpg --model {model} --labels \"a dog,a cat,a bicycle\""
        );
        yield return new(
            "Measure it on a folder of class folders",
            $"./lit eval classification --model {model} --data FOLDER"
        );
        yield return new("Prove that the image tower is unchanged", $"./lit verify {model}");
    }

    private static string Parent(string name) => name.LastIndexOf('.') is >= 0 and var dot ? name[..dot] : "";

    private static string Capital(string words) =>
        words.Length == 0 ? words : char.ToUpperInvariant(words[0]) + words[1..];

    private static Series Of(IReadOnlyList<MetricsLine> lines, string name, bool validation) =>
        new(MetricNames.InWords(name), Points(lines, name, validation));

    private static List<string> Names(IReadOnlyList<MetricsLine> lines, bool validation) =>
        [.. lines.SelectMany(line => (validation ? line.Validation : line.Values).Keys).Distinct()];

    private static List<(double X, double Y)> Points(IReadOnlyList<MetricsLine> lines, string name, bool validation) =>
        [
            .. lines
                .Where(line => (validation ? line.Validation : line.Values).ContainsKey(name))
                .Select(line => (line.Step, (validation ? line.Validation : line.Values)[name])),
        ];

    private static List<IReadOnlyList<string>> Config(string path)
    {
        if (!File.Exists(path))
            return [];
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(path));
            return [.. Flat(json.RootElement, "")];
        }
        catch (Exception trouble) when (trouble is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new LitException($"{path}: cannot be read as JSON. Write the file again, or remove it.", trouble);
        }
    }

    private static IEnumerable<IReadOnlyList<string>> Flat(JsonElement value, string name)
    {
        if (value.ValueKind == JsonValueKind.Null)
            return [];
        if (value.ValueKind == JsonValueKind.String)
            return
            [
                [name, value.GetString()!],
            ];
        if (value.ValueKind != JsonValueKind.Object)
            return
            [
                [name, value.GetRawText()],
            ];
        var start = name.Length == 0 ? "" : name + ".";
        return value.EnumerateObject().SelectMany(member => Flat(member.Value, start + member.Name)).ToList();
    }
}
