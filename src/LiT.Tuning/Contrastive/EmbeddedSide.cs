using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// One side of a batch on its way from inputs to embeddings and back. A side in one part keeps its graph. A side in several
/// is embedded without one and replayed part by part once the gradients of its embeddings are known (gradient caching,
/// Gao et al. 2021, arXiv 2101.06983), so that memory is that of one part. Randomness is drawn again from the same seeds.
/// </summary>
/// <param name="embed">Part number to embeddings of unit length, [n, E].</param>
/// <param name="parts">Number of parts.</param>
/// <param name="tuned">Whether anything in it takes a gradient.</param>
/// <param name="seed">Of this side at this step.</param>
/// <param name="statistics">What a pass moves by itself (statistics of batch norms): the replay does not move it again.</param>
internal sealed class EmbeddedSide(
    Func<int, Tensor> embed,
    int parts,
    bool tuned,
    ulong seed,
    IReadOnlyList<Tensor>? statistics = null
)
{
    private Tensor? graph;
    private List<long>? sizes;

    /// <summary>The embeddings of all parts, outside any graph, [N, E].</summary>
    internal Tensor Embed()
    {
        if (tuned && parts == 1)
        {
            graph = Part(0);
            return graph.detach();
        }
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var embedded = Enumerable
            .Range(0, parts)
            .Select(part =>
            {
                using var inside = NewDisposeScope();
                return Part(part).MoveToOuterDisposeScope();
            })
            .ToArray();
        sizes = [.. embedded.Select(part => part.shape[0])];
        return (parts == 1 ? embedded[0] : cat(embedded)).MoveToOuterDisposeScope();
    }

    /// <summary>Adds the gradients of everything that is tuned, given those of the embeddings, [N, E].</summary>
    internal void Backward(Tensor gradient)
    {
        if (!tuned)
            return;
        if (graph is not null)
        {
            graph.backward([gradient]);
            return;
        }
        using var once = new KeptStatistics(statistics ?? []);
        var at = 0L;
        for (var part = 0; part < parts; part++)
        {
            using var scope = NewDisposeScope();
            Part(part).backward([gradient.narrow(0, at, sizes![part])]);
            at += sizes[part];
        }
    }

    /// <summary>Puts statistics back to what they were when it was made.</summary>
    private sealed class KeptStatistics(IReadOnlyList<Tensor> statistics) : IDisposable
    {
        private readonly List<Tensor> before = [.. statistics.Select(one => one.clone().DetachFromDisposeScope())];

        public void Dispose()
        {
            using var unrecorded = no_grad();
            foreach (var (one, kept) in statistics.Zip(before))
            {
                one.copy_(kept);
                kept.Dispose();
            }
        }
    }

    private Tensor Part(int part)
    {
        random.manual_seed((long)(Draw.Mixed(seed, (ulong)part) >> 1)).Dispose();
        return embed(part);
    }
}
