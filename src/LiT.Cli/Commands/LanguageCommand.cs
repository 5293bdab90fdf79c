using System.CommandLine;
using System.Globalization;
using LiT.Bundles;
using LiT.Classification;
using LiT.Towers;
using LiT.Tuning.Runs;

namespace LiT.Cli.Commands;

/// <summary>lit language: other languages, or better text towers, for the same pictures.</summary>
internal static class LanguageCommand
{
    public static Command Build() =>
        new("language", "Give a model text towers for other languages; not one stored picture is embedded again.")
        {
            Add(),
            List(),
            Remove(),
        };

    private static Option<string> Model() =>
        new("--model")
        {
            Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model).",
            Required = true,
        };

    private static Option<string> Language(string description) =>
        new("--language") { Description = description, Required = true };

    private static Command Add()
    {
        var model = Model();
        var language = Language(
            "The language, a code such as de or pt-BR. Several (de,fr), or all that --captions has: one text tower for "
                + "them."
        );
        Option<string?> tower = new("--text-tower")
        {
            Description = "A model (RUN, bundle, published name) whose text tower was tuned to the same image tower.",
        };
        Option<string?> captions = new("--captions")
        {
            Description = "Or tune one now, on captions in that language: KEY, tab, text; .csv, .jsonl or .parquet.",
        };
        Option<string?> data = new("--data") { Description = "The store whose pictures --captions describe." };
        Option<string?> aligned = new("--aligned")
        {
            Description =
                "Captions of the same keys that the model's own text tower reads. The new tower learns to give what "
                + "that gives: in place of --data, where no picture is needed, or beside it.",
        };
        Option<string?> run = new("--out")
        {
            Description = "Keep the run here; by default it is inside the model until it is done.",
        };
        Option<double?> epochs = new("--epochs") { Description = "Passes over the captions; chosen from the data." };
        Option<bool> replace = new("--replace") { Description = "In the place of one of the same language." };
        Command command = new("add", "Add a text tower: one that is there, or one that is tuned now on captions.")
        {
            model,
            language,
            tower,
            captions,
            data,
            aligned,
            run,
            epochs,
            replace,
        };
        Limits.Numbers(epochs, count => count > 0, "a number above 0");
        command.Validators.Add(result =>
        {
            bool Has(Option option) => result.GetResult(option) is { Implicit: false };
            var tuned = Has(captions) && (Has(data) || Has(aligned));
            if (Has(tower) ? Has(captions) || Has(data) || Has(aligned) : !tuned)
                result.AddError(
                    "Give --text-tower RUN, or --captions FILE with --data STORE, --aligned FILE, or both."
                );
        });
        command.Does(
            (parsed, cancel) =>
            {
                LanguageRequest request = new()
                {
                    Model = parsed.GetRequiredValue(model),
                    Language = parsed.GetRequiredValue(language),
                    TextTower = parsed.GetValue(tower),
                    Captions = parsed.GetValue(captions),
                    Data = parsed.GetValue(data),
                    Aligned = parsed.GetValue(aligned),
                    Out = parsed.GetValue(run),
                    Settings = new() { Epochs = parsed.GetValue(epochs) },
                    Replace = parsed.GetValue(replace),
                    Seed = CommonOptions.SeedOf(parsed),
                    Compute = CommonOptions.ComputeOf(parsed),
                };
                LanguageAdded added;
                using (ProgressLine progress = new())
                    added = LanguageRun.Run(request, TuningWords.To(Terminal.Say, progress), cancel);
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(added);
                else
                    Terminal.Line(
                        added.Pairs is { } pairs
                            ? string.Create(
                                CultureInfo.InvariantCulture,
                                $"{added.Folder}: {added.Language}, tuned on {pairs} pairs in {added.Seconds:F0} s"
                            )
                            : $"{added.Folder}: {added.Language}"
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static Command List()
    {
        var model = Model();
        Command command = new("list", "The languages that a model's text towers speak.") { model };
        command.Does(parsed =>
        {
            var path = parsed.GetRequiredValue(model);
            var bundle = BundleOf(path);
            var own = ModelDescription.Read(bundle);
            var all = BundleLanguages
                .Folders(bundle)
                .Select(language => Said(Path.Combine(bundle, BundleLanguages.FolderName, language), false))
                .Prepend(Said(bundle, true))
                .ToList();
            if (CommonOptions.IsJson(parsed))
                Terminal.Write(all);
            else
                Terminal.Table(
                    ["language", "text tower", "temperature", "tuned on", "calibrated"],
                    all.Select(one =>
                        new[]
                        {
                            one.Languages is { } several
                                ? string.Join(", ", several)
                                : one.Language ?? "(the model's own)",
                            one.TextTower,
                            one.Temperature.ToString("F1", CultureInfo.InvariantCulture),
                            one.Pairs is { } pairs ? $"{pairs} pairs" : "",
                            one.Calibrated ? "yes" : "no",
                        }
                    )
                );
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Remove()
    {
        var model = Model();
        var language = Language("The language that goes.");
        Command command = new("remove", "Take a language's text tower out of a model.") { model, language };
        command.Does(parsed =>
        {
            var bundle = BundleOf(parsed.GetRequiredValue(model));
            BundleLanguages.Remove(bundle, ModelDescription.Read(bundle).Language, parsed.GetRequiredValue(language));
            if (CommonOptions.IsJson(parsed))
                Terminal.Write(new { Model = bundle, Removed = parsed.GetRequiredValue(language) });
            else
                Terminal.Line($"{bundle}: speaks {parsed.GetRequiredValue(language)} no more");
            return ExitCode.Done;
        });
        return command;
    }

    private static string BundleOf(string path) =>
        LitModel.BundleIn(path)
        ?? throw new LitException(
            path,
            "no bundle is there",
            "Give the folder that 'lit tune' wrote (RUN or RUN/model)"
        );

    private static LanguageSaid Said(string folder, bool own)
    {
        var described = ModelDescription.Read(folder);
        return new(
            described.Language,
            described.Languages,
            own,
            described.Text.Config.InWords(),
            described.Temperature,
            (int?)described.Training?["pairs"],
            File.Exists(Path.Combine(folder, Background.FileName))
        );
    }

    private sealed record LanguageSaid(
        string? Language,
        IReadOnlyList<string>? Languages,
        bool Own,
        string TextTower,
        double Temperature,
        int? Pairs,
        bool Calibrated
    );
}
