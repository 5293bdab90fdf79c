using System.CommandLine;
using System.Globalization;
using LiT.Catalogue;

namespace LiT.Cli.Commands;

/// <summary>lit models convert: published files into the project's own form.</summary>
internal static class ConvertModelCommand
{
    public static Command Build()
    {
        Argument<string> source = new("source")
        {
            Description = "Two towers (LiT or SigLIP .npz, or a published name), a bundle, or a single tower.",
        };
        Option<string> place = new("--out")
        {
            Description = "The bundle's folder to write; for a single tower a .safetensors file.",
            Required = true,
        };
        Option<string?> text = new("--text")
        {
            Description = "A model whose text side was tuned to the image tower: the two become one bundle.",
        };
        Option<string?> tokenizer = new("--tokenizer")
        {
            Description = "The vocabulary of a published file; by default the one beside it.",
        };
        Option<int?> width = new("--width")
        {
            Description = "Cut the model to so many numbers; one that was tuned with --nested knows along what.",
        };
        Option<string?> rows = new("--rows")
        {
            Description =
                "With --width: a store of the model's image tower, along whose principal directions a model is cut "
                + "that was tuned without --nested.",
        };
        Command command = new(
            "convert",
            "Write a bundle with both towers, vocabulary, preprocessing, licences and golden vectors."
        )
        {
            source,
            place,
            text,
            tokenizer,
            width,
            rows,
        };
        Limits.Positive(width);
        command.Validators.Add(result =>
        {
            if (result.GetResult(rows) is not null && result.GetResult(width) is null)
                result.AddError("--rows says along what a model is cut. Give --width as well, or leave it out.");
            if (result.GetResult(text) is not null && result.GetResult(width) is not null)
                result.AddError("--width cuts a whole model. Put the two into one bundle first, or leave --text out.");
        });
        command.Does(
            (parsed, _) =>
            {
                var compute = CommonOptions.ComputeOf(parsed);
                var (from, to) = (parsed.GetRequiredValue(source), parsed.GetRequiredValue(place));
                if (to.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
                {
                    var what = ModelConversion.ToTowerFile(from, to);
                    if (CommonOptions.IsJson(parsed))
                        Terminal.Write(new { File = to, Architecture = what });
                    else
                        Terminal.Line($"{to}: {what}");
                    return Task.FromResult(ExitCode.Done);
                }
                var bundle = parsed.GetValue(width) is { } numbers
                    ? ModelCut.ToBundle(from, to, numbers, parsed.GetValue(rows), parsed.GetValue(tokenizer), compute)
                    : ModelConversion.ToBundle(from, to, parsed.GetValue(text), parsed.GetValue(tokenizer), compute);
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(
                        new
                        {
                            Bundle = to,
                            bundle.Image.Architecture,
                            bundle.EmbeddingSize,
                            bundle.Temperature,
                            bundle.Bias,
                            bundle.Image.Fingerprint,
                            bundle.Licences,
                            bundle.Files,
                        }
                    );
                else
                    Terminal.Line(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{to}: {bundle.Image.Architecture}, {bundle.EmbeddingSize} numbers, "
                                + $"temperature {bundle.Temperature:0.##}; 'lit verify {to}' checks it"
                        )
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
