using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Compute.Locked;

/// <summary>
/// What layers are compiled for: where their weights are, of what type, and whether they are constant. Whoever makes,
/// locks, moves or casts a tower gives its layers a target, and they choose then who computes; calling the tower asks
/// for nothing of it any more.
/// </summary>
/// <param name="Device">Where the weights are.</param>
/// <param name="Type">Of what type.</param>
/// <param name="Constant">Whether they do not change, so that what follows from them is computed once (a locked
/// tower).</param>
/// <param name="Bytes">Whether constant weights become bytes (a tower of int8), where a layer can.</param>
internal sealed record Target(Device Device, ScalarType Type, bool Constant = false, bool Bytes = false)
{
    /// <summary>Whether this library's own kernels compute: they are for float32 on the CPU.</summary>
    public bool HasOwnKernels => Type == ScalarType.Float32 && Device.type == DeviceType.CPU;

    /// <summary>Whether constant weights are multiplied by oneDNN.</summary>
    public bool Packs => Constant && HasOwnKernels && OneDnn.IsAvailable;

    /// <summary>
    /// Whether a gradient with respect to an input is asked for: constants then compute as the paper has it.
    /// </summary>
    public static bool WantsGradient(Tensor input) => input.requires_grad;
}
