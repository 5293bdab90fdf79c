using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Compute;

/// <summary>Numbers of the host on their way to where it is computed.</summary>
internal static class Upload
{
    /// <summary>
    /// The tensor on a device. To a GPU it goes through pinned memory, so that the host does not wait until the GPU has
    /// done what was asked of it before; on the CPU it is the tensor itself.
    /// </summary>
    public static Tensor On(this Tensor host, Device device) =>
        device.type == DeviceType.CUDA && host.device_type == DeviceType.CPU
            ? host.pin_memory().to(device, non_blocking: true)
            : host.to(device);
}
