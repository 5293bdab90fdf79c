using LiT.Data;
using LiT.Embedding;

namespace LiT.Evaluation;

/// <summary>
/// How captions in one language find those of the same pictures in another: each is embedded by its own language's
/// text tower, and the pictures are not asked (field names as in the JSON).
/// </summary>
/// <param name="Asked">The language of the captions that ask.</param>
/// <param name="Captions">The language of those that are found.</param>
/// <param name="Queries">Captions that ask: those whose picture has one in the other language, too.</param>
/// <param name="Candidates">Captions among which they look.</param>
/// <param name="R1">Share with a caption of their picture nearest.</param>
/// <param name="R5">Among the five nearest.</param>
/// <param name="R10">Among the ten nearest.</param>
/// <param name="MedianRank">Median rank, from 1, of the nearest caption of their picture.</param>
/// <param name="Chance">R1 by chance.</param>
internal sealed record AcrossRecall(
    string Asked,
    string Captions,
    int Queries,
    int Candidates,
    double R1,
    double R5,
    double R10,
    double MedianRank,
    double Chance
);

/// <summary>The result in one of several languages.</summary>
/// <param name="Language">Its code.</param>
/// <param name="Report">The result.</param>
internal sealed record OfLanguage<T>(string? Language, T Report);

/// <summary>The results in several languages (field names as in the JSON).</summary>
/// <param name="Languages">One each, in the order in which they were asked for.</param>
/// <param name="Mean">The mean over them of the main number.</param>
internal sealed record LanguagesReport<T>(IReadOnlyList<OfLanguage<T>> Languages, double Mean)
{
    /// <summary>Captions that ask for captions, for every two languages; null where that was not asked for.</summary>
    public IReadOnlyList<AcrossRecall>? Across { get; init; }

    /// <summary>The mean of their <see cref="AcrossRecall.R1"/>.</summary>
    public double? AcrossMean => Across is { Count: > 0 } all ? all.Average(one => one.R1) : null;
}

/// <summary>Evaluation in several languages over the same pictures.</summary>
internal static class LanguageEvaluation
{
    /// <summary>Refuses what cannot be measured, before anything is.</summary>
    /// <param name="set">The pictures.</param>
    /// <param name="languages">The languages that are asked for; null in it stands for the captions as they
    /// are.</param>
    /// <exception cref="LitException">A language without captions, or two names of one.</exception>
    public static void Check(ImageSet set, IReadOnlyList<string?> languages)
    {
        if (languages.All(language => language is null))
            return;
        var known = CaptionLanguages.In(set.Samples);
        if (
            known
                .GroupBy(code => code, StringComparer.OrdinalIgnoreCase)
                .FirstOrDefault(group => group.Count() > 1)
                ?.ToArray()
            is [var one, var other, ..]
        )
            throw new LitException(
                set.Path,
                $"has captions in '{one}' and in '{other}', which is one language",
                "Write one code for it"
            );
        foreach (var language in languages.OfType<string>())
            if (!known.Contains(language, StringComparer.OrdinalIgnoreCase))
                throw Without(set, language, known);
    }

    /// <summary>That no picture has a caption in a language.</summary>
    internal static LitException Without(ImageSet set, string language, IReadOnlyList<string>? known = null) =>
        new(
            $"{set.Path}: no picture has a caption in the language '{language}'. "
                + (
                    (known ?? CaptionLanguages.In(set.Samples)) is { Count: > 0 } there
                        ? $"It has {string.Join(", ", there)}."
                        : "It has captions of one language only; leave `Language` out."
                )
        );

    /// <summary>A language that is neither asked nor known to the text tower: a remark for the reader.</summary>
    internal static IEnumerable<string> Remarks(LitModel model, string? language)
    {
        if (language is not null && Spoken(model) is { } spoken && !Speaks(model, language))
            yield return $"the captions are in {language}, and the text tower that read them speaks {spoken}: the "
                + $"model has none for {language}.";
    }

    /// <summary>What a model's text tower speaks, in words; null where it does not say.</summary>
    internal static string? Spoken(LitModel model) =>
        model.Description.Languages is { } several ? string.Join(", ", several) : model.Language;

    /// <summary>
    /// Every language's captions as queries among every other's: for each two, in both directions. Two languages that
    /// share no picture are left out.
    /// </summary>
    /// <param name="runs">Retrieval in each language.</param>
    /// <param name="cancel">Stops between two of them.</param>
    /// <returns>In the order of the runs: who asks, then who is asked.</returns>
    public static IReadOnlyList<AcrossRecall> Across(
        IReadOnlyList<RetrievalRun> runs,
        CancellationToken cancel = default
    )
    {
        SortedDictionary<(int Asked, int Captions), AcrossRecall> found = [];
        for (var a = 0; a < runs.Count; a++)
        for (var b = a + 1; b < runs.Count; b++)
        {
            cancel.ThrowIfCancellationRequested();
            var pairs = Pairs(runs[a], runs[b]);
            if (pairs.Count == 0)
                continue;
            var score = Retrieval.Score(runs[a].Texts, runs[b].Texts, pairs);
            found[(a, b)] = Of(runs[a], runs[b], score.ImageToText, score.MedianRank.ImageToText, pairs);
            found[(b, a)] = Of(
                runs[b],
                runs[a],
                score.TextToImage,
                score.MedianRank.TextToImage,
                [.. pairs.Select(pair => (pair.Item2, pair.Item1))]
            );
        }
        return [.. found.Values];
    }

    private static bool Speaks(LitModel model, string language) =>
        (model.Description.Languages ?? [model.Language ?? language]).Contains(
            language,
            StringComparer.OrdinalIgnoreCase
        );

    private static AcrossRecall Of(
        RetrievalRun asked,
        RetrievalRun captions,
        Recall recall,
        double rank,
        List<(int, int)> pairs
    )
    {
        var queries = pairs.Select(pair => pair.Item1).Distinct().Count();
        return new(
            asked.Report.Protocol.Language!,
            captions.Report.Protocol.Language!,
            queries,
            captions.Texts.Count,
            recall.R1,
            recall.R5,
            recall.R10,
            rank,
            pairs.Count / (double)queries / captions.Texts.Count
        );
    }

    /// <summary>Texts of the same picture.</summary>
    private static List<(int, int)> Pairs(RetrievalRun one, RetrievalRun other)
    {
        var texts = other.Pairs.ToLookup(
            pair => other.ImageKeys[pair.Image],
            pair => pair.Text,
            StringComparer.Ordinal
        );
        return [.. one.Pairs.SelectMany(pair => texts[one.ImageKeys[pair.Image]].Select(text => (pair.Text, text)))];
    }
}
