using System.Diagnostics;

namespace LiT.Fuzz;

/// <summary>What a reader did wrong with one input, and the numbers that make the input again.</summary>
public sealed record Finding(string Target, int Seed, long Iteration, string What, byte[] Input);

/// <summary>
/// Reads wrong files and watches: nothing but LitException comes out, in one line; no input takes over a second; nothing is
/// allocated beyond twice the file and 16 MB.
/// </summary>
public sealed class FuzzRun(int seed, string workFolder)
{
    private const long Grace = 16 << 20;
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    /// <summary>The time that an input may take.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);

    public long Refused { get; private set; }

    public long Accepted { get; private set; }

    /// <summary>The longest time that an input took.</summary>
    public TimeSpan Slowest { get; private set; }

    /// <summary>Input number <paramref name="iteration"/> of a target is always the same one.</summary>
    public Finding? Try(FuzzTarget target, long iteration)
    {
        var input = InputOf(target, iteration);
        var path = Path.Combine(workFolder, target.FileName);
        File.WriteAllBytes(path, input);
        var what = Watch(target, path, input.Length);
        // Another program on the machine may have taken the time: only what is slow again and again is slow.
        for (var again = 0; again < 3 && what is { Slow: true }; again++) what = Watch(target, path, input.Length);
        return what is { Message: { } message } ? new(target.Name, seed, iteration, message, input) : null;
    }

    public byte[] InputOf(FuzzTarget target, long iteration)
    {
        var random = new Random(HashCode(seed, target.Name, iteration));
        var file = File.ReadAllBytes(target.Seeds[random.Next(target.Seeds.Count)]);
        var other = File.ReadAllBytes(target.Seeds[random.Next(target.Seeds.Count)]);
        return Mutation.Of(random, file, other);
    }

    private (string? Message, bool Slow) Watch(FuzzTarget target, string path, long length)
    {
        using var watchdog = new Timer(
            _ => Environment.FailFast($"{target.Name}: an input hangs; it is {path}"), null, Hang, Timeout.InfiniteTimeSpan);
        string? message = null;
        var before = GC.GetAllocatedBytesForCurrentThread();
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
        if (took > Slowest) Slowest = took;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > 2 * length + Grace) message ??= $"allocates {allocated:N0} bytes for a file of {length:N0}";
        return took > Patience && message is null ? ($"takes {took.TotalSeconds:f1} s", true) : (message, false);
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
