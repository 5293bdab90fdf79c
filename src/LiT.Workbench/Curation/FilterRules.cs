using System.Globalization;
using LiT.Data;
using LiT.Images;

namespace LiT.Curation;

/// <summary>
/// What a sample must be like to stay: the rules by which the ALIGN set was cleaned (Jia et al. 2021, arXiv 2102.05918,
/// section 3) and their numbers. A rule at 0 is off.
/// </summary>
internal sealed record FilterRules
{
    /// <summary>Fewest words of a caption.</summary>
    public int MinWords { get; init; } = 3;

    /// <summary>Most words of a caption.</summary>
    public int MaxWords { get; init; } = 20;

    /// <summary>Most pictures that may share a caption.</summary>
    public int MaxRepeats { get; init; } = 10;

    /// <summary>How often every word and pair of words of a caption must come in the whole source.</summary>
    public int MinTokenCount { get; init; }

    /// <summary>Whether captions that say nothing about the picture are dropped.</summary>
    public bool DropBoilerplate { get; init; } = true;

    /// <summary>Phrases that count as boilerplate beside those known.</summary>
    public IReadOnlyList<string> MoreBoilerplate { get; init; } = [];

    /// <summary>The shorter side of a picture must have this many pixels.</summary>
    public int MinSide { get; init; } = 200;

    /// <summary>Longer side over shorter side, at most.</summary>
    public double MaxAspect { get; init; } = 3;

    /// <summary>Most captions of a picture.</summary>
    public int MaxCaptions { get; init; } = 1000;

    /// <summary>Whether pictures that have no caption go.</summary>
    public bool NeedsCaption { get; init; }
}

/// <summary>A rule that something broke, and how.</summary>
internal readonly record struct Broken(string Rule, string How);

/// <summary>Applies rules; safe from several threads.</summary>
internal sealed class Filter(FilterRules rules, CaptionCensus? census)
{
    public const string Unreadable = "unreadable",
        TooSmall = "too small",
        Aspect = "too long and thin",
        ManyCaptions = "too many captions",
        NoCaption = "no caption",
        TooShort = "too short",
        TooLong = "too long",
        Boilerplate = "boilerplate",
        Frequent = "too frequent",
        Rare = "rare words";

    /// <summary>Every rule, in the order in which they are applied.</summary>
    public static readonly string[] All =
    [
        Unreadable,
        TooSmall,
        Aspect,
        ManyCaptions,
        NoCaption,
        Boilerplate,
        TooShort,
        TooLong,
        Frequent,
        Rare,
    ];

    private readonly Boilerplate boilerplate = new(rules.MoreBoilerplate);

    /// <summary>Whether the whole source must be counted first.</summary>
    public static bool NeedsCensus(FilterRules rules) => rules.MaxRepeats > 0 || rules.MinTokenCount > 1;

    /// <summary>What is wrong with the picture, or null.</summary>
    public Broken? Picture(Sample sample, byte[] image)
    {
        int width,
            height;
        try
        {
            (width, height) = Decoding.ReadSize(image, origin: sample.Origin);
        }
        catch (PictureException broken)
        {
            return new(Unreadable, broken.Reason);
        }
        if (Math.Min(width, height) < rules.MinSide)
            return new(TooSmall, $"{width} x {height}");
        if (rules.MaxAspect > 0 && Math.Max(width, height) > rules.MaxAspect * Math.Min(width, height))
            return new(Aspect, $"{width} x {height}");
        return rules.MaxCaptions > 0 && sample.Captions.Count > rules.MaxCaptions
            ? new(ManyCaptions, $"{sample.Captions.Count} captions")
            : null;
    }

    /// <summary>What is wrong with a caption, or null.</summary>
    public Broken? Caption(string caption)
    {
        if (rules.DropBoilerplate && boilerplate.In(caption) is { } phrase)
            return new(Boilerplate, phrase);
        var words = CaptionWords.Count(caption);
        if (words < rules.MinWords)
            return new(TooShort, Words(words));
        if (rules.MaxWords > 0 && words > rules.MaxWords)
            return new(TooLong, Words(words));
        if (rules.MaxRepeats > 0 && census!.CountOf(caption) is var count && count > rules.MaxRepeats)
            return new(Frequent, $"on {count} pictures");
        return rules.MinTokenCount > 1 && census!.RareIn(caption, rules.MinTokenCount) is { } token
            ? new(Rare, token)
            : null;
    }

    private static string Words(int count) =>
        count == 1 ? "1 word" : string.Create(CultureInfo.InvariantCulture, $"{count} words");
}
