using static TorchSharp.torch;

namespace LiT.Compute.Locked;

/// <summary>
/// A weight and a bias that follow from constant weights, computed at the first call and kept. They are no weights:
/// they are not saved, and a tower that is moved or cast computes them again. Safe for use from several threads.
/// </summary>
/// <param name="fold">Computes both.</param>
internal sealed class OnceKept(Func<Tensor, (Tensor Weight, Tensor? Bias)> fold) : IDisposable
{
    private readonly Lock one = new();
    private (Tensor Weight, Tensor? Bias)? kept;

    /// <summary>The kept pair; the first call computes it.</summary>
    /// <param name="input">An input of the layer, for what is laid out for inputs of its size.</param>
    public (Tensor Weight, Tensor? Bias) For(Tensor input)
    {
        lock (one)
        {
            if (kept is { } pair)
                return pair;
            using var unrecorded = no_grad();
            using var scope = NewDisposeScope();
            var (w, b) = fold(input);
            kept = (w.detach().DetachFromDisposeScope(), b?.detach().DetachFromDisposeScope());
            return kept.Value;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (one)
        {
            kept?.Weight.Dispose();
            kept?.Bias?.Dispose();
            kept = null;
        }
    }
}
