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

    private readonly Sum?[]?[] sums = new Sum?[lanes][];
    private readonly HashSet<nint> owned = [];
    private readonly bool[] done = new bool[lanes];
    private int begun,
        joined = 1; // lanes that are in the first one's sums
    private bool joining;

    /// <summary>How many parameters there are.</summary>
    internal int Count => parameters.Count;

    /// <summary>
    /// Adds the gradients of one part; null, or no tensor, where there is none. They belong to the lane from now on.
    /// </summary>
    internal void Add(int lane, IList<Tensor> gradients)
    {
        using var unrecorded = no_grad();
        if (sums[lane] is not { } own)
        {
            Interlocked.Increment(ref begun);
            own = sums[lane] = new Sum?[parameters.Count];
        }
        for (var i = 0; i < own.Length; i++)
        {
            if (gradients[i] is not { IsInvalid: false } gradient)
                continue;
            var sum = own[i] ??= new(parameters[i]);
            if (gradient.is_sparse)
                sum.AddRows(gradient);
            else if (sum.Whole is { } whole)
                whole.PlusInPlace(gradient);
            else
                sum.Begin(Owned(gradient));
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
        List<(int Parameter, long From, long Count)> pieces = [];
        if (joined < lanes)
            for (var i = 0; i < parameters.Count; i++)
            {
                var length = parameters[i].numel();
                var piece = HasRows(i) ? length : Piece; // rows go anywhere
                for (var from = 0L; from < length; from += piece)
                    pieces.Add((i, from, piece));
            }
        Parts.Run(pieces.Count, number =>
        {
            var (parameter, from, count) = pieces[number];
            for (var lane = joined; lane < lanes; lane++)
                Join(parameter, lane, from, count);
        });
        for (; joined < lanes; joined++)
            Let(joined);
        foreach (var (parameter, sum) in parameters.Zip(sums[0]!))
        {
            parameter.grad = sum?.Made();
            sum?.Dispose(); // the parameter holds it now
        }
    }

    private bool HasRows(int parameter) => sums.Any(lane => lane?[parameter]?.HasRows == true);

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
                sum = sums[0]![parameter] ??= new(parameters[parameter]);
        sum.Add(own, from, most);
    }

    private void Let(int lane)
    {
        foreach (var own in sums[lane]!)
            own?.Dispose();
        sums[lane] = null;
    }

    /// <summary>
    /// The sum of one parameter's gradients. Those of a table of rows (token embeddings) come as the few rows that were
    /// read: they are kept as they are until there are as many as the table has, since a whole table of zeros for every
    /// part takes longer than a small tower.
    /// </summary>
    private sealed class Sum(Tensor parameter) : IDisposable
    {
        private readonly List<(Tensor Ids, Tensor Rows)> rows = [];
        private long kept;

        public Tensor? Whole { get; private set; }

        public bool HasRows => rows.Count > 0;

        public void Begin(Tensor gradient)
        {
            Whole = gradient.DetachFromDisposeScope();
            AddKept();
        }

        public void AddRows(Tensor sparse)
        {
            using var scope = NewDisposeScope();
            var (ids, values) = (sparse.SparseIndices.select(0, 0).contiguous(), sparse.SparseValues.contiguous());
            if (Whole is not null)
            {
                TableRows.Add(Whole, ids, values);
                return;
            }
            rows.Add((ids.DetachFromDisposeScope(), values.DetachFromDisposeScope()));
            kept += ids.shape[0];
            if (kept >= parameter.shape[0])
                Made();
        }

        /// <summary>The sum as a tensor of the parameter's shape.</summary>
        public Tensor Made()
        {
            if (Whole is null)
                Begin(zeros_like(parameter));
            return Whole!;
        }

        /// <summary>Adds so many numbers of another sum.</summary>
        public void Add(Sum other, long from, long most)
        {
            Tensor whole;
            lock (rows)
                whole = Made();
            if (other.Whole is { } all)
            {
                var count = Math.Min(most, all.numel() - from);
                whole.view(-1).narrow(0, from, count).PlusInPlace(all.reshape(-1).narrow(0, from, count));
            }
            foreach (var (ids, values) in other.rows)
                TableRows.Add(whole, ids, values);
        }

        public void Dispose()
        {
            Whole?.Dispose();
            foreach (var (ids, values) in rows)
            {
                ids.Dispose();
                values.Dispose();
            }
        }

        private void AddKept()
        {
            foreach (var (ids, values) in rows)
            {
                TableRows.Add(Whole!, ids, values);
                ids.Dispose();
                values.Dispose();
            }
            rows.Clear();
        }
    }
}
