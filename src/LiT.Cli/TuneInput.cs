using System.CommandLine;
using LiT.Classification;
using LiT.Images;
using LiT.Towers;
using LiT.Tuning.Runs;

namespace LiT.Cli;

/// <summary>The options that say what is tuned, on what, and how it is watched; a recipe stands behind them.</summary>
internal sealed class TuneInput
{
    private readonly Option<string?> imageTower = new("--image-tower")
    {
        Description = "The image tower: a file, or from scratch (vit:Ti/16) with --lock uu; a store names its own.",
    };
    private readonly Option<string?> textTower = new("--text-tower")
    {
        Description =
            "A text tower from scratch (text:width=256,depth=4,heads=4, bert:small), or a file to start from; "
            + "one in ONNX stays as it is.",
    };
    private readonly Option<string?> textInit = new("--text-init")
    {
        Description = "A pre-trained text tower to start from: a BERT, T5 or mT5 file, a bundle, or another run.",
    };
    private readonly Option<string?> locks = new("--lock")
    {
        Description =
            "Lu, LU, Uu, UU, uu or LL: image tower then text tower, L locked, U pre-trained, u from "
            + "scratch. Default: Lu, or LU where the text tower is a file.",
    };
    private readonly Option<string?> tokenizer = new("--tokenizer")
    {
        Description =
            "A tokenizer's file or folder. Default: the one beside a pre-trained text tower, or a "
            + "vocabulary made from the captions.",
    };
    private readonly Option<int?> vocabulary = new("--vocabulary")
    {
        Description = "Pieces of a vocabulary made from the captions. Default: 8000.",
    };
    private readonly Option<int?> tokenLength = new("--token-length")
    {
        Description =
            "Ids in a row of text; by default 16 with a tokenizer that is given, 24 with a "
            + "vocabulary made from the captions.",
    };
    private readonly Option<string?> imageHead = new("--image-head")
    {
        Description =
            "SIZE[:mlp[=WIDTH]] or [SIZE:]glu:N: a head on the image side to this common size; glu:8 is gated and "
            + "eight times as wide inside. Default: none, the representation is read as it is.",
    };
    private readonly Option<string?> textHead = new("--text-head")
    {
        Description =
            "linear, mlp, SIZE[:mlp[=WIDTH]], [SIZE:]glu:N or none: the head on the text side. Default: linear.",
    };
    private readonly Option<string?> texts = new("--texts")
    {
        Description =
            "A store of texts ('lit embed --texts'), matched to the pictures by key: both towers are locked and "
            + "stored, and heads alone are tuned.",
    };
    private readonly Option<string?> teacher = new("--teacher")
    {
        Description =
            "A second store of the same pictures, by a stronger image tower, matched by key: how like its rows are "
            + "softens the targets of the loss.",
    };
    private readonly Option<bool> fromPixels = new("--from-pixels")
    {
        Description =
            "Let a locked image tower read the pictures at every step, with --augment, in place of "
            + "embedding them once.",
    };
    private readonly Option<string?> augment = new("--augment")
    {
        Description =
            "Random changes of pictures read at every step: none, or crop[=SMALLEST], flip, shift, "
            + "jitter, randaug[=COUNT,STRENGTH] with + between. Default: crop=0.25+flip for a tower "
            + "that is tuned.",
    };
    private readonly Option<string?> validation = new("--val")
    {
        Description = "Pictures to validate on: retrieval where they have captions, zero-shot where they have labels.",
    };
    private readonly Option<string?> valClasses = new("--val-classes")
    {
        Description = "Class names of --val, one a line, the first for label 0.",
    };
    private readonly Option<string?> valTemplates = new("--val-templates")
    {
        Description = "Prompt templates for --val, one a line, with {} where the class name goes.",
    };
    private readonly Option<double> holdOut = new("--hold-out")
    {
        Description =
            "Share of the pictures that is kept out of tuning and validated on. Default: 0.02, from 250 to 1,000 "
            + "pictures, where there are 5,000 or more and no --val; else 0.",
    };
    private readonly Option<int?> pictures = new("--pictures")
    {
        Description = "Tune on at most so many pictures, spread evenly over all.",
    };
    private readonly Option<BundleTower> bundle = new("--bundle-tower")
    {
        Description = "Whether the image tower goes into the bundle.",
        DefaultValueFactory = _ => BundleTower.Auto,
    };
    private readonly Option<DoctorMode> doctor = new("--doctor")
    {
        Description = "What to do when the data or the run look wrong: say it, stop, or do not look.",
        DefaultValueFactory = _ => DoctorMode.Warn,
    };
    private readonly Option<string?> recipe = new("--recipe")
    {
        Description =
            "Choices from a JSON file (a run's config.json is one), or by name: "
            + $"{string.Join(", ", TuneRecipe.Names)}. What is given here goes before it.",
    };

    public DataOptions Data { get; } = new() { TakesCaptions = true };

    public void AddTo(Command command)
    {
        foreach (
            Option option in new Option[]
            {
                imageTower,
                textTower,
                textInit,
                locks,
                tokenizer,
                vocabulary,
                tokenLength,
                imageHead,
                textHead,
                texts,
                teacher,
                fromPixels,
                augment,
                validation,
                valClasses,
                valTemplates,
                holdOut,
                pictures,
                bundle,
                doctor,
                recipe,
            }
        )
            command.Options.Add(option);
        Data.AddTo(command);
        Limits.Positive(vocabulary, tokenLength, pictures);
        Limits.Numbers(holdOut, share => share is >= 0 and < 0.9, "a share from 0 to below 0.9");
        command.Validators.Add(result =>
        {
            if (result.GetResult(textTower) is not null && result.GetResult(textInit) is not null)
                result.AddError("--text-tower and --text-init both name the text tower. Give one of them.");
        });
    }

    public TuneRecipe? RecipeOf(Asked parsed) => parsed.GetValue(recipe) is { } name ? TuneRecipe.Read(name) : null;

    /// <param name="parsed">What was asked.</param>
    /// <param name="behind">The recipe.</param>
    /// <param name="folder">The run's.</param>
    /// <param name="threads">Threads where none are asked for; 0 for every core.</param>
    public TuneRequest RequestOf(Asked parsed, TuneRecipe? behind, string folder, int threads = 0)
    {
        TuneRecipe given = new()
        {
            ImageTower = parsed.GetValue(imageTower),
            TextTower = parsed.GetValue(textTower),
            TextInit = parsed.GetValue(textInit),
            Texts = parsed.GetValue(texts),
            TeacherStore = parsed.GetValue(teacher),
            Tokenizer = parsed.GetValue(tokenizer),
            VocabularySize = parsed.GetValue(vocabulary),
            TokenLength = parsed.GetValue(tokenLength),
            Lock = parsed.GetValue(locks) is { } letters ? LockSetting.Parse(letters) : null,
            ImageHead = parsed.GetValue(imageHead),
            TextHead = parsed.GetValue(textHead),
            FromPixels = parsed.GetValue(fromPixels) ? true : null,
            Augmentation = parsed.GetValue(augment) is { } changes ? Augmentation.Parse(changes) : null,
            Validation = parsed.GetValue(validation),
            ValidationTemplates = parsed.GetValue(valTemplates) is { } file ? PromptTemplates.Read(file) : null,
            HoldOut = parsed.IsGiven(holdOut) ? parsed.GetValue(holdOut) : null,
            Pictures = parsed.GetValue(pictures),
        };
        var request = TuneRequest.Of(
            given.Before(behind),
            Data.PathOf(parsed),
            CommonOptions.ComputeOf(parsed, threads)
        );
        return request with
        {
            Samples = Data.OptionsOf(parsed),
            Out = folder,
            ValidationClasses = parsed.GetValue(valClasses) is { } names
                ? ClassLists.Read(names).Names
                : request.ValidationClasses,
            BundleTower = parsed.GetValue(bundle),
            Doctor = parsed.GetValue(doctor),
            Seed = CommonOptions.SeedOf(parsed),
        };
    }
}
