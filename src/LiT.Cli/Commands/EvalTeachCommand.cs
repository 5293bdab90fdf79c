using System.CommandLine;
using LiT.Classification;
using LiT.Evaluation;

namespace LiT.Cli.Commands;

/// <summary>lit eval teach: what words are worth that a model was taught from a few pictures.</summary>
internal static class EvalTeachCommand
{
    public static Command Build()
    {
        Option<string> model = new("--model")
        {
            Description = "A model that was tuned without the words (RUN or RUN/model); it is not changed.",
            Required = true,
        };
        Option<string> data = new("--data")
        {
            Description = "Labelled pictures to score on: of other classes, and of the words where there are some.",
            Required = true,
        };
        Option<string> train = new("--train")
        {
            Description =
                "Labelled pictures to teach from. Where --data has no picture of the words, those that were not "
                + "drawn are scored on.",
            Required = true,
        };
        Option<string?> classes = new("--classes") { Description = "Class names of --data, the first for label 0." };
        Option<string?> taught = new("--train-classes") { Description = "Those of --train, where they are others." };
        Option<string[]> words = new("--words")
        {
            Description = "The classes that are taught, by name. Several: the option again. Default: all of --train.",
            DefaultValueFactory = _ => [],
        };
        Option<string?> templates = new("--templates") { Description = "Prompt templates, one a line." };
        Option<string?> label = new("--label-column") { Description = "Which column holds the label." };
        Option<string?> others = new("--others")
        {
            Description =
                "A store whose pictures the words are told from. Default: the model's calibration, or the store that "
                + "it was tuned on.",
        };
        var shots = Lists.Numbers(
            "--shots",
            "Pictures that a word is taught from.",
            LitModel.FewestPictures,
            [5, 10, 50]
        );
        Option<int> draws = new("--draws") { Description = "How often they are drawn.", DefaultValueFactory = _ => 5 };
        Command command = new(
            "teach",
            "Accuracy of words taught from a few pictures, beside a linear probe on the same."
        )
        {
            model,
            data,
            train,
            classes,
            taught,
            words,
            templates,
            label,
            others,
            shots,
            draws,
        };
        Limits.Positive(draws);
        command.Does(
            (parsed, cancel) =>
            {
                var compute = CommonOptions.ComputeOf(parsed);
                using var lit = LitModel.Load(parsed.GetRequiredValue(model), compute);
                ClassNames? Names(Option<string?> option) =>
                    parsed.GetValue(option) is { } file ? ClassNames.Read(file) : null;
                TeachEvaluation evaluation = new(
                    lit,
                    parsed.GetRequiredValue(data),
                    parsed.GetRequiredValue(train),
                    OthersOf(lit, parsed.GetValue(others)),
                    new()
                    {
                        Classes = Names(classes),
                        TaughtClasses = Names(taught),
                        Words = parsed.GetValue(words) is { Length: > 0 } some ? some : null,
                        Templates = parsed.GetValue(templates) is { } file
                            ? PromptTemplates.Read(file)
                            : PromptTemplates.Default,
                        Images = new() { Samples = new() { LabelColumn = parsed.GetValue(label) } },
                        Shots = parsed.GetValue(shots)!,
                        Draws = parsed.GetValue(draws),
                        Seed = CommonOptions.SeedOf(parsed),
                    },
                    compute
                );
                TeachReport report;
                using (ProgressLine progress = new())
                    report = evaluation.Run(progress, cancel);
                foreach (var warning in report.Warnings)
                    Terminal.Warn(warning);
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(report);
                else
                    Print(report);
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    /// <summary>The pictures that words are told from, where the user names a store of them.</summary>
    private static Embeddings? OthersOf(LitModel lit, string? store) =>
        (store ?? (lit.IsCalibrated ? null : TrainingStores.Of(lit, _ => { }))) is { } place
            ? PictureStore.OthersIn(place, lit)
            : CutOffOptions.BackgroundIfAny(lit)?.Pictures;

    private static void Print(TeachReport report)
    {
        var several = report.Words.Count > 1;
        static string OrNone(double? share) => share is { } known ? EvalCommand.Percent(known) : "";
        Terminal.Table(
            [
                "pictures a word",
                "one word taught: its pictures",
                "old classes",
                .. several
                    ? ["all taught: their pictures", "old classes", "among the words", "linear probe"]
                    : Array.Empty<string>(),
            ],
            report.Scores.Select(score =>
                (IReadOnlyList<string>)
                    [
                        $"{score.Pictures}",
                        EvalCommand.Percent(score.One),
                        EvalCommand.Percent(score.OneOld),
                        .. several
                            ?
                            [
                                EvalCommand.Percent(score.All),
                                EvalCommand.Percent(score.AllOld),
                                OrNone(score.Among),
                                OrNone(score.Probe),
                            ]
                            : Array.Empty<string>(),
                    ]
            ),
            $"{report.Words.Count} {(several ? "words" : "word")} taught beside {report.Classes} classes: "
                + $"{report.NewPictures} and {report.OldPictures} pictures"
        );
        Terminal.Line(
            $"Untaught, {EvalCommand.Percent(report.Untaught)} of the words' pictures are named rightly; "
                + $"of the old classes' {EvalCommand.Percent(report.Old)}."
        );
    }
}
