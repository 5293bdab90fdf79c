namespace LiT.Downloads;

/// <summary>Few requests at once to a host, and none right after another.</summary>
internal sealed class HostGates(int perHost, TimeSpan delay, TimeProvider clock)
{
    private sealed class Gate(int perHost)
    {
        public SemaphoreSlim Places { get; } = new(perHost);
        public DateTimeOffset Next { get; set; }
        public DateTimeOffset QuietUntil { get; set; }
        public DateTimeOffset ClosedUntil { get; set; }
        public int Users { get; set; }
    }

    private readonly Dictionary<string, Gate> gates = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Waits for a place and for the time since the last request; the place is given back when disposed.
    /// </summary>
    public async Task<IPlace> EnterAsync(string host, CancellationToken cancel)
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
            while (true)
            {
                TimeSpan wait;
                lock (gates)
                {
                    var now = clock.GetUtcNow();
                    if (gate.ClosedUntil > now)
                    {
                        place.IsClosed = true;
                        return place;
                    }
                    var at = Latest(now, gate.Next, gate.QuietUntil);
                    gate.Next = at + delay;
                    wait = at - now;
                }
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, clock, cancel).ConfigureAwait(false);
                // Another's answer may have come meanwhile that asks everybody to wait.
                lock (gates)
                    if (Latest(gate.QuietUntil, gate.ClosedUntil) <= clock.GetUtcNow())
                        return place;
            }
        }
        catch
        {
            place.Dispose();
            throw;
        }
    }

    /// <summary>A host that asked to be left alone is, by everybody.</summary>
    /// <param name="host">The host.</param>
    /// <param name="time">How long.</param>
    /// <param name="close">Whether nobody waits that long: until then all who come are sent away.</param>
    public void Pause(string host, TimeSpan time, bool close)
    {
        lock (gates)
        {
            if (!gates.TryGetValue(host, out var gate))
                return;
            var until = clock.GetUtcNow() + (time < LongestClosed ? time : LongestClosed);
            if (close)
                gate.ClosedUntil = Latest(gate.ClosedUntil, until);
            else
                gate.QuietUntil = Latest(gate.QuietUntil, until);
        }
    }

    private static readonly TimeSpan LongestClosed = TimeSpan.FromDays(365);

    private static DateTimeOffset Latest(params ReadOnlySpan<DateTimeOffset> times)
    {
        var latest = times[0];
        foreach (var time in times)
            latest = time > latest ? time : latest;
        return latest;
    }

    /// <summary>A place at a host, given back when disposed.</summary>
    internal interface IPlace : IDisposable
    {
        /// <summary>Whether the host must not be asked.</summary>
        bool IsClosed { get; }
    }

    private sealed class Place(HostGates owner, string host, Gate gate) : IPlace
    {
        public bool Entered { get; set; }

        public bool IsClosed { get; set; }

        public void Dispose()
        {
            if (Entered)
                gate.Places.Release();
            // A gate that nobody waits at is forgotten once its time is over: a list of the web has millions of hosts.
            lock (owner.gates)
                if (
                    --gate.Users == 0
                    && Latest(gate.Next, gate.QuietUntil, gate.ClosedUntil) <= owner.clock.GetUtcNow()
                )
                    owner.gates.Remove(host);
        }
    }

    private readonly TimeProvider clock = clock;
}
