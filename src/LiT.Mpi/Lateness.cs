using System.Globalization;

namespace LiT.Mpi;

/// <summary>
/// Finds out who is missing where a step takes many times what steps usually take: whoever waits asks all others, and
/// those who wait as well answer. The first of those who wait says who did not.
/// </summary>
/// <param name="mpi">Used on its own thread only.</param>
/// <param name="place">Of this process.</param>
/// <param name="settings">When a process is late, and who is told.</param>
internal sealed class Lateness(MpiLibrary mpi, int place, MpiSettings settings)
{
    private const int Tag = 7701;
    private const long Asking = 0,
        Here = 1;

    private static readonly TimeSpan Least = TimeSpan.FromSeconds(20),
        Unknown = TimeSpan.FromMinutes(5),
        Patience = TimeSpan.FromHours(1),
        Grace = TimeSpan.FromSeconds(2);

    private readonly Queue<double> steps = new();
    private readonly HashSet<int> waiting = [];
    private string[] machines = [];
    private long exchange;
    private TimeSpan? asked;
    private bool patient,
        told;

    /// <summary>Where each process runs.</summary>
    internal void Learn(IReadOnlyList<string> machines) => this.machines = [.. machines];

    /// <summary>Notes what a step took, in seconds.</summary>
    internal void StepTook(double seconds)
    {
        steps.Enqueue(seconds);
        if (steps.Count > 16)
            steps.Dequeue();
    }

    /// <summary>Another exchange begins.</summary>
    /// <param name="patient">Whether somebody may have a long work to do first.</param>
    internal void Begin(bool patient)
    {
        exchange++;
        (this.patient, asked, told) = (patient, null, false);
        waiting.Clear();
    }

    /// <summary>What a step usually takes; null before that is known.</summary>
    private double? Usual => steps.Count < 3 ? null : steps.Order().ElementAt(steps.Count / 2);

    private TimeSpan Limit =>
        settings.Late
        ?? (
            patient ? Patience
            : Usual is not { } usual ? Unknown
            : 10 * usual > Least.TotalSeconds ? TimeSpan.FromSeconds(10 * usual)
            : Least
        );

    /// <summary>Called while this process waits for the others.</summary>
    internal void Waits(TimeSpan since)
    {
        Answer();
        if (machines.Length == 0)
            return;
        if (asked is null && since > Limit)
        {
            asked = since;
            for (var other = 0; other < machines.Length; other++)
                if (other != place)
                    mpi.Send(other, Tag, Asking, exchange);
        }
        if (told || since < asked + Grace || asked is null)
            return;
        told = true;
        if (waiting.Any(other => other < place))
            return; // that one says it
        settings.Warn?.Invoke(Words(since));
    }

    private string Words(TimeSpan since)
    {
        var missing = Enumerable.Range(0, machines.Length).Where(one => one != place && !waiting.Contains(one));
        var usual = Usual is { } seconds
            ? string.Create(CultureInfo.InvariantCulture, $", and a step usually takes {seconds:0.0} s")
            : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"waiting {since.TotalSeconds:F0} s for {string.Join(", ", missing.Select(NameOf))}{usual}: "
                + $"it hangs, or its machine is busy with something else"
        );
    }

    private string NameOf(int process) => $"process {process} on {machines[process]}";

    // Who waits may be one exchange ahead, or behind, when somebody stops in the middle of one: it is there as well.
    private void Answer()
    {
        for (var other = 0; other < machines.Length; other++)
            while (other != place && mpi.Receive(other, Tag) is var (kind, number))
            {
                if (kind == Asking)
                    mpi.Send(other, Tag, Here, number);
                if (kind == Asking ? Math.Abs(number - exchange) <= 2 : number == exchange)
                    waiting.Add(other);
            }
    }
}
