using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LiT.Server.Api;

/// <summary>
/// What is counted and timed, for /metrics and for whoever collects: the meter and the source are named LiT.Server.
/// </summary>
internal sealed class Measures : IDisposable
{
    public const string Name = "LiT.Server";

    public static readonly ActivitySource Source = new(Name);

    private readonly TimeProvider time;
    private readonly Meter meter;
    private readonly Histogram<double> waiting,
        tower,
        search;
    private readonly Histogram<int> batch;
    private readonly Counter<long> cache;

    public Measures(IMeterFactory meters, TimeProvider time)
    {
        this.time = time;
        meter = meters.Create(Name);
        waiting = meter.CreateHistogram<double>("lit.queue.duration", "s", "Time that a request waited for its batch.");
        batch = meter.CreateHistogram<int>("lit.batch.size", "{requests}", "Requests that were answered together.");
        tower = meter.CreateHistogram<double>("lit.tower.duration", "s", "Time of a pass through a tower.");
        search = meter.CreateHistogram<double>("lit.search.duration", "s", "Time of a pass over a store's rows.");
        cache = meter.CreateCounter<long>("lit.cache.requests", "{requests}", "What was looked up in a cache.");
    }

    /// <summary>A point in time, for <see cref="Batch"/>.</summary>
    public long Now => time.GetTimestamp();

    /// <summary>How long ago that was.</summary>
    public TimeSpan Since(long then) => time.GetElapsedTime(then);

    public void Batch(string of, int size, IEnumerable<long> since)
    {
        KeyValuePair<string, object?> kind = new("of", of);
        batch.Record(size, kind);
        foreach (var one in since)
            waiting.Record(time.GetElapsedTime(one).TotalSeconds, kind);
    }

    public void Cache(string of, bool hit, int count = 1)
    {
        if (count > 0)
            cache.Add(count, new("of", of), new("hit", hit));
    }

    /// <summary>Times a pass through a tower, and shows it in a trace.</summary>
    public T Tower<T>(string of, int size, Func<T> pass) => Timed(tower, "tower", of, size, pass);

    /// <summary>Times a pass over rows, and shows it in a trace.</summary>
    public T Search<T>(string store, int size, Func<T> pass) => Timed(search, "search", store, size, pass);

    /// <summary>Tells how many pictures there are, whenever somebody asks.</summary>
    public void Pictures(Func<IEnumerable<Measurement<long>>> now) =>
        meter.CreateObservableGauge("lit.store.pictures", now, "{pictures}", "Pictures that can be found.");

    public void Dispose() => meter.Dispose();

    private T Timed<T>(Histogram<double> histogram, string doing, string of, int size, Func<T> pass)
    {
        using var activity = Source.StartActivity($"{doing} {of}");
        activity?.SetTag("lit.batch.size", size);
        var started = time.GetTimestamp();
        try
        {
            return pass();
        }
        finally
        {
            histogram.Record(time.GetElapsedTime(started).TotalSeconds, new KeyValuePair<string, object?>("of", of));
        }
    }
}
