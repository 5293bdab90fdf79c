using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// The two points at which a step meets the other processes that share its batch: embeddings are gathered, gradients are
/// summed. Every process has all the data and the same weights, draws the whole batch, embeds its part of it, computes the
/// loss over the whole, and takes the gradients of its own part back through its towers. The sums are those of one process.
/// </summary>
internal interface IBatchExchange
{
    /// <summary>Which of the processes this one is, from 0.</summary>
    int Place { get; }

    /// <summary>How many share a batch; process p has the pairs from B·p/n up to B·(p+1)/n.</summary>
    int Processes { get; }

    /// <summary>The rows of all processes, one process after the other, [B, E].</summary>
    /// <param name="own">This process's rows, [n, E]; outside any graph.</param>
    Tensor Gather(Tensor own);

    /// <summary>Replaces each gradient by its sum over all processes; every process gives the same ones in the same order.</summary>
    void Sum(IReadOnlyList<Tensor> gradients);
}

/// <summary>One process that has the batch for itself.</summary>
internal sealed class WholeBatch : IBatchExchange
{
    public int Place => 0;

    public int Processes => 1;

    public Tensor Gather(Tensor own) => own;

    public void Sum(IReadOnlyList<Tensor> gradients) { }
}
