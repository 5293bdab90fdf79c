namespace LiT.Data;

/// <summary>Work that runs ahead on the thread pool while its results are taken in order.</summary>
internal static class Ahead
{
    /// <summary>The results in the order of the source.</summary>
    /// <param name="source">What to work on; read by one thread.</param>
    /// <param name="work">Safe from any thread.</param>
    /// <param name="ahead">How many results may wait: memory against waiting.</param>
    /// <param name="cancel">Stops between two.</param>
    public static IEnumerable<TResult> InOrder<T, TResult>(
        IEnumerable<T> source,
        Func<T, TResult> work,
        int ahead,
        CancellationToken cancel
    )
    {
        Queue<Task<TResult>> underWay = new(ahead);
        foreach (var one in source)
        {
            cancel.ThrowIfCancellationRequested();
            underWay.Enqueue(Task.Run(() => work(one), CancellationToken.None));
            if (underWay.Count >= ahead)
                yield return underWay.Dequeue().GetAwaiter().GetResult();
        }
        while (underWay.TryDequeue(out var next))
        {
            cancel.ThrowIfCancellationRequested();
            yield return next.GetAwaiter().GetResult();
        }
    }
}
