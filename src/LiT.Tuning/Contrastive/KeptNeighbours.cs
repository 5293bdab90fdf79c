using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// What keeps the neighbours of locked rows through a head that is tuned on few pairs (STRUCTURE, Gröger, Wen et al.
/// 2025, arXiv 2506.16895): within a batch, the softmax over the similarities of what comes out of the head is held
/// near that of what goes in, by the Jensen-Shannon divergence of the rows of both; and so for each number of steps
/// from neighbour to neighbour, the powers of those matrices, each counted by its inverse. Rows are brought to unit
/// length, and their mean is taken away. Plain data; safe for several threads.
/// </summary>
/// <param name="weight">Of this beside the contrastive loss, when it is whole.</param>
/// <param name="levels">The highest power.</param>
/// <param name="steps">Of the run, which decide how fast the weight rises.</param>
internal sealed class KeptNeighbours(double weight, int levels, long steps)
{
    // As the authors' code has them.
    private const double Temperature = 0.1,
        Epsilon = 1e-12;
    private const long Rising = 500;

    // Larger batches are looked at in parts: a power of a matrix of so many rows is quick.
    private const int MostRows = 512;

    /// <summary>
    /// The weight at a step: it rises from nothing over 500 steps, or over half of a run that is shorter than twice
    /// that.
    /// </summary>
    /// <param name="step">Counted from 0.</param>
    public double WeightAt(long step) => weight * Math.Min(1, step / (double)Math.Min(Rising, Math.Max(1, steps / 2)));

    /// <summary>The divergence of one side and what it asks of what comes out.</summary>
    /// <param name="before">What goes into the head, [B, D]; outside any graph.</param>
    /// <param name="after">What comes out, at unit length, [B, E]; outside any graph.</param>
    /// <returns>The divergence, a scalar, and its gradient, [B, E].</returns>
    public (Tensor Divergence, Tensor Gradient) Of(Tensor before, Tensor after)
    {
        var rows = after.shape[0];
        var parts = (rows + MostRows - 1) / MostRows;
        var divergences = new Tensor[parts];
        var gradients = new Tensor[parts];
        using var scope = NewDisposeScope();
        // A part whole on one thread: libtorch cuts sums where its threads are.
        Parts.Run((int)parts, part =>
        {
            using var inside = NewDisposeScope();
            var (from, to) = (rows * part / parts, rows * (part + 1) / parts);
            using var recorded = enable_grad();
            var z = after.narrow(0, from, to - from).detach().clone().requires_grad_();
            var share = (to - from) / (double)rows;
            var divergence = Divergence(before.narrow(0, from, to - from), z).Times(share);
            gradients[part] = autograd.grad([divergence], [z])[0].DetachFromDisposeScope();
            divergences[part] = divergence.detach().DetachFromDisposeScope();
        });
        foreach (var tensor in divergences.Concat(gradients))
            scope.Attach(tensor);
        Tensor? sum = null;
        Parts.Run(1, _ => sum = stack(divergences).sum());
        return (sum!.MoveToOuterDisposeScope(), cat(gradients).MoveToOuterDisposeScope());
    }

    private Tensor Divergence(Tensor before, Tensor after)
    {
        var (p, q) = (Shares(before).detach(), Shares(after));
        var (own, theirs) = (p, q);
        var sum = Between(p, q);
        for (var level = 2; level <= levels; level++)
        {
            (p, q) = (p.matmul(own), q.matmul(theirs));
            sum = sum.Plus(Between(p, q).Times(1.0 / level));
        }
        return sum.Times(1.0 / levels);
    }

    /// <summary>Each row's share of its likeness in every row, [n, n].</summary>
    private static Tensor Shares(Tensor rows)
    {
        var unit = rows / rows.norm(1, keepdim: true).Plus(Epsilon);
        var centred = unit - unit.mean([0], keepdim: true);
        return centred.matmul(centred.t()).Times(1 / Temperature).softmax(1);
    }

    /// <summary>The Jensen-Shannon divergence of two rows of shares, the mean over all rows, in nats.</summary>
    private static Tensor Between(Tensor p, Tensor q)
    {
        var middle = p.Plus(q).Times(0.5).Plus(Epsilon).log();
        return From(p).Plus(From(q)).Times(0.5);

        Tensor From(Tensor shares) => (shares * (shares.Plus(Epsilon).log() - middle)).sum([1]).mean();
    }
}
