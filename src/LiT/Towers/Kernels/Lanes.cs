using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace LiT.Towers.Kernels;

/// <summary>
/// Threads that each compute with one thread of libtorch's. They wait for nothing until their work is done, unlike threads that share
/// every single operation: decoding, or another program, then costs only the time that it takes.
/// </summary>
internal static class Lanes
{
    /// <summary>Runs parts 0 … count - 1, each whole on one of at most as many threads as libtorch has here. The parts must be independent.</summary>
    public static void Run(int count, Action<int> part)
    {
        var (taken, threads) = (-1, get_num_threads());
        void TakeParts()
        {
            for (int next; (next = Interlocked.Increment(ref taken)) < count; )
                part(next);
        }
        var workers = Math.Min(count, threads);
        if (workers <= 1)
        {
            TakeParts();
            return;
        }
        ExceptionDispatchInfo? trouble = null;
        var running = Enumerable
            .Range(0, workers)
            .Select(_ => new Thread(() =>
            {
                try
                {
                    set_num_threads(1);
                    TakeParts();
                }
                catch (Exception failure)
                {
                    Volatile.Write(ref taken, count);
                    Interlocked.CompareExchange(ref trouble, ExceptionDispatchInfo.Capture(failure), null);
                }
            }))
            .ToList();
        foreach (var thread in running)
            thread.Start();
        foreach (var thread in running)
            thread.Join();
        set_num_threads(threads); // the number belongs to the thread that sets it and, for threads that come later, to the process
        trouble?.Throw();
    }
}
