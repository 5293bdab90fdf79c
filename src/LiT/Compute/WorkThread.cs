using static TorchSharp.torch;

namespace LiT.Compute;

/// <summary>
/// One thread that does what others ask for, one piece after the other, in the order of asking. Dispose scopes, and
/// libtorch's number of threads, belong to a thread: here they are always the same, so who asks, and how many ask at
/// once, changes no bit. Work that would keep the others waiting is done beside it. What all of it needs is freed when
/// the last of it has ended.
/// </summary>
internal sealed class WorkThread : IDisposable
{
    // Whose work the code that runs is part of, also where it runs on one of the threads that help (Parts).
    private static readonly AsyncLocal<WorkThread?> inside = new();

    private readonly Queue<Asked> waiting = new();
    private readonly CancellationTokenSource closing = new();
    private readonly Thread thread;
    private readonly string owner;
    private readonly int threads;
    private readonly Action free;
    private int beside;
    private bool closed;

    /// <param name="owner">Whose work it is, for messages.</param>
    /// <param name="threads">libtorch's threads for the work.</param>
    /// <param name="free">Frees what the work needs; called once, after the last of it.</param>
    public WorkThread(string owner, int threads, Action free)
    {
        (this.owner, this.threads, this.free) = (owner, threads, free);
        thread = new(Work) { IsBackground = true, Name = $"LiT, {owner}" };
        thread.Start();
    }

    /// <summary>Has a piece of work done, in its turn.</summary>
    /// <param name="work">Its token ends when the caller's does, and when all of it is to end.</param>
    /// <param name="cancel">Gives the work up, also before it begins.</param>
    /// <exception cref="ObjectDisposedException">All of it ended before the work was done.</exception>
    public Task<T> Run<T>(Func<CancellationToken, T> work, CancellationToken cancel)
    {
        Asked<T> asked = new(this, work, cancel);
        lock (waiting)
        {
            if (closed)
                asked.GiveUp();
            else
                waiting.Enqueue(asked);
            Monitor.PulseAll(waiting);
        }
        return asked.Done;
    }

    /// <summary>Has a long piece of work done at once, on a thread of its own.</summary>
    /// <inheritdoc cref="Run"/>
    public Task<T> RunBeside<T>(Func<CancellationToken, T> work, CancellationToken cancel)
    {
        Asked<T> asked = new(this, work, cancel);
        lock (waiting)
        {
            if (closed)
            {
                asked.GiveUp();
                return asked.Done;
            }
            beside++;
        }
        new Thread(Beside) { IsBackground = true, Name = $"{thread.Name}, beside" }.Start();
        return asked.Done;

        void Beside()
        {
            asked.Do();
            lock (waiting)
            {
                beside--;
                Monitor.PulseAll(waiting);
            }
        }
    }

    /// <summary>
    /// Work that waits is given up, what is under way is stopped or, where it cannot be, waited for. A piece of the
    /// work may call this, too (a listener to its progress): it is not waited for then, and everything is freed after
    /// it.
    /// </summary>
    public void Dispose()
    {
        List<Asked> left = [];
        lock (waiting)
        {
            if (!closed)
                left.AddRange(waiting);
            closed = true;
            waiting.Clear();
            Monitor.PulseAll(waiting);
        }
        closing.Cancel();
        left.ForEach(asked => asked.GiveUp());
        if (inside.Value != this)
            thread.Join();
    }

    private void Work()
    {
        while (Next() is { } asked)
            asked.Do();
        free();
    }

    private Asked? Next()
    {
        lock (waiting)
        {
            while (waiting.Count == 0)
            {
                if (closed && beside == 0)
                    return null;
                Monitor.Wait(waiting);
            }
            return waiting.Dequeue();
        }
    }

    private abstract class Asked
    {
        public abstract void Do();

        public abstract void GiveUp();
    }

    private sealed class Asked<T>(WorkThread owner, Func<CancellationToken, T> work, CancellationToken cancel) : Asked
    {
        // Who waits goes on elsewhere: not on the thread that others wait for.
        private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Done => done.Task;

        public override void GiveUp() => done.TrySetException(new ObjectDisposedException(owner.owner));

        public override void Do()
        {
            if (cancel.IsCancellationRequested)
            {
                done.TrySetCanceled(cancel);
                return;
            }
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, owner.closing.Token);
            inside.Value = owner;
            try
            {
                NativeLibraries.RequireTorch();
                get_num_threads(); // a thread that has not asked yet takes the process's number at its first operation
#pragma warning disable RS0030 // the thread is the model's own, and so is its number
                set_num_threads(owner.threads);
#pragma warning restore RS0030
                done.TrySetResult(work(either.Token));
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                done.TrySetCanceled(cancel);
            }
            catch (OperationCanceledException) when (owner.closing.IsCancellationRequested)
            {
                GiveUp();
            }
            catch (Exception trouble)
            {
                done.TrySetException(trouble);
            }
            finally
            {
                inside.Value = null;
            }
        }
    }
}
