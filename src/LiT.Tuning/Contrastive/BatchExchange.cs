using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// Where a step meets the other processes that share its batch. Every process has all the data and the same weights,
/// draws the whole batch, embeds its part of it, has its strip of the logits (<see cref="LossStrip"/>), and takes the
/// gradients of its own part back through its towers; the sums are those of one process. All processes call the same
/// members in the same order, from one thread. What is added up is added in the order of the processes, so that a
/// number of processes gives the same bits every time.
/// </summary>
internal interface IBatchExchange
{
    /// <summary>Which of the processes this one is, from 0.</summary>
    int Place { get; }

    /// <summary>How many share a batch; process p has the pairs from B·p/n up to B·(p+1)/n.</summary>
    int Processes { get; }

    /// <summary>Whether embeddings travel in bfloat16, half of the bytes.</summary>
    bool InHalf { get; }

    /// <summary>The rows of all processes, one process after the other, [B, …].</summary>
    /// <param name="own">This process's rows, [n, …]; outside any graph.</param>
    /// <param name="counts">How many rows each process has.</param>
    Tensor Gather(Tensor own, IReadOnlyList<int> counts);

    /// <summary>
    /// Gives every process the rows that are its own: of a table that each process has, process p gets its block of
    /// rows from every process, [N, n, …].
    /// </summary>
    /// <param name="rows">The blocks of all processes, one after the other, [B, …]; outside any graph.</param>
    /// <param name="counts">How many rows each process gets.</param>
    Tensor Deal(Tensor rows, IReadOnlyList<int> counts);

    /// <summary>
    /// Begins to replace each gradient by its sum over all processes; every process gives the same ones in the same
    /// order. They are not to be touched before <see cref="EndSums"/>.
    /// </summary>
    void BeginSum(IReadOnlyList<Tensor> gradients);

    /// <summary>Waits for all sums that were begun.</summary>
    void EndSums();

    /// <summary>What each process says, in their order.</summary>
    IReadOnlyList<string> Gather(string own);

    /// <summary>Whether any process says so.</summary>
    /// <param name="own">What this one says.</param>
    /// <param name="patient">Whether one of them may have a long work to do first.</param>
    bool Any(bool own, bool patient = false);
}

/// <summary>One process that has the batch for itself.</summary>
internal sealed class WholeBatch : IBatchExchange
{
    public int Place => 0;

    public int Processes => 1;

    public bool InHalf => false;

    public Tensor Gather(Tensor own, IReadOnlyList<int> counts) => own.alias();

    public Tensor Deal(Tensor rows, IReadOnlyList<int> counts) => rows.unsqueeze(0);

    public void BeginSum(IReadOnlyList<Tensor> gradients) { }

    public void EndSums() { }

    public IReadOnlyList<string> Gather(string own) => [own];

    public bool Any(bool own, bool patient = false) => own;
}

/// <summary>How a batch is shared.</summary>
/// <param name="Batch">Pairs in it.</param>
/// <param name="Place">Of the process.</param>
/// <param name="Processes">How many share it.</param>
internal readonly record struct BatchShare(int Batch, int Place, int Processes)
{
    /// <summary>The first pair of this process.</summary>
    public int From => Bound(Place);

    /// <summary>How many pairs it has.</summary>
    public int Count => Bound(Place + 1) - From;

    /// <summary>How many pairs each process has.</summary>
    public int[] Counts
    {
        get
        {
            var share = this;
            return [.. Enumerable.Range(0, Processes).Select(place => (share with { Place = place }).Count)];
        }
    }

    private int Bound(int place) => (int)((long)Batch * place / Processes);
}
