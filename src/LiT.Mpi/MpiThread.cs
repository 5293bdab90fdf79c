using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace LiT.Mpi;

/// <summary>
/// The one thread that calls MPI: what it is given it does in that order, while others compute. Before processes
/// exchange anything it waits until all are there, asleep most of the time, because a library that waits spins, and
/// takes the core from whoever is late.
/// </summary>
internal sealed class MpiThread : IDisposable
{
    private readonly Queue<Work> asked = new();
    private readonly Thread thread;
    private int? abortWith;
    private bool over;

    internal MpiThread()
    {
        thread = new(Run, maxStackSize: 8 << 20) { IsBackground = true, Name = "LiT, MPI" };
        thread.Start();
    }

    /// <summary>Does something after what was asked for before, and waits for it.</summary>
    internal T Do<T>(Func<T> work)
    {
        T? result = default;
        Begin(() => result = work()).Wait();
        return result!;
    }

    /// <summary>The same without waiting.</summary>
    internal Work Begin(Action work)
    {
        Work asked = new(work);
        lock (this.asked)
        {
            this.asked.Enqueue(asked);
            Monitor.Pulse(this.asked);
        }
        return asked;
    }

    /// <summary>
    /// Waits on this thread until something is done; meanwhile an end that is asked for by others is heard.
    /// </summary>
    /// <param name="isDone">Asked again and again.</param>
    /// <param name="waits">Told how long it has been, a few times a second once it is long.</param>
    /// <param name="abort">Ends the job.</param>
    /// <param name="awake">How long it only makes room for others and looks again; after it, it sleeps.</param>
    internal void Await(Func<bool> isDone, Action<TimeSpan> waits, Action<int> abort, TimeSpan awake)
    {
        var watch = Stopwatch.StartNew();
        var told = 0L;
        for (var turn = 0; !isDone(); turn++)
        {
            if (Aborting is { } code)
                abort(code);
            if (watch.ElapsedMilliseconds is >= 500 and var now && now - told >= 50)
            {
                told = now;
                waits(watch.Elapsed);
            }
            if (turn < 200 || watch.Elapsed < awake)
                Thread.Yield();
            else
                Thread.Sleep(1);
        }
    }

    /// <summary>Asks for the end of the job, wherever the thread stands; nothing comes of it where it hangs.</summary>
    internal void AskToAbort(int code, Action<int> abort)
    {
        lock (asked)
            abortWith = code;
        Begin(() => abort(code));
        Thread.Sleep(2000);
    }

    private int? Aborting
    {
        get
        {
            lock (asked)
                return abortWith;
        }
    }

    private void Run()
    {
        while (true)
        {
            Work next;
            lock (asked)
            {
                while (asked.Count == 0 && !over)
                    Monitor.Wait(asked);
                if (asked.Count == 0)
                    return;
                next = asked.Dequeue();
            }
            next.Do();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (asked)
        {
            over = true;
            Monitor.Pulse(asked);
        }
        thread.Join(TimeSpan.FromSeconds(10));
    }

    /// <summary>Something that was asked for.</summary>
    internal sealed class Work(Action work)
    {
        private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal void Do()
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception trouble)
            {
                done.SetException(trouble);
            }
        }

        /// <summary>Waits until it is done, and throws what went wrong.</summary>
        internal void Wait()
        {
            try
            {
                done.Task.Wait();
            }
            catch (AggregateException trouble)
            {
                ExceptionDispatchInfo.Throw(trouble.InnerExceptions[0]);
            }
        }
    }
}
