using System.CommandLine;
using System.Globalization;
using LiT.Classification;
using LiT.Evaluation;

namespace LiT.Cli.Commands;

/// <summary>
/// lit calibrate: what a model says to things that do not belong together, so that it can answer "none of these".
/// </summary>
internal static class CalibrateCommand
{
    public static Command Build()
    {
        Option<string> model = new("--model")
        {
            Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model).",
            Required = true,
        };
        Option<int> cohort = new("--cohort")
        {
            Description = "Pictures and captions that are compared with each other.",
            DefaultValueFactory = _ => new BackgroundOptions().Cohort,
        };
        var language = LanguageOption.Build();
        DataOptions data = new() { TakesCaptions = true, TakesLanguage = false };
        Command command = new(
            "calibrate",
            "Measure a collection's background, so that 'none of these' and 'nothing matches' become answers."
        )
        {
            model,
            cohort,
            language,
        };
        data.AddTo(command);
        Limits.Positive(cohort);
        command.Does(
            (parsed, cancel) =>
            {
                var compute = CommonOptions.ComputeOf(parsed);
                using var lit = LitModel.Load(
                    parsed.GetRequiredValue(model),
                    compute,
                    language: parsed.GetValue(language)
                );
                var folder = lit.Folder
                    ?? throw new LitException(
                        $"{parsed.GetValue(model)}: a background is kept inside a bundle. Make one first "
                            + "with 'lit models convert'."
                    );
                Background background;
                List<string> warnings = [];
                BackgroundOptions options = new()
                {
                    Images = new()
                    {
                        Samples = data.OptionsOf(parsed) with { CaptionLanguage = parsed.GetValue(language) },
                    },
                    Cohort = parsed.GetValue(cohort),
                    Seed = CommonOptions.SeedOf(parsed),
                };
                using (ProgressLine progress = new())
                    background = BackgroundMeasurement.Of(
                        lit,
                        data.PathOf(parsed),
                        options,
                        compute,
                        progress,
                        cancel,
                        warnings.Add
                    );
                warnings.ForEach(Terminal.Warn);
                lit.Keep(background);
                var file = Path.Combine(folder, Background.FileName);
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(
                        new
                        {
                            Background = file,
                            background.Collection,
                            Pictures = background.Pictures.Count,
                            Captions = background.Captions.Count,
                            background.Fitting,
                            Warnings = warnings,
                        }
                    );
                else
                    Terminal.Line(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{file}: {background.Pictures.Count} pictures x {background.Captions.Count} "
                                + $"captions of {background.Collection}; {100 * background.Fitting:0.###}% of "
                                + $"random pairs fit all the same"
                        )
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}
