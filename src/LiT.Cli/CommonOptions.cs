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

    public static void AddTo(Command root)
    {
        foreach (Option option in new Option[] { Json, Device, Threads, Seed, DType, Verbose })
            root.Options.Add(option);
    }

    public static bool IsJson(Asked parsed) => parsed.GetValue(Json);

    public static bool IsVerbose(ParseResult parsed) => parsed.GetValue(Verbose);

    public static int SeedOf(Asked parsed) => parsed.GetValue(Seed);

    /// <summary>Chooses device, type and threads. Loads libtorch, so only verbs that compute call it.</summary>
    public static ComputeDevice ComputeOf(Asked parsed) =>
        ComputeDevice.Choose(parsed.GetValue(Device)!, parsed.GetValue(DType)!, parsed.GetValue(Threads));

    /// <summary>The words of the verb that was asked for, without the program's name.</summary>
    public static IEnumerable<string> Path(ParseResult parsed)
    {
        List<string> words = [];
        for (var at = parsed.CommandResult; at.Parent is System.CommandLine.Parsing.CommandResult parent; at = parent)
            words.Insert(0, at.Command.Name);
        return words;
    }
}
