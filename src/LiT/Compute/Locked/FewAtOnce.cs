using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Compute.Locked;

/// <summary>
/// Layers whose activations are much larger than their weights, for a few pictures at a time: what one layer writes is
/// still in the caches when the next one reads it.
/// </summary>
internal static class FewAtOnce
{
    private const int Few = 2;

    /// <param name="target">On the CPU, and constant, pictures go through in parts; else all together.</param>
    /// <param name="layers">[B, …] → [B, …], every picture for itself.</param>
    public static Func<Tensor, Tensor> For(Target target, Func<Tensor, Tensor> layers) =>
        target is { Constant: true, Device.type: DeviceType.CPU } ? images => InParts(images, layers) : layers;

    private static Tensor InParts(Tensor images, Func<Tensor, Tensor> layers)
    {
        if (images.shape[0] <= Few || Target.WantsGradient(images))
            return layers(images);
        using var scope = NewDisposeScope();
        return cat([.. images.split(Few).Select(layers)], 0).MoveToOuterDisposeScope();
    }
}
