using System.Diagnostics;

namespace LiT.Benchmarks;

/// <summary>
/// What something took: seconds on the clock, and the processor time of this process, which other programs on the
/// machine hardly change (threads that wait sleep, they do not spin, with OMP_WAIT_POLICY=passive).
/// </summary>
internal readonly record struct Spent(double Seconds, double Processor)
{
    public static Spent Of(Action run)
    {
        var watch = Start();
        run();
        return watch.Stop();
    }

    public static Running Start() => new(Stopwatch.GetTimestamp(), Now);

    public static Spent operator +(Spent a, Spent b) => new(a.Seconds + b.Seconds, a.Processor + b.Processor);

    /// <summary>Medians of both, each for itself.</summary>
    public static Spent Median(IEnumerable<Spent> all)
    {
        var some = all.ToList();
        return new(
            TuningData.Median(some.Select(one => one.Seconds)),
            TuningData.Median(some.Select(one => one.Processor))
        );
    }

    private static double Now
    {
        get
        {
            using var process = Process.GetCurrentProcess();
            return process.TotalProcessorTime.TotalSeconds;
        }
    }

    internal readonly record struct Running(long Clock, double Processor)
    {
        public Spent Stop() => new(Stopwatch.GetElapsedTime(Clock).TotalSeconds, Now - Processor);
    }
}
