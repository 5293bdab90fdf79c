using System.Diagnostics;
using System.Globalization;

namespace LiT.Cli;

/// <summary>
/// Progress on standard error: one line that is drawn over with rate and time left on a terminal, a plain line
/// every few seconds when redirected.
/// </summary>
internal sealed class ProgressLine : IProgress<ProgressStep>, IDisposable
{
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(100),
        PlainEvery = TimeSpan.FromSeconds(5);
    private readonly Lock drawing = new();
    private readonly bool live = !Console.IsErrorRedirected;
    private readonly Stopwatch sinceDrawn = Stopwatch.StartNew();
    private readonly Stopwatch sinceStart = Stopwatch.StartNew();
    private ProgressStep? last;
    private long doneAtStart;
    private bool drawn,
        isLastDrawn;

    /// <inheritdoc/>
    public void Report(ProgressStep value)
    {
        lock (drawing)
        {
            if (last?.What != value.What)
            {
                Finish();
                sinceStart.Restart();
                doneAtStart = value.Done; // a resumed run starts in the middle; its rate is not
                sinceDrawn.Restart();
            }
            last = value;
            isLastDrawn = false;
            if (sinceDrawn.Elapsed < (live ? Redraw : PlainEvery))
                return;
            Draw();
        }
    }

    /// <summary>Draws the last state and ends the line.</summary>
    public void Dispose()
    {
        lock (drawing)
            Finish();
    }

    private void Finish()
    {
        if (last is not null && !isLastDrawn)
            Draw();
        if (live && drawn)
            Console.Error.WriteLine();
        drawn = false;
        last = null;
    }

    private void Draw()
    {
        sinceDrawn.Restart();
        var line = Words(last!, sinceStart.Elapsed, doneAtStart);
        if (live)
            Console.Error.Write('\r' + Fitted(line));
        else
            Console.Error.WriteLine(line);
        drawn = isLastDrawn = true;
    }

    internal static string Words(ProgressStep step, TimeSpan elapsed, long doneAtStart)
    {
        var rate = elapsed.TotalSeconds > 0.05 ? (step.Done - doneAtStart) / elapsed.TotalSeconds : 0;
        var count = step.Total is { } total
            ? $"{Number(step.Done)}/{Number(total)} {step.Unit} ({100.0 * step.Done / Math.Max(1, total):F0}%)"
            : $"{Number(step.Done)} {step.Unit}";
        var speed = rate > 0 ? $", {Number(rate)}/s" : "";
        var left =
            rate > 0 && step.Total is { } all && all > step.Done ? $", {Duration((all - step.Done) / rate)} left" : "";
        return $"{step.What}: {count}{speed}{left}{(step.Note is null ? "" : $", {step.Note}")}";
    }

    private static string Fitted(string line)
    {
        var width = Math.Max(20, Console.BufferWidth - 1);
        return line.Length > width ? line[..width] : line.PadRight(width);
    }

    private static string Number(double value) =>
        value.ToString(value is >= 100 or 0 ? "#,0" : "0.#", CultureInfo.InvariantCulture);

    private static string Duration(double seconds) =>
        seconds switch
        {
            < 90 => $"{Math.Ceiling(seconds):F0} s",
            < 5400 => $"{seconds / 60:F0} min",
            _ => $"{seconds / 3600:F1} h",
        };
}
