using System.CommandLine;
using LiT.Compute;

namespace LiT.Cli;

/// <summary>The options that every verb takes.</summary>
internal static class CommonOptions
{
    private static readonly Option<bool> Json = new("--json")
    {
        Description = "Write the result as one JSON document.",
        Recursive = true,
    };

    private static readonly Option<string> Device = new("--device")
    {
        Description = "Where to compute: auto, cpu, cuda or cuda:N.",
        DefaultValueFactory = _ => "auto",
        Recursive = true,
    };

    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "Threads for computing; 0 takes every core.",
        DefaultValueFactory = _ => 0,
        Recursive = true,
    };

    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "Seed of everything random.",
        Recursive = true,
    };

    private static readonly Option<string> DType = new("--dtype")
    {
        Description = "Type that the towers compute in: float32 or bfloat16.",
        DefaultValueFactory = _ => "float32",
        Recursive = true,
    };

    private static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Say more; keep the stack trace of a failure.",
        Recursive = true,
    };

    /// <summary>Verbs that run a tower or a fit.</summary>
    private static readonly HashSet<string> Computing =
    [
        "quickstart",
        "embed",
        "tune",
        "plan",
        "study",
        "eval classification",
        "eval retrieval",
        "eval absent",
        "eval head",
        "eval probe",
        "eval knn",
        "eval fewshot",
        "eval teach",
        "teach",
        "classify",
        "search",
        "calibrate",
        "language add",
        "index build",
        "index push",
        "serve",
        "index status",
        "index verify",
        "index watch",
        "models show",
        "models convert",
        "verify",
        "pretrain",
        "bench",
    ];

    /// <summary>Verbs in which something is drawn at random.</summary>
    private static readonly HashSet<string> Drawing =
    [
        "quickstart",
        "embed",
        "tune",
        "eval classification",
        "eval retrieval",
        "eval absent",
        "eval head",
        "eval probe",
        "eval knn",
        "eval fewshot",
        "eval teach",
        "calibrate",
        "language add",
        "index build",
        "data draw",
        "pretrain",
    ];

    // Validators are added once: a program that runs several commands would say the same thing several times.
    static CommonOptions()
    {
        Threads.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var n) && n < 0)
                result.AddError($"--threads {n}: give a positive number, or 0 for every core.");
        });
        DType.AcceptOnlyFromAmong("float32", "bfloat16");
    }

    /// <summary>An option that is this where nobody says it.</summary>
    public static Option<T> Usually<T>(string name, string description, T value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };

    public static void AddTo(Command root)
    {
        foreach (Option option in new Option[] { Json, Device, Threads, Seed, DType, Verbose })
            root.Options.Add(option);
    }

    /// <summary>Makes help and completion of a verb name those of these options that it reads.</summary>
    public static void ShowFor(Command verb)
    {
        var name = NameOf(verb);
        var isGroup = verb.Subcommands.Count > 0 && verb.Action is null;
        foreach (Option option in new Option[] { Device, Threads, DType })
            option.Hidden = !isGroup && !Computing.Contains(name);
        Seed.Hidden = !isGroup && !Drawing.Contains(name);
    }

    private static string NameOf(Command verb) =>
        verb.Parents.OfType<Command>().FirstOrDefault() is { } parent && parent.Parents.Any()
            ? $"{NameOf(parent)} {verb.Name}"
            : verb.Name;

    public static bool IsJson(Asked parsed) => parsed.GetValue(Json);

    public static bool IsVerbose(ParseResult parsed) => parsed.GetValue(Verbose);

    public static bool IsVerbose(Asked parsed) => parsed.GetValue(Verbose);

    /// <summary>Whether an option matters only where a verb fails.</summary>
    public static bool IsForFailures(Option option) => option == Verbose;

    public static int SeedOf(Asked parsed) => parsed.GetValue(Seed);

    /// <summary>Chooses device, type and threads. Loads libtorch, so only verbs that compute call it.</summary>
    /// <param name="parsed">What was asked.</param>
    /// <param name="usual">Threads where none are asked for; 0 for every core.</param>
    public static ComputeDevice ComputeOf(Asked parsed, int usual = 0) =>
        ComputeDevice.Choose(
            parsed.GetValue(Device)!,
            parsed.GetValue(DType)!,
            parsed.GetValue(Threads) is > 0 and var asked ? asked : usual
        );

    /// <summary>The same for a model that is opened on a thread of its own.</summary>
    public static LitSession SessionOf(Asked parsed) =>
        new()
        {
            Device = parsed.GetValue(Device)!,
            Type = parsed.GetValue(DType) == "bfloat16" ? ComputeType.BFloat16 : ComputeType.Float32,
            Threads = parsed.GetValue(Threads),
        };

    /// <summary>The words of the verb that was asked for, without the program's name.</summary>
    public static IEnumerable<string> Path(ParseResult parsed)
    {
        List<string> words = [];
        for (var at = parsed.CommandResult; at.Parent is System.CommandLine.Parsing.CommandResult parent; at = parent)
            words.Insert(0, at.Command.Name);
        return words;
    }
}
