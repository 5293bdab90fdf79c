using System.Diagnostics;

namespace LiT.Data;

/// <summary>What the beginning of a source holds, looked at before long work starts.</summary>
/// <param name="Source">The source.</param>
/// <param name="Pictures">Samples that can be used.</param>
/// <param name="Captioned">Those with a caption.</param>
/// <param name="Captions">Their captions.</param>
/// <param name="Labelled">Those with a label.</param>
/// <param name="Skipped">Samples that cannot be used.</param>
/// <param name="FirstSkipped">Why the first of these cannot, with its place.</param>
/// <param name="Whole">Whether the source ended within the glance, so that the numbers are those of the whole.</param>
/// <param name="PassedOver">What is there and is not read, a phrase each.</param>
/// <param name="Fields">Columns and members that go along as fields, and are neither caption nor label.</param>
internal sealed record SourceGlance(
    SampleSource Source,
    long Pictures,
    long Captioned,
    long Captions,
    long Labelled,
    long Skipped,
    string? FirstSkipped,
    bool Whole,
    IReadOnlyList<string> PassedOver,
    IReadOnlyList<string> Fields
)
{
    /// <summary>Samples that are used without a part that cannot be, or with one that was mended.</summary>
    public long Noted { get; init; }

    /// <summary>What the first of these notes says, with its place; null where there is none.</summary>
    public string? FirstNoted { get; init; }

    private const int MostSamples = 1000,
        MostNamed = 6;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    /// <summary>Reads the first thousand samples, or for three seconds.</summary>
    /// <exception cref="LitException">The source as a whole cannot be read.</exception>
    public static SourceGlance Of(SampleSource source, CancellationToken cancel = default)
    {
        var clock = Stopwatch.StartNew();
        long pictures = 0,
            captioned = 0,
            captions = 0,
            labelled = 0,
            skipped = 0,
            noted = 0;
        string? first = null,
            firstNoted = null;
        var whole = true;
        SortedSet<string> fields = new(StringComparer.Ordinal);
        foreach (var found in source.ReadAll())
        {
            cancel.ThrowIfCancellationRequested();
            if (found.Skipped is { InPart: false } lost)
            {
                skipped++;
                first ??= $"{lost.Origin}: {lost.Reason}";
            }
            else if (found.Skipped is { } part)
            {
                noted++;
                firstNoted ??= $"{part.Origin}: {part.Reason}";
            }
            if (found.Sample is { } sample)
            {
                pictures++;
                captions += sample.Captions.Count;
                captioned += sample.Captions.Count > 0 ? 1 : 0;
                labelled += sample.Label is null ? 0 : 1;
                foreach (var name in sample.Fields.Keys)
                    if (fields.Count < 100)
                        fields.Add(name);
            }
            if (pictures + skipped < MostSamples && clock.Elapsed < Longest)
                continue;
            whole = false;
            break;
        }
        return new(
            source,
            pictures,
            captioned,
            captions,
            labelled,
            skipped,
            first,
            whole,
            source.PassedOver,
            [.. fields]
        )
        {
            Noted = noted,
            FirstNoted = firstNoted,
        };
    }

    /// <summary>What was found and passed over, in one line.</summary>
    public string InWords()
    {
        List<string> parts =
        [
            $"{Source.Path}: {Source.Form}; {(Whole ? "" : "looked at the first ")}{Count(Pictures, "picture")}, "
                + (Captioned == 0 ? "none with a caption" : $"{Of(Captioned)} with captions ({Captions:N0})")
                + ", "
                + (Labelled == 0 ? "none with a label" : $"{Of(Labelled)} with a label"),
        ];
        if (Skipped > 0)
            parts.Add($"{Skipped:N0} skipped, the first is {FirstSkipped}");
        if (Noted > 0)
            parts.Add($"{Noted:N0} noted, the first is {FirstNoted}");
        if (Fields.Count > 0)
            parts.Add($"kept as fields: {Some(Fields)}");
        if (PassedOver.Count > 0)
            parts.Add($"passed over: {Some(PassedOver)}");
        return string.Join("; ", parts);

        string Of(long some) => some == Pictures ? "all" : $"{some:N0}";
    }

    /// <summary>Why there are no captions, as far as it shows; null where there are some.</summary>
    /// <param name="column">The column or member that captions were to be taken from, where the user named one.</param>
    public string? WhyNoCaptions(string? column = null)
    {
        if (Captioned > 0 || Pictures == 0)
            return null;
        var cause =
            column is not null
                ? $"Nothing stands under '{column}'{(Fields.Count > 0 ? $"; there are {Some(Fields)}" : "")}. "
                    + $"Give a column or member that holds captions."
            : PassedOver.FirstOrDefault(phrase =>
                phrase.Contains("captions_", StringComparison.Ordinal)
                && phrase.Contains(".json", StringComparison.Ordinal)
            )
                is { } coco
                ? $"Passed over: {coco}. If these are COCO's captions, `Data` coco=DIR reads them."
            : PassedOver.Any(Kinds.MayBeATable)
                ? $"Passed over: {Some(PassedOver)}. If the captions are there, give that file as `Data`, or "
                    + $"put them into a .txt beside each picture or into metadata.csv (file_name, text)."
            : PassedOver.Count > 0
                ? $"Passed over: {Some(PassedOver)}. If the captions are there, "
                    + "put them into a .txt beside each picture or into metadata.csv (file_name, text)."
            : Fields.Count > 0
                ? $"Columns that are no caption by their name: {Some(Fields)}. If one of them is, say which "
                    + $"with `CaptionColumn`."
            : "Put them into a .txt beside each picture, or into metadata.csv (file_name, text).";
        var none =
            Pictures == 1
                ? "its one picture has no caption"
                : $"none of the {(Whole ? "" : "first ")}{Pictures:N0} pictures has a caption";
        return $"{Source.Path}: {none}, which tuning and retrieval need. {cause}";
    }

    /// <summary>
    /// Whether the missing captions are likely to be a mistake: nothing else is said of the pictures, or something
    /// lies there unread.
    /// </summary>
    public bool MayMissCaptions =>
        Captioned == 0 && Pictures > 0 && (Labelled == 0 || PassedOver.Any(Kinds.MayHoldCaptions));

    private static string Count(long count, string thing) => count == 1 ? $"1 {thing}" : $"{count:N0} {thing}s";

    private static string Some(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MostNamed))
        + (names.Count > MostNamed ? $" and {names.Count - MostNamed} more" : "");
}
