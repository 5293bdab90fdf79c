using System.CommandLine;
using LiT.Classification;
using LiT.Images;

namespace LiT.Cli.Commands;

/// <summary>lit classify: the labels in words that fit a picture best.</summary>
internal static class ClassifyCommand
{
    /// <summary>One picture's answers, best first, or why there are none.</summary>
    /// <param name="Image">The picture.</param>
    /// <param name="Labels">Its best labels.</param>
    /// <param name="Error">Why there are none.</param>
    /// <param name="ExpectedPrecision">Expected share of pictures that show one of the labels among those that score as high; with --min-precision.</param>
    /// <param name="NoneOfThese">Whether that is too low; with --min-precision.</param>
    private sealed record Classified(
        string Image,
        IReadOnlyList<LabelProbability>? Labels,
        string? Error,
        double? ExpectedPrecision = null,
        bool? NoneOfThese = null
    );

    public static Command Build()
    {
        Argument<string[]> pictures = new("image")
        {
            Description = "Pictures: JPEG, PNG, WebP, GIF, BMP or TIFF files.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string> model = new("--model")
        {
            Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model).",
            Required = true,
        };
        Option<string> labels = new("--labels")
        {
            Description = "The labels to choose from, separated by commas.",
            Required = true,
        };
        Option<string?> templates = new("--templates")
        {
            Description = "Prompt templates, one a line, with {} where the label goes.",
        };
        Option<double?> precision = CutOffOptions.MinPrecision(
            "Answer 'none of these' where the expected share of pictures that show one of the labels is below this, such as 0.9. Needs 'lit calibrate'."
        );
        Option<double> present = CutOffOptions.Present();
        Option<int> top = new("--top")
        {
            Description = "How many labels to show for each picture.",
            DefaultValueFactory = _ => 5,
        };
        Option<bool> exif = new("--ignore-exif")
        {
            Description = "Take pictures as they are stored, not as their EXIF orientation turns them.",
        };
        Option<int> maxMegapixels = new("--max-megapixels")
        {
            Description = "Larger pictures are refused by their header.",
            DefaultValueFactory = _ => (int)(DecodingOptions.Default.MaxPixels / 1_000_000),
        };
        var decode = DecodeOption.Build();
        Command command = new("classify", "Say which of some labels fits each picture best.")
        {
            pictures,
            model,
            labels,
            templates,
            precision,
            present,
            top,
            exif,
            decode,
            maxMegapixels,
        };
        Limits.Positive(top, maxMegapixels);
        command.SetAction(
            async (parsed, cancel) =>
            {
                var names = parsed
                    .GetRequiredValue(labels)
                    .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
                _ = new ClassNames(names); // what the labels lack is said before anything is read
                ClassifierOptions options = new()
                {
                    Templates = parsed.GetValue(templates) is { } file
                        ? PromptTemplates.Read(file)
                        : PromptTemplates.Default,
                    MinPrecision = parsed.GetValue(precision),
                    Present = parsed.GetValue(present),
                    HonourExif = !parsed.GetValue(exif),
                    MaxPixels = parsed.GetValue(maxMegapixels) * 1_000_000L,
                    FastDecoding = parsed.GetRequiredValue(decode) == DecodePath.Fast,
                };
                using var lit = await LitModel.LoadAsync(
                    parsed.GetRequiredValue(model),
                    CommonOptions.SessionOf(parsed),
                    cancel
                );
                if (options.MinPrecision is not null)
                    CutOffOptions.BackgroundOf(lit);
                var classifier = await lit.ClassifierAsync(names, options, cancel);
                if (classifier.UnreadLabels is { Count: > 0 } unread)
                    Terminal.Warn(ClassPrompts.UnreadInWords(unread));
                List<Classified> results = [];
                await foreach (var one in classifier.ClassifyAsync(parsed.GetRequiredValue(pictures), cancel))
                {
                    if (one.Problem is { } problem)
                        Terminal.Complain($"{one.Path}: {problem.TrimEnd('.')}. Give a {PictureKinds} file.");
                    results.Add(
                        new(
                            one.Path,
                            one.Picture is { } answer ? [.. answer.Labels.Take(parsed.GetValue(top))] : null,
                            one.Problem,
                            one.Picture?.ExpectedPrecision,
                            one.Picture?.NoneOfThese
                        )
                    );
                }
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(results);
                else
                    Terminal.Table(
                        ["picture", "label", "probability"],
                        results.Where(result => result.Labels is not null).SelectMany(Rows)
                    );
                return results.Exists(result => result.Error is not null) ? ExitCode.Failed : ExitCode.Done;
            }
        );
        return command;
    }

    private static IEnumerable<string[]> Rows(Classified result)
    {
        if (result.NoneOfThese == true)
            yield return [result.Image, "none of these", ""];
        foreach (var (i, answer) in result.Labels!.Index())
            yield return
            [
                i == 0 && result.NoneOfThese != true ? result.Image : "",
                (result.NoneOfThese == true ? "  nearest: " : "") + answer.Label,
                EvalCommand.Percent(answer.Probability),
            ];
    }

    private const string PictureKinds = "JPEG, PNG, WebP, GIF, BMP or TIFF";
}
