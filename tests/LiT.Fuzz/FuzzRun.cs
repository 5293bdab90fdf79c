using System.Diagnostics;

namespace LiT.Fuzz;

/// <summary>What a reader did wrong with one input, and the numbers that make the input again.</summary>
public sealed record Finding(string Target, int Seed, long Iteration, string What, byte[] Input);

/// <summary>
/// Reads wrong files and watches: nothing but LitException comes out, in one line; no input takes over a second;
/// nothing is allocated beyond twice the file and 16 MB, on the managed heap or (on Linux, where it can be seen)
/// outside it.
/// </summary>
public sealed class FuzzRun(int seed, string workFolder)
{
    private const long Grace = 16 << 20;
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(5);

    /// <summary>The time that an input may take.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);

    public long Refused { get; private set; }

    public long Accepted { get; private set; }

    /// <summary>The most processor time that an input took.</summary>
    public TimeSpan Slowest { get; private set; }

    /// <summary>
    /// The most memory that an input took beside the managed heap, in bytes; libraries that are loaded on the way
    /// count.
    /// </summary>
    public long MostNative { get; private set; }

    /// <summary>Input number <paramref name="iteration"/> of a target is always the same one.</summary>
    public Finding? Try(FuzzTarget target, long iteration)
    {
        var input = InputOf(target, iteration);
        var path = Path.Combine(workFolder, target.FileName);
        File.WriteAllBytes(path, input);
        var what = Watch(target, path, input.Length);
        // Another program may have taken the time, and a library that loads the memory: only what is too much again and
        // again is.
        for (var again = 0; again < 3 && what is { Again: true }; again++)
            what = Watch(target, path, input.Length);
        return what is { Message: { } message } ? new(target.Name, seed, iteration, message, input) : null;
    }

    public byte[] InputOf(FuzzTarget target, long iteration)
    {
        var random = new Random(HashCode(seed, target.Name, iteration));
        var file = File.ReadAllBytes(target.Seeds[random.Next(target.Seeds.Count)]);
        var other = File.ReadAllBytes(target.Seeds[random.Next(target.Seeds.Count)]);
        return Mutation.Of(random, file, other);
    }

    private (string? Message, bool Again) Watch(FuzzTarget target, string path, long length)
    {
        using var watchdog = new Timer(
            _ => Environment.FailFast($"{target.Name}: an input hangs; it is {path}"),
            null,
            Hang,
            Timeout.InfiniteTimeSpan
        );
        string? message = null;
        var resident = ResidentMemory.StartWatching();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var busy = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        try
        {
            target.Read(path);
            Accepted++;
        }
        catch (LitException refusal)
        {
            Refused++;
            if (refusal.Message.Any(char.IsControl) || !refusal.Message.EndsWith('.'))
                message = $"not one line that ends: {refusal.Message}";
        }
        catch (Exception trouble)
        {
            message = trouble.ToString();
        }
        var took = clock.Elapsed;
        var worked = Environment.CpuUsage.TotalTime - busy;
        if (worked > Slowest)
            Slowest = worked;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var native = ResidentMemory.Most() - resident - allocated;
        if (native > MostNative)
            MostNative = native;
        if (allocated > 2 * length + Grace)
            message ??= $"allocates {allocated:N0} bytes for a file of {length:N0}";
        return message is not null ? (message, false)
            : took > Patience ? ($"takes {took.TotalSeconds:f1} s", true)
            : native > 2 * length + Grace
                ? ($"makes the process {native:N0} bytes larger than it allocates for a file of {length:N0}", true)
            : (null, false);
    }

    // string.GetHashCode differs from run to run.
    private static int HashCode(int seed, string name, long iteration)
    {
        var hash = 14695981039346656037UL;
        foreach (var value in name.Select(character => (ulong)character).Append((ulong)seed).Append((ulong)iteration))
            hash = (hash ^ value) * 1099511628211UL;
        return (int)(hash ^ (hash >> 32));
    }
}
