using System.Threading.Channels;

namespace LiT.Server.Api;

/// <summary>
/// Brings together what several requests want at the same time: while one batch is worked on, what comes waits, and
/// all of it is the next batch. Nobody waits for a batch to fill. Those who were answered together ask again together:
/// after a batch of several the next one begins a moment later, which a request that comes alone never waits for. Else
/// the first to come back would be a batch of their own, for which all others wait.
/// </summary>
internal sealed class Batcher<TAsk, TAnswer> : IAsyncDisposable
{
    private const double Share = 0.05;
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1),
        Longest = TimeSpan.FromMilliseconds(10);

    private readonly Channel<Waiting> queue = Channel.CreateUnbounded<Waiting>(new() { SingleReader = true });
    private readonly CancellationTokenSource closing = new();
    private readonly Func<IReadOnlyList<TAsk>, CancellationToken, Task<IReadOnlyList<Outcome>>> work;
    private readonly Measures measures;
    private readonly string name;
    private readonly int most;
    private readonly Task working;

    /// <param name="name">Names it in the measures.</param>
    /// <param name="most">Of a batch.</param>
    /// <param name="measures">Are told of waiting and of sizes.</param>
    /// <param name="work">Answers a batch, one outcome for each in its order.</param>
    public Batcher(
        string name,
        int most,
        Measures measures,
        Func<IReadOnlyList<TAsk>, CancellationToken, Task<IReadOnlyList<Outcome>>> work
    )
    {
        (this.name, this.most, this.measures, this.work) = (name, most, measures, work);
        working = Task.Run(WorkAsync);
    }

    /// <summary>What became of one of a batch: one of the two.</summary>
    internal readonly record struct Outcome(TAnswer? Answer, Exception? Trouble);

    /// <summary>Has one answered together with what else waits.</summary>
    /// <exception cref="ObjectDisposedException">The server is being stopped.</exception>
    public async Task<TAnswer> AskAsync(TAsk ask, CancellationToken cancel)
    {
        Waiting waiting = new(ask, measures.Now, cancel);
        if (!queue.Writer.TryWrite(waiting))
            throw new ObjectDisposedException(name);
        return await waiting.Done.Task.WaitAsync(cancel).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await closing.CancelAsync().ConfigureAwait(false);
        await working.ConfigureAwait(false);
        closing.Dispose();
    }

    private async Task WorkAsync()
    {
        var moment = TimeSpan.Zero;
        while (await queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            if (moment > Shortest && !closing.IsCancellationRequested)
                await Task.Delay(moment).ConfigureAwait(false);
            List<Waiting> batch = [];
            while (batch.Count < most && queue.Reader.TryRead(out var next))
                if (!next.Cancel.IsCancellationRequested) // nobody is there any more
                    batch.Add(next);
            if (batch.Count == 0)
                continue;
            measures.Batch(name, batch.Count, batch.Select(one => one.Since));
            var begun = measures.Now;
            try
            {
                closing.Token.ThrowIfCancellationRequested();
                var outcomes = await work([.. batch.Select(one => one.Ask)], closing.Token).ConfigureAwait(false);
                foreach (var (one, outcome) in batch.Zip(outcomes))
                    if (outcome.Trouble is { } trouble)
                        one.Done.TrySetException(trouble);
                    else
                        one.Done.TrySetResult(outcome.Answer!);
            }
            catch (OperationCanceledException) when (closing.IsCancellationRequested)
            {
                batch.ForEach(one => one.Done.TrySetException(new ObjectDisposedException(name)));
            }
            catch (Exception trouble)
            {
                batch.ForEach(one => one.Done.TrySetException(trouble));
            }
            moment = batch.Count > 1 ? measures.Since(begun) * Share : TimeSpan.Zero;
            if (moment > Longest)
                moment = Longest;
        }
    }

    private sealed record Waiting(TAsk Ask, long Since, CancellationToken Cancel)
    {
        public TaskCompletionSource<TAnswer> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
