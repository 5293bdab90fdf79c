using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Benchmarks;
using LiT.Compute;
using LiT.Files;
using static TorchSharp.torch;

namespace LiT.Planning;

/// <summary>
/// One of equal machines, as a plan needs it. A file says it in these words; what it leaves out is assumed, and what it
/// lists under <c>measured</c> counts as such.
/// </summary>
internal sealed record PlanMachine
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
    };

    /// <summary>What it is, and where the numbers come from.</summary>
    public string? Words { get; init; }

    /// <summary>10⁹ multiplications and additions a second in matrix products, of the whole machine.</summary>
    public double GigaFlops { get; init; } = 300;

    /// <summary>The share of them that an image tower's forward pass reaches.</summary>
    public double ImageShare { get; init; } = 0.8;

    /// <summary>The share of them that a text tower's forward and backward pass reaches.</summary>
    public double TextShare { get; init; } = 0.6;

    /// <summary>The share of them that the loss reaches.</summary>
    public double LossShare { get; init; } = 0.5;

    /// <summary>10⁹ bytes a second that an update moves through memory.</summary>
    public double MemoryGigabytes { get; init; } = 20;

    /// <summary>Memory, GiB.</summary>
    public double MemoryGiB { get; init; } = 64;

    /// <summary>10⁹ bits a second of the network, each way.</summary>
    public double NetworkGigabits { get; init; } = 10;

    /// <summary>The share of the network that an exchange reaches.</summary>
    public double NetworkShare { get; init; } = 0.8;

    /// <summary>Microseconds that a message takes, and the wait for the last of the processes beside it.</summary>
    public double LatencyMicroseconds { get; init; } = 50;

    /// <summary>Bytes of a store's metadata for each picture: caption, key, hash.</summary>
    public double MetadataBytes { get; init; } = 200;

    /// <summary>Members that were measured; the others are assumed.</summary>
    public IReadOnlyList<string> Measured { get; init; } = [];

    /// <summary>Whether a member was measured.</summary>
    internal string How(string member) => Measured.Contains(member) ? "measured" : "assumed";

    /// <summary>The machine in a file.</summary>
    /// <exception cref="LitException">It cannot be read, or says something that is not understood.</exception>
    internal static PlanMachine Read(string path)
    {
        PlanMachine machine;
        try
        {
            machine = JsonSerializer.Deserialize<PlanMachine>(File.ReadAllText(path), Json)
                ?? throw new JsonException("it is empty");
        }
        catch (JsonException wrong)
        {
            throw new LitException(
                path,
                JsonTrouble.Words(wrong),
                $"Say the machine with {string.Join(", ", Names)}",
                wrong
            );
        }
        foreach (var name in machine.Measured.Where(name => !Names.Contains(name)))
            throw new LitException(path, $"measured: there is no {name}", $"Name some of {string.Join(", ", Names)}");
        foreach (var (name, value) in machine.Numbers)
            if (!(value > 0) || (name.EndsWith("Share", StringComparison.Ordinal) && value > 1))
                throw new LitException(
                    path,
                    FormattableString.Invariant($"{name} is {value}"),
                    "Give a number above 0, and shares of at most 1"
                );
        return machine;
    }

    /// <summary>This machine: its products and its memory, measured in two seconds; the rest assumed.</summary>
    internal static PlanMachine Here(int threads)
    {
        using ProductLimit limit = new([new(512, 1024, 4096, 4)], 1);
        var products = Best(() => limit.Run(threads));
        using var from = ones(1 << 26, ScalarType.Float32);
        using var to = empty(1 << 26, ScalarType.Float32);
        var copies = Best(() => Parts.For(1 << 26, 1 << 22, (begin, end) =>
            {
                using var scope = NewDisposeScope();
                to.narrow(0, begin, end - begin).copy_(from.narrow(0, begin, end - begin));
            }));
        return new()
        {
            Words = $"this machine, {threads} threads",
            GigaFlops = Math.Round(threads * 4 * new MatrixProduct(512, 1024, 4096).Flops / products / 1e9),
            MemoryGigabytes = Math.Round(2 * 4.0 * (1 << 26) / copies / 1e9, 1),
            MemoryGiB = Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30), 1),
            Measured = ["gigaFlops", "memoryGigabytes", "memoryGiB"],
        };

        static double Best(Action work) =>
            Enumerable
                .Range(0, 4)
                .Min(_ =>
                {
                    var watch = Stopwatch.StartNew();
                    work();
                    return watch.Elapsed.TotalSeconds;
                });
    }

    /// <summary>The numbers by their names in a file.</summary>
    internal IReadOnlyList<(string Name, double Value)> Numbers =>
        [
            ("gigaFlops", GigaFlops),
            ("imageShare", ImageShare),
            ("textShare", TextShare),
            ("lossShare", LossShare),
            ("memoryGigabytes", MemoryGigabytes),
            ("memoryGiB", MemoryGiB),
            ("networkGigabits", NetworkGigabits),
            ("networkShare", NetworkShare),
            ("latencyMicroseconds", LatencyMicroseconds),
            ("metadataBytes", MetadataBytes),
        ];

    private static IReadOnlyList<string> Names { get; } = [.. new PlanMachine().Numbers.Select(one => one.Name)];
}
