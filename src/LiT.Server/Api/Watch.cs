namespace LiT.Server.Api;

/// <summary>Has something looked at once a second, one look after the other, until it is disposed of.</summary>
internal sealed class Watch : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource closing = new();
    private readonly Func<CancellationToken, Task> look;
    private readonly TimeProvider time;
    private readonly Task watching;

    /// <param name="time">Its clock.</param>
    /// <param name="look">One look, which throws nothing but that it was given up, or that the model went
    /// first.</param>
    public Watch(TimeProvider time, Func<CancellationToken, Task> look)
    {
        (this.time, this.look) = (time, look);
        watching = Task.Run(WatchAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        closing.Dispose();
    }

    private async Task WatchAsync()
    {
        using PeriodicTimer timer = new(Every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(closing.Token).ConfigureAwait(false))
                await look(closing.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (ObjectDisposedException)
        {
            return; // the model went first
        }
    }
}
