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
/// <param name="stages">Cuts the way back of each lane's last part, so that what is tuned is told a stage at a
/// time.</param>
internal sealed class EmbeddedSide(
    Func<int, Tensor> embed,
    int parts,
    int lanes,
    IReadOnlyList<Tensor> tuned,
    ulong seed,
    IReadOnlyList<Tensor>? statistics = null,
    (BackwardStages Cuts, IReadOnlyList<IReadOnlyList<Tensor>> Tuned)? stages = null
) : IDisposable
{
    private readonly Tensor?[] graphs = new Tensor?[parts];
    private readonly IReadOnlyList<Tensor>?[] cuts = new IReadOnlyList<Tensor>?[lanes];
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
    /// <param name="gradient">Of the embeddings.</param>
    /// <param name="told">Given the parameters whose gradients are whole now, a stage at a time.</param>
    internal void Backward(Tensor gradient, Action<IReadOnlyList<Tensor>>? told = null)
    {
        if (tuned.Count == 0)
            return;
        using var scope = NewDisposeScope();
        using var once = new KeptStatistics(statistics ?? []);
        using var recorded = enable_grad();
        var of = gradient.split(sizes);
        var apart = stages?.Tuned ?? [tuned];
        GradientSums[] sums = [.. apart.Select(some => new GradientSums(some, lanes))];
        IList<Tensor> moving = [.. apart.SelectMany(some => some)];
        InLanes(
            part =>
            {
                if (part < lanes && stages is not null)
                    return;
                using var inside = NewDisposeScope();
                var z = graphs[part] ?? Part(part);
                // Not backward(): it would add to the one gradient that all lanes share.
                IList<Tensor> gradients = autograd.grad([z], moving, [of[part]], allow_unused: true);
                foreach (var sum in sums)
                {
                    sum.Add(part % lanes, [.. gradients.Take(sum.Count)]);
                    gradients = [.. gradients.Skip(sum.Count)];
                    if (part < lanes)
                        sum.Done(part);
                }
                graphs[part]?.Dispose();
            },
            backwards: true
        );
        if (stages is not null)
            LastParts(of, sums, told);
        else
        {
            sums[0].Give();
            told?.Invoke(tuned);
        }
    }

    /// <summary>The way back of the last part of every lane, one stage after the other.</summary>
    private void LastParts(Tensor[] of, GradientSums[] sums, Action<IReadOnlyList<Tensor>>? told)
    {
        var ends = new (Tensor? States, Tensor? Gradient)[lanes];
        for (var stage = 0; stage < sums.Length; stage++)
        {
            var own = stages!.Value.Tuned[stage];
            Parts.Run(lanes, lane =>
            {
                using var inside = NewDisposeScope();
                if (stage == 0)
                    ends[lane] = (graphs[lane] ??= Part(lane).DetachFromDisposeScope(), of[lane].alias());
                var (states, gradient) = ends[lane];
                var next = stage < cuts[lane]!.Count ? cuts[lane]![stage] : null;
                List<Tensor> inputs = next is null ? [.. own] : [.. own, next];
                // Where what is below is held, the way back has ended.
                IList<Tensor> gradients =
                    states is null || inputs.Count == 0
                        ? new Tensor[inputs.Count]
                        : autograd.grad([states], inputs, [gradient!], allow_unused: true);
                sums[stage].Add(lane, [.. gradients.Take(own.Count)]);
                sums[stage].Done(lane);
                ends[lane] = (next, next is null ? null : gradients[^1].DetachFromDisposeScope());
                states?.Dispose();
                gradient?.Dispose();
            });
            sums[stage].Give();
            told?.Invoke(own);
        }
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
        if (stages is not { } cut || part >= lanes || !is_grad_enabled())
            return embed(part);
        (var z, cuts[part]) = cut.Cuts.Pass(() => embed(part));
        return z;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in graphs.Concat(cuts.SelectMany(one => one ?? [])))
            tensor?.Dispose();
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
