using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// Gradients of parameters, summed over the parts of each lane as they come and over the lanes in their order, whoever
/// is done first. A lane's sums are added to those before it as soon as it can be, so that few are held at a time.
/// </summary>
internal sealed unsafe class GradientSums(IReadOnlyList<Tensor> parameters, int lanes)
{
    private const long Piece = 1 << 20;

    private readonly Tensor?[]?[] sums = new Tensor?[lanes][];
    private readonly HashSet<nint> owned = [];
    private readonly bool[] done = new bool[lanes];
    private int begun,
        joined = 1; // lanes that are in the first one's sums
    private bool joining;

    /// <summary>
    /// Adds the gradients of one part; null, or no tensor, where there is none. They belong to the lane from now on.
    /// </summary>
    internal void Add(int lane, IList<Tensor> gradients)
    {
        using var unrecorded = no_grad();
        if (sums[lane] is not { } own)
        {
            Interlocked.Increment(ref begun);
            own = sums[lane] = new Tensor?[parameters.Count];
        }
        for (var i = 0; i < own.Length; i++)
        {
            if (gradients[i] is not { IsInvalid: false } gradient)
                continue;
            if (own[i] is { } sum)
                sum.PlusInPlace(gradient);
            else
                own[i] = Owned(gradient).DetachFromDisposeScope();
        }
    }

    /// <summary>
    /// A gradient that may be added to: libtorch gives two parameters one tensor where theirs are equal.
    /// </summary>
    private Tensor Owned(Tensor gradient)
    {
        if (gradient.device_type != TorchSharp.DeviceType.CPU)
            return gradient.clone();
        var whole = gradient.contiguous();
        lock (owned)
            return owned.Add((nint)TensorMemory.Address(whole)) ? whole : whole.clone();
    }

    /// <summary>Called by a lane when its last part is in.</summary>
    internal void Done(int lane)
    {
        lock (done)
        {
            done[lane] = true;
            // The last ones are joined by all threads together, in Give.
            if (joining || Volatile.Read(ref begun) == lanes)
                return;
            joining = true;
        }
        while (true)
        {
            lock (done)
                if (!done[0] || joined == lanes || !done[joined])
                {
                    joining = false;
                    return;
                }
            for (var i = 0; i < parameters.Count; i++)
                Join(i, joined, 0, long.MaxValue);
            Let(joined++);
        }
    }

    /// <summary>Hands the sums to the parameters, once all lanes are done.</summary>
    internal void Give()
    {
        List<(int Parameter, long From)> pieces = [];
        if (joined < lanes)
            for (var i = 0; i < parameters.Count; i++)
            for (var from = 0L; from < parameters[i].numel(); from += Piece)
                pieces.Add((i, from));
        Parts.Run(pieces.Count, piece =>
        {
            for (var lane = joined; lane < lanes; lane++)
                Join(pieces[piece].Parameter, lane, pieces[piece].From, Piece);
        });
        for (; joined < lanes; joined++)
            Let(joined);
        foreach (var (parameter, sum) in parameters.Zip(sums[0]!))
        {
            parameter.grad = sum;
            sum?.Dispose(); // the parameter holds it now
        }
    }

    private void Join(int parameter, int lane, long from, long most)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        if (sums[lane]![parameter] is not { } own)
            return;
        // A parameter that the first lane does not reach is reached by no lane of the same tower, or by few: its sum
        // begins here.
        if (sums[0]![parameter] is not { } sum)
            lock (sums)
                sum = sums[0]![parameter] ??= zeros_like(own).DetachFromDisposeScope();
        var count = Math.Min(most, own.numel() - from);
        sum.view(-1).narrow(0, from, count).PlusInPlace(own.reshape(-1).narrow(0, from, count));
    }

    private void Let(int lane)
    {
        foreach (var own in sums[lane]!)
            own?.Dispose();
        sums[lane] = null;
    }
}
