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
        Command command = new(
            "convert",
            "Write a bundle with both towers, vocabulary, preprocessing, licences and golden vectors."
        )
        {
            source,
            place,
            text,
            tokenizer,
        };
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
                var bundle = ModelConversion.ToBundle(
                    from,
                    to,
                    parsed.GetValue(text),
                    parsed.GetValue(tokenizer),
                    compute
                );
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
                            $"{to}: {bundle.Image.Architecture}, {bundle.EmbeddingSize} numbers, temperature {bundle.Temperature:0.##}; 'lit verify {to}' checks it"
                        )
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
