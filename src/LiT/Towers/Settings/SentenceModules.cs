using System.Text.Json;
using LiT.Checkpoints;
using LiT.Files;

namespace LiT.Towers.Settings;

/// <summary>The list of modules that makes a folder one of sentence-transformers.</summary>
/// <param name="Transformer">Where the encoder lies, below the folder.</param>
/// <param name="Pooling">Where the pooling's settings lie, below the folder; null where there is no pooling.</param>
/// <param name="Steps">What follows the pooling, in order: a folder with a dense layer, or null for unit
/// length.</param>
internal sealed record SentenceModules(string Transformer, string? Pooling, IReadOnlyList<string?> Steps)
{
    private const string Name = "modules.json",
        Known = "Transformer, Pooling, Dense, Normalize and Dropout";

    /// <summary>The list in a folder, or null where there is none.</summary>
    /// <param name="folder">The model's.</param>
    /// <param name="path">What the user gave, for messages.</param>
    /// <exception cref="LitException">It is no list, or has a module that is not built here.</exception>
    public static SentenceModules? In(string folder, string path)
    {
        var list = Path.Combine(folder, Name);
        if (!SettingsFile.IsAt(list))
            return null;
        var json = SettingsFile.Read(list);
        if (json.ValueKind != JsonValueKind.Array)
            throw new LitException($"{Name} beside {path}: is no list of modules. Give the file as it was published.");
        string? transformer = null,
            pooling = null;
        List<string?> steps = [];
        foreach (var entry in json.EnumerateArray())
        {
            var module = new SettingsFile(path, entry, Name, "a module's ");
            var type = module.Word("type") ?? "";
            var name = type.Split('.')[^1];
            switch (name)
            {
                case "Transformer" when transformer is null && pooling is null && steps.Count == 0:
                    transformer = FolderOf(module);
                    break;
                case "Pooling" when pooling is null && steps.Count == 0:
                    pooling = FolderOf(module);
                    break;
                case "Dense":
                    steps.Add(FolderOf(module));
                    break;
                case "Normalize":
                    steps.Add(null);
                    break;
                case "Dropout":
                    break; // nothing is dropped after training
                default:
                    throw new LitException(
                        $"{Name} beside {path}: the module "
                            + (name.Length == 0 ? "without a type" : name)
                            + (
                                Known.Contains(name, StringComparison.Ordinal) && name.Length > 0
                                    ? " stands where it is not read: Transformer and Pooling come first"
                                    : $" is not built here; known are {Known}"
                            )
                            + ". Give a model without it, or the weights in a folder of their own with :pool= behind "
                            + "their path."
                    );
            }
        }
        return new(transformer ?? "", pooling, steps);
    }

    /// <summary>
    /// Where the weights of a model's folder lie: below it, where its list of modules says so; the path itself for
    /// everything else.
    /// </summary>
    public static string WeightsOf(string path) =>
        Directory.Exists(path)
        && File.Exists(Path.Combine(path, Name))
        && In(path, path) is { Transformer: { Length: > 0 } below }
        && Directory.Exists(Path.Combine(path, below))
            ? Path.Combine(path, below)
            : path;

    /// <summary>A dense layer's settings and weights.</summary>
    /// <param name="folder">The model's.</param>
    /// <param name="below">The layer's folder below it.</param>
    /// <param name="path">What the user gave, for messages.</param>
    /// <param name="inputs">Width of what it takes.</param>
    /// <param name="report">Told what was followed.</param>
    /// <returns>The step, and the file of its weights.</returns>
    /// <exception cref="LitException">It is not there, or does not fit what comes before.</exception>
    public static (SentenceStep Step, string Weights) Dense(
        string folder,
        string below,
        string path,
        int inputs,
        SettingsReport report
    )
    {
        var place = Path.Combine(folder, below);
        var weights = new[] { "model.safetensors", "pytorch_model.bin" }
            .Select(name => Path.Combine(place, name))
            .FirstOrDefault(File.Exists);
        if (weights is null || !SettingsFile.IsAt(Path.Combine(place, "config.json")))
            throw new LitException(
                $"{Name} beside {path}: names the dense layer {below}, which is not there with its config.json and "
                    + "weights. Bring the whole model."
            );
        var said = SettingsFile.In(path, $"{below}/config.json", Path.Combine(place, "config.json"));
        using var checkpoint = Checkpoint.Open(weights);
        var source = new WeightSource(checkpoint);
        var outputs = source.Size("linear.weight", 0);
        if (source.Size("linear.weight", 1) != inputs)
            throw new LitException(
                weights,
                $"takes {source.Size("linear.weight", 1)} numbers, and what comes before gives {inputs}",
                "Check that the folders belong together"
            );
        said.Expect("in_features", inputs, "what comes before gives");
        said.Expect("out_features", outputs, "the weights have");
        said.Expect("module_input_name", "sentence_embedding");
        said.Expect("module_output_name", "sentence_embedding");
        var step = new SentenceStep(
            outputs,
            said.Flag("bias") ?? true,
            ActivationOf(said),
            said.Flag("use_residual") ?? false
        );
        report.Close(said, KnownSettings.Sentences);
        return (step, weights);
    }

    private static SentenceActivation ActivationOf(SettingsFile said) =>
        said.Choice(
            "activation_function",
            SentenceActivation.Tanh,
            ("torch.nn.modules.activation.Tanh", SentenceActivation.Tanh),
            ("torch.nn.modules.linear.Identity", SentenceActivation.None),
            ("torch.nn.modules.activation.GELU", SentenceActivation.Gelu),
            ("torch.nn.modules.activation.ReLU", SentenceActivation.Relu)
        );

    private static string FolderOf(SettingsFile module)
    {
        var folder = module.Word("path") ?? "";
        return
            Path.IsPathRooted(folder)
            || folder.Split('/', '\\').Contains("..")
            || folder.Contains('\0', StringComparison.Ordinal)
            ? throw module.Wrong("path", "a folder beside")
            : folder;
    }
}
