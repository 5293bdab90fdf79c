using System.CommandLine;
using LiT.Classification;
using LiT.Data;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Images;

namespace LiT.Cli.Commands;

/// <summary>lit classify: the labels in words that fit a picture best.</summary>
internal static class ClassifyCommand
{
    /// <summary>One label's probability for one picture.</summary>
    private sealed record Answer(string Label, double Probability);

    /// <summary>One picture's answers, best first, or why there are none.</summary>
    /// <param name="Image">The picture.</param>
    /// <param name="Labels">Its best labels.</param>
    /// <param name="Error">Why there are none.</param>
    /// <param name="ExpectedPrecision">Expected share of pictures that show one of the labels among those that score as high; with --min-precision.</param>
    /// <param name="NoneOfThese">Whether that is too low; with --min-precision.</param>
    private sealed record Classified(
        string Image,
        IReadOnlyList<Answer>? Labels,
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
            (parsed, cancel) =>
            {
                var names = new ClassNames(
                    parsed
                        .GetRequiredValue(labels)
                        .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                );
                var prompts = PromptTemplates.Fill(
                    names.Names,
                    parsed.GetValue(templates) is { } file ? PromptTemplates.Read(file) : PromptTemplates.Default
                );
                var compute = CommonOptions.ComputeOf(parsed);
                using var lit = LitModel.Load(parsed.GetRequiredValue(model), compute);
                var classes = ZeroShot.ClassEmbeddings(
                    lit.EmbedTexts([.. prompts.Select(prompt => prompt.Text)]),
                    [.. prompts.Select(prompt => prompt.Class)],
                    names.Names.Count
                );
                var cutOff = parsed.GetValue(precision) is null
                    ? null
                    : new NamingCutOff(CutOffOptions.BackgroundOf(lit), classes, parsed.GetValue(present));

                // A photo as its owner sees it: upright, and transparent parts on white.
                var preprocessing = lit.Image.Preprocessing with
                {
                    HonourExif = !parsed.GetValue(exif),
                    Background = lit.Image.Preprocessing.Background ?? new Rgb24(255, 255, 255),
                };
                Preparation preparation = new(preprocessing, parsed.GetValue(maxMegapixels) * 1_000_000L, Ahead: 8)
                {
                    Decode = parsed.GetRequiredValue(decode)!.Value,
                };
                var found = parsed
                    .GetRequiredValue(pictures)
                    .Select(path => new Found(new Sample(path, path) { ReadImage = () => ReadPicture(path) }, null));
                var failed = 0;
                List<Classified> results = [];
                foreach (var one in PreparedPictures.InOrder(found, preparation, cancel))
                {
                    if (one.Picture is not { } picture)
                    {
                        failed++;
                        Terminal.Complain(
                            $"{one.Skipped!.Origin}: {one.Skipped.Reason.TrimEnd('.')}. Give a {PictureKinds} file."
                        );
                        results.Add(new(one.Skipped.Origin, null, one.Skipped.Reason));
                        continue;
                    }
                    var zimg = lit.ProjectImages(new(lit.Represent([picture.Pixels]), lit.Image.Tower.Width));
                    var probabilities = lit.Probabilities(zimg[0], classes);
                    var expected = cutOff?.Precision(zimg)[0];
                    results.Add(
                        new(
                            picture.Sample.Key,
                            [
                                .. names
                                    .Names.Select((name, i) => new Answer(name, probabilities[i]))
                                    .OrderByDescending(answer => answer.Probability)
                                    .Take(parsed.GetValue(top)),
                            ],
                            null,
                            expected,
                            expected is null ? null : expected < parsed.GetValue(precision)
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
                return Task.FromResult(failed > 0 ? ExitCode.Failed : ExitCode.Done);
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

    private static byte[] ReadPicture(string path)
    {
        if (Directory.Exists(path))
            throw new LitException("is a folder; name the pictures in it");
        return File.Exists(path) ? File.ReadAllBytes(path) : throw new LitException("there is no such file");
    }
}
