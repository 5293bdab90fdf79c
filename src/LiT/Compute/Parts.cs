using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

#pragma warning disable RS0030 // this is the executor, whose the number of threads is

namespace LiT.Compute;

/// <summary>
/// The one executor of work that is promised the same bits for any number of threads: it is cut at places that do not
/// depend on them, and each part is done whole on one thread, with libtorch on one thread inside; also where there is
/// one part only, and where parts are cut inside of a part. A thread waits for nothing until there are no parts left,
/// so decoding, or another program, costs only the time that it takes.
/// </summary>
internal static class Parts
{
    [ThreadStatic]
    private static bool inside;

    private static readonly Lock creation = new();
    private static readonly Queue<Work> asked = new();
    private static int helpers;

    /// <summary>Sets how many threads this thread, and threads that come later, compute with, until disposed.</summary>
    public static IDisposable Use(int threads)
    {
        var before = get_num_threads();
        set_num_threads(threads);
        return new Undo(before);
    }

    /// <summary>
    /// Runs parts 0 … count - 1, on at most as many threads as libtorch has here. The parts must be independent.
    /// </summary>
    public static void Run(int count, Action<int> part)
    {
        if (count <= 0)
            return;
        if (inside)
        {
            for (var i = 0; i < count; i++)
                part(i);
            return;
        }
        var threads = get_num_threads();
        Work work = new(count, part);
        var helping = Math.Min(count, threads) - 1;
        if (helping > 0)
            Ask(work, helping);
        if (threads > 1)
            set_num_threads(1); // of this thread, and of threads that come later; helpers have set their own
        inside = true;
        try
        {
            work.TakeParts();
        }
        finally
        {
            inside = false;
            if (threads > 1)
                set_num_threads(threads);
        }
        work.Wait();
    }

    /// <summary>Runs pieces of so many items, the last one shorter; each is told where it begins and ends.</summary>
    public static void For(long length, long piece, Action<long, long> work) =>
        Run((int)((length + piece - 1) / piece), i => work(i * piece, Math.Min(length, (i + 1) * piece)));

    private static void Ask(Work work, int helping)
    {
        lock (creation)
            for (; helpers < helping; helpers++)
            {
                // Its number of threads becomes that of threads to come, until this thread sets its own again.
                using ManualResetEventSlim ready = new();
                new Thread(Help) { IsBackground = true, Name = $"LiT, parts {helpers + 1}" }.Start(ready);
                ready.Wait();
            }
        lock (asked)
        {
            for (var i = 0; i < helping; i++)
                asked.Enqueue(work);
            if (helping == 1)
                Monitor.Pulse(asked);
            else
                Monitor.PulseAll(asked);
        }
    }

    private static void Help(object? ready)
    {
        // a thread that has not asked yet takes the process's number at its first operation, whatever it set
        get_num_threads();
        set_num_threads(1);
        inside = true;
        ((ManualResetEventSlim)ready!).Set();
        while (true)
            Next().Help();
    }

    private static Work Next()
    {
        lock (asked)
        {
            while (asked.Count == 0)
                Monitor.Wait(asked);
            return asked.Dequeue();
        }
    }

    /// <summary>Parts that wait for a thread, those that are being done, and what went wrong.</summary>
    private sealed class Work
    {
        private readonly ExecutionContext? context = ExecutionContext.Capture();
        private readonly bool gradients = is_grad_enabled();
        private readonly Action<int> part;
        private readonly int count;
        private ExceptionDispatchInfo? trouble;
        private int taken = -1,
            unfinished;

        public Work(int count, Action<int> part) => (this.count, this.part, unfinished) = (count, part, count);

        public void TakeParts()
        {
            for (int next; (next = Interlocked.Increment(ref taken)) < count; )
            {
                try
                {
                    if (trouble is null)
                        part(next);
                }
                catch (Exception failure)
                {
                    Interlocked.CompareExchange(ref trouble, ExceptionDispatchInfo.Capture(failure), null);
                }
                if (Interlocked.Decrement(ref unfinished) == 0)
                    lock (this)
                        Monitor.PulseAll(this);
            }
        }

        public void Help()
        {
            if (Volatile.Read(ref unfinished) == 0)
                return;
            using var mode = set_grad_enabled(gradients);
            if (context is null)
                TakeParts();
            else
                ExecutionContext.Run(context, _ => TakeParts(), null);
        }

        public void Wait()
        {
            if (Volatile.Read(ref unfinished) > 0)
                lock (this)
                    while (Volatile.Read(ref unfinished) > 0)
                        Monitor.Wait(this);
            trouble?.Throw();
        }
    }

    private sealed class Undo(int threads) : IDisposable
    {
        public void Dispose() => set_num_threads(threads);
    }
}
