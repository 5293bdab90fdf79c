namespace LiT.Downloads;

/// <summary>Few requests at once to a host, and none right after another.</summary>
internal sealed class HostGates(int perHost, TimeSpan delay, TimeProvider clock)
{
    private sealed class Gate(int perHost)
    {
        public SemaphoreSlim Places { get; } = new(perHost);
        public DateTimeOffset Next { get; set; }
        public int Users { get; set; }
    }

    private readonly Dictionary<string, Gate> gates = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Waits for a place and for the time since the last request; the place is given back when disposed.</summary>
    public async Task<IDisposable> EnterAsync(string host, CancellationToken cancel)
    {
        Gate? gate;
        lock (gates)
        {
            if (!gates.TryGetValue(host, out gate))
                gates.Add(host, gate = new(perHost));
            gate.Users++;
        }
        var place = new Place(this, host, gate);
        try
        {
            await gate.Places.WaitAsync(cancel).ConfigureAwait(false);
            place.Entered = true;
            TimeSpan wait;
            lock (gates)
            {
                var now = clock.GetUtcNow();
                var at = gate.Next > now ? gate.Next : now;
                gate.Next = at + delay;
                wait = at - now;
            }
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, clock, cancel).ConfigureAwait(false);
            return place;
        }
        catch
        {
            place.Dispose();
            throw;
        }
    }

    /// <summary>A host that asked to be left alone is, by everybody.</summary>
    public void Pause(string host, TimeSpan time)
    {
        lock (gates)
            if (gates.TryGetValue(host, out var gate) && clock.GetUtcNow() + time is var until && until > gate.Next)
                gate.Next = until;
    }

    private sealed class Place(HostGates owner, string host, Gate gate) : IDisposable
    {
        public bool Entered { get; set; }

        public void Dispose()
        {
            if (Entered)
                gate.Places.Release();
            // A gate that nobody waits at is forgotten once its time is over: a list of the web has millions of hosts.
            lock (owner.gates)
                if (--gate.Users == 0 && gate.Next <= owner.clock.GetUtcNow())
                    owner.gates.Remove(host);
        }
    }

    private readonly TimeProvider clock = clock;
}
