using System.Text.Json;
using LiT.Files;
using static TorchSharp.torch;
using Cpu = LiT.Compute.Processor;

namespace LiT.Benchmarks;

/// <summary>
/// One figure: a rate or seconds, by the clock and by this process's processor time, and how it stands beside other
/// ways that were measured in the same run.
/// </summary>
/// <param name="What">What was done: a tower, a size.</param>
/// <param name="Way">Who did it: LiT, the matrix products alone, another program.</param>
/// <param name="Unit">pictures/s, pairs/s, s, GB.</param>
/// <param name="Clock">By the clock.</param>
/// <param name="Processor">By processor time; null where that says nothing.</param>
internal sealed record ResultRow(string What, string Way, string Unit, double Clock, double? Processor)
{
    /// <summary>How many times as fast as each of these ways.</summary>
    public IReadOnlyDictionary<string, Ratio> Beside { get; init; } = new Dictionary<string, Ratio>();
}

/// <summary>How many times as fast, on the clock and in processor time.</summary>
internal sealed record Ratio(double Clock, double? Processor);

/// <summary>A result file.</summary>
/// <param name="Benchmark">As it is called.</param>
/// <param name="Arguments">What it was called with.</param>
/// <param name="Machine">Where it ran.</param>
/// <param name="Isa">The instruction set of the library's kernels.</param>
/// <param name="Vnni">Whether bytes were multiplied by VNNI.</param>
/// <param name="Forced">The variables that hold the runtime and libtorch down, as they were set.</param>
/// <param name="Threads">Threads for tensor operations.</param>
/// <param name="Libtorch">Its version.</param>
/// <param name="Commit">What was measured.</param>
/// <param name="Day">When.</param>
/// <param name="Rows">The figures.</param>
internal sealed record ResultFile(
    string Benchmark,
    IReadOnlyList<string> Arguments,
    Machine Machine,
    string Isa,
    bool Vnni,
    IReadOnlyDictionary<string, string> Forced,
    int Threads,
    string Libtorch,
    Commit? Commit,
    DateOnly Day,
    IReadOnlyList<ResultRow> Rows
)
{
    public static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}

/// <summary>The figures of one run, as they come, and the file they are kept in.</summary>
internal sealed class Results(string benchmark, IReadOnlyList<string> arguments)
{
    private readonly List<ResultRow> rows = [];

    /// <summary>Something that was done a number of times, as a rate.</summary>
    public void Rate(
        string what,
        string way,
        string unit,
        double count,
        Spent spent,
        params (string Way, Spent Spent)[] beside
    ) =>
        rows.Add(
            new(what, way, unit, Figure(count / spent.Seconds), Figure(count / spent.Processor))
            {
                Beside = Ratios(way, spent, beside),
            }
        );

    /// <summary>What something took, in seconds.</summary>
    public void Time(string what, string way, Spent spent, params (string Way, Spent Spent)[] beside) =>
        rows.Add(
            new(what, way, "s", Figure(spent.Seconds), Figure(spent.Processor)) { Beside = Ratios(way, spent, beside) }
        );

    /// <summary>The other ways' times over this one's; a way is not compared with itself.</summary>
    private static Dictionary<string, Ratio> Ratios(string way, Spent spent, (string Way, Spent Spent)[] beside) =>
        beside
            .Where(other => other.Way != way)
            .ToDictionary(
                other => other.Way,
                other => new Ratio(
                    Figure(other.Spent.Seconds / spent.Seconds),
                    Figure(other.Spent.Processor / spent.Processor)
                )
            );

    /// <summary>A figure that no clock stands beside: memory, a cosine, a ratio of sums.</summary>
    public void Number(string what, string way, string unit, double value, double? processor = null) =>
        rows.Add(new(what, way, unit, Figure(value), processor is { } other ? Figure(other) : null));

    /// <summary>Writes the file into the folder of this kind of machine.</summary>
    /// <returns>Its path; null where the benchmark left no figure.</returns>
    public string? Write(string folder)
    {
        if (rows.Count == 0)
            return null;
        ResultFile file = new(
            benchmark,
            arguments,
            Machine.Here,
            Cpu.NameOf(Cpu.Isa),
            Cpu.HasVnni,
            Forced(),
            get_num_threads(),
            __version__,
            Commit.Here,
            DateOnly.FromDateTime(DateTime.UtcNow),
            rows
        );
        var path = Path.Combine(folder, Machine.Kind, NameOf(benchmark, arguments) + ".json");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.WriteAllText(path, JsonSerializer.Serialize(file, ResultFile.Json) + "\n");
        return path;
    }

    /// <summary>The benchmark and its arguments as a file's name; of a path its last part.</summary>
    public static string NameOf(string benchmark, IEnumerable<string> arguments) =>
        string.Join(
            '-',
            arguments
                .Select(argument => Path.Exists(argument) ? Path.GetFileName(Path.GetFullPath(argument)) : argument)
                .Prepend(benchmark)
                .Select(word =>
                    string.Concat(word.Select(c => char.IsAsciiLetterOrDigit(c) || c is '=' or '.' ? c : '-'))
                )
        );

    private static Dictionary<string, string> Forced() =>
        new[]
        {
            Cpu.Variable,
            "DOTNET_EnableAVX512",
            "DOTNET_EnableAVX2",
            "ONEDNN_MAX_CPU_ISA",
            "ATEN_CPU_CAPABILITY",
            "MKL_ENABLE_INSTRUCTIONS",
        }
            .Select(name => (Name: name, Value: Compute.NativeEnvironment.Get(name)))
            .Where(one => !string.IsNullOrEmpty(one.Value))
            .ToDictionary(one => one.Name, one => one.Value!);

    // Four digits: no clock here tells more.
    private static double Figure(double value) =>
        value is 0 || !double.IsFinite(value)
            ? value
            : double.Parse(value.ToString("G4", null), System.Globalization.CultureInfo.InvariantCulture);
}
