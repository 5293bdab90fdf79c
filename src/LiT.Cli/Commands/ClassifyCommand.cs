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
    public static Command Build()
    {
        Argument<string[]> pictures = new("image")
        {
            Description =
                "Pictures (JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF files), or folders, of which every picture is taken.",
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
            templates,
            precision,
            present,
            top,
            exif,
            decode,
            maxMegapixels,
        };
        labels.AddTo(command);
        output.AddTo(command);
        Limits.Positive(top, maxMegapixels);
        command.Does(
            (parsed, cancel) =>
            {
                output.Check(parsed);
                var names = new ClassNames(labels.Of(parsed));
                var found = PictureFiles.Of(parsed.GetRequiredValue(pictures), Terminal.Say).ToList();
                var prompts = PromptTemplates.Fill(
                    [.. names.Names.Select(name => name.Replace(',', ' '))], // a label is one, also with a comma in it
                    parsed.GetValue(templates) is { } file ? PromptTemplates.Read(file) : PromptTemplates.Default
                );
                var compute = CommonOptions.ComputeOf(parsed);
                using var lit = LitModel.Load(parsed.GetRequiredValue(model), compute);
                ClassPrompts.Refuse(names.Names, prompts, lit.Tokenizer);
                if (ClassPrompts.Unread(names.Names, lit.Tokenizer) is { Count: > 0 } unread)
                    Terminal.Warn(ClassPrompts.UnreadInWords(unread));
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
                var failed = 0;
                var form = output.Begin(parsed);
                foreach (
                    var one in PreparedPictures.InOrder(
                        found.Select(path => new Found(
                            new Sample(path, path) { ReadImage = () => ReadPicture(path) },
                            null
                        )),
                        preparation,
                        cancel
                    )
                )
                {
                    if (one.Picture is not { } picture)
                    {
                        failed++;
                        Terminal.Complain(
                            $"{one.Skipped!.Origin}: {one.Skipped.Reason.TrimEnd('.')}. Give a {PictureKinds} file."
                        );
                        form.Add(new(one.Skipped.Origin, null, one.Skipped.Reason));
                        continue;
                    }
                    var zimg = lit.ProjectImages(new(lit.Represent([picture.Pixels]), lit.Image.Tower.Width));
                    var probabilities = lit.Probabilities(zimg[0], classes);
                    var expected = cutOff?.Precision(zimg)[0];
                    form.Add(
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
                form.End();
                return Task.FromResult(failed > 0 ? ExitCode.Failed : ExitCode.Done);
            }
        );
        return command;
    }

    private const string PictureKinds = "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF";

    private static byte[] ReadPicture(string path)
    {
        return File.Exists(path) ? File.ReadAllBytes(path) : throw new LitException("there is no such file");
    }
}
