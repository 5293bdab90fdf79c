using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// A kernel and a bias that follow from constant weights, computed at the first call and kept. They are no weights: they
/// are not saved, and a tower moved to another device or type computes them again.
/// </summary>
internal sealed class FoldedWeights
{
    private readonly Lock one = new();
    private (Tensor Weight, Tensor? Bias)? kept;

    /// <summary>Whether the weights are constant. Setting it either way forgets what was kept.</summary>
    public bool Wanted
    {
        get;
        set
        {
            lock (one)
            {
                field = value;
                kept?.Weight.Dispose();
                kept?.Bias?.Dispose();
                kept = null;
            }
        }
    }

    /// <summary>The kept pair where it is of the input's device and type, else a new one.</summary>
    public (Tensor Weight, Tensor? Bias) For(Tensor input, Func<(Tensor Weight, Tensor? Bias)> fold)
    {
        lock (one)
        {
            if (
                kept is { Weight: var weight }
                && weight.dtype == input.dtype
                && weight.device_type == input.device_type
                && weight.device_index == input.device_index
            )
                return kept.Value;
            kept?.Weight.Dispose();
            kept?.Bias?.Dispose();
            using var unrecorded = no_grad();
            using var scope = NewDisposeScope();
            var (w, b) = fold();
            kept = (w.detach().DetachFromDisposeScope(), b?.detach().DetachFromDisposeScope());
            return kept.Value;
        }
    }

    /// <summary>The same values, the channel axis innermost in memory: what oneDNN's convolutions like best.</summary>
    internal static Tensor ChannelsLast(Tensor t) => t.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
}
