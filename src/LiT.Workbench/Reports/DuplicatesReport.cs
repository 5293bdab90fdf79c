using LiT.Duplicates;

namespace LiT.Reports;

/// <summary>The page of <c>lit data dedup</c>: what was found, and pairs to look at.</summary>
internal static class DuplicatesReport
{
    /// <summary>The page, not yet written.</summary>
    /// <param name="source">The data as it was given.</param>
    /// <param name="result">What was found.</param>
    /// <param name="rules">What counted as a duplicate.</param>
    /// <param name="pairs">Pairs with their pictures.</param>
    public static HtmlReport Build(
        string source,
        DedupResult result,
        DuplicateRules rules,
        IReadOnlyList<ShownPair> pairs
    ) =>
        new()
        {
            Title = $"Duplicates in {Path.GetFileName(Path.TrimEndingDirectorySeparator(source))}",
            Lead = $"{result.Kept:N0} of {result.Pictures:N0} pictures are kept.",
            Facts =
            [
                ("levels", string.Join(", ", result.Levels.Select(InWords))),
                ("bits that may differ", $"{rules.Hamming} of 64"),
                ("cosine from", Figures.Plain(rules.Cosine)),
                ("skipped", $"{result.Skipped:N0}"),
            ],
            Sections =
            [
                new(
                    "What each step took out",
                    "Evaluation sets first; a picture counts for the first of them that holds it. Then what repeats an earlier picture of the same data. "
                        + "Leaked counts the pictures of the evaluation set that the data holds.",
                    new Table
                    {
                        Caption = "Steps",
                        Hidden = true,
                        Columns = ["Step", "same bytes", "same picture", "same scene", "removed", "leaked"],
                        Rows =
                        [
                            .. result.Steps.Select(step =>
                                new[]
                                {
                                    step.Step,
                                    $"{step.Bytes:N0}",
                                    $"{step.Picture:N0}",
                                    $"{step.Scene:N0}",
                                    $"{step.Removed:N0}",
                                    step.Leaked is { } leaked ? $"{leaked:N0} of {step.Of:N0}" : Figures.Missing,
                                }
                            ),
                        ],
                    }.Render()
                ),
                .. pairs
                    .GroupBy(pair => (pair.Step, pair.Level))
                    .Select(group => new Section(
                        $"{InWords(group.Key.Level)}, {StepInWords(group.Key.Step)}",
                        group.Key.Level == DuplicateLevel.Bytes
                            ? null
                            : "The pairs nearest to being none come first: if these are one, the threshold is not too generous.",
                        Html.Of($"""<ul class="pairs">{group.Select(Card)}</ul>""")
                    )),
            ],
            Foot = "Written by lit data dedup. The page needs no network and no script.",
        };

    private static string StepInWords(string step) => step == "within" ? "within the data" : $"against {step}";

    private static string InWords(DuplicateLevel level) =>
        level switch
        {
            DuplicateLevel.Bytes => "Same bytes",
            DuplicateLevel.Picture => "Same picture",
            _ => "Same scene",
        };

    private static Html Card(ShownPair pair) =>
        Html.Of(
            $"""
            <li><figure class="pair"><div>{Image(pair.Image, pair.Key)}{Image(pair.Of, pair.OfKey)}</div>
            <figcaption><b>{pair.How}</b> <bdi>{pair.Key}</bdi> repeats <bdi>{pair.OfKey}</bdi></figcaption></figure></li>
            """
        );

    private static Html Image(LiT.Images.RgbImage? image, string key) =>
        image is null
            ? Html.Of($"""<span class="none">no picture at hand</span>""")
            : Html.Of(
                $"""<img src="{Images.Thumbnail.DataUri(image)}" alt="{key}" width="{image.Width}" height="{image.Height}"/>"""
            );
}
