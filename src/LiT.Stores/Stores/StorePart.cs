using System.Globalization;

namespace LiT.Stores;

/// <summary>
/// One process's share of the work on a store: of n parts, part i makes every n-th shard. Parts may run at once or one
/// after the other, on one machine or several that share the folder; whichever finds every shard made finishes the
/// store.
/// </summary>
internal readonly record struct StorePart
{
    /// <param name="number">From 1.</param>
    /// <param name="of">How many parts there are.</param>
    public StorePart(int number, int of)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, of);
        (Number, Of) = (number, of);
    }

    /// <summary>Which part, from 1; 0 for the whole.</summary>
    public int Number { get; }

    /// <summary>How many parts; 0 for the whole.</summary>
    public int Of { get; }

    /// <summary>Everything, in one process.</summary>
    public static StorePart Whole => default;

    /// <summary>Whether this is everything.</summary>
    public bool IsWhole => Of == 0;

    /// <summary>Whether a shard is this part's.</summary>
    public bool Holds(long shard) => IsWhole || shard % Of == Number - 1;

    /// <summary>Reads "3/8", or "auto", which is the part that a scheduler's variables give this process.</summary>
    /// <exception cref="UsageException">It is something else.</exception>
    public static StorePart Parse(string text) =>
        text == "auto" ? Scheduled(Environment.GetEnvironmentVariable)
        : text.Split('/') is [var i, var n]
        && int.TryParse(i, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var of)
        && number >= 1
        && number <= of
            ? new(number, of)
        : throw new SettingException(
            "Part",
            text,
            null,
            "write i/n, from 1/n to n/n, for example 2/4 for the second of four parts, or auto in a job of Slurm or "
                + "Kubernetes"
        );

    /// <summary>
    /// The part of a task in a Slurm array (numbers from a first to a last), of a pod in an
    /// Indexed Job of Kubernetes (whose manifest says the number of completions in <c>LIT_PARTS</c>), or of a task that
    /// srun started.
    /// </summary>
    /// <exception cref="UsageException">The environment is that of none of them, or does not say all.</exception>
    internal static StorePart Scheduled(Func<string, string?> variable)
    {
        if (Number("SLURM_ARRAY_TASK_ID") is { } task)
        {
            var (first, last, step) = (
                Number("SLURM_ARRAY_TASK_MIN") ?? 0,
                Needed("SLURM_ARRAY_TASK_MAX"),
                Number("SLURM_ARRAY_TASK_STEP") ?? 1
            );
            // A list with gaps has fewer tasks than its ends tell, and parts that nobody makes.
            if (Number("SLURM_ARRAY_TASK_COUNT") is { } count && count != (last - first) / step + 1)
                throw Wrong(
                    $"the array has {count} tasks between {first} and {last}",
                    "Number the tasks from 0 to N without gaps"
                );
            return new((task - first) / step + 1, (last - first) / step + 1);
        }
        if (Number("JOB_COMPLETION_INDEX") is { } pod)
            return Needed("LIT_PARTS") is var parts && pod < parts
                ? new(pod + 1, parts)
                : throw Wrong($"pod {pod} of {parts}", "Set LIT_PARTS to the job's completions");
        if (Number("SLURM_PROCID") is { } process)
            return new(process + 1, Needed("SLURM_NTASKS"));
        throw Wrong(
            "neither Slurm nor Kubernetes has numbered this process",
            "Start it as a task of a Slurm array or of srun, or as a pod of an Indexed Job; or write i/n"
        );

        int? Number(string name) =>
            int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : null;

        int Needed(string name) =>
            Number(name) ?? throw Wrong($"{name} is not set to a number", "Set it to the number of parts");

        static SettingException Wrong(string problem, string remedy) => new("Part", "auto", problem, remedy);
    }

    /// <inheritdoc/>
    public override string ToString() => IsWhole ? "the whole" : $"{Number}/{Of}";
}
