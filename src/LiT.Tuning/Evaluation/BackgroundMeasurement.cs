using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;

namespace LiT.Evaluation;

/// <summary>How a collection's background is measured.</summary>
internal sealed record BackgroundOptions
{
    /// <summary>How the pictures are read.</summary>
    public ImageSetOptions Images { get; init; } = new();

    /// <summary>Pictures, and captions, that are compared with each other; all pairs of them are.</summary>
    public int Cohort { get; init; } = 2000;

    /// <summary>Seed of which.</summary>
    public int Seed { get; init; }
}

/// <summary>Measures what a model says to things of a collection that do not belong together.</summary>
internal static class BackgroundMeasurement
{
    private const int Fewest = 100;

    private const string UnknownCaptions =
        "for words like these the model guesses, and the cut-offs are measured on guesses as well.";

    /// <summary>Measures a collection.</summary>
    /// <param name="model">The model whose similarities are meant.</param>
    /// <param name="path">Pictures with captions, better such as the model was not tuned on.</param>
    /// <param name="options">How much of it.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="progress">Told of the captions.</param>
    /// <param name="cancel">Stops.</param>
    /// <param name="warn">Told, a sentence at a time, of captions with words that the model cannot know.</param>
    /// <exception cref="LitException">There are too few pictures with captions that the model can read.</exception>
    public static Background Of(
        LitModel model,
        string path,
        BackgroundOptions options,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default,
        Action<string>? warn = null
    )
    {
        using var set = ImageSet.Load(
            path,
            model.Description.Image.Expected,
            () => model.Image,
            options.Images,
            compute,
            progress,
            cancel
        );
        var withCaption = Enumerable
            .Range(0, set.Samples.Count)
            .Where(row => set.Samples[row].Captions.Count > 0)
            .ToList();
        if (withCaption.Count < Fewest)
            throw new LitException(
                set.Path,
                $"{withCaption.Count} pictures with captions, and a background takes {Fewest} at least",
                "Give a larger collection with captions"
            );
        SeededOrder order = new(withCaption.Count, (ulong)options.Seed);
        var rows = Enumerable
            .Range(0, Math.Min(options.Cohort, withCaption.Count))
            .Select(_ => withCaption[order.Next()])
            .ToList();
        var texts = rows.Select(row => set.Samples[row].Captions[0]).Distinct(StringComparer.Ordinal).ToList();
        CheckWords(model, set.Path, texts, warn);
        var indexOf = texts.Index().ToDictionary(text => text.Item, text => text.Index, StringComparer.Ordinal);
        var own = rows.Select(row =>
                set.Samples[row]
                    .Captions.Select(caption => indexOf.GetValueOrDefault(caption, -1))
                    .Where(index => index >= 0)
                    .ToArray()
            )
            .ToList();
        return Background.Of(
            set.Each(model.ProjectImages, rows),
            model.EmbedTexts(texts, progress, cancel),
            own,
            set.Path
        );
    }

    /// <summary>Refuses captions that mostly say nothing to the model, and tells of those with unknown words.</summary>
    private static void CheckWords(LitModel model, string path, List<string> texts, Action<string>? warn)
    {
        var unread = texts.Count(model.IsUnread);
        if (texts.Count - unread < texts.Count / 2.0)
            throw new LitException(
                path,
                FormattableString.Invariant(
                    $"the model's vocabulary knows no piece of {unread:N0} of {texts.Count:N0} "
                ) + $"captions, the first '{texts.First(model.IsUnread)}', so they measure nothing",
                "Give captions in a language of the model"
            );
        foreach (var remark in UnknownWords.Remarks(model, texts, "captions", UnknownCaptions))
            warn?.Invoke(remark);
    }
}
