using System.CommandLine;
using System.Globalization;
using LiT.Bundles;
using LiT.Catalogue;

namespace LiT.Cli.Commands;

/// <summary>lit models: what is published, what a file holds, downloading, converting.</summary>
internal static class ModelsCommand
{
    public static Command Build() =>
        new("models", "List, download, look at and convert towers and models.")
        {
            List(),
            Show(),
            Pull(),
            ConvertModelCommand.Build(),
        };

    private static Command List()
    {
        Argument<string[]> words = new("word")
        {
            Description = "Only models that all these words fit, such as dino, text, apache.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Command command = new("list", "List the published models that can be loaded by name.") { words };
        command.Does(
            (parsed, _) =>
            {
                var models = ModelCatalogue.Matching(parsed.GetValue(words) ?? []).ToList();
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(
                        models.Select(model => new
                        {
                            model.Name,
                            model.Aliases,
                            model.Kind,
                            model.Family,
                            model.Architecture,
                            model.Image,
                            model.Text,
                            model.Parameters,
                            model.Width,
                            model.Vocabulary,
                            model.TokenLength,
                            model.Preprocessing,
                            model.TrainedOn,
                            model.Licence,
                            model.Source,
                            model.Size,
                            model.Note,
                            model.Files,
                            DownloadedTo = ModelCache.Has(model) ? ModelCache.PathOf(model) : null,
                        })
                    );
                else if (models.Count == 0)
                    Terminal.Say(
                        $"None of the {ModelCatalogue.All.Count} published models fits. 'lit models list' "
                            + "names them all."
                    );
                else
                {
                    Terminal.Table(
                        ["name", "family", "trained on", "weights", "width", "size", "licence", "here"],
                        models.Select(model =>
                            new[]
                            {
                                model.Name,
                                model.Family,
                                model.TrainedOn,
                                InMillions(model.Parameters),
                                $"{model.Width}",
                                model.Size ?? "",
                                model.Licence,
                                ModelCache.Has(model) ? "yes" : "",
                            }
                        )
                    );
                    Terminal.Say(
                        $"{models.Count} model{(models.Count == 1 ? "" : "s")}. 'lit models show NAME' says "
                            + "source and preprocessing, 'lit models pull NAME' downloads; sizes stand where a "
                            + "source prints them."
                    );
                }
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static Command Show()
    {
        Argument<string> spec = new("model")
        {
            Description =
                "A published name, a file or bundle, a tokenizer's file, or a spec of a tower from scratch (vit:B/16).",
        };
        Command command = new("show", "Print architecture, parameter count and how names were matched, whatever it is.")
        {
            spec,
        };
        command.Does(
            (parsed, _) =>
            {
                CommonOptions.ComputeOf(parsed);
                var explanation = ModelExplainer.Explain(parsed.GetRequiredValue(spec));
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(explanation);
                else
                    foreach (var line in explanation.Lines)
                        Terminal.Line(line);
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static Command Pull()
    {
        Argument<string> name = new("name") { Description = "A published model's name." };
        Option<string?> folder = new("--out")
        {
            Description =
                "Folder to download into; by default the model's place in the cache (LIT_CACHE), where its "
                + "name finds it.",
        };
        Option<string?> mirror = new("--mirror")
        {
            Description =
                "Another server: http://host/folder with NAME/FILE under it, or a pattern such as "
                + "https://host{path}. By default LIT_MIRROR, else the source itself.",
        };
        Command command = new("pull", "Download a published model, going on where an earlier attempt ended.")
        {
            name,
            folder,
            mirror,
        };
        command.Does(
            async (parsed, cancel) =>
            {
                var asked = parsed.GetRequiredValue(name);
                var model = ModelCatalogue.Find(asked)
                    ?? throw new UsageException(
                        $"'{asked}' is no published "
                            + "model."
                            + (
                                ModelCatalogue.Like(asked) is { Count: > 0 } like
                                    ? $" There is {string.Join(", ", like)}."
                                    : ""
                            )
                            + " "
                            + "'lit models list' names them all."
                    );
                var server = parsed.GetValue(mirror)
                    ?? (Environment.GetEnvironmentVariable("LIT_MIRROR") is { Length: > 0 } set ? set : null);
                Terminal.Say(
                    $"{model.Name}: {model.Family}, licence {model.Licence}, published at "
                        + $"{model.Source}{(model.Size is null ? "" : $", {model.Size}")}"
                );
                PulledModel pulled;
                using (ProgressLine progress = new())
                    pulled = await ModelPull.RunAsync(
                        model,
                        parsed.GetValue(folder),
                        server is null ? null : new Mirror(server),
                        say: Terminal.Say,
                        progress: progress,
                        cancel: cancel
                    );
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(pulled);
                else
                    Terminal.Line(
                        $"{pulled.Path}: {pulled.Name}, "
                            + (pulled.Files.Sum(file => file.Bytes) / 1e6).ToString("N1", CultureInfo.InvariantCulture)
                            + " "
                            + $"MB in {pulled.Files.Count} file{(pulled.Files.Count == 1 ? "" : "s")}"
                    );
                return ExitCode.Done;
            }
        );
        return command;
    }

    private static string InMillions(long weights) =>
        string.Create(CultureInfo.InvariantCulture, $"{weights / 1e6:0.0} M");
}
