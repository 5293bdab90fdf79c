using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using LiT.Compute;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace LiT.Mpi;

/// <summary>
/// A batch shared over MPI. Only bytes travel: sums are made here, in the order of the processes, so that a number of
/// processes gives the same bits with every library and on every network. Rows go in pieces and are counted by rows, so
/// that no count is larger than an int, whatever the batch.
/// </summary>
internal sealed unsafe class MpiExchange : IBatchExchange, IDisposable
{
    private readonly MpiThread thread;
    private readonly MpiLibrary mpi;
    private readonly Lateness lateness;
    private readonly List<MpiThread.Work> sums = [];
    private readonly long pieceBytes;
    private readonly int slice;
    private readonly float* sent,
        received;
    private long? stepBegan;

    /// <param name="thread">The thread of all calls.</param>
    /// <param name="mpi">Initialised on it.</param>
    /// <param name="rank">This process, and how many there are.</param>
    /// <param name="settings">How they work together.</param>
    /// <param name="pieceBytes">Bytes of one process that go at once.</param>
    internal MpiExchange(
        MpiThread thread,
        MpiLibrary mpi,
        (int Place, int Processes) rank,
        MpiSettings settings,
        long pieceBytes = 64 << 20
    )
    {
        (this.thread, this.mpi, this.pieceBytes) = (thread, mpi, pieceBytes);
        (Place, Processes, InHalf) = (rank.Place, rank.Processes, settings.HalfEmbeddings);
        lateness = new(mpi, Place, settings);
        // Gradients go in buffers of so many numbers, a slice of them for each process to add up.
        slice = (int)Math.Max(1, (Math.Min(pieceBytes, 16 << 20) / sizeof(float) + Processes - 1) / Processes);
        sent = Room();
        received = Room();
        lateness.Learn(Gather(Environment.MachineName));

        float* Room() => (float*)NativeMemory.AlignedAlloc((nuint)slice * (nuint)Processes * sizeof(float), 64);
    }

    /// <inheritdoc/>
    public int Place { get; }

    /// <inheritdoc/>
    public int Processes { get; }

    /// <inheritdoc/>
    public bool InHalf { get; }

    /// <summary>How long others were waited for so far.</summary>
    internal TimeSpan Waited { get; private set; }

    /// <summary>How long bytes were on their way so far, everybody being there.</summary>
    internal TimeSpan Moved { get; private set; }

    /// <inheritdoc/>
    public Tensor Gather(Tensor own, IReadOnlyList<int> counts) => Gather(own, counts, patient: false);

    private Tensor Gather(Tensor own, IReadOnlyList<int> counts, bool patient)
    {
        using var scope = NewDisposeScope();
        var rows = own.cpu().contiguous();
        var all = empty([counts.Sum(), .. own.shape[1..]], own.dtype);
        thread.Do(() =>
        {
            Meet(patient);
            InRows(rows, counts.Max(), (type, size, from, most) =>
            {
                var now = Slice(counts, from, most);
                var at = TensorMemory.Address(rows) + (now[Place] == 0 ? 0 : from * size);
                var places = Begins(counts, from);
                Finish(mpi.Allgatherv(at, now[Place], TensorMemory.Address(all), now, places, type));
                GC.KeepAlive((now, places));
            });
            return true;
        });
        return all.On(own.device).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Deal(Tensor rows, IReadOnlyList<int> counts)
    {
        using var scope = NewDisposeScope();
        var all = rows.cpu().contiguous();
        int[] mine = [.. Enumerable.Repeat(counts[Place], Processes)];
        var dealt = empty([Processes, counts[Place], .. rows.shape[1..]], rows.dtype);
        thread.Do(() =>
        {
            Meet(patient: false);
            InRows(all, counts.Max(), (type, _, from, most) =>
            {
                var sent = (Slice(counts, from, most), Begins(counts, from));
                var received = (Slice(mine, from, most), Begins(mine, from));
                Finish(mpi.Alltoallv(TensorMemory.Address(all), sent, TensorMemory.Address(dealt), received, type));
                GC.KeepAlive((sent, received));
            });
            return true;
        });
        return dealt.On(rows.device).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void BeginSum(IReadOnlyList<Tensor> gradients)
    {
        if (gradients.Count == 0)
            return;
        using var noGradient = no_grad();
        // Both outlive whatever scope the caller is in.
        var own = gradients.Select(one => one.detach().DetachFromDisposeScope()).ToList();
        var flat = own.Select(one => one.cpu().contiguous().view(-1).DetachFromDisposeScope()).ToList();
        sums.Add(
            thread.Begin(() =>
            {
                Meet(patient: false);
                AddUp(flat);
                foreach (var (gradient, sum) in own.Zip(flat))
                    using (gradient)
                    using (sum)
                        if (!Processor.ComputesInPlace(gradient))
                            WriteBack(gradient, sum);
            })
        );
    }

    /// <inheritdoc/>
    public void EndSums()
    {
        foreach (var sum in sums)
            sum.Wait();
        sums.Clear();
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Gather(string own)
    {
        using var scope = NewDisposeScope();
        var bytes = Encoding.UTF8.GetBytes(own);
        var lengths = Gather(tensor(new long[] { bytes.Length }), [.. Enumerable.Repeat(1, Processes)], patient: true)
            .data<long>()
            .Select(length => (int)length)
            .ToArray();
        var all = Gather(tensor(bytes), lengths).data<byte>().ToArray();
        var from = 0;
        return [.. lengths.Select(length => Encoding.UTF8.GetString(all, (from += length) - length, length))];
    }

    /// <inheritdoc/>
    public bool Any(bool own, bool patient)
    {
        using var scope = NewDisposeScope();
        var said = Gather(tensor(new[] { (byte)(own ? 1 : 0) }), [.. Enumerable.Repeat(1, Processes)], patient)
            .data<byte>()
            .Contains((byte)1);
        var now = Stopwatch.GetTimestamp();
        if (stepBegan is { } before && !patient)
            lateness.StepTook(Stopwatch.GetElapsedTime(before, now).TotalSeconds);
        stepBegan = now;
        return said;
    }

    /// <summary>Waits, on the thread of MPI, until everybody is there.</summary>
    internal void Meet(bool patient)
    {
        lateness.Begin(patient);
        var request = mpi.StartBarrier();
        Waited += Await(request, TimeSpan.Zero);
    }

    // All were there a moment ago: this is only as long as the bytes need, unless one of them hangs now.
    private void Finish(nint request) => Moved += Await(request, TimeSpan.FromSeconds(1));

    private TimeSpan Await(nint request, TimeSpan awake)
    {
        var begun = Stopwatch.GetTimestamp();
        thread.Await(() => mpi.IsDone(ref request), lateness.Waits, mpi.Abort, awake);
        return Stopwatch.GetElapsedTime(begun);
    }

    private static void WriteBack(Tensor gradient, Tensor sum)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        gradient.copy_(sum.view(gradient.shape));
    }

    /// <summary>
    /// Each number becomes its sum over all processes: every process gets its slice of a buffer from all, adds them in
    /// order, and gives the sum to all.
    /// </summary>
    private void AddUp(List<Tensor> flat)
    {
        var (tensor, at) = (0, 0L);
        while (tensor < flat.Count)
        {
            var begun = (tensor, at);
            var length = Move(flat, ref tensor, ref at, into: true);
            var each = (length + Processes - 1) / Processes;
            new Span<float>(sent + length, each * Processes - length).Clear();
            Finish(mpi.Alltoall(sent, received, each * sizeof(float)));
            Span<float> sum = new(received, each);
            for (var process = 1; process < Processes; process++)
                TensorPrimitives.Add(sum, new ReadOnlySpan<float>(received + (long)process * each, each), sum);
            Finish(mpi.Allgather(received, sent, each * sizeof(float)));
            Move(flat, ref begun.tensor, ref begun.at, into: false);
        }
    }

    /// <summary>Numbers from tensors into the buffer, or back, as many as it holds.</summary>
    private int Move(List<Tensor> flat, ref int tensor, ref long at, bool into)
    {
        var (filled, room) = (0, slice * Processes);
        while (tensor < flat.Count && filled < room)
        {
            var count = (int)Math.Min(room - filled, flat[tensor].numel() - at);
            Span<float> there = new((float*)TensorMemory.Address(flat[tensor]) + at, count),
                here = new(sent + filled, count);
            if (into)
                there.CopyTo(here);
            else
                here.CopyTo(there);
            (filled, at) = (filled + count, at + count);
            if (at == flat[tensor].numel())
                (tensor, at) = (tensor + 1, 0);
        }
        return filled;
    }

    private delegate void Piece(nint type, long size, int from, int most);

    /// <summary>Does something for so many rows of every process at a time.</summary>
    private void InRows(Tensor rows, int most, Piece piece)
    {
        var size = (int)(rows.shape[1..].Aggregate(1L, (product, side) => product * side) * rows.ElementSize);
        var atOnce = (int)Math.Clamp(pieceBytes / Math.Max(1, size), 1, int.MaxValue);
        var type = mpi.RowType(size);
        for (var from = 0; from < most; from += atOnce)
        {
            piece(type, size, from, atOnce);
            if (from > int.MaxValue - atOnce)
                break;
        }
        mpi.Free(type);
    }

    /// <summary>How many rows of each process are among its next ones.</summary>
    private static int[] Slice(IReadOnlyList<int> counts, int from, int most) =>
        Pinned(counts.Count, process => Math.Clamp(counts[process] - from, 0, most));

    /// <summary>Where those stand among the rows of all.</summary>
    private static int[] Begins(IReadOnlyList<int> counts, int from)
    {
        var before = 0;
        return Pinned(counts.Count, process =>
            (before += counts[process]) - counts[process] + Math.Min(from, counts[process])
        );
    }

    private static int[] Pinned(int count, Func<int, int> number)
    {
        var numbers = GC.AllocateUninitializedArray<int>(count, pinned: true);
        for (var i = 0; i < count; i++)
            numbers[i] = number(i);
        return numbers;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(sent);
        NativeMemory.AlignedFree(received);
    }
}
