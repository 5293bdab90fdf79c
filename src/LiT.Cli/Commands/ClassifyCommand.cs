using System.CommandLine;
using LiT.Classification;
using LiT.Images;

namespace LiT.Cli.Commands;

/// <summary>lit classify: the labels in words that fit a picture best.</summary>
internal static class ClassifyCommand
{
    public static Command Build()
    {
        Argument<string[]> pictures = new("image")
        {
            Description =
                "Pictures (JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF files), or folders, of which "
                + "every picture is taken.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string> model = new("--model")
        {
            Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model).",
            Required = true,
        };
        ClassifyLabels labels = new();
        ClassifyOutput output = new();
        Option<string?> templates = new("--templates")
        {
            Description = "Prompt templates, one a line, with {} where the label goes.",
        };
        Option<double?> precision = CutOffOptions.MinPrecision(
            "Answer 'none of these' where the expected share of pictures that show one of the labels is "
                + "below this, such as 0.9. Needs 'lit calibrate'."
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
        var language = LanguageOption.Build();
        Command command = new("classify", "Say which of some labels fits each picture best.")
        {
            pictures,
            model,
            templates,
            precision,
            present,
            top,
            exif,
            decode,
            maxMegapixels,
            language,
        };
        labels.AddTo(command);
        output.AddTo(command);
        Limits.Positive(top, maxMegapixels);
        command.Does(
            async (parsed, cancel) =>
            {
                output.Check(parsed);
                var names = labels.Of(parsed);
                _ = new ClassNames(names); // what the labels lack is said before anything is read
                var found = PictureFiles.Of(parsed.GetRequiredValue(pictures), Terminal.Say).ToList();
                var least = parsed.GetValue(precision);
                ClassifierOptions options = new()
                {
                    Templates = parsed.GetValue(templates) is { } file
                        ? PromptTemplates.Read(file)
                        : PromptTemplates.Default,
                    MinPrecision = least,
                    Present = least is null ? ClassifierOptions.Default.Present : parsed.GetValue(present),
                    HonourExif = !parsed.GetValue(exif),
                    MaxPixels = parsed.GetValue(maxMegapixels) * 1_000_000L,
                    FastDecoding = parsed.GetRequiredValue(decode) == DecodePath.Fast,
                };
                using var lit = await LitModel.LoadAsync(
                    parsed.GetRequiredValue(model),
                    CommonOptions.SessionOf(parsed) with
                    {
                        Language = parsed.GetValue(language),
                    },
                    cancel
                );
                if (least is not null)
                    CutOffOptions.BackgroundOf(lit);
                var classifier = await lit.ClassifierAsync(names, options, cancel);
                foreach (var one in classifier.Unknown)
                    Terminal.Warn(
                        $"'{one.Text}': {one.Why}, so no precision is promised for it"
                            + (
                                least is not null || one.Unread
                                    ? "; pictures that it fits best get 'none of these'."
                                    : "."
                            )
                    );
                var failed = 0;
                var form = output.Begin(parsed);
                await foreach (var one in classifier.ClassifyAsync(found, cancel))
                {
                    if (one.Problem is { } problem)
                    {
                        failed++;
                        Terminal.Complain($"{one.Path}: {problem.TrimEnd('.')}. Give a {PictureKinds} file.");
                    }
                    var best = one.Picture?.Labels.Take(parsed.GetValue(top));
                    form.Add(
                        new(
                            one.Path,
                            best is null ? null : [.. best.Select(label => new Answer(label.Label, label.Probability))],
                            one.Problem,
                            one.Picture?.ExpectedPrecision,
                            one.Picture?.NoneOfThese
                        )
                        {
                            UnseenWords = one.Picture?.UnseenWords is { Count: > 0 } unseen ? unseen : null,
                        }
                    );
                }
                form.End();
                return failed > 0 ? ExitCode.Failed : ExitCode.Done;
            }
        );
        return command;
    }

    private const string PictureKinds = "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF";
}
