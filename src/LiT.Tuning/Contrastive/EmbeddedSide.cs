using LiT.Compute;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// One side of a batch on its way from inputs to embeddings and back, in parts that are each done whole on one thread
/// (<see cref="Parts"/>), so that the number of threads changes no bit and two threads take half the time. Parts are
/// spread over lanes at fixed places; a lane adds up the gradients of its parts, and the lanes' sums are added in
/// order. The last part of each lane keeps its graph, the others are embedded without one and replayed part by part
/// once the gradients of their embeddings are known (gradient caching, Gao et al. 2021, arXiv 2101.06983), after the
/// kept ones have been used, so that memory is that of one part a lane. Randomness is drawn again from the same seeds.
/// </summary>
/// <param name="embed">Part number to embeddings of unit length, [n, E].</param>
/// <param name="parts">Number of parts.</param>
/// <param name="lanes">Number of lanes; part p is in lane p modulo so many.</param>
/// <param name="tuned">What takes a gradient in it; nothing where the side is locked.</param>
/// <param name="seed">Of this side at this step.</param>
/// <param name="statistics">
/// What a pass moves by itself (statistics of batch norms): the replay does not move it again.
/// </param>
internal sealed class EmbeddedSide(
    Func<int, Tensor> embed,
    int parts,
    int lanes,
    IReadOnlyList<Tensor> tuned,
    ulong seed,
    IReadOnlyList<Tensor>? statistics = null
) : IDisposable
{
    private readonly Tensor?[] graphs = new Tensor?[parts];
    private long[] sizes = [];

    /// <summary>The embeddings of all parts, outside any graph, [N, E].</summary>
    internal Tensor Embed()
    {
        using var scope = NewDisposeScope();
        var embedded = new Tensor[parts];
        InLanes(part =>
        {
            using var inside = NewDisposeScope();
            using var mode = set_grad_enabled(tuned.Count > 0 && part + lanes >= parts);
            var z = Part(part).DetachFromDisposeScope();
            embedded[part] = z.requires_grad ? (graphs[part] = z).detach().DetachFromDisposeScope() : z;
        });
        sizes = [.. embedded.Select(part => part.shape[0])];
        foreach (var part in embedded)
            scope.Attach(part);
        return (parts == 1 ? embedded[0] : cat(embedded)).MoveToOuterDisposeScope();
    }

    /// <summary>Adds the gradients of everything that is tuned, given those of the embeddings, [N, E].</summary>
    internal void Backward(Tensor gradient)
    {
        if (tuned.Count == 0)
            return;
        using var scope = NewDisposeScope();
        using var once = new KeptStatistics(statistics ?? []);
        using var recorded = enable_grad();
        var of = gradient.split(sizes);
        IList<Tensor> moving = [.. tuned];
        var sums = new GradientSums(tuned, lanes);
        InLanes(
            part =>
            {
                using var inside = NewDisposeScope();
                var z = graphs[part] ?? Part(part);
                // Not backward(): it would add to the one gradient that all lanes share.
                sums.Add(part % lanes, autograd.grad([z], moving, [of[part]], allow_unused: true));
                graphs[part]?.Dispose();
                if (part < lanes)
                    sums.Done(part);
            },
            backwards: true
        );
        sums.Give();
    }

    private void InLanes(Action<int> part, bool backwards = false) => Parts.Run(lanes, lane =>
        {
            for (int own = lane, last = parts - 1 - (parts - 1 - lane) % lanes; own < parts; own += lanes)
                part(backwards ? lane + last - own : own);
        });

    private Tensor Part(int part)
    {
        var own = (long)(Draw.Mixed(seed, (ulong)part) >> 1);
        var device = tuned.Count > 0 ? tuned[0].device : CPU;
        using var random = Layers.Seeded(own, device);
        using var rows = device.type == TorchSharp.DeviceType.CPU ? TableRows.Sparse() : null;
        return embed(part);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var graph in graphs)
            graph?.Dispose();
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
}
