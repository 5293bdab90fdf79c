using LiT.Curation;

namespace LiT.Reports;

/// <summary>The page of <c>lit data stats</c>.</summary>
internal static class StatisticsReport
{
    /// <summary>The page, not yet written.</summary>
    public static HtmlReport Build(SourceStatistics of) =>
        new()
        {
            Title = $"Data set {Path.GetFileName(Path.TrimEndingDirectorySeparator(of.Source))}",
            Lead = $"{of.Used:N0} usable samples of {of.Found:N0} found, with {of.Captions:N0} captions.",
            Facts = [("source", of.Source), ("form", of.Form), ("pictures", $"{of.ImageBytes / 1e6:N1} MB")],
            Sections =
            [
                new(
                    "At a glance",
                    null,
                    new KeyNumbers([
                        new($"{of.Used:N0}", "samples"),
                        new($"{of.Skipped:N0}", "skipped"),
                        new(
                            Figures.Percent(Share(of.DuplicatePictures, of.Used)),
                            "pictures that came before, byte for byte"
                        ),
                        new(Figures.Percent(Share(of.DuplicateCaptions, of.Captions)), "captions that came before"),
                        .. of.Tokens is { } tokens
                            ? new[]
                            {
                                new KeyNumber(
                                    Figures.Percent(Share(tokens.Truncated, of.Captions)),
                                    $"captions cut at {tokens.Length} tokens"
                                ),
                            }
                            : [],
                    ]).Render()
                ),
                new(
                    "Samples to look at",
                    "Spread evenly over the source.",
                    new PictureGrid
                    {
                        Pictures =
                        [
                            .. of.Examples.Select(example => new NamedPicture(
                                example.Image,
                                example.Words ?? example.Key,
                                []
                            )),
                        ],
                    }.Render()
                ),
                new(
                    "Pictures",
                    null,
                    Section.Beside(Bars("Shorter side in pixels", of.ShorterSides), Bars("Format", of.Formats)),
                    Numbers(of)
                ),
                new(
                    "Captions",
                    "Languages are told by script and, in Latin and Cyrillic script, by short frequent words; a caption without any is counted under its script.",
                    Section.Beside(Bars("Words a caption", of.WordCounts), Bars("Languages", of.Languages))
                ),
                .. Part("Captions that come most often", of.FrequentCaptions, "Caption", "Pictures"),
                .. Part("Labels", of.Labels, "Label", "Samples"),
                .. Part("Why samples are skipped", of.SkippedBecause, "Reason", "Samples"),
            ],
            Foot = "Written by lit data stats. The page needs no network and no script.",
        };

    internal static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;

    private static Html Bars(string title, IReadOnlyList<Named> counts) =>
        new BarChart
        {
            Title = title,
            Percent = false,
            Bars = [.. counts.Select(count => new Bar(count.Name, count.Count))],
        }.Render();

    private static IEnumerable<Section> Part(string heading, IReadOnlyList<Named> counts, string name, string unit) =>
        counts.Count == 0
            ? []
            :
            [
                new(
                    heading,
                    null,
                    new Table
                    {
                        Caption = heading,
                        Hidden = true,
                        Columns = [name, unit],
                        Rows = [.. counts.Select(count => new[] { count.Name, $"{count.Count:N0}" })],
                    }.Render()
                ),
            ];

    private static Html Numbers(SourceStatistics of)
    {
        (string Name, Distribution? Of)[] all =
        [
            ("encoded size in bytes", of.FileSize),
            ("shorter side in pixels", of.ShorterSide),
            ("longer over shorter side, in hundredths", of.AspectPercent),
            ("captions a picture", of.CaptionsPerPicture),
            ("words a caption", of.Words),
            ("characters a caption", of.Characters),
            ("tokens a caption", of.Tokens?.PerCaption),
        ];
        return new Table
        {
            Caption = "Distributions",
            Columns = ["What", "mean", "least", "5%", "median", "95%", "most"],
            Rows =
            [
                .. all.Where(one => one.Of is not null)
                    .Select(one =>
                        new[]
                        {
                            one.Name,
                            Figures.Plain(one.Of!.Mean),
                            $"{one.Of.Least:N0}",
                            $"{one.Of.Percent5:N0}",
                            $"{one.Of.Median:N0}",
                            $"{one.Of.Percent95:N0}",
                            $"{one.Of.Most:N0}",
                        }
                    ),
            ],
            Note = "Quantiles above 1,024 are right to 2%.",
        }.Render();
    }
}
