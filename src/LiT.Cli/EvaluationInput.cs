using System.CommandLine;
using System.CommandLine.Parsing;
using LiT.Bundles;
using LiT.Classification;
using LiT.Compute;
using LiT.Evaluation;
using LiT.Images;
using LiT.Reports;
using LiT.Stores;
using LiT.TestSets;

namespace LiT.Cli;

/// <summary>The options that evaluations share: a model and its data, or embeddings that were made elsewhere.</summary>
/// <param name="takesCaptions">Whether captions are read, which may come from a file of their own.</param>
internal sealed class EvaluationInput(bool takesCaptions = false)
{
    private readonly Option<string?> model = new("--model")
    {
        Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model).",
    };
    private readonly Option<string?> classes = new("--classes")
    {
        Description =
            "Class names, the first for label 0: one a line, aliases separated by commas; or a JSON list, "
            + "imagenet_class_index.json, xx_classnames.json.",
    };
    private readonly Option<string?> templates = new("--templates")
    {
        Description =
            "Prompt templates with {} where the class name goes: a file (one a line, or JSON), or one of "
            + $"{string.Join(", ", TemplateSets.Names)}.",
    };
    private readonly Option<string?> dataset = new("--dataset")
    {
        Description =
            "Which public test set the data are, where --data does not say it (NAME=DIR); 'lit data sets' names them.",
    };
    private readonly Option<string?> language = new("--language")
    {
        Description =
            "Language of class names or captions, where they come in several: one, several with commas "
            + "between them, or all.",
    };
    private readonly Option<string> crop = new("--crop")
    {
        Description =
            $"How pictures are cut: {string.Join(", ", EvaluationCrop.Names)} (the tower's own by default), "
            + "or paper for what the paper's evaluation does with the named set.",
        DefaultValueFactory = _ => EvaluationCrop.Model,
    };
    private readonly Option<string?> training = new("--training-store")
    {
        Description =
            "The store that the model was tuned on, for the leak audit; found by itself where the model says it.",
    };
    private readonly Option<bool> noAudit = new("--no-leak-audit")
    {
        Description = "Do not look for test pictures in the training store.",
    };
    private readonly Option<string?> textCache = new("--text-cache")
    {
        Description =
            "A folder that keeps embedded texts: an interrupted evaluation goes on, another with the same "
            + "texts does not embed them again.",
    };
    private readonly Option<bool> allAliases = new("--all-aliases")
    {
        Description = "Let every alias of a class speak, not the first only.",
    };
    private readonly Option<DecodePath?> decode = DecodeOption.Build();
    private readonly Option<int> batch = new("--batch")
    {
        Description = "Pictures through the tower at once.",
        DefaultValueFactory = _ => 64,
    };
    private readonly Option<bool> averageViews = new("--average-views")
    {
        Description =
            "A picture is the mean of all the views that a store holds of it (lit embed --views), in place "
            + "of the plain one.",
    };
    private readonly Option<string?> predictions = new("--predictions")
    {
        Description = "A .jsonl to write with a line a picture: labels, answer, similarities.",
    };

    private readonly Option<string?> report = new("--report")
    {
        Description = "A folder to write a page into (report.html), with tables as .csv and figures as .png.",
    };
    private readonly Option<string?> pictures = new("--pictures")
    {
        Description = "Where the page's pictures are; by default where the data or the store say that they are.",
    };

    private readonly Option<string?> imageEmbeddings = new("--image-embeddings")
    {
        Description = "In place of --model and --data: image embeddings made elsewhere, a .npy of rows or a store.",
    };
    private readonly Option<string?> textEmbeddings = new("--text-embeddings")
    {
        Description =
            "Text embeddings made elsewhere, a .npy of rows: one a class, or one a prompt with --text-classes.",
    };
    private readonly Option<string?> textClasses = new("--text-classes")
    {
        Description = "The class of each text embedding: a .npy of numbers, or one a line.",
    };
    private readonly Option<string?> labels = new("--labels")
    {
        Description =
            "The label of each image embedding: a .npy of numbers, or one a line (several separated by tabs).",
    };
    private readonly Option<string?> imageKeys = new("--image-keys")
    {
        Description = "The names of the image embeddings, one a line.",
    };
    private readonly Option<string?> texts = new("--texts")
    {
        Description = "The texts of the text embeddings, one a line.",
    };
    private readonly Option<string?> pairs = new("--pairs")
    {
        Description =
            "Which image and text belong together: a .npy with the image of each text, or lines 'image TAB text'.",
    };
    private readonly Option<double?> temperature = new("--temperature")
    {
        Description = "exp(t) of the model that made the embeddings, for probabilities.",
    };

    private const string Paper = "paper";

    public DataOptions Data { get; } =
        new()
        {
            IsRequired = false,
            TakesCaptions = takesCaptions,
            TakesLanguage = false,
        };

    /// <param name="command">The verb.</param>
    /// <param name="withClasses">Whether it classifies.</param>
    /// <param name="ofModelOnly">Whether it takes a model and its data alone, and writes neither page nor
    /// predictions.</param>
    public void AddTo(Command command, bool withClasses, bool ofModelOnly = false)
    {
        command.Options.Add(model);
        Data.AddTo(command);
        foreach (Option option in withClasses ? new Option[] { classes, templates, allAliases } : Array.Empty<Option>())
            command.Options.Add(option);
        crop.AcceptOnlyFromAmong([.. EvaluationCrop.Names, Paper]);
        Limits.Positive(batch);
        foreach (Option option in new Option[] { dataset, crop, decode, averageViews, textCache, batch })
            command.Options.Add(option);
        if (ofModelOnly)
        {
            model.Required = true;
            ((Option<string>)Data.Option).Required = true;
            return;
        }
        if (withClasses)
        {
            command.Options.Add(training);
            command.Options.Add(noAudit);
        }
        foreach (Option option in new Option[] { language, predictions, report, pictures })
            command.Options.Add(option);
        foreach (
            Option option in (Option[])
                [
                    imageEmbeddings,
                    textEmbeddings,
                    .. withClasses ? [textClasses, labels] : new Option[] { pairs },
                    imageKeys,
                    texts,
                    temperature,
                ]
        )
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(report) is { } folder && File.Exists(folder))
                result.AddError($"--report {folder}: is a file. Give a folder for the page and what stands beside it.");
        });
        command.Validators.Add(result =>
        {
            bool Has(Option option) => result.GetResult(option) is { Implicit: false };
            var (given, made) = (Has(imageEmbeddings) || Has(textEmbeddings), Has(model) || Has(Data.Option));
            if (given && made)
                result.AddError("Give --model and --data, or --image-embeddings and --text-embeddings, not both.");
            else if (given && !(Has(imageEmbeddings) && Has(textEmbeddings)))
                result.AddError("--image-embeddings and --text-embeddings belong together. Give both.");
            else if (!given && !(Has(model) && Has(Data.Option)))
                result.AddError(
                    "Give --model MODEL and --data DATA (or, for embeddings made elsewhere, "
                        + "--image-embeddings and --text-embeddings)."
                );
        });
    }

    public bool IsGiven(Asked parsed) => parsed.GetValue(imageEmbeddings) is not null;

    public string ModelOf(Asked parsed) => parsed.GetValue(model)!;

    /// <summary>The model's text tower for a language, where it holds one; null where its own has to do.</summary>
    public LitModel? Speaking(Asked parsed, string? asked, ComputeDevice compute) =>
        asked is not null
        && LitModel.BundleIn(ModelOf(parsed)) is { } bundle
        && BundleLanguages.In(bundle).Contains(asked, StringComparer.OrdinalIgnoreCase)
            ? LitModel.Load(bundle, compute, language: asked)
            : null;

    public string? PredictionsOf(Asked parsed) => parsed.GetValue(predictions);

    /// <summary>Where a page is wanted, if it is; in a folder of its own where there are several languages.</summary>
    public EvaluationFolder? ReportOf(Asked parsed, string dataset, string? inside) =>
        parsed.GetValue(report) is { } folder
            ? new(
                inside is null ? folder : Path.Combine(folder, inside),
                dataset,
                parsed.GetValue(pictures),
                Data.OptionsOf(parsed),
                parsed.GetValue(model)
            )
            : null;

    /// <summary>The languages that are asked for, or one null for the data as they are.</summary>
    public IReadOnlyList<string?> LanguagesOf(Asked parsed, Func<IReadOnlyList<string>> all)
    {
        if (parsed.GetValue(language) is not { } given)
            return [null];
        if (given != "all")
            return Listed(given);
        return all() is { Count: > 0 } found
            ? found
            : throw new LitException(
                "--language all: there are no languages to be seen. Give data with captions by language, "
                    + "or --classes with lists by language."
            );
    }

    /// <summary>Whether more than one language is asked for.</summary>
    public bool AsksForSeveral(CommandResult result) =>
        result.GetValue(language) is { } given && (given == "all" || given.Contains(','));

    private static string[] Listed(string given)
    {
        var codes = given.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return codes.Length == 0
                ? throw new UsageException(
                    $"--language '{given}': names no language. Give one, several (de,fr), or all."
                )
            : codes.GroupBy(code => code, StringComparer.OrdinalIgnoreCase).FirstOrDefault(code => code.Count() > 1)
                is { } twice
                ? throw new UsageException($"--language: '{twice.Key}' is named twice. Name each language once.")
            : codes;
    }

    private string? OneLanguage(Asked parsed) =>
        parsed.GetValue(language) is { } given && given != "all" && !given.Contains(',') ? given : null;

    public string? ClassesOf(Asked parsed) => parsed.GetValue(classes);

    public (string Data, EvaluationOptions Options) ChosenOf(Asked parsed, string? chosenLanguage, LitModel model)
    {
        EvaluationOptions options = new()
        {
            Images = new()
            {
                Samples = Data.OptionsOf(parsed) with { CaptionLanguage = OneLanguage(parsed) },
                BatchSize = parsed.GetValue(batch),
                Decode = parsed.GetRequiredValue(decode)!.Value,
                AverageViews = parsed.GetValue(averageViews),
            },
            AllAliases = parsed.GetValue(allAliases),
            TextCache = parsed.GetValue(textCache),
            Seed = CommonOptions.SeedOf(parsed),
        };
        var (data, chosen) = EvaluationSetup.Choose(
            new(
                Data.PathOf(parsed),
                parsed.GetValue(dataset),
                parsed.GetValue(classes),
                parsed.GetValue(templates),
                chosenLanguage
            ),
            options
        );
        if (EmbeddingStore.IsStore(data))
            using (var store = EmbeddingStore.Open(data))
                if (StoreFit.Remark(store) is { } remark)
                    Terminal.Say(remark);
        var cut = parsed.GetValue(crop)!;
        return (
            data,
            chosen with
            {
                Crop = cut == Paper ? chosen.TestSet?.Crop ?? EvaluationCrop.Model : cut,
                TrainingStore = parsed.GetValue(noAudit)
                    ? null
                    : parsed.GetValue(training) ?? TrainingStores.Of(model, Terminal.Say),
            }
        );
    }

    public GivenOptions GivenOf(Asked parsed)
    {
        var names = parsed.GetValue(classes) is { } list ? ClassLists.Read(list) : null;
        GivenOptions options = new()
        {
            Images = parsed.GetValue(imageEmbeddings)!,
            Texts = parsed.GetValue(textEmbeddings)!,
            TextClasses = parsed.GetValue(textClasses),
            Labels = parsed.GetValue(labels),
            ImageKeys = parsed.GetValue(imageKeys),
            TextLines = parsed.GetValue(texts),
            Pairs = parsed.GetValue(pairs),
            Temperature = parsed.GetValue(temperature),
            Classes = names?.Names,
            LabelColumn = Data.OptionsOf(parsed).LabelColumn,
            Seed = CommonOptions.SeedOf(parsed),
        };
        return names is null ? options : options with { ClassesFrom = names.Source };
    }
}
